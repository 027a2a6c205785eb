package fuzz

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// efforts are both ways to compile.
var efforts = []compile.Options{{}, {Exhaustive: true}}

// A kind is a way to draw policies.
type kind struct {
	name     string
	dense    bool
	x32      bool         // for x86_64 with x32, with and without x86
	families []gen.Family // one of them draws the conditions
	entries  int          // the most
	findings int          // at most one policy in so many may have some
	first    bool         // of the order FirstMatch
	stack    bool         // of several policies, of either order
}

// kinds returns all kinds, those that find most first.
func kinds() []kind {
	all := []gen.Family{gen.Any, gen.Masks, gen.OneArg}
	return []kind{
		{"dense x32", true, true, all, 16, 100, false, false},
		{"dense", true, false, all, 8, 100, false, false},
		{"any", false, false, all[:1], 8, 50, false, false},
		{"masks", false, false, all[1:2], 8, 50, false, false},
		{"one argument", false, false, all[2:], 8, 50, false, false},
		{"first match", false, false, all[:2], 8, 50, true, false},
		{"stack", false, false, all, 8, 50, false, true},
	}
}

// A drawn is a policy and how it was resolved.
type drawn struct {
	*policy.Resolved
	policy  *policy.Policy
	options policy.Options
}

// String returns what reproduces the policy without the generator.
func (d *drawn) String() string {
	spec, err := oci.Spec(d.policy)
	if err != nil {
		return fmt.Sprintf("options %+v, policy %+v, resolved %v", d.options, *d.policy, d.Resolved)
	}
	profile, err := json.Marshal(spec)
	return fmt.Sprintf("options %+v, profile %s %v", d.options, profile, err)
}

// draw draws a policy and options, and resolves them; nil if they are refused.
func (k *kind) draw(t testing.TB, r *rand.Rand, entries int) *drawn {
	t.Helper()
	o := gen.ResolveOptions(r)
	if k.x32 {
		o.ABIs = arch.X86_64.Family()[:2+r.IntN(2)]
	}
	one := func() *policy.Policy {
		return gen.Policy(r, gen.Options{
			ABIs:       o.ABIs,
			Family:     k.families[r.IntN(len(k.families))],
			Dense:      k.dense,
			Entries:    entries,
			Beyond:     r.IntN(2) == 0,
			FirstMatch: k.first || k.stack && r.IntN(2) == 0,
			Invalid:    r.IntN(8) == 0,
		})
	}
	p := one()
	for k.stack && len(p.Older) < 3 && (len(p.Older) == 0 || r.IntN(2) == 0) {
		older := one()
		if r.IntN(2) == 0 {
			older.ABIs, older.Elsewhere = older.ABIs[:1], cbpf.Allow
		}
		p.Older = append(p.Older, older)
	}
	res, _, err := policy.Resolve(p, o)
	var problems policy.Errors
	if err != nil && !errors.As(err, &problems) {
		t.Errorf("Resolve: %v is no policy.Errors", err)
	}
	if err != nil {
		return nil
	}
	return &drawn{res, p, o}
}

// compiled compiles a policy. The law is that there is a proved program, of either
// compiler, and that the proof refuted none. It returns nil for policies that no program
// of 4096 instructions fits.
func compiled(t testing.TB, res *policy.Resolved, o compile.Options) *proved.Result {
	t.Helper()
	c, err := proved.Compile(res, o)
	var tooLong *compile.TooLongError
	if errors.As(err, &tooLong) && !errors.As(err, new(*proof.LimitError)) {
		return nil
	}
	if err != nil {
		t.Errorf("Compile: %v", err)
		return nil
	}
	if len(c.Warnings) > 0 {
		t.Errorf("Compile: %v", c.Warnings)
	}
	return c
}

// checked proves a program in the general way, which also finds faults.
func checked(t testing.TB, res *policy.Resolved, c *cbpf.Program) proof.Report {
	t.Helper()
	report, err := proof.Check(proof.Policy(res), c, proof.Limits{})
	switch {
	case err != nil:
		t.Error(err)
	case report.Verdict == proof.Different:
		t.Error(report.Witness)
	case report.Verdict == proof.Unknown && !crowded(res):
		t.Errorf("not proved: %s", report.Reason)
	}
	for _, f := range report.Findings {
		if f.Kind == proof.Refused || f.Kind == proof.TooFast {
			t.Error(f)
		}
	}
	return report
}

// crowded reports whether some call has so many clauses, or conditions on several
// arguments, that the proof may hit its limits.
func crowded(res *policy.Resolved) bool {
	for _, s := range res.Spaces {
		for _, c := range s.Calls {
			conds := 0
			for i := range c.Clauses {
				conds += len(c.Clauses[i].Conds)
			}
			if len(c.Clauses) > 12 || conds >= 20 {
				return true
			}
		}
	}
	return false
}

func FuzzPolicy(f *testing.F) {
	for seed := range uint64(24) {
		r := gen.New(seed)
		data := make([]byte, 16<<r.IntN(5))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte, entries uint8) {
		r := gen.FromBytes(data)
		k := kinds()[r.IntN(len(kinds()))]
		d := k.draw(t, r, 1+int(entries%16))
		if d == nil {
			return
		}
		// The general proof and the exhaustive search take a hundred times as long: they are
		// in FuzzWalk and TestRandomPoliciesAreProved.
		compiled(t, d.Resolved, compile.Options{})
	})
}

// TestRandomPoliciesAreProved draws as many policies as SECCOMPILE_POLICIES says,
// split over the kinds, with seeds from SECCOMPILE_SEED on. A failure logs the seed:
// with that one as the first, -run with the name of the kind starts with the same
// policy.
func TestRandomPoliciesAreProved(t *testing.T) {
	policies := setting(t, "SECCOMPILE_POLICIES", uint64(gen.Many(500, 10_000)))
	first := setting(t, "SECCOMPILE_SEED", 0)
	for _, k := range kinds() {
		a := &account{kind: k, want: (int(policies) + len(kinds()) - 1) / len(kinds()), seed: first, choices: map[proved.Choice]int{}}
		ok := t.Run(k.name, func(t *testing.T) {
			t.Cleanup(func() { t.Log(a) })
			for shard := range runtime.GOMAXPROCS(0) {
				t.Run(fmt.Sprint(shard), func(s *testing.T) {
					s.Parallel()
					for seed, ok := a.next(); ok && !t.Failed(); seed, ok = a.next() {
						a.prove(s, seed)
					}
				})
			}
		})
		if !ok {
			return
		}
	}
}

// setting returns a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s, ok := os.LookupEnv(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 0, 63)
	if err != nil {
		t.Fatalf("%s=%q: not a number", name, s)
	}
	return n
}

// An account is what became of the random policies of one kind.
type account struct {
	kind
	want int

	sync.Mutex
	seed    uint64 // the next one
	proved  int
	x32     int // proved for x86_64 with x32
	limits  int // not proved in the general way: a limit was hit
	tooLong int
	faulty  int // proved, with findings: on hostile policies the compiler may leave some, but few
	slow    int // faulty in that they miss the bitmap
	choices map[proved.Choice]int
}

func (a *account) String() string {
	return fmt.Sprintf("%d policies proved in both ways, %d of them for x86_64 with x32; %d more only along their paths, %d are too long; %d with findings, %d of them miss the bitmap; programs: %v",
		a.proved, a.x32, a.limits, a.tooLong, a.faulty, a.slow, a.choices)
}

// next returns a seed while policies are left to draw.
func (a *account) next() (seed uint64, ok bool) {
	a.Lock()
	defer a.Unlock()
	a.seed++
	return a.seed - 1, a.proved < a.want
}

// prove draws the policy of a seed, proves its filter, and counts what becomes of it.
func (a *account) prove(t *testing.T, seed uint64) {
	t.Helper()
	r := gen.New(seed)
	d := a.draw(t, r, 1+r.IntN(a.entries))
	if d == nil {
		return
	}
	o := efforts[0]
	if r.IntN(64) == 0 { // it takes as long as all others
		o = efforts[1]
	}
	c := compiled(t, d.Resolved, o)
	var report proof.Report
	if c != nil {
		report = checked(t, d.Resolved, c.Program)
	}
	if t.Failed() {
		t.Logf("SECCOMPILE_SEED=%#x: %+v, %v", seed, o, d)
	}
	a.Lock()
	defer a.Unlock()
	if c != nil {
		a.choices[c.Choice]++
	}
	switch {
	case c == nil:
		a.tooLong++
	case report.Verdict != proof.Same:
		a.limits++
	default:
		a.proved++
		if slices.ContainsFunc(d.Spaces, func(s policy.Space) bool { return len(s.ABIs) > 1 }) {
			a.x32++
		}
	}
	if len(report.Findings) > 0 && c.Choice == proved.Optimised { // a plain one may ask twice
		a.faulty++
		t.Logf("seed %#x: %v", seed, report.Findings[0])
	}
	if slices.ContainsFunc(report.Findings, func(f proof.Finding) bool { return f.Kind == proof.Slow }) {
		a.slow++
	}
	if a.limits > 1+a.want/100 || a.faulty > 1+a.want/a.findings || a.slow > 0 {
		t.Errorf("too many: %v", a)
	}
}
