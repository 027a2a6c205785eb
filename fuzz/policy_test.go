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
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/fuzz/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

var efforts = []compiler.Effort{compiler.Fast, compiler.Exhaustive}

// A kind is a way to draw policies.
type kind struct {
	name     string
	dense    bool
	x32      bool         // for x86_64 with x32, with and without x86
	families []gen.Family // one of them draws the conditions
	entries  int          // the most
	findings int          // at most one policy in so many may have some
}

// kinds returns all kinds, those that find most first.
func kinds() []kind {
	all := []gen.Family{gen.Any, gen.Masks, gen.OneArg}
	return []kind{
		{"dense x32", true, true, all, 16, 100},
		{"dense", true, false, all, 8, 100},
		{"any", false, false, all[:1], 8, 50},
		{"masks", false, false, all[1:2], 8, 50},
		{"one argument", false, false, all[2:], 8, 50},
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
	profile, err := json.Marshal(d.policy.OCI())
	return fmt.Sprintf("options %+v, profile %s %v", d.options, profile, err)
}

// draw draws a policy and options, and resolves them; nil if they are refused.
func (k *kind) draw(t testing.TB, r *rand.Rand, entries int) *drawn {
	t.Helper()
	o := gen.ResolveOptions(r)
	if k.x32 {
		o.ABIs = arch.X86_64.Family()[:2+r.IntN(2)]
	}
	p := gen.Policy(r, gen.Options{
		ABIs:    o.ABIs,
		Family:  k.families[r.IntN(len(k.families))],
		Dense:   k.dense,
		Entries: entries,
		Invalid: r.IntN(8) == 0,
	})
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

// proved compiles a policy and proves the program equal to it: that is the law.
// It reports false for policies that no program of 4096 instructions fits.
func proved(t testing.TB, res *policy.Resolved, effort compiler.Effort) (proof.Report, bool) {
	t.Helper()
	c, err := compiler.Compile(res, compiler.Options{Effort: effort})
	var tooLong *compiler.TooLongError
	if errors.As(err, &tooLong) {
		return proof.Report{}, false
	}
	if err != nil {
		t.Errorf("Compile: %v", err)
		return proof.Report{}, false
	}
	report, err := proof.Check(proof.Policy(res), c.Program, proof.Limits{})
	switch {
	case err != nil:
		t.Error(err)
	case report.Verdict == proof.Different:
		t.Errorf("effort %d: %v", effort, report.Witness)
	case report.Verdict == proof.Unknown && !crowded(res):
		t.Errorf("effort %d: not proved: %s", effort, report.Reason)
	}
	for _, f := range report.Findings {
		if f.Kind == proof.Refused || f.Kind == proof.TooFast {
			t.Errorf("effort %d: %v", effort, f)
		}
	}
	return report, true
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
		d := kinds()[r.IntN(len(kinds()))].draw(t, r, 1+int(entries%16))
		if d == nil {
			return
		}
		for _, effort := range efforts {
			proved(t, d.Resolved, effort)
		}
	})
}

// TestRandomPoliciesAreProved draws as many policies as SECCOMPILE_POLICIES says,
// split over the kinds, with seeds from SECCOMPILE_SEED on. A failure logs the seed:
// with that one as the first, -run with the name of the kind starts with the same
// policy.
func TestRandomPoliciesAreProved(t *testing.T) {
	policies := uint64(10000)
	if testing.Short() {
		policies = 1000
	}
	policies = setting(t, "SECCOMPILE_POLICIES", policies)
	first := setting(t, "SECCOMPILE_SEED", 0)
	for _, k := range kinds() {
		a := &account{kind: k, want: (int(policies) + len(kinds()) - 1) / len(kinds()), seed: first}
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
	limits  int // not proved: a limit was hit
	tooLong int
	faulty  int // proved, with findings: on hostile policies the compiler may leave some, but few
	slow    int // faulty in that they miss the bitmap
}

func (a *account) String() string {
	return fmt.Sprintf("%d policies proved, %d of them for x86_64 with x32; %d more not for size, %d are too long; %d with findings, %d of them miss the bitmap",
		a.proved, a.x32, a.limits, a.tooLong, a.faulty, a.slow)
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
	effort := compiler.Fast
	if r.IntN(64) == 0 { // it takes as long as all others
		effort = compiler.Exhaustive
	}
	report, ok := proved(t, d.Resolved, effort)
	if t.Failed() {
		t.Logf("SECCOMPILE_SEED=%#x: effort %d, %v", seed, effort, d)
	}
	a.Lock()
	defer a.Unlock()
	switch {
	case !ok:
		a.tooLong++
	case report.Verdict != proof.Same:
		a.limits++
	default:
		a.proved++
		if slices.ContainsFunc(d.Spaces, func(s policy.Space) bool { return len(s.ABIs) > 1 }) {
			a.x32++
		}
	}
	if len(report.Findings) > 0 {
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
