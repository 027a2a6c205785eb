package scan

import (
	"cmp"
	"path/filepath"
	"strings"
)

// conventions is what a program loads that no file needs by DT_NEEDED: what configuration
// says, what is literal in code that opens libraries, and what is named by the user.
type conventions struct {
	apis     map[string]fid // functions of libraries that are reached, by name
	loadings map[*module]*loading
	done     map[string]bool // what was followed
}

// noteFunc notes the names of a function that is reached.
func (p *program) noteFunc(id fid) {
	m := p.modules[id.mod]
	if m.file.Go != nil {
		if asksForMethods(m.file.Funcs[id.fn].Name) {
			p.golang.asks, p.golang.changed = true, true
		}
		return
	}
	for _, i := range m.byFunc[int(id.fn)] {
		name := m.file.Symbols[i].Name
		if _, ok := p.apis[name]; !ok {
			p.apis[name] = id
		}
	}
}

// follow loads what conventions say is loaded, now that more is reached.
func (p *program) follow() {
	for _, do := range [...]func(*program){
		(*program).audited, (*program).with, (*program).nss, (*program).unwinder, (*program).gconv, (*program).python, (*program).dlopen,
	} {
		do(p)
	}
}

// plug loads a file that a program opens itself. It returns nil if that is not possible.
func (p *program) plug(path, why string) *module {
	if added := p.loadAll(path, why, nil); len(added) > 0 {
		p.enter(added)
	}
	return p.byPath[path]
}

// plugAll loads a file that a program opens itself, and reaches all that it exports, which the
// program may look up by name.
func (p *program) plugAll(path, why string, from fid) bool {
	m := p.plug(path, why)
	if m != nil && m.index > 0 {
		p.export(m, from)
	}
	return m != nil
}

// export reaches what a program looks up by name in a module.
func (p *program) export(m *module, from fid) {
	if !p.once("exports of " + m.file.Path) {
		return
	}
	for _, name := range entryPoints(m) {
		for _, i := range m.defs[name] {
			p.visitLate(target{m, m.file.Symbols[i].Addr}, from, "looked up as "+name)
		}
	}
}

// with loads what the user named.
func (p *program) with() {
	if !p.once("with") {
		return
	}
	for _, path := range p.options.With {
		loaded := false
		err := p.search.walk(path, func(file string) error {
			if mach := p.search.machine(file); mach != 0 && mach == p.modules[0].file.Machine {
				loaded = p.plugAll(file, "with", none) || loaded
			}
			return nil
		})
		switch {
		case err != nil:
			p.unresolved = append(p.unresolved, Unresolved{Step: Step{Module: path}, Reason: "cannot be read: " + plain(err).Error(), Harm: true})
		case !loaded:
			p.unresolved = append(p.unresolved, Unresolved{Step: Step{Module: path}, Reason: "has no library for this program (--with)", Harm: true})
		}
	}
}

// libc returns glibc, nil if the program does without.
func (p *program) libc() *module {
	for _, m := range p.modules {
		if m.file.SOName == "libc.so.6" {
			return m
		}
	}
	return nil
}

// unwinder loads the library that glibc opens to unwind the stack of a thread that ends.
func (p *program) unwinder() {
	for _, name := range [...]string{"pthread_exit", "pthread_cancel", "backtrace"} {
		if from, ok := p.apis[name]; ok && p.once("unwinder") {
			p.plugLibrary("libgcc_s.so.1", "opened by "+name, from)
		}
	}
}

// once reports whether something was not done before.
func (p *program) once(what string) bool {
	if p.done[what] {
		return false
	}
	p.done[what] = true
	return true
}

// plugLibrary loads a library that a program opens by a name to search for.
func (p *program) plugLibrary(name, why string, from fid) bool {
	by := p.modules[0]
	if from != none {
		by = p.modules[from.mod]
	}
	for _, m := range p.modules {
		if m.file.SOName == name {
			p.export(m, from)
			return true
		}
	}
	path, ok := p.search.library(name, by.chain())
	return ok && p.plugAll(path, why, from)
}

// gconv loads the converters between character sets.
func (p *program) gconv() {
	from, ok := p.apis["iconv_open"]
	if !ok || !p.once("gconv") {
		return
	}
	libc := p.libc()
	if libc == nil {
		return
	}
	dir := filepath.Join(filepath.Dir(libc.file.Path), "gconv")
	for _, name := range p.search.names(dir) {
		if strings.HasSuffix(name, ".so") {
			p.plugPath(filepath.Join(dir, name), "gconv", from)
		}
	}
}

// plugPath loads a file by its path, which may be a symbolic link.
func (p *program) plugPath(path, why string, from fid) bool {
	clean, _, err := p.search.resolve(path)
	if err != nil {
		return false
	}
	if p.search.machine(clean) != p.modules[0].file.Machine {
		return false
	}
	return p.plugAll(clean, why, from)
}

// python loads the extension modules of Python's own library, which is in a folder named
// after the version: that of the file name, or all if it does not tell.
func (p *program) python() {
	from, ok := p.apis["Py_BytesMain"]
	if !ok || !p.once("python") {
		return
	}
	file := p.modules[from.mod].file
	version := pythonVersion(cmp.Or(file.SOName, filepath.Base(file.Path)))
	for _, prefix := range [...]string{"/usr/lib", "/usr/local/lib", "/usr/lib64"} {
		for _, folder := range p.search.names(prefix) {
			if !strings.HasPrefix(folder, "python3") || version != "" && folder != version {
				continue
			}
			dir := filepath.Join(prefix, folder, "lib-dynload")
			for _, name := range p.search.names(dir) {
				p.plugPath(filepath.Join(dir, name), "Python's lib-dynload", from)
			}
		}
	}
	p.unresolved = append(p.unresolved, Unresolved{Step: p.step(from, ""), Reason: "runs extension modules that Python programs import: those of lib-dynload are in, name others with --with"})
}

// pythonVersion returns the version in the name of a file, as python3.11; "" without one.
func pythonVersion(name string) string {
	i := strings.Index(name, "python3.")
	if i < 0 {
		return ""
	}
	end := i + len("python3.")
	for end < len(name) && '0' <= name[end] && name[end] <= '9' {
		end++
	}
	return name[i:end]
}
