package fuzz

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// drawAny draws a policy of any kind; nil if it is refused.
func drawAny(t *testing.T, r *rand.Rand, entries int) *policy.Resolved {
	t.Helper()
	all := kinds()
	if d := all[r.IntN(len(all))].draw(t, r, 1+r.IntN(entries)); d != nil {
		return d.Resolved
	}
	return nil
}

func TestWhatResolveMakesIsValid(t *testing.T) {
	valid, policies := 0, gen.Many(1500, 20_000)
	for seed := range policies {
		if res := drawAny(t, gen.New(uint64(seed)), 16); res != nil {
			valid++
			if err := res.Validate(); err != nil {
				t.Errorf("seed %d: %v\n%v", seed, err, res)
			}
		}
	}
	profiles := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") || !strings.Contains(path, "testdata") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for a := range arch.All() {
			p, _, err := oci.Read(data, policy.Target{ABI: a, Caps: preset.Caps("docker")})
			if err != nil {
				continue
			}
			for _, o := range []policy.Options{{ABIs: a.Family()}, {ABIs: []arch.ABI{a}, Mode: policy.Strict}, {ABIs: a.Family(), StrictestWins: true}} {
				if res, _, err := policy.Resolve(p, o); err == nil {
					profiles++
					if err := res.Validate(); err != nil {
						t.Errorf("%s, %v: %v", path, a, err)
					}
				}
			}
		}
		return nil
	})
	if err != nil || valid < policies/2 || profiles < 500 {
		t.Errorf("only %d of the random policies resolve, and profiles %d times: %v", valid, profiles, err)
	}
	t.Logf("%d random policies, profiles resolved %d times", valid, profiles)
}

// handMade returns a policy for x86_64 with x32 and for x86 that is valid.
func handMade() *policy.Resolved {
	const all, low = 1<<64 - 1, 1<<32 - 1
	allow := []policy.Clause{{Action: cbpf.Allow}}
	return &policy.Resolved{
		Default: cbpf.Errno(1),
		BadArch: cbpf.Trap | 5,
		Spaces: []policy.Space{
			{
				Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64, arch.X32},
				Ranges: []policy.Range{
					{First: 300, Last: 310, Action: cbpf.Trap | 5, Reason: policy.ByBadArch},
					{First: 400, Last: 0x3fffffff, Action: cbpf.Errno(38), Reason: policy.ByENOSYS},
					{First: 0x40000300, Last: 0xfffffffe, Action: cbpf.Errno(38), Reason: policy.ByENOSYS},
				},
				Calls: []policy.Call{
					{NR: 3, ABI: arch.X86_64, Clauses: allow},
					{NR: 7, ABI: arch.X86_64, Clauses: []policy.Clause{
						{Action: cbpf.Trace(9), Conds: []policy.Cond{
							{Arg: 0, Op: policy.MaskedEqual, Mask: 0xff00, Value: 0x1200},
							{Arg: 2, Op: policy.Less, Mask: all, Value: 1 << 33},
						}},
						{Action: cbpf.Log},
					}},
					{NR: arch.X32Bit + 3, ABI: arch.X32, Clauses: []policy.Clause{
						{Action: cbpf.Notify, Conds: []policy.Cond{{Arg: 5, Op: policy.NotEqual, Mask: low, Value: 4}}},
					}},
					{NR: 1<<32 - 1, ABI: arch.X86_64, Clauses: allow}, // a tracer's skip
				},
			},
			{
				Audit: arch.X86.Audit(), ABIs: []arch.ABI{arch.X86},
				Calls: []policy.Call{{NR: 3, ABI: arch.X86, Clauses: []policy.Clause{
					{Action: cbpf.Errno(5000), Conds: []policy.Cond{{Arg: 1, Op: policy.MaskedEqual, Mask: 0, Value: 0}}},
				}}},
			},
		},
	}
}

// ask calls everything that takes a policy and returns its errors; the rest must not
// panic.
func ask(r *policy.Resolved, p *cbpf.Program, calls []cbpf.Data) map[string]error {
	bad, good := proof.Policy(r), proof.Program(p)
	errs := map[string]error{"Validate": r.Validate()}
	_, _, errs["Compile"] = compiler.Compile(r, compiler.Options{})
	_, errs["Equal"] = proof.Equal(bad, good, proof.Limits{})
	_, errs["Equal, second"] = proof.Equal(good, bad, proof.Limits{})
	_, errs["Equal of stacks"] = proof.Equal(proof.Stack(good, proof.Stack(bad)), good, proof.Limits{})
	_, errs["Check"] = proof.Check(bad, p, proof.Limits{})
	_, errs["Diff"] = proof.Diff(bad, good, proof.Limits{})
	_, errs["Diff, second"] = proof.Diff(good, bad, proof.Limits{})
	_, errs["Explain"] = proof.Explain(bad, proof.Limits{})
	_, _, errs["New certificate"] = certificate.New(r, policy.Options{}, p, proof.Limits{})
	if r != nil { // Merge takes nil for a layer without a policy
		_, errs["Merge"] = optimize.Merge([]optimize.Layer{{Name: "layer", Policy: r}}, proof.Limits{})
	}
	_, _, _ = r.Order(), r.String(), certificate.PolicyDigest(r)
	for i := range calls {
		_, _, _ = r.Decide(&calls[i]), bad.Eval(&calls[i]), len(r.Clauses(calls[i].Arch, calls[i].NR))+len(r.ABIs())
	}
	return errs
}

func TestValidHandMadePolicyIsTaken(t *testing.T) {
	r := handMade()
	c, _, err := compiler.Compile(r, compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range ask(r, c, nil) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if res, err := proof.Check(proof.Policy(r), c, proof.Limits{}); err != nil || res.Verdict != proof.Same {
		t.Errorf("%v, %v, %v", res.Verdict, res.Witness, err)
	}
}

func TestWrongHandMadePolicyIsRefused(t *testing.T) {
	type (
		resolved = policy.Resolved
		space    = policy.Space
		call     = policy.Call
		clause   = policy.Clause
		cond     = policy.Cond
	)
	inSpace := func(change func(*space)) func(*resolved) { return func(r *resolved) { change(&r.Spaces[0]) } }
	inCall := func(change func(*call)) func(*resolved) { return inSpace(func(s *space) { change(&s.Calls[1]) }) }
	inClause := func(change func(*clause)) func(*resolved) { return inCall(func(c *call) { change(&c.Clauses[0]) }) }
	inCond := func(change func(*cond)) func(*resolved) { return inClause(func(c *clause) { change(&c.Conds[1]) }) }
	inX86 := func(change func(*cond)) func(*resolved) {
		return func(r *resolved) { change(&r.Spaces[1].Calls[0].Clauses[0].Conds[0]) }
	}
	tests := []struct {
		name  string
		spoil func(*resolved)
		want  string
	}{
		{"zero", func(r *resolved) { *r = resolved{} }, "no target ABI"},
		{"default of no class", func(r *resolved) { r.Default = 0x12340000 }, "default action 0x12340000: "},
		{"default with data", func(r *resolved) { r.Default = cbpf.Allow | 1 }, "default action ALLOW(1): "},
		{"bad-arch of no class", func(r *resolved) { r.BadArch = 1 << 20 }, "bad-arch action"},
		{"bad-arch with data", func(r *resolved) { r.BadArch = cbpf.KillProcess | 1 }, "bad-arch action KILL_PROCESS(1)"},
		{"no ABI", inSpace(func(s *space) { s.ABIs = nil }), "space 0xc000003e: no ABI"},
		{"zero ABI", inSpace(func(s *space) { s.ABIs[1] = 0 }), "space x86_64: ABI(0): unknown ABI"},
		{"ABI beyond the last", inSpace(func(s *space) { s.ABIs[0] = 200 }), "space ABI(200): ABI(200): unknown ABI"},
		{"ABI of another AUDIT_ARCH value", inSpace(func(s *space) { s.ABIs[1] = arch.ARM }), "the AUDIT_ARCH value of arm is 0x40000028"},
		{"AUDIT_ARCH value of no ABI", inSpace(func(s *space) { s.Audit = 1 }), "is 0xc000003e, not 0x00000001"},
		{"ABI twice", inSpace(func(s *space) { s.ABIs[1] = arch.X86_64 }), "x86_64 is there twice"},
		{"space twice", func(r *resolved) { r.Spaces = append(r.Spaces, r.Spaces[0]) }, "space x86_64: another space"},
		{"x32 apart from x86_64", func(r *resolved) { r.Spaces[1] = space{Audit: arch.X32.Audit(), ABIs: []arch.ABI{arch.X32}} }, "space x32: another space"},
		{"two byte orders", func(r *resolved) { r.Spaces[1] = space{Audit: arch.S390.Audit(), ABIs: []arch.ABI{arch.S390}} }, "space s390: byte order: not that of space x86_64"},
		{"range backwards", inSpace(func(s *space) { s.Ranges[0].First, s.Ranges[0].Last = 5, 4 }), "range 5-4: ends before it starts"},
		{"ranges not sorted", inSpace(func(s *space) { slices.Reverse(s.Ranges) }), "range 400-0x3fffffff: comes after"},
		{"ranges overlap", inSpace(func(s *space) { s.Ranges[2].First = 500 }), "comes after 400-0x3fffffff"},
		{"range of no action", inSpace(func(s *space) { s.Ranges[1].Action = 1 << 24 }), "range 400-0x3fffffff: action 0x01000000"},
		{"calls not sorted", inSpace(func(s *space) { s.Calls[0], s.Calls[1] = s.Calls[1], s.Calls[0] }), "call 3: comes after call 7"},
		{"call twice", inSpace(func(s *space) { s.Calls[1].NR = 3 }), "call 3: comes after call 3"},
		{"call in a range", inSpace(func(s *space) { s.Ranges[1].First = 7; s.Ranges[0].First, s.Ranges[0].Last = 4, 5 }), "call 7: is in range 7-0x3fffffff, too"},
		{"call of no ABI", inCall(func(c *call) { c.ABI = 0 }), "call 7: ABI(0) is not an ABI of the space"},
		{"call of another space's ABI", inCall(func(c *call) { c.ABI = arch.X86 }), "space x86_64: call 7: "},
		{"no clauses", inCall(func(c *call) { c.Clauses = nil }), "call 7: no clauses"},
		{"something after what always holds", inCall(func(c *call) { slices.Reverse(c.Clauses) }), "call 7: clause 0: always holds"},
		{"clause of no action", inClause(func(c *clause) { c.Action = 1 << 24 }), "call 7: clause 0: action 0x01000000"},
		{"clause with data", inClause(func(c *clause) { c.Action = cbpf.Notify | 3 }), "clause 0: action NOTIFY(3)"},
		{"conditions not sorted", inClause(func(c *clause) { slices.Reverse(c.Conds) }), "clause 0: condition 1: argument 0: comes after argument 2"},
		{"argument 6", inCond(func(c *cond) { c.Arg = 6 }), "space x86_64: call 7: clause 0: condition 1: argument 6: a call has only arguments 0 to 5"},
		{"argument 255", inCond(func(c *cond) { c.Arg = 255 }), "argument 255: "},
		{"no operator", inCond(func(c *cond) { c.Op = 0 }), "condition 1: Op(0): unknown operator"},
		{"operator beyond the last", inCond(func(c *cond) { c.Op = policy.MaskedNotEqual + 1 }), "Op(9): unknown operator"},
		{"mask under an operator without", inCond(func(c *cond) { *c = cond{Arg: 2, Op: policy.Less, Mask: 0xff, Value: 7} }), "mask 0xff: SCMP_CMP_LT compares all 64 bits"},
		{"value outside of the mask", inCond(func(c *cond) { *c = cond{Arg: 2, Op: policy.MaskedEqual, Mask: 0xff, Value: 0x107} }), "value 0x107 has bits outside of the mask, 0xff"},
		{"value under an empty mask", inCond(func(c *cond) { *c = cond{Arg: 2, Op: policy.MaskedEqual, Mask: 0, Value: 1} }), "value 0x1 has bits"},
		{"mask wider than the argument", inX86(func(c *cond) { c.Mask = 1 << 32 }), "space x86: call 3: clause 0: condition 0: mask 0x100000000: an argument of x86 has only 32 bits"},
		{"value wider than the argument", inX86(func(c *cond) { *c = cond{Arg: 1, Op: policy.Greater, Mask: 1<<32 - 1, Value: 1 << 32} }), "value 0x100000000 has bits"},
		{"64-bit mask on x32", inSpace(func(s *space) { s.Calls[2].Clauses[0].Conds[0].Mask = 1<<64 - 1 }), "call 0x40000003: clause 0: condition 0: mask"},
	}
	c, _, err := compiler.Compile(handMade(), compiler.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var calls []cbpf.Data
	for d := range gen.Points(gen.New(1), handMade(), c, 2) {
		calls = append(calls, *d)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := handMade()
			tt.spoil(r)
			for what, err := range ask(r, c, calls) {
				if err == nil || !strings.Contains(err.Error(), "policy: ") || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%s: %v, want %q", what, err, tt.want)
				}
			}
		})
	}
	for what, err := range ask(nil, c, calls) {
		if err == nil {
			t.Errorf("nil: %s: no error", what)
		}
	}
}

// What cannot be refused denies: a condition on nothing may have been to narrow a rule
// that denies, so that it must not be one that never holds.
func TestConditionOnNothingKills(t *testing.T) {
	d := cbpf.Data{Arch: arch.X86_64.Audit(), NR: 7, Args: [6]uint64{0x1200}}
	other := d
	other.Args[0] = 0
	for _, c := range []policy.Cond{{Arg: 6, Op: policy.Less}, {Arg: 255, Op: policy.Equal}, {Arg: 2}, {Arg: 2, Op: 9}} {
		r := handMade()
		r.Spaces[0].Calls[1].Clauses[0].Conds[1] = c
		if got := r.Eval(&d); got != cbpf.KillProcess {
			t.Errorf("%+v: %v", c, got)
		}
		if got := r.Eval(&other); got != cbpf.Log {
			t.Errorf("%+v, where another condition fails: %v", c, got)
		}
	}
	var none *policy.Resolved
	for _, r := range []*policy.Resolved{none, {}} {
		if got := r.Eval(&d); got != cbpf.KillThread {
			t.Errorf("%v: %v", r, got)
		}
	}
}

// Whatever is taken is right: policies with a few fields changed are refused, or the
// program decides as Eval does.
func TestCorruptedPolicyIsRefusedOrRight(t *testing.T) {
	refused, taken, policies := 0, 0, gen.Many(120, 1500)
	for seed := range policies {
		r := gen.New(uint64(seed))
		res := drawAny(t, r, 8)
		if res == nil {
			continue
		}
		corrupted := deepCopy(res)
		for range 1 + r.IntN(2) {
			corrupt(r, corrupted)
		}
		var calls []cbpf.Data
		for d := range gen.Points(r, res, nil, 1) {
			if calls = append(calls, *d); len(calls) == 50 {
				break
			}
		}
		c, _, err := compiler.Compile(corrupted, compiler.Options{Effort: compiler.Effort(seed % 2)})
		var long *compiler.TooLongError
		switch {
		case errors.As(err, &long):
			continue
		case err != nil:
			refused++
			for what, err := range ask(corrupted, &cbpf.Program{}, calls) {
				if err == nil {
					t.Errorf("seed %d: Compile refuses, %s does not:\n%v", seed, what, corrupted)
				}
			}
			continue
		}
		taken++
		for d := range gen.Points(r, corrupted, c, 2) {
			if got, want := c.Eval(d), corrupted.Eval(d); got != want {
				t.Fatalf("seed %d: %+v: program %v, policy %v\n%v", seed, *d, got, want, corrupted)
			}
		}
		if res, err := proof.Equal(proof.Policy(corrupted), proof.Program(c), proof.Limits{Nodes: 1 << 17}); err != nil || res.Verdict == proof.Different {
			t.Errorf("seed %d: %v, %v\n%v", seed, res.Witness, err, corrupted)
		}
	}
	if refused < policies/3 || taken < policies/5 {
		t.Errorf("refused %d and taken %d: hardly any of one", refused, taken)
	}
	t.Logf("%d refused, %d taken", refused, taken)
}

func deepCopy(r *policy.Resolved) *policy.Resolved {
	c := *r
	c.Spaces = slices.Clone(r.Spaces)
	for i := range c.Spaces {
		s := &c.Spaces[i]
		s.ABIs, s.Ranges, s.Calls = slices.Clone(s.ABIs), slices.Clone(s.Ranges), slices.Clone(s.Calls)
		for j := range s.Calls {
			call := &s.Calls[j]
			call.Clauses = slices.Clone(call.Clauses)
			for k := range call.Clauses {
				call.Clauses[k].Conds = slices.Clone(call.Clauses[k].Conds)
			}
		}
	}
	return &c
}

// shuffle drops, doubles or swaps elements.
func shuffle[T any](r *rand.Rand, s *[]T) {
	if len(*s) == 0 {
		return
	}
	i, j := r.IntN(len(*s)), r.IntN(len(*s))
	switch r.IntN(3) {
	case 0:
		*s = slices.Delete(*s, i, i+1)
	case 1:
		*s = slices.Insert(*s, i, (*s)[j])
	case 2:
		(*s)[i], (*s)[j] = (*s)[j], (*s)[i]
	}
}

// corrupt changes something in a policy.
func corrupt(r *rand.Rand, p *policy.Resolved) {
	action := func(a *cbpf.Action) { *a ^= 1 << r.IntN(32) }
	if len(p.Spaces) == 0 || r.IntN(12) == 0 {
		[]func(){func() { action(&p.Default) }, func() { action(&p.BadArch) }, func() { shuffle(r, &p.Spaces) }}[r.IntN(3)]()
		return
	}
	s := &p.Spaces[r.IntN(len(p.Spaces))]
	if len(s.Calls) == 0 || r.IntN(3) == 0 {
		corruptSpace(r, s)
		return
	}
	c := &s.Calls[r.IntN(len(s.Calls))]
	if len(c.Clauses) == 0 || r.IntN(4) == 0 {
		switch r.IntN(3) {
		case 0:
			c.NR += uint32(r.IntN(9)) - 4
		case 1:
			c.ABI = arch.ABI(r.IntN(25))
		case 2:
			shuffle(r, &c.Clauses)
		}
		return
	}
	clause := &c.Clauses[r.IntN(len(c.Clauses))]
	if len(clause.Conds) == 0 || r.IntN(4) == 0 {
		if r.IntN(2) == 0 {
			action(&clause.Action)
		}
		shuffle(r, &clause.Conds)
		return
	}
	cond := &clause.Conds[r.IntN(len(clause.Conds))]
	switch r.IntN(5) {
	case 0:
		cond.Arg = uint8(r.IntN(8))
	case 1:
		cond.Op = policy.Op(r.IntN(10))
	case 2:
		cond.Value ^= gen.Word(r)
	case 3:
		cond.Mask = gen.Word(r)
		cond.Value &= cond.Mask
	case 4:
		*cond = policy.Cond{Arg: cond.Arg, Op: policy.MaskedEqual, Mask: gen.Word(r), Value: gen.Word(r) * uint64(r.IntN(2))}
	}
}

func corruptSpace(r *rand.Rand, s *policy.Space) {
	switch r.IntN(6) {
	case 0:
		shuffle(r, &s.Calls)
	case 1:
		shuffle(r, &s.ABIs)
	case 2:
		shuffle(r, &s.Ranges)
	case 3:
		s.Ranges = append(s.Ranges, policy.Range{First: uint32(r.IntN(600)), Last: uint32(r.IntN(600)), Action: cbpf.Log})
	case 4:
		if len(s.Ranges) > 0 {
			s.Ranges[r.IntN(len(s.Ranges))].First += uint32(r.IntN(5)) - 2
		}
	case 5:
		if len(s.Ranges) > 0 {
			s.Ranges[r.IntN(len(s.Ranges))].Action ^= 1 << r.IntN(32)
		}
	}
}
