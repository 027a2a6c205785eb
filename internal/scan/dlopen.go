package scan

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// A loading is what is known of how a module opens libraries.
type loading struct {
	from    fid
	unknown bool // some name is not literal
	self    bool // a name is null, or of a library that was there before: its handle finds what is reached by name only
}

// A loaderUse is a call of a function of libdl, and what it gets.
type loaderUse struct {
	name         string // of the function
	base         *module
	from         fid        // who decides what it gets: in base, or around functions of base that pass it on
	handle, text code.Value // text is the name of a library or a symbol
	depth        int        // how many such functions there may still be
}

// dlopen follows calls that open libraries and look up symbols. Most names are literal. For
// the others, all names and folders for plug-ins in the data of the module count.
func (p *program) dlopen() {
	seen := make(map[string]bool)
	for _, name := range [...]string{"dlopen", "dlmopen", "dlsym", "dlvsym"} {
		for _, t := range p.lookup(symbolKey{name: name}) {
			if fn, ok := t.mod.fn(t.addr); ok {
				p.loaderCalls(fid{int32(t.mod.index), int32(fn)}, name, seen)
			}
		}
		if id, ok := p.apis[name]; ok && id.mod == 0 && p.modules[0].file.Interp == "" { // part of a static program
			p.loaderCalls(id, name, seen)
		}
	}
	for _, m := range slices.SortedFunc(maps.Keys(p.loadings), func(a, b *module) int { return a.index - b.index }) {
		if l := p.loadings[m]; l.unknown && !p.loadsNoExtensions(m) && p.once("names in "+m.file.Path) {
			p.openAll(m, l)
		}
	}
}

// loaderCalls follows all calls of a function of libdl: by name, through registers that were
// loaded from the GOT and, with any arguments, by whoever else has its address.
func (p *program) loaderCalls(id fid, name string, seen map[string]bool) {
	n := &p.modules[id.mod].nodes[id.fn]
	call := func(from fid, c *code.CallValues) {
		u := loaderUse{name: name, base: p.modules[from.mod], from: from, depth: maxWrappers}
		u.handle, u.text = c.Entry(p.argument(0)), c.Entry(p.argument(1))
		switch name {
		case "dlopen":
			u.handle, u.text = code.Value{}, u.handle
		case "dlmopen":
			u.handle = code.Value{}
		}
		p.follows(u, seen)
	}
	for _, e := range p.callers(id) {
		call(e.from, &p.modules[e.from.mod].flow(int(e.from.fn)).Calls[e.call])
	}
	given := n.stored
	for _, l := range slices.Clip(p.loads[id]) {
		p.loadedCalls(l, call)
		given = given || p.givesAway(l)
	}
	if !given {
		return
	}
	for _, from := range slices.Clip(n.takers) {
		if fn, ok := p.modules[0].fn(p.modules[0].file.Entry); from == none && ok { // data of the program
			from = fid{0, int32(fn)}
		}
		if from != none {
			call(from, &code.CallValues{Entry: func(code.Place) code.Value { return code.Value{Unknown: true, Consts: []uint64{0}} }})
		}
	}
}

// follows follows a call of a function of libdl. If the function that makes it gets a name or a
// handle itself, its callers decide, but for a library that can be any already.
func (p *program) follows(u loaderUse, seen map[string]bool) {
	key := fmt.Sprint(u.name, u.base.index, u.from, u.handle, u.text)
	if seen[key] {
		return
	}
	seen[key] = true
	opens := strings.HasSuffix(u.name, "open")
	decided := u.depth == 0 || p.modules[u.from.mod].nodes[u.from.fn].taken || opens && u.text.Unknown
	if !decided && len(u.handle.Entry)+len(u.text.Entry) > 0 {
		for _, e := range p.callers(u.from) {
			c := &p.modules[e.from.mod].flow(int(e.from.fn)).Calls[e.call]
			up := u
			up.from, up.depth = e.from, u.depth-1
			up.handle, up.text = substitute(u.handle, c), substitute(u.text, c)
			p.follows(up, seen)
		}
		if u.handle.Entry, u.text.Entry = nil, nil; empty(&u.text) {
			return
		}
	}
	switch {
	case !p.once(key):
	case opens:
		p.opens(u)
	default:
		p.looksUp(u)
	}
}

// argument returns the place of an argument of a function.
func (p *program) argument(n int) code.Place {
	if p.modules[0].file.Machine == object.ARM64 {
		return code.Place(n)
	}
	return [...]code.Place{7, 6, 2, 1}[n]
}

// texts returns the strings that a value can point to, if it is nothing else but null.
func (m *module) texts(v code.Value) (list []string, ok bool) {
	if v.Unknown || len(v.Entry) > 0 {
		return nil, false
	}
	for _, addr := range slices.Concat(v.Addrs, v.Consts) {
		if s := m.segment(addr); addr != 0 && s != nil && addr-s.Addr < uint64(len(s.Data)) {
			text, _, found := bytes.Cut(s.Data[addr-s.Addr:], []byte{0})
			if !found || s.Writable {
				return nil, false
			}
			list = append(list, string(text))
		} else if addr != 0 {
			return nil, false
		}
	}
	return list, true
}

// maxWrappers bounds the functions around dlopen that pass a name on, with the entry of the PLT.
const maxWrappers = 5

// opens follows a call that opens the library that a value names.
func (p *program) opens(u loaderUse) {
	m := p.modules[u.from.mod]
	l := p.loadings[m]
	if l == nil {
		l = &loading{from: u.from}
		p.loadings[m] = l
	}
	names, ok := m.texts(u.text)
	l.unknown = l.unknown || !ok
	l.self = l.self || !u.text.Unknown && slices.Contains(u.text.Consts, 0)
	for _, name := range names {
		l.self = l.self || p.isThere(name)
		p.openName(m, name, u.from)
	}
}

// isThere reports whether a name is that of a library which a file needs.
func (p *program) isThere(name string) bool {
	return slices.ContainsFunc(p.modules, func(m *module) bool { return m.file.SOName == name && m.by != nil })
}

// openName loads a library that a module opens by a name in its data.
func (p *program) openName(m *module, name string, from fid) bool {
	why := "dlopen literal in " + filepath.Base(m.file.Path)
	if strings.HasPrefix(name, "/") {
		return p.plugPath(name, why, from)
	}
	if strings.Contains(name, "/") || p.isThere(name) {
		return false // what is there already is looked up by name
	}
	return p.plugLibrary(name, why, from)
}

// looksUp follows a call that looks up the symbol that a value names. Of libraries that the
// program opens itself all symbols are reached anyhow; those that were there before are
// looked up through the handles RTLD_DEFAULT and RTLD_NEXT, that of the program itself, those
// of libraries which it opens once more, or ones that cannot be told apart. If the name is not
// literal, all names in the data of the module count, and what the program itself exports for
// this.
func (p *program) looksUp(u loaderUse) {
	m, from := p.modules[u.from.mod], u.from
	names, ok := m.texts(u.text)
	if ok {
		for _, name := range names {
			p.lookedUp(name, from, nil)
		}
		return
	}
	special := len(u.handle.Entry) > 0 || slices.Contains(u.handle.Consts, 0) || slices.Contains(u.handle.Consts, ^uint64(0))
	for _, m := range [...]*module{m, u.base} {
		special = special || p.loadings[m] != nil && p.loadings[m].self
	}
	if !special {
		if p.once("symbols of others in " + m.file.Path) {
			p.unresolved = append(p.unresolved, Unresolved{Step: p.step(from, ""), Reason: "looks up functions by names that it makes in libraries that it opened: all that these export is in, " +
				"what it may look up in others is not"})
		}
		return
	}
	if !p.once("symbols in " + m.file.Path) {
		return
	}
	p.export(p.modules[0], from)
	imports := make(map[string]bool)
	for _, s := range m.file.Symbols {
		if !s.Defined {
			imports[s.Name] = true // which are reached where they are used
		}
	}
	found := p.exportsFunctions(p.modules[0])
	m.strings(func(s string) {
		if p.defines[s] != nil && !imports[s] {
			found = p.lookedUp(s, from, m) || found
		}
	})
	open := Unresolved{Step: p.step(from, ""), Reason: "looks up functions by names that it makes; those whose names are in its data are in", Harm: !found}
	if !found {
		open.Reason = "looks up functions whose names are not in its data"
	}
	p.unresolved = append(p.unresolved, open)
}

// exportsFunctions reports whether a module exports functions of its own, and not just variables
// that it has copied.
func (p *program) exportsFunctions(m *module) bool {
	for name := range m.defs {
		if _, ok := p.exported(m, name); ok && !strings.HasPrefix(name, "_") {
			return true
		}
	}
	return false
}

// lookedUp reaches what a name is in all modules but one. It reports whether it is a function.
func (p *program) lookedUp(name string, from fid, but *module) (found bool) {
	for _, m := range p.defines[name] {
		if m == but {
			continue
		}
		for _, i := range m.defs[name] {
			p.visitLate(target{m, m.file.Symbols[i].Addr}, from, "looked up by dlsym")
			_, code := m.fn(m.file.Symbols[i].Addr)
			found = found || code
		}
	}
	return found
}

// isLibraryName reports whether a string looks like the name of a library: libx.so.1.
func isLibraryName(s string) bool {
	name, version, found := strings.Cut(s, ".so")
	const usual = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-"
	return found && name != "" && strings.Trim(name, usual) == "" && strings.Trim(version, "0123456789.") == "" &&
		(version == "" || version[0] == '.')
}

// openAll loads what the data of a module names that opens libraries by names which are not
// literal.
func (p *program) openAll(m *module, l *loading) {
	names, dirs := p.pluginNames(m)
	if len(names) == 0 && !slices.ContainsFunc(dirs, p.search.isDir) { // a library that opens what others name, as libltdl
		for _, other := range slices.Clone(p.modules) {
			if slices.Contains(other.file.Needed, m.file.SOName) {
				moreNames, moreDirs := p.pluginNames(other)
				names, dirs = append(names, moreNames...), append(dirs, moreDirs...)
			}
		}
	}
	found := len(dirs) > 0 || p.configured(l.from)
	for _, name := range unique(names) {
		found = p.isThere(name) || p.openName(m, name, l.from) || found
	}
	for _, dir := range unique(dirs) {
		if strings.HasPrefix(filepath.Base(dir), "engines") && !p.usesEngines() {
			continue
		}
		for _, file := range p.plugins(dir) {
			p.plugPath(file, "plug-in folder in "+filepath.Base(m.file.Path), l.from)
		}
	}
	u := Unresolved{Step: p.step(l.from, ""), Reason: "opens libraries by names that it makes; those that its data or its configuration in /etc names, and those in the folders that its data names, are in", Harm: !found}
	switch {
	case p.opensAddons(m) && len(p.options.With) == 0:
		u.Reason, u.Harm = "opens addons that scripts name: name them with --with", true
	case found:
	case isSQLite(m):
		u.Reason, u.Harm = "opens extensions that users name to load_extension or .load: name them with --with", false
	case len(p.options.With) > 0:
		u.Reason, u.Harm = "opens libraries whose names are not in its data: those that --with names are in", false
	default:
		u.Reason = "opens libraries whose names are not in its data: name them with --with"
	}
	p.unresolved = append(p.unresolved, u)
}

// opensAddons reports whether a module is Node.js, or the library that opens files for it: scripts
// name the addons.
func (p *program) opensAddons(m *module) bool {
	return slices.ContainsFunc(p.defines["napi_module_register"], func(node *module) bool {
		return node == m || strings.HasPrefix(m.file.SOName, "libuv.") && slices.Contains(node.file.Needed, m.file.SOName)
	})
}

// configured loads what the configuration of the program names. It reports whether the program
// has one: a folder in /etc with its name, as /etc/redis of redis-server.
func (p *program) configured(from fid) bool {
	name, _, _ := strings.Cut(filepath.Base(p.modules[0].file.Path), "-")
	dir := filepath.Join("/etc", name)
	if from.mod != 0 || !p.search.isDir(dir) { // what a library opens is not the program's to configure
		return false
	}
	left := maxPlugins
	_ = p.search.walkDepth(dir, pluginDepth, &left, func(path string) error {
		for _, line := range p.search.lines(path) {
			for _, word := range strings.Fields(line) {
				if word = strings.Trim(word, `"';`); isLibraryName(word) && strings.HasPrefix(word, "/") {
					p.plugPath(word, "named in "+path, from)
				}
			}
		}
		return nil
	})
	return true
}

// pluginNames returns the names of libraries and the folders with plug-ins in a module's data.
func (p *program) pluginNames(m *module) (names, dirs []string) {
	m.strings(func(s string) {
		if isLibraryName(s) && !slices.Contains(m.file.Needed, s) && s != m.file.SOName && s != m.file.Interp {
			names = append(names, s)
		}
		dirs = append(dirs, p.pluginDirs(m, s)...)
	})
	return names, dirs
}

// usesEngines reports whether the configuration of OpenSSL names engines. Others load only if
// somebody asks a program for them.
func (p *program) usesEngines() bool {
	for _, path := range [...]string{"/etc/ssl/openssl.cnf", "/usr/lib/ssl/openssl.cnf", "/usr/local/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf"} {
		for _, line := range p.search.lines(path) {
			key, _, _ := strings.Cut(line, "=")
			switch strings.TrimSpace(key) {
			case "engines", "engine_id", "dynamic_path":
				return true
			}
		}
	}
	return false
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// pluginDirs returns the folders in a string that may hold plug-ins: a path by itself, one in a
// list, one in front of a pattern such as "?.so", or one in an option as "--modules-path=".
func (p *program) pluginDirs(m *module, s string) (dirs []string) {
	if !strings.Contains(s, "/") || len(s) > 1<<14 {
		return nil
	}
	for token := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" \t\n=:;,'\"()", r) }) {
		if i := strings.IndexAny(token, "?%*$"); i > 0 {
			token = token[:strings.LastIndexByte(token[:i], '/')+1]
		}
		if !strings.HasPrefix(token, "/") || strings.Count(token, "/") < 3 {
			continue
		}
		dir := filepath.Clean(token)
		if clean, _, err := p.search.resolve(token); err == nil {
			dir = clean
		}
		if !strings.Contains(dir, "/lib") || strings.Contains(filepath.Base(dir), ".so") || p.isLibraryDir(m, dir) {
			continue // documentation, data, devices, libraries
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// isLibraryDir reports whether ld.so searches a folder: its libraries are for all programs.
func (p *program) isLibraryDir(m *module, dir string) bool {
	return slices.ContainsFunc(p.search.folders(m.chain()), func(d string) bool {
		clean, _, err := p.search.resolve(d)
		return err == nil && clean == dir
	})
}

// Limits of a folder of plug-ins.
const (
	pluginDepth = 8
	maxPlugins  = 2000
)

// plugins returns the libraries below a folder: of hard links to one file, as drivers of Mesa
// are, the first.
func (p *program) plugins(dir string) (files []string) {
	left := maxPlugins
	seen := make(map[int64][]fs.FileInfo) // by size
	_ = p.search.walkDepth(dir, pluginDepth, &left, func(path string) error {
		if !strings.HasSuffix(path, ".so") && !strings.Contains(filepath.Base(path), ".so.") {
			return nil
		}
		info, err := os.Lstat(p.search.host(path))
		if err != nil || slices.ContainsFunc(seen[info.Size()], func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
			return nil
		}
		seen[info.Size()] = append(seen[info.Size()], info)
		files = append(files, path)
		return nil
	})
	return files
}
