package scan

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A module is a file that a program loads.
type module struct {
	*unit
	index  int
	why    string
	by     *module         // that needs it, nil for the program
	nodes  []node          // of functions
	walked map[uint64]bool // objects in data, by where they start
	exact  map[uint64]bool // words of the GOT
	apart  bool            // it is also in a namespace of its own (dlmopen(3)), which has not the program
}

// A program is an executable with all that it loads: the modules in the order in which
// ld.so looks for symbols.
type program struct {
	*scanner
	modules []*module
	initial int // modules that are there when the program starts: all others see them
	byPath  map[string]*module
	defines map[string][]*module   // who defines a symbol, by its name, in the order of modules
	found   map[symbolKey][]target // by lookup
	missing map[string][]wanting   // symbols that no module defines so far
	lacking []lack
	reach
	conventions
	guards guards

	result     []Call
	unresolved []Unresolved
}

// A symbolKey is what ld.so looks for.
type symbolKey struct {
	name, version string
	copied        bool // not in the program itself
	apart         bool // the file that refers to it does not see all modules, so that all definitions count
}

// A target is a place in a module.
type target struct {
	mod  *module
	addr uint64
}

// A wanting is a reference to a symbol that is not there yet.
type wanting struct {
	from fid
	how  string
	key  symbolKey
}

// load adds a file to the program, and what it needs. It returns nil if the file cannot be
// read or is for another machine; that is listed as unresolved.
func (p *program) load(path, why string, by *module) *module {
	if m, ok := p.byPath[path]; ok {
		return m
	}
	u, err := p.unit(path)
	if err == nil && len(p.modules) > 0 && u.file.Machine != p.modules[0].file.Machine {
		err = errors.New("is for another machine")
	}
	if err != nil {
		u := leftOut(path, err)
		u.Reason = "(" + why + ") " + u.Reason
		p.unresolved = append(p.unresolved, u)
		return nil
	}
	m := &module{unit: u, index: len(p.modules), why: why, by: by, nodes: make([]node, len(u.file.Funcs)),
		walked: make(map[uint64]bool), exact: make(map[uint64]bool)}
	p.modules = append(p.modules, m)
	p.byPath[path] = m
	for name := range m.defs {
		p.defines[name] = append(p.defines[name], m)
	}
	for _, note := range u.file.Notes {
		p.unresolved = append(p.unresolved, Unresolved{Step: Step{Module: path}, Reason: "contradicts itself: " + note, Harm: true})
	}
	return m
}

// loadAll loads a file and, breadth first, all that it needs. It returns what is new.
func (p *program) loadAll(path, why string, by *module) (added []*module) {
	n := len(p.modules)
	p.load(path, why, by)
	for i := n; i < len(p.modules); i++ {
		m := p.modules[i]
		if i == 0 && m.file.Interp != "" {
			p.preload(m)
		}
		for _, name := range m.file.Needed {
			p.need(m, name, "needed by "+filepath.Base(m.file.Path))
		}
		if i == 0 && m.file.Interp != "" {
			p.interpreter(m)
		}
	}
	if n == 0 && len(p.modules) > 0 {
		p.initial = len(p.modules)
		p.audit()
	}
	added = slices.Clone(p.modules[n:])
	p.retry(added)
	return added
}

// need loads a library that a module needs by name.
func (p *program) need(m *module, name, why string) {
	if p.named(name) != nil { // ld.so compares names before it searches
		return
	}
	path, ok := p.search.library(name, m.chain())
	switch {
	case ok:
		p.load(path, why, m)
	case isMusl(p.modules[0].file) && strings.HasPrefix(name, "libc."): // musl's libc is its interpreter
	default:
		p.lacks(m, name)
	}
}

// named returns the module that a file needs by name, nil if it is not loaded.
func (p *program) named(name string) *module {
	for _, m := range p.modules {
		if m.file.SOName == name || filepath.Base(m.file.Path) == name {
			return m
		}
	}
	return nil
}

// A lack is a library that a module needs and that is not where ld.so searches.
type lack struct {
	mod  *module
	name string
}

// lacks notes that a library of a module is not there.
func (p *program) lacks(m *module, name string) { p.lacking = append(p.lacking, lack{m, name}) }

// listLacks lists the libraries that are not there, now that all is loaded: a plug-in may need
// one from a folder that only the program knows, as those of Java need libjvm.so. It cannot be
// opened until the program has opened that one by its path.
func (p *program) listLacks() {
	for _, l := range p.lacking {
		if p.named(l.name) == nil {
			p.unresolved = append(p.unresolved, Unresolved{Step: Step{Module: l.mod.file.Path},
				Reason: fmt.Sprintf("needs %s, which is in no folder that ld.so searches: name it with --with", l.name), Harm: true})
		}
	}
}

// interpreter loads the ld.so that a program names.
func (p *program) interpreter(m *module) {
	clean, _, err := p.search.resolve(m.file.Interp)
	if err != nil {
		p.unresolved = append(p.unresolved, Unresolved{Step: Step{Module: m.file.Path}, Reason: fmt.Sprintf("needs the interpreter %s, which is missing: scan where it is, or with --root", m.file.Interp), Harm: true})
		return
	}
	if i := p.load(clean, "interpreter", m); i != nil {
		i.why = "interpreter" // even if the program also needs it as a library, as on aarch64
	}
}

// chain returns the files that led to a module, itself first.
func (m *module) chain() (files []*object.File) {
	for ; m != nil; m = m.by {
		files = append(files, m.file)
	}
	return files
}

// symbol returns where a symbol that a module refers to is.
func (p *program) symbol(m *module, index int, copied bool) ([]target, symbolKey) {
	s := &m.file.Symbols[index]
	if s.Defined && !s.Dynamic {
		return []target{{m, s.Addr}}, symbolKey{}
	}
	key := symbolKey{s.Name, s.Version, copied, m.apart}
	found, ok := p.found[key]
	if !ok {
		found = p.lookup(key)
		if found == nil && s.Defined {
			return []target{{m, s.Addr}}, key
		}
		if found != nil && found[0].mod.index < p.initial {
			p.found[key] = found // modules that come later do not change it
		}
	}
	return found, key
}

// lookup finds the definition of a symbol as ld.so does: the first one with its name and
// version, where a file without versions has all, and weak is as good as strong. Of several
// versions in one file all count if the reference names none. A filter stands for what it
// filters as well. Libraries that a program opens itself see those they need, not those of
// others: which ones see which is not known, so that the definitions of all of them count.
func (p *program) lookup(key symbolKey) (list []target) {
	for _, m := range p.defines[key.name] {
		if key.copied && m.index == 0 {
			continue
		}
		before := len(list)
		for _, i := range m.defs[key.name] {
			s := &m.file.Symbols[i]
			if s.Version == key.version || s.Version == "" || key.version == "" {
				list = append(list, target{m, s.Addr})
			}
		}
		if len(list) > before && !m.file.Filter && m.index < p.initial && !key.apart {
			return list
		}
	}
	return list
}

// retry follows references to symbols that were missing until modules were loaded.
func (p *program) retry(added []*module) {
	if len(p.missing) == 0 {
		return
	}
	for _, m := range added {
		for _, name := range sortedKeys(m.defs) {
			list := p.missing[name]
			delete(p.missing, name)
			for _, w := range list {
				found := p.lookup(w.key)
				if found == nil { // another version
					p.missing[name] = append(p.missing[name], w)
				}
				for _, t := range found {
					p.visitLate(t, w.from, w.how)
				}
			}
		}
	}
}
