package languages

import (
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A unit is a unit that a service manager started, and what that gave.
type unit struct {
	Unit     string
	DropIn   string   // "" without one
	Filters  [][]byte // oldest first
	Outcome  string
	Warnings []string
}

// A tally is what comes out for one version of systemd.
type tally struct {
	mu                                    sync.Mutex
	units, equal, refused, warned, unlike int
	filters                               int
	length, ourLength                     int // in instructions
	executed, ourExecuted                 int // instructions for each call of x86_64 once, arguments 0
}

// What systemd loaded for each unit means what this project reads in it.
func TestSystemd(t *testing.T) {
	dir := os.Getenv("SECCOMPILE_POLICIES")
	if dir == "" {
		t.Skip("SECCOMPILE_POLICIES does not name a directory with the filters that policy tools made")
	}
	tallies := map[int]*tally{252: {}, 257: {}}
	t.Run("versions", func(t *testing.T) {
		for version, sum := range tallies {
			units := readUnits(t, filepath.Join(dir, "systemd", fmt.Sprintf("units-%d.json.gz", version)))
			for _, name := range slices.Sorted(maps.Keys(units)) {
				t.Run(fmt.Sprintf("%d/%s", version, name), func(t *testing.T) {
					t.Parallel()
					sum.check(t, version, units[name])
				})
			}
		}
	})
	logTallies(t, tallies)
}

// logTallies logs what came out for each version.
func logTallies(t *testing.T, tallies map[int]*tally) {
	t.Helper()
	var table strings.Builder
	table.WriteString("systemd  units  equal  refused  warned  differ  filters  instructions    ours    executed       ours\n")
	for _, version := range slices.Sorted(maps.Keys(tallies)) {
		s := tallies[version]
		fmt.Fprintf(&table, "%7d %6d %6d %8d %7d %7d %8d %13d %7d %11d %10d\n",
			version, s.units, s.equal, s.refused, s.warned, s.unlike, s.filters, s.length, s.ourLength, s.executed, s.ourExecuted)
		if s.units == 0 || s.equal+s.refused+s.unlike != s.units {
			t.Errorf("systemd %d: %d units", version, s.units)
		}
		if s.ourLength >= s.length || s.ourExecuted >= s.executed {
			t.Errorf("systemd %d: our programs are not shorter and faster", version)
		}
	}
	t.Log("\n" + table.String())
}

func readUnits(t *testing.T, name string) map[string]unit {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Units map[string]unit }
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	if len(all.Units) == 0 {
		t.Fatalf("%s: no units", name)
	}
	return all.Units
}

// source returns the unit as files.
func (u *unit) source() *language.Source {
	s := language.NewSource([]byte(u.Unit))
	if u.DropIn == "" {
		return s
	}
	return s.In(fstest.MapFS{"x.service.d/drop.conf": {Data: []byte(u.DropIn)}}, "x.service")
}

// check compares one unit.
func (s *tally) check(t *testing.T, version int, u unit) {
	s.mu.Lock()
	s.units++
	s.mu.Unlock()
	reading, err := systemd.Language{Version: version}.Read(u.source(), policy.Target{ABI: arch.X86_64})
	same := s.checkWarnings(t, reading.Warnings, u.Warnings)
	fails := strings.HasPrefix(u.Outcome, "exit-code 228")
	if fails != (err != nil) {
		t.Errorf("error %v, but systemd: %q", err, cmp.Or(u.Outcome, "started"))
		same = false
	}
	var ours *cbpf.Program
	var theirs []*cbpf.Program
	if err == nil && !fails {
		var stack []proof.Subject
		for _, code := range u.Filters {
			program, err := cbpf.Decode(code, binary.LittleEndian)
			if err != nil {
				t.Fatal(err)
			}
			theirs, stack = append(theirs, program), append(stack, proof.Program(program))
		}
		ours = compile(t, reading.Policy)
		same = prove(t, "program", proof.Program(ours), proof.Stack(stack...)) && same
		same = prove(t, "stack", proof.Stack(subjects(t, reading.Policy)...), proof.Stack(stack...)) && same
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !same:
		s.unlike++
	case fails:
		s.refused++
	default:
		s.equal++
	}
	if same && len(u.Warnings) > 0 {
		s.warned++
	}
	s.filters += len(u.Filters)
	for _, p := range theirs {
		s.length += p.Len()
		s.executed += executed(p)
	}
	if len(theirs) > 0 { // else ours is one that allows all
		t.Logf("%d filters, ours has %d instructions", len(theirs), ours.Len())
		s.ourLength += ours.Len()
		s.ourExecuted += executed(ours)
	}
}

// executed returns how many instructions a program executes for all calls of x86_64.
func executed(p *cbpf.Program) int {
	n := 0
	for nr := range syscalltables.All(arch.X86_64) {
		_, steps := p.Trace(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr})
		n += len(steps)
	}
	return n
}

// prove reports whether what is ours is proved equal to the filters of systemd.
func prove(t *testing.T, what string, ours, theirs proof.Subject) bool {
	t.Helper()
	r, err := proof.Equal(ours, theirs, proof.Limits{Nodes: 1 << 24, Steps: 1 << 30, Actions: 1 << 12})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict != proof.Same {
		t.Errorf("%s: %v: %v %s", what, r.Verdict, r.Witness, r.Reason)
	}
	return r.Verdict == proof.Same
}

// subjects returns the policies of a stack, each resolved by itself, the oldest first.
func subjects(t *testing.T, p *policy.Policy) []proof.Subject {
	t.Helper()
	newest := *p
	newest.Older = nil
	var list []proof.Subject
	for _, p := range append(slices.Clone(p.Older), &newest) {
		resolved, _, err := policy.Resolve(p, policy.Options{ABIs: p.ABIs})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, proof.Policy(resolved))
	}
	return list
}

// compile returns one program for all policies of a stack.
func compile(t *testing.T, p *policy.Policy) *cbpf.Program {
	t.Helper()
	return compileWith(t, p, compiler.Options{})
}

func compileWith(t *testing.T, p *policy.Policy, o compiler.Options) *cbpf.Program {
	t.Helper()
	resolved, _, err := policy.Resolve(p, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	program, warnings, err := compiler.Compile(resolved, o)
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	return program
}

// checkWarnings compares the lines that systemd and the reader warn of, each as often as
// there is a warning. It leaves out warnings that are not about filters, and ours that a
// prctl does what is not a filter, about which systemd has nothing to say.
func (s *tally) checkWarnings(t *testing.T, ours []policy.Warning, theirs []string) bool {
	t.Helper()
	about := regexp.MustCompile(`^line ([0-9]+): `)
	others := regexp.MustCompile(`Special user nobody configured|Unknown key 'PrivateBPF'|ignoring: disconnected$`)
	var got, want []int
	for _, w := range ours {
		if !strings.HasPrefix(w.Message, "MemoryDenyWriteExecute: no filter: ") {
			got = append(got, w.Line)
		}
	}
	for _, w := range theirs {
		m := about.FindStringSubmatch(w)
		if m == nil {
			t.Fatalf("warning %q", w)
		}
		if !others.MatchString(w) {
			n, _ := strconv.Atoi(m[1])
			want = append(want, n)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("warnings %v, but systemd: %q", ours, theirs)
		return false
	}
	return true
}
