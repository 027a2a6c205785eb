package proof

import (
	"encoding/binary"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

// threeCalls allows calls 0 and 1 of x86_64, and 2 if its first argument is 7.
var threeCalls = &policy.Resolved{
	Default: cbpf.Errno(1),
	BadArch: cbpf.KillProcess,
	Spaces: []policy.Space{{
		Audit: arch.X86_64.Audit(),
		ABIs:  []arch.ABI{arch.X86_64},
		Calls: []policy.Call{
			{NR: 0, ABI: arch.X86_64, Clauses: []policy.Clause{{Action: cbpf.Allow}}},
			{NR: 1, ABI: arch.X86_64, Clauses: []policy.Clause{{Action: cbpf.Allow}}},
			{NR: 2, ABI: arch.X86_64, Clauses: []policy.Clause{{Action: cbpf.Allow, Conds: []policy.Cond{{Arg: 0, Op: policy.MaskedEqual, Mask: 0xffffffff, Value: 7}}}}},
		},
	}},
}

func TestCheckFindsWhatDoesNotChangeTheMeaning(t *testing.T) {
	ld := func(off uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opLdAbs, K: off} }
	jeq := func(k uint32, jt, jf uint8) bpf.RawInstruction {
		return bpf.RawInstruction{Op: classJmp | jmpEq, K: k, Jt: jt, Jf: jf}
	}
	jgt := func(k uint32, jt, jf uint8) bpf.RawInstruction {
		return bpf.RawInstruction{Op: classJmp | jmpGt, K: k, Jt: jt, Jf: jf}
	}
	ret := func(a cbpf.Action) bpf.RawInstruction { return bpf.RawInstruction{Op: opRetK, K: uint32(a)} }
	audit := arch.X86_64.Audit()
	allow, deny, kill := ret(cbpf.Allow), ret(cbpf.Errno(1)), ret(cbpf.KillProcess)
	subX := bpf.RawInstruction{Op: classAlu | aluSub | srcX}
	const nr, arg0 = cbpf.OffNR, cbpf.OffArgs
	tests := map[string]struct {
		raw     []bpf.RawInstruction
		want    []Finding
		longest int
	}{
		"nothing": {
			raw:     []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 7), ld(nr), jgt(1, 0, 3), jeq(2, 0, 3), ld(arg0), jeq(7, 0, 1), allow, deny, kill},
			longest: 8,
		},
		"unreachable by any jump": {
			raw:     []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 8), ld(nr), jgt(1, 0, 3), jeq(2, 0, 4), ld(arg0), jeq(7, 0, 2), allow, allow, deny, kill},
			want:    []Finding{{Kind: Unreachable, PC: 8}},
			longest: 8,
		},
		"unreachable by value, and the test that makes it so": {
			raw:     []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 10), ld(nr), jgt(1, 0, 6), jeq(2, 0, 6), ld(nr), jeq(1, 0, 1), kill, ld(arg0), jeq(7, 0, 1), allow, deny, kill},
			want:    []Finding{{Kind: OneWay, PC: 6}, {Kind: Unreachable, PC: 7}},
			longest: 10,
		},
		"a test repeated": {
			raw:     []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 8), ld(nr), jgt(1, 0, 4), jgt(0, 0, 5), jeq(2, 0, 3), ld(arg0), jeq(7, 0, 1), allow, deny, kill},
			want:    []Finding{{Kind: OneWay, PC: 4}},
			longest: 9,
		},
		"an argument loaded too early": {
			raw: []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 9), ld(arg0), {Op: opTax}, ld(nr), jgt(1, 0, 3), jeq(2, 0, 3), {Op: opTxa}, jeq(7, 0, 1), allow, deny, kill},
			want: []Finding{
				{Kind: Slow, Audit: audit, NR: 0},
				{Kind: Slow, Audit: audit, NR: 1},
			},
			longest: 10,
		},
		"an argument less the number": {
			raw:     []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 9), ld(nr), jgt(1, 0, 5), jeq(2, 0, 5), {Op: opTax}, ld(arg0), subX, jeq(5, 0, 1), allow, deny, kill},
			longest: 10,
		},
		"an argument less the AUDIT_ARCH value": {
			raw: []bpf.RawInstruction{ld(cbpf.OffArch), jeq(audit, 0, 10), ld(nr), jgt(1, 0, 6), jeq(2, 0, 6),
				ld(cbpf.OffArch), {Op: opTax}, ld(arg0), subX, jeq(7-audit, 0, 1), allow, deny, kill},
			longest: 11,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := mustProgram(t, binary.LittleEndian, tt.raw...)
			r, err := Check(Policy(threeCalls), p, Limits{})
			if err != nil || r.Verdict != Same {
				t.Fatalf("%v: %v, %v", r.Verdict, r.Witness, err)
			}
			if diff := cmp.Diff(tt.want, r.Findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if r.LongestPath != tt.longest {
				t.Errorf("longest path %d, want %d", r.LongestPath, tt.longest)
			}
			if _, steps := p.Trace(&r.LongestCall); len(steps) != tt.longest {
				t.Errorf("%+v executes %d instructions, want %d", r.LongestCall, len(steps), tt.longest)
			}
			if r.OK() != (len(tt.want) == 0) {
				t.Errorf("OK() = %v with findings %v", r.OK(), r.Findings)
			}
			bitmaps := []bitmap{{audit, policy.Intervals{{First: 0, Last: 1}}}}
			if tt.want != nil && tt.want[0].Kind == Slow {
				bitmaps[0].allowed = nil
			}
			if !reflect.DeepEqual(r.bitmaps, bitmaps) {
				t.Errorf("bitmaps %v, want %v", r.bitmaps, bitmaps)
			}
		})
	}
}

func TestCheckGivesAWitness(t *testing.T) {
	p := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.KillProcess)})
	r, err := Check(Policy(threeCalls), p, Limits{})
	if err != nil || r.Verdict != Different || r.OK() {
		t.Fatalf("%+v, %v", r, err)
	}
	const want = "x86_64 call 0 (0x0, 0x0, 0x0, 0x0, 0x0, 0x0): ALLOW against KILL_PROCESS"
	if got := r.Witness.String(); got != want {
		t.Errorf("witness %q, want %q", got, want)
	}
}

func TestStackDecidesAsTheKernelDoes(t *testing.T) {
	ret := func(a cbpf.Action) Subject {
		return Program(mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK, K: uint32(a)}))
	}
	tests := []struct {
		oldestFirst []cbpf.Action
		want        cbpf.Action
	}{
		{nil, cbpf.Allow},
		{[]cbpf.Action{cbpf.Allow | 5}, cbpf.Allow},
		{[]cbpf.Action{cbpf.Errno(1), cbpf.Errno(2)}, cbpf.Errno(2)},
		{[]cbpf.Action{cbpf.Errno(1), cbpf.Allow}, cbpf.Errno(1)},
		{[]cbpf.Action{cbpf.KillThread, cbpf.KillProcess}, cbpf.KillProcess},
		{[]cbpf.Action{cbpf.KillProcess, cbpf.KillThread}, cbpf.KillProcess},
		{[]cbpf.Action{cbpf.Trace(1), cbpf.Notify, cbpf.Log}, cbpf.Notify},
	}
	for _, tt := range tests {
		var s []Subject
		for _, a := range tt.oldestFirst {
			s = append(s, ret(a))
		}
		if got := Stack(s...).Eval(&cbpf.Data{}); got != tt.want {
			t.Errorf("%x: 0x%x, want 0x%x", tt.oldestFirst, got, tt.want)
		}
		if r, err := Equal(Stack(s...), ret(tt.want), Limits{}); err != nil || r.Verdict != Same {
			t.Errorf("%x: %v %v %v", tt.oldestFirst, r.Verdict, r.Witness, err)
		}
	}
}

func TestStackOfRandomProgramsAgreesWithEval(t *testing.T) {
	for seed := range uint64(100) {
		res, p := randomPolicy(t, seed)
		_, q := randomPolicy(t, seed+1000)
		s := Stack(Policy(res), Program(q))
		u, o := lifted(s, small)
		if u.over != "" {
			continue
		}
		for _, points := range []*cbpf.Program{p, q} {
			for d := range gen.Points(gen.New(seed), res, points, 1) {
				if got, want := u.action(t, o, d), s.Eval(d); got != want {
					t.Fatalf("seed %d: %+v: lifted 0x%x, evaluated 0x%x", seed, *d, got, want)
				}
			}
		}
	}
}

// Only numbers of an ABI's own table are listed as cached.
func TestCachedNumbersAreOfTheTable(t *testing.T) {
	r := &Report{bitmaps: []bitmap{{arch.X86_64.Audit(), policy.Intervals{{First: 1000, Last: 5000}}}}}
	if got, ok := r.Bitmap(arch.X86_64); !ok || !slices.Equal(got, policy.Intervals{{First: 1000, Last: 1023}}) {
		t.Errorf("%v, %t", got, ok)
	}
}
