package scan

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// An Executed is another program that reached code starts under a literal name. Programs start
// others under names that they make, too: of these nothing is known.
type Executed struct {
	Name    string   // a path, or a name to look for in PATH
	By      Step     // the function that has the name
	Runs    []string // files that run then: the program, or the interpreters of a script; none if it is not there
	Scanned bool     // whether the result covers these
}

// executors are functions that start a program, and which of their arguments names it.
var executors = [...]struct {
	names    string
	argument int  // of C; in Go, words before the pointer to the text, which its length follows
	searches bool // in the folders of PATH, if the name has no slash
}{
	{"execve execv execl execle", 0, false},
	{"execvp execvpe execlp", 0, true},
	{"execveat posix_spawn", 1, false},
	{"posix_spawnp", 1, true},
	{"syscall.Exec syscall.ForkExec syscall.StartProcess os.StartProcess", 0, false},
	{"os/exec.Command", 0, true},
	{"os/exec.CommandContext", 2, true}, // behind a context, which is an interface
}

// maxNaming bounds the calls that are looked at for the names which reach one function.
const maxNaming = 1 << 14

// A naming is the values by which a call names a program: where its text is and, in Go, its length.
type naming struct{ text, length code.Value }

// An executions collects the programs that a program starts.
type executions struct {
	*program
	searches bool
	left     int // calls to look at
	found    map[string]Step
}

// executed returns the programs that reached code starts, by name.
func (p *program) executed() (list []Executed) {
	x := executions{program: p, found: make(map[string]Step)}
	for _, e := range executors {
		names := strings.Fields(e.names)
		for i, m := range p.modules {
			for fn := range m.nodes {
				if m.nodes[fn].reached && m.isNamed(fn, names) {
					x.searches, x.left = e.searches, maxNaming
					x.callers(fid{int32(i), int32(fn)}, p.naming(m, e.argument), maxWrappers)
				}
			}
		}
	}
	for _, name := range sortedKeys(x.found) {
		list = append(list, Executed{Name: name, By: x.found[name], Runs: p.runs(name)})
	}
	return list
}

// naming returns where a function finds the name, which is its n-th argument.
func (p *program) naming(m *module, n int) naming {
	at := func(place code.Place) code.Value { return code.Value{Entry: []code.Place{place}} }
	switch {
	case m.file.Go == nil:
		return naming{text: at(p.argument(n))}
	case m.file.Machine == object.ARM64:
		return naming{at(code.Place(n)), at(code.Place(n + 1))}
	}
	registers := [...]code.Place{0, 3, 1, 7} // RAX, RBX, RCX, RDI (Go's cmd/compile/abi-internal.md)
	return naming{at(registers[n]), at(registers[n+1])}
}

// callers notes the names that callers of a function give it and, if they get these from
// their own callers, goes on with them.
func (x *executions) callers(id fid, n naming, depth int) {
	for _, e := range x.program.callers(id) {
		if x.left--; x.left < 0 {
			return
		}
		m := x.modules[e.from.mod]
		values := m.flow(int(e.from.fn)).Calls
		if int(e.call) >= len(values) {
			continue
		}
		up := naming{substitute(n.text, &values[e.call]), substitute(n.length, &values[e.call])}
		for _, name := range m.literals(up) {
			x.note(name, e.from)
		}
		if len(up.text.Entry) > 0 && depth > 0 {
			x.callers(e.from, naming{code.Value{Entry: up.text.Entry}, code.Value{Entry: up.length.Entry}}, depth-1)
		}
	}
}

// note adds a name, unless what it means depends on the folder in which the program runs.
func (x *executions) note(name string, by fid) {
	if strings.HasPrefix(name, "/") || x.searches && name != "" && !strings.Contains(name, "/") {
		if _, ok := x.found[name]; !ok {
			x.found[name] = x.step(by, "")
		}
	}
}

// literals returns the texts that a call can name which are constants of the file.
func (m *module) literals(n naming) (names []string) {
	addrs := n.text.Addrs
	if m.file.Fixed {
		addrs = merge(addrs, n.text.Consts)
	}
	for _, addr := range addrs {
		s := m.segment(addr)
		if s == nil || s.Writable || addr-s.Addr >= uint64(len(s.Data)) {
			continue
		}
		text, _, ended := bytes.Cut(s.Data[addr-s.Addr:], []byte{0})
		if m.file.Go != nil {
			rest := s.Data[addr-s.Addr:]
			if len(addrs) != 1 || len(n.length.Consts) != 1 || n.length.Consts[0] > uint64(len(rest)) {
				continue // which length belongs to which text is not known
			}
			text, ended = rest[:n.length.Consts[0]], true
		}
		if ended && len(text) < maxString && printable(text) {
			names = append(names, string(text))
		}
	}
	return names
}

// isNamed reports whether a function has one of some names.
func (u *unit) isNamed(fn int, names []string) bool {
	if u.file.Go != nil {
		return slices.Contains(names, u.file.Funcs[fn].Name)
	}
	return slices.ContainsFunc(u.byFunc[fn], func(i int) bool { return slices.Contains(names, u.file.Symbols[i].Name) })
}

// runs returns the files that run when a program is started by name.
func (p *program) runs(name string) (paths []string) {
	if name == "/proc/self/exe" {
		return []string{p.modules[0].file.Path}
	}
	path := inPath(p.search.tree, name)
	if path == "" {
		return nil
	}
	found, err := startsOf(p.search.tree, path)
	if err != nil {
		return nil
	}
	for _, s := range found {
		paths = append(paths, s.path)
	}
	return paths
}

// addExecuted adds what a program starts, once for all programs.
func (r *Result) addExecuted(list []Executed) {
	for _, e := range list {
		if !slices.ContainsFunc(r.Executed, func(other Executed) bool { return other.Name == e.Name && slices.Equal(other.Runs, e.Runs) }) {
			r.Executed = append(r.Executed, e)
		}
	}
}

// coverExecuted sorts the programs that others start, and notes which are scanned themselves.
func (r *Result) coverExecuted() {
	slices.SortFunc(r.Executed, func(a, b Executed) int { return cmp.Or(cmp.Compare(a.Name, b.Name), slices.Compare(a.Runs, b.Runs)) })
	for i := range r.Executed {
		e := &r.Executed[i]
		e.Scanned = len(e.Runs) > 0 && !slices.ContainsFunc(e.Runs, func(path string) bool {
			return !slices.ContainsFunc(r.Programs, func(p Program) bool { return p.Path == path })
		})
	}
}
