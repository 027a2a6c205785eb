// Package scan finds the system calls that programs can make, without running them: ELF
// executables with all that ld.so loads and what they load themselves by convention, scripts
// through their interpreters, whole file systems of an image. Every call that is found has
// a chain of functions from an entry point to the instruction; what cannot be resolved
// (a number that is not constant, a call into what was not analysed) is listed.
//
// The result is an upper bound, as a recording is a lower one: what a program of the scanned
// files makes is in it, unless the result lists as unresolved what hides it.
package scan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/scan/code"
	"github.com/seccompile/seccompile/internal/scan/object"
)

// Options say what to scan.
type Options struct {
	Root  string   // what absolute paths in files (interpreters, libraries, modules) are relative to; "" means "/"
	Paths []string // programs, scripts, directories
	With  []string // files and directories of files that the programs also load, with all that they export
	Cache string   // a directory for what is known of the code in files; "" means none
	// Shortest asks for chains that are the shortest of all; else, what programs load or make
	// possible later on may show a shorter one.
	Shortest bool
	// Args tells of which arguments of a call the values matter, as bits; nil means of none.
	Args func(abi arch.ABI, name string) uint8
}

// A Result is what the programs can do.
type Result struct {
	Programs   []Program
	Modules    []Module
	Calls      []Call // sorted by ABI and number
	Unresolved []Unresolved
	Executed   []Executed // sorted by name
	Unkept     error      // why Options.Cache does not have what was read, if so: the next scan reads it again
}

// Incomplete tells why calls may be missing: one line for each reason, none if the result is
// complete.
func (r *Result) Incomplete() (reasons []string) {
	for _, u := range r.Unresolved {
		if u.Harm {
			reasons = append(reasons, u.String())
		}
	}
	return reasons
}

// String returns where something is unresolved, and why.
func (u *Unresolved) String() string {
	place := u.Module
	switch {
	case u.Name != "":
		place += ": " + u.Name
	case u.Addr != 0:
		place += fmt.Sprintf(": %#x", u.Addr)
	}
	return place + " " + u.Reason
}

// A Program is an executable that was scanned.
type Program struct {
	Path   string
	Script string // the script by which it was found, if so
	ABI    arch.ABI
}

// A Module is a file of a program.
type Module struct {
	Path, BuildID string
	Why           string // "program", "interpreter", "needed by ...", "dlopen literal in ...", "NSS (nsswitch.conf: passwd)", "with"
	Sites         int    // system-call instructions in it
	Reached       int    // functions
	Funcs         int
}

// A Call is a system call that can be reached.
type Call struct {
	ABI   arch.ABI
	NR    uint32
	Name  string
	Args  [6]Values // what arguments can be, of those that Options.Args asks for
	Chain []Step    // from an entry point to the instruction, see Options.Shortest
}

// Values are those that an argument can have; Any if not all are known.
type Values struct {
	Any    bool
	Values []uint64
}

// A Step is a function on the way to a system call.
type Step struct {
	Module string
	Addr   uint64
	Name   string // of the function; "" if unknown
	How    string // how the step before leads here: "entry", "call", "plt", "mentioned", "constructor", "method of ...", ...
}

// An Unresolved is a place where calls could hide.
type Unresolved struct {
	Step
	Reason string
	Harm   bool // whether it makes the result incomplete; if not, Reason says what bounds it
}

// A scanner reads each file once, whatever programs load it.
type scanner struct {
	options Options
	search  *search
	files   *contents
	cache   *cache
	units   map[string]*unit
	errs    map[string]error
}

// Scan finds what programs can do. The error is about paths that Options name; what else
// cannot be read is in Result.Unresolved.
func Scan(o Options) (*Result, error) {
	t := tree{cmp.Or(o.Root, "/")}
	s := &scanner{options: o, search: newSearch(t), files: &contents{tree: t}, cache: newCache(o.Cache), units: make(map[string]*unit), errs: make(map[string]error)}
	list, unread, err := starts(t, o.Paths)
	if err == nil && len(list) == 0 {
		err = errors.New("scan: no programs found: name executable files, scripts or folders with some")
	}
	if err != nil {
		return nil, err
	}
	res := &Result{Unresolved: unread}
	if err := s.files.guard(func() error { return s.scan(list, res) }); err != nil {
		return nil, err
	}
	return res, nil
}

// scan adds what the programs can do to a result.
func (s *scanner) scan(list []start, res *Result) error {
	for _, start := range list {
		p := s.program()
		p.loadAll(start.path, "program", nil)
		if len(p.modules) == 0 {
			_, err := s.unit(start.path)
			if !start.inDir {
				return err
			}
			res.Unresolved = append(res.Unresolved, leftOut(start.path, err))
			continue
		}
		p.explore()
		p.listLacks()
		if s.options.Shortest {
			p.shorten()
		}
		p.numbers()
		res.add(p, start)
	}
	res.Unkept = s.cache.failure()
	if len(res.Programs) == 0 {
		return fmt.Errorf("scan: no program can be read: %s", strings.Join(res.Incomplete(), "; "))
	}
	res.sort()
	res.coverExecuted()
	return nil
}

func (s *scanner) program() *program {
	return &program{
		scanner: s, reach: reach{loads: make(map[fid][]load), late: make(map[fid][]lateEdge)}, byPath: make(map[string]*module), defines: make(map[string][]*module), found: make(map[symbolKey][]target), missing: make(map[string][]wanting),
		guards:      guards{entries: make(map[fid]*guard), calls: make(map[[2]fid]*guard), sites: make(map[siteKey]*guard), symbols: make(map[*module][]heldName)},
		conventions: conventions{apis: make(map[string]fid), loadings: make(map[*module]*loading), done: make(map[string]bool)},
	}
}

// unit returns what is known of a file.
func (s *scanner) unit(path string) (*unit, error) {
	u, ok := s.units[path]
	if ok {
		return u, s.errs[path]
	}
	u, err := s.readUnit(path)
	s.units[path], s.errs[path] = u, err
	return u, err
}

func (s *scanner) readUnit(path string) (*unit, error) {
	data, err := s.files.read(path)
	if err != nil {
		return nil, fmt.Errorf("scan: %s: %w", path, plain(err))
	}
	f, err := object.Read(path, data)
	if err != nil {
		return nil, err
	}
	if m := s.cache.load(f, data); m != nil {
		return newUnit(f, m), nil
	}
	m, err := code.Read(f)
	if err != nil {
		return nil, err
	}
	s.cache.store(data, m)
	rest(s.files.open[len(s.files.open)-1:])
	return newUnit(f, m), nil
}

// add adds what was found in a program.
func (r *Result) add(p *program, s start) {
	r.Programs = append(r.Programs, Program{Path: s.path, Script: s.script, ABI: p.abi()})
	for _, m := range p.modules {
		r.addModule(m)
	}
	for _, c := range p.result {
		r.addCall(c)
	}
	r.addExecuted(p.executed())
	for _, u := range p.unresolved {
		if !slices.Contains(r.Unresolved, u) {
			r.Unresolved = append(r.Unresolved, u)
		}
	}
}

// addModule adds a module, once for all programs.
func (r *Result) addModule(m *module) {
	reached, sites := 0, 0
	for fn := range m.nodes {
		if sites += len(m.code.Funcs[fn].Sites); m.nodes[fn].reached {
			reached++
		}
	}
	i := slices.IndexFunc(r.Modules, func(other Module) bool { return other.Path == m.file.Path })
	if i < 0 {
		i = len(r.Modules)
		r.Modules = append(r.Modules, Module{Path: m.file.Path, BuildID: m.file.BuildID, Why: m.why, Sites: sites, Funcs: len(m.nodes)})
	}
	r.Modules[i].Reached = max(r.Modules[i].Reached, reached)
}

// addCall adds a call, or what its arguments can also be.
func (r *Result) addCall(c Call) {
	i := slices.IndexFunc(r.Calls, func(other Call) bool { return other.ABI == c.ABI && other.NR == c.NR })
	if i < 0 {
		r.Calls = append(r.Calls, c)
		return
	}
	there := &r.Calls[i]
	if len(c.Chain) < len(there.Chain) {
		there.Chain = c.Chain
	}
	for j, v := range c.Args {
		if there.Args[j].Any = there.Args[j].Any || v.Any; there.Args[j].Any {
			there.Args[j].Values = nil
			continue
		}
		there.Args[j].Values = merge(there.Args[j].Values, v.Values)
	}
}

// sort puts a result into its order.
func (r *Result) sort() {
	slices.SortFunc(r.Calls, func(a, b Call) int { return cmp.Or(cmp.Compare(a.ABI, b.ABI), cmp.Compare(a.NR, b.NR)) })
	slices.SortStableFunc(r.Unresolved, func(a, b Unresolved) int {
		if a.Harm != b.Harm { // what makes the result incomplete comes first
			if a.Harm {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.Reason, b.Reason))
	})
}
