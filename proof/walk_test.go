package proof

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

func TestWalkProvesRandomPoliciesEqualToTheirPlainCompilation(t *testing.T) {
	for seed := range uint64(gen.Many(300, 3000)) {
		res, p := randomPolicy(t, seed)
		got, err := Walk(res, p)
		if err != nil || got.Verdict != Same {
			t.Errorf("seed %d: %v %v, reason %q, %v", seed, got.Verdict, got.Witness, got.Reason, err)
		}
	}
}

func TestWalkProvesDockerDefaultEqualToItsPlainCompilation(t *testing.T) {
	for a := range arch.All() {
		if a.Main() != a {
			continue
		}
		res := dockerDefault(t, a.Family()...)
		p, err := naive(res)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Walk(res, p)
		if err != nil || got.Verdict != Same {
			t.Errorf("%v: %v %v, reason %q, %v", a, got.Verdict, got.Witness, got.Reason, err)
		}
	}
}

// A tally compares Walk with Equal.
type tally struct {
	*testing.T
	verdicts [3]int
}

// compare asks Walk, and Equal about what a witness does not settle.
func (t *tally) compare(what string, r *policy.Resolved, p *cbpf.Program) {
	t.Helper()
	got, err := Walk(r, p)
	t.verdicts[got.Verdict]++
	switch {
	case err != nil:
		t.Errorf("%s: %v", what, err)
	case got.Verdict == Different && got.Reason == "":
		w := got.Witness
		if a, b := r.Eval(&w.Call), p.Eval(&w.Call); a != w.A || b != w.B || a == b {
			t.Errorf("%s: witness %v, but running gives %v and %v", what, w, a, b)
		}
	case got.Verdict == Same && got.Witness == nil && got.Reason == "":
		if want, err := Equal(Policy(r), Program(p), Limits{}); err != nil || want.Verdict != Same {
			t.Errorf("%s: same, but Equal: %v %v %q, %v", what, want.Verdict, want.Witness, want.Reason, err)
		}
	default:
		t.Errorf("%s: %+v", what, got)
	}
}

// atLeast fails if hardly any answer was one of the two. Short tests have a tenth of the
// cases, of which a twentieth of the answers is asked.
func (t *tally) atLeast(same, different int) {
	t.Helper()
	t.Logf("%d unknown, %d same, %d different", t.verdicts[Unknown], t.verdicts[Same], t.verdicts[Different])
	if testing.Short() {
		same, different = same/20, different/20
	}
	if t.verdicts[Same] < same || t.verdicts[Different] < different {
		t.Errorf("want %d same and %d different", same, different)
	}
}

func TestWalkAgreesWithEqualAboutPlantedFaults(t *testing.T) {
	tally := tally{T: t}
	for seed := range uint64(gen.Many(25, 300)) {
		res, p := randomPolicy(t, seed)
		if p.Len() > 100 {
			continue
		}
		for what, raw := range gen.Faults(p.Raw()) {
			if bad, err := cbpf.New(raw, p.Order()); err == nil {
				tally.compare(fmt.Sprintf("seed %d: %s", seed, what), res, bad)
			}
		}
	}
	tally.atLeast(80, 300)
}

// The programs of others do the same in other ways: comparisons the other way round,
// loads and masks that do nothing, jumps to the next instruction.
func TestWalkAgreesWithEqualAboutRewrittenPrograms(t *testing.T) {
	tally := tally{T: t}
	for seed := range uint64(gen.Many(100, 1000)) {
		res, p := randomPolicy(t, seed)
		if p.Len() > 400 {
			continue
		}
		r := gen.New(seed)
		raw := p.Raw()
		for range 2 {
			if again := gen.Rewrite(r, raw); again != nil && len(again) < cbpf.MaxInstructions {
				raw = again
			}
		}
		if r.IntN(2) == 0 {
			raw = slices.Collect(seconds(gen.Faults(raw)))[r.IntN(len(raw))]
		}
		if q, err := cbpf.New(raw, p.Order()); err == nil {
			tally.compare(fmt.Sprintf("seed %d", seed), res, q)
		}
	}
	tally.atLeast(20, 10)
}

func seconds[A, B any](pairs func(func(A, B) bool)) func(func(B) bool) {
	return func(yield func(B) bool) { pairs(func(_ A, b B) bool { return yield(b) }) }
}

// maskedProgram draws a program of loads, masks and tests, mostly of the AUDIT_ARCH value
// and the number, with constants near those of the policy.
func maskedProgram(r *rand.Rand, res *policy.Resolved) []bpf.RawInstruction {
	ks := []uint32{0, 1, math.MaxUint32, arch.X32Bit, 0x80000000, 0x3fffffff, 0xff, 0x0000000f}
	for _, s := range res.Spaces {
		ks = append(ks, s.Audit, s.Audit^0x40000000)
		for _, c := range s.Calls {
			ks = append(ks, c.NR)
		}
	}
	k := func() uint32 { return ks[r.IntN(len(ks))] + uint32(r.IntN(3)) - 1 }
	actions := []cbpf.Action{res.Default, res.BadArch}
	for _, x := range res.Spaces[0].Ranges {
		actions = append(actions, x.Action)
	}
	n := 3 + r.IntN(14)
	raw := []bpf.RawInstruction{{Op: opLdAbs, K: 4 * uint32(r.IntN(2))}}
	for len(raw) < n {
		left := min(n-len(raw), 6)
		switch r.IntN(6) {
		case 0:
			raw = append(raw, bpf.RawInstruction{Op: opLdAbs, K: 4 * uint32(r.IntN(2+r.IntN(15)))})
		case 1:
			raw = append(raw, bpf.RawInstruction{Op: classAlu | aluAnd, K: k()})
		case 2:
			raw = append(raw, bpf.RawInstruction{Op: []uint16{opLdImm, opLdLen, opJa}[r.IntN(3)], K: uint32(r.IntN(left))})
		default:
			op := []uint16{jmpEq, jmpGt, jmpGe, jmpSet}[r.IntN(4)]
			raw = append(raw, bpf.RawInstruction{Op: classJmp | op, K: k(), Jt: uint8(r.IntN(left)), Jf: uint8(r.IntN(left))})
		}
	}
	for range 6 {
		raw = append(raw, bpf.RawInstruction{Op: opRetK, K: uint32(actions[r.IntN(len(actions))])})
	}
	return raw
}

// plainPolicy draws a policy of which few numbers are decided, and mostly alike, so that
// a random program now and then equals it.
func plainPolicy(r *rand.Rand) *policy.Resolved {
	abis := gen.ABIs(r)
	res := &policy.Resolved{Default: cbpf.Allow, BadArch: cbpf.Allow}
	if r.IntN(2) == 0 {
		res.BadArch = cbpf.KillThread
	}
	for _, a := range abis {
		i := slices.IndexFunc(res.Spaces, func(s policy.Space) bool { return s.Audit == a.Audit() })
		if i < 0 {
			i = len(res.Spaces)
			res.Spaces = append(res.Spaces, policy.Space{Audit: a.Audit()})
		}
		s := &res.Spaces[i]
		s.ABIs = append(s.ABIs, a)
		if len(s.Ranges) > 0 {
			continue
		}
		x32 := r.Uint32N(3) == 0
		if last := uint32(math.MaxUint32); r.IntN(3) == 0 {
			if x32 {
				last = arch.X32Bit - 1
			}
			s.Ranges = append(s.Ranges, policy.Range{
				First: r.Uint32N(500), Last: last, Action: []cbpf.Action{cbpf.Allow, cbpf.Errno(38)}[r.IntN(2)],
			})
		}
		if x32 && len(s.Ranges) == 0 || x32 && s.Ranges[0].Last < arch.X32Bit {
			s.Ranges = append(s.Ranges, policy.Range{
				First: arch.X32Bit, Last: math.MaxUint32 - r.Uint32N(2), Action: res.BadArch,
			})
		}
	}
	return res
}

func TestWalkAgreesWithEqualAboutMaskedNumbers(t *testing.T) {
	tally := tally{T: t}
	for seed := range uint64(gen.Many(1500, 100_000)) {
		r := gen.New(seed)
		res := plainPolicy(r)
		p, err := cbpf.New(maskedProgram(r, res), res.Order())
		if err != nil {
			t.Fatal(err)
		}
		tally.compare(fmt.Sprintf("seed %d", seed), res, p)
	}
	tally.atLeast(200, 500)
}

// smallCall draws the clauses of a call that looks at three bits of each half of two
// arguments, with two actions: two such lists now and then mean the same.
func smallCall(r *rand.Rand) policy.Call {
	call := policy.Call{NR: 1, ABI: arch.X86_64}
	for range 1 + r.IntN(5) {
		c := policy.Clause{Action: []cbpf.Action{cbpf.Allow, cbpf.Trap}[r.IntN(2)]}
		for arg := range uint8(2) {
			cond := policy.Cond{Arg: arg, Op: policy.MaskedEqual, Mask: uint64(r.IntN(8)) | uint64(r.IntN(4))<<32}
			switch r.IntN(6) {
			case 0:
				cond.Op, cond.Mask = policy.Op(1+r.IntN(6)), math.MaxUint64
				cond.Value = []uint64{0, 1, 1 << 32, math.MaxUint64}[r.IntN(4)]
			case 1:
				continue
			default:
				cond.Value = cond.Mask & r.Uint64()
			}
			c.Conds = append(c.Conds, cond)
		}
		if call.Clauses = append(call.Clauses, c); len(c.Conds) == 0 {
			break
		}
	}
	return call
}

func smallPolicy(r *rand.Rand) *policy.Resolved {
	return &policy.Resolved{Default: cbpf.Allow, Spaces: []policy.Space{{
		Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: []policy.Call{smallCall(r)},
	}}}
}

func TestWalkAgreesWithEqualAboutOtherRules(t *testing.T) {
	tally := tally{T: t}
	for seed := range uint64(gen.Many(3000, 300_000)) {
		r := gen.New(seed)
		p, err := naive(smallPolicy(r))
		if err != nil {
			t.Fatal(err)
		}
		tally.compare(fmt.Sprintf("seed %d", seed), smallPolicy(r), p)
	}
	tally.atLeast(100, 1000)
}

func TestWalkGivesUpOnWhatNoCompiledFilterDoes(t *testing.T) {
	res := dockerDefault(t, arch.X86_64)
	k := bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.KillThread)}
	for name, raw := range map[string][]bpf.RawInstruction{
		"arithmetic":          {{Op: opLdAbs, K: cbpf.OffArgs}, {Op: classAlu | aluAdd, K: 1}, {Op: classJmp | jmpEq, K: 1}, k},
		"OR":                  {{Op: classAlu | aluOr, K: 1}, k},
		"AND with X":          {{Op: classAlu | aluAnd | srcX}, k},
		"X":                   {{Op: opLdxImm, K: 1}, k},
		"a test against X":    {{Op: classJmp | jmpEq | srcX}, k},
		"scratch memory":      {{Op: opSt}, {Op: opLdMem}, k},
		"TXA":                 {{Op: opTxa}, k},
		"a computed return":   {{Op: opLdImm, K: uint32(cbpf.KillThread)}, {Op: opRetA}},
		"a return of a word":  {{Op: opLdAbs}, {Op: opRetA}},
		"only for one number": {{Op: opLdAbs}, {Op: classJmp | jmpEq, K: 0x12345678, Jf: 1}, {Op: opNeg}, k},
	} {
		got, err := Walk(&policy.Resolved{Spaces: res.Spaces[:1]}, mustProgram(t, binary.LittleEndian, raw...))
		// It may find a witness first.
		if err != nil || got.Verdict == Same || got.Verdict == Unknown && !strings.Contains(got.Reason, "instruction ") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		nothing := &policy.Resolved{Spaces: []policy.Space{{Audit: res.Spaces[0].Audit, ABIs: []arch.ABI{arch.X86_64}}}}
		got, err = Walk(nothing, mustProgram(t, binary.LittleEndian, raw...))
		if err != nil || got.Verdict != Unknown || !strings.Contains(got.Reason, "instruction ") || got.Witness != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

const opNeg = classAlu | aluNeg

// What is never executed does not matter.
func TestWalkDoesNotLookAtDeadCode(t *testing.T) {
	nothing := &policy.Resolved{Spaces: []policy.Space{{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}}}}
	ret := bpf.RawInstruction{Op: opRetK}
	for _, p := range []*cbpf.Program{
		mustProgram(t, binary.LittleEndian, ret, bpf.RawInstruction{Op: opNeg}, ret),
		mustProgram(t, binary.LittleEndian,
			bpf.RawInstruction{Op: opLdAbs},
			bpf.RawInstruction{Op: classAlu | aluAnd, K: 0xf},
			bpf.RawInstruction{Op: classJmp | jmpGe, K: 0x10, Jf: 1},
			bpf.RawInstruction{Op: opNeg}, ret),
		mustProgram(t, binary.LittleEndian, // no bit of 1 and 2 set, and not zero in both
			bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffArgs},
			bpf.RawInstruction{Op: classJmp | jmpSet, K: 3, Jf: 3},
			bpf.RawInstruction{Op: classJmp | jmpSet, K: 1, Jt: 2},
			bpf.RawInstruction{Op: classJmp | jmpSet, K: 2, Jt: 1},
			bpf.RawInstruction{Op: opNeg}, ret),
	} {
		if got, err := Walk(nothing, p); err != nil || got.Verdict != Same {
			t.Errorf("%v: %+v, %v", p.Raw(), got, err)
		}
	}
}

func TestQuestionsAboutNothingAreErrors(t *testing.T) {
	some, none := Program(mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})), Program(nil)
	for _, s := range []Subject{none, nil, Stack(some, nil)} {
		_, err1 := Equal(s, some, Limits{})
		_, err2 := Equal(some, s, Limits{})
		_, err3 := Diff(s, some, Limits{})
		_, err4 := Explain(s, Limits{})
		_, err5 := Check(s, new(cbpf.Program), Limits{})
		for i, err := range []error{err1, err2, err3, err4, err5} {
			if err == nil {
				t.Errorf("%v: no error from question %d", s, i+1)
			}
		}
	}
	if _, err := Check(some, nil, Limits{}); err == nil {
		t.Error("no program: no error")
	}
}

func TestWalkOfNothing(t *testing.T) {
	valid := dockerDefault(t, arch.X86_64)
	p := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})
	for _, r := range []*policy.Resolved{nil, {}, {Spaces: []policy.Space{{}}}} {
		if got, err := Walk(r, p); err == nil || got.Verdict != Unknown {
			t.Errorf("%+v: %+v, %v", r, got, err)
		}
	}
	if got, err := Walk(valid, nil); err == nil || got.Verdict != Unknown {
		t.Errorf("no program: %+v, %v", got, err)
	}
	tally := tally{T: t}
	tally.compare("the zero program", valid, new(cbpf.Program))
	tally.compare("the zero program", &policy.Resolved{Spaces: []policy.Space{{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}}}}, new(cbpf.Program))
	tally.atLeast(1, 1)
}

// ranges returns ranges that get an action.
func ranges(a cbpf.Action, list ...policy.Interval) (out []policy.Range) {
	for _, v := range list {
		out = append(out, policy.Range{First: v.First, Last: v.Last, Action: a})
	}
	return out
}

// byHand returns policies that no profile gives.
func byHand() map[string]*policy.Resolved {
	everything := policy.Interval{Last: math.MaxUint32}
	x86 := policy.Space{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}}
	with := func(change func(*policy.Space)) *policy.Resolved {
		s := x86
		change(&s)
		return &policy.Resolved{Default: cbpf.Log, BadArch: cbpf.Trap, Spaces: []policy.Space{s}}
	}
	one := func(nr uint32, conds ...policy.Cond) policy.Call {
		return policy.Call{NR: nr, ABI: arch.X86_64, Clauses: []policy.Clause{{Conds: conds, Action: cbpf.Allow}}}
	}
	is := func(arg uint8) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.Equal, Mask: math.MaxUint64, Value: 7}
	}
	out := map[string]*policy.Resolved{
		"all in a range": with(func(s *policy.Space) { s.Ranges = ranges(cbpf.Errno(38), everything) }),
		"ranges": with(func(s *policy.Space) {
			s.Ranges = slices.Concat(ranges(cbpf.Errno(38), policy.Interval{First: 3, Last: 9}), ranges(cbpf.Trap, policy.Interval{First: 10, Last: 19}),
				ranges(cbpf.Errno(38), policy.Interval{First: 20, Last: 40}), ranges(cbpf.Trap, policy.Interval{First: 41, Last: 50}, policy.Interval{First: math.MaxUint32, Last: math.MaxUint32}))
			s.Calls = []policy.Call{one(0), one(1, is(5)), one(2), one(10_000)}
		}),
		"first and last number":  with(func(s *policy.Space) { s.Calls = []policy.Call{one(0, is(0)), one(math.MaxUint32, is(1))} }),
		"two calls side by side": with(func(s *policy.Space) { s.Calls = []policy.Call{one(6, is(0)), one(7, is(0)), one(8), one(9, is(3))} }),
		"any mask of zero": with(func(s *policy.Space) {
			s.Calls = []policy.Call{one(6, policy.Cond{Op: policy.MaskedEqual}), one(7, policy.Cond{Op: policy.MaskedEqual}, is(1))}
		}),
	}
	for _, big := range []bool{false, true} {
		r := &policy.Resolved{Default: cbpf.Allow, BadArch: cbpf.KillProcess}
		for a := range arch.All() {
			if (a.ByteOrder() == binary.BigEndian) != big {
				continue
			}
			i := slices.IndexFunc(r.Spaces, func(s policy.Space) bool { return s.Audit == a.Audit() })
			if i < 0 {
				i = len(r.Spaces)
				r.Spaces = append(r.Spaces, policy.Space{Audit: a.Audit()})
			}
			s := &r.Spaces[i]
			width := uint64(math.MaxUint64) >> (64 - a.Bits())
			s.ABIs = append(s.ABIs, a)
			s.Calls = append(s.Calls, policy.Call{NR: a.Base() + 3, ABI: a, Clauses: []policy.Clause{
				{Conds: []policy.Cond{{Arg: 2, Op: policy.Greater, Mask: width, Value: width / 3}}, Action: cbpf.Trace(3)},
				{Action: cbpf.KillThread},
			}})
		}
		out[fmt.Sprintf("all ABIs, big-endian %v", big)] = r
	}
	return out
}

func TestWalkOfPoliciesMadeByHand(t *testing.T) {
	tally := tally{T: t}
	for name, r := range byHand() {
		p, err := naive(r)
		if err != nil {
			t.Fatal(err)
		}
		tally.compare(name, r, p)
		for what, raw := range gen.Faults(p.Raw()) {
			if bad, err := cbpf.New(raw, p.Order()); err == nil && len(raw) < 100 {
				tally.compare(name+": "+what, r, bad)
			}
		}
	}
	tally.atLeast(30, 200)
}

func TestWalkEndsAtItsLimit(t *testing.T) {
	res := dockerDefault(t, arch.X86_64)
	p, err := naive(res)
	if err != nil {
		t.Fatal(err)
	}
	enough, err := walk(res, p, maxSteps)
	if err != nil || enough.Verdict != Same {
		t.Fatal(enough, err)
	}
	for _, limit := range []int{0, 1, 2, 10, enough.Steps / 2, enough.Steps - 1} {
		got, err := walk(res, p, limit)
		if err != nil || got.Verdict != Unknown || got.Reason != fmt.Sprintf("more than %d steps", limit) {
			t.Errorf("limit %d: %+v, %v", limit, got, err)
		}
	}
	if got, err := walk(res, p, enough.Steps); err != nil || got.Verdict != Same {
		t.Errorf("limit %d: %+v, %v", enough.Steps, got, err)
	}
	loads := make([]bpf.RawInstruction, 100, 101)
	for i := range loads {
		loads[i].Op = opLdAbs
	}
	long := mustProgram(t, binary.LittleEndian, append(loads, bpf.RawInstruction{Op: opRetK})...)
	if got, err := walk(res, long, 10); err != nil || got.Verdict != Unknown || got.Steps != 11 {
		t.Errorf("%+v, %v: want an end in the middle of a path", got, err)
	}
	res = families()["six conditions"].of(24, false)
	if p, err = short(res); err != nil {
		t.Fatal(err)
	}
	raw := p.Raw()
	raw[39].K++ // too many paths differ
	got, err := Walk(res, mustProgram(t, binary.LittleEndian, raw...))
	if want := "more than 262144 steps"; err != nil || got.Reason != want {
		t.Errorf("%+v, %v, want %s", got, err, want)
	}
}
