package scan

import (
	"strings"
)

// preload loads what glibc's ld.so loads into every program, before what the program needs:
// the libraries that a file of the system names.
func (p *program) preload(m *module) {
	const list = "/etc/ld.so.preload"
	if isMusl(m.file) {
		return
	}
	for _, line := range p.search.lines(list) {
		for _, name := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t:", r) }) {
			p.need(m, name, "named in "+list)
		}
	}
}

// audit loads the libraries through which glibc's ld.so reports to a program what it loads
// (rtld-audit(7)). It reads their names in the program alone: linkers note there those of the
// libraries that the program needs.
func (p *program) audit() {
	m := p.modules[0]
	if m.file.Interp == "" || isMusl(m.file) {
		return
	}
	for _, name := range m.file.Audit {
		if name == "" {
			continue
		}
		if path, ok := p.search.library(name, m.chain()); ok {
			p.loadAll(path, "audits the program", m)
			p.setApart(p.byPath[path])
		} else {
			p.lacks(m, name)
		}
	}
}

// setApart notes that a module and all that it needs are loaded once more for it, so that
// they see each other and not the program.
func (p *program) setApart(m *module) {
	if m == nil || m.apart {
		return
	}
	m.apart = true
	for _, name := range m.file.Needed {
		p.setApart(p.named(name))
	}
}

// audited reaches the functions that ld.so looks up in libraries that audit the program.
func (p *program) audited() {
	if !p.once("audit") {
		return
	}
	for _, m := range p.modules {
		for _, name := range sortedKeys(m.defs) {
			if m.apart && strings.HasPrefix(name, "la_") {
				for _, i := range m.defs[name] {
					p.visit(target{m, m.file.Symbols[i].Addr}, none, "looked up as "+name, true)
				}
			}
		}
	}
}
