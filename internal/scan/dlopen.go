package scan

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// dlopen follows the modules that open libraries: it loads those whose names are literal in
// their data, and those in folders for plug-ins that are.
func (p *program) dlopen() {
	var list []*module
	for m := range p.openers {
		if !p.opened[m] {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b *module) int { return a.index - b.index })
	for _, m := range list {
		p.opened[m] = true
		p.open(m)
	}
}

// libraryName is how literal names of libraries look.
var libraryName = regexp.MustCompile(`^[A-Za-z0-9_./+-]+\.so(\.[0-9]+)*$`)

// open follows one module that opens libraries.
func (p *program) open(m *module) {
	from := p.openers[m]
	var names, dirs []string
	m.strings(func(s string) {
		if libraryName.MatchString(s) {
			names = append(names, s)
		}
		dirs = append(dirs, p.pluginDirs(m, s)...)
	})
	found := false
	for _, name := range unique(names) {
		why := "dlopen literal in " + filepath.Base(m.file.Path)
		if strings.HasPrefix(name, "/") {
			found = p.plugPath(name, why, from) || found
		} else if !strings.Contains(name, "/") {
			found = p.plugLibrary(name, why, from) || found
		}
	}
	for _, dir := range unique(dirs) {
		why := "plug-in folder in " + filepath.Base(m.file.Path)
		for _, file := range p.plugins(dir) {
			found = p.plugPath(file, why, from) || found
		}
	}
	u := Unresolved{Step: p.step(from, ""), Reason: "opens libraries; those that its data names are in", Harm: !found}
	if !found {
		u.Reason = "opens libraries whose names are not in its data: name them with --with"
	}
	p.unresolved = append(p.unresolved, u)
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// pluginDirs returns the folders in a string that hold plug-ins: a path by itself, one in a
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
		dir, _, err := p.search.resolve(token)
		if err != nil || !p.search.isDir(dir) || p.isLibraryDir(m, dir) {
			continue
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

// plugins returns the libraries below a folder.
func (p *program) plugins(dir string) (files []string) {
	if !strings.Contains(dir, "/lib") { // documentation, data, devices
		return nil
	}
	left := maxPlugins
	_ = p.search.walkDepth(dir, pluginDepth, &left, func(path string) error {
		if strings.HasSuffix(path, ".so") || strings.Contains(filepath.Base(path), ".so.") {
			files = append(files, path)
		}
		return nil
	})
	return files
}
