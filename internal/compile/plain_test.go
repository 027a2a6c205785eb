package compile

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// plainly returns a policy of one ABI that denies by default.
func plainly(a arch.ABI, calls ...policy.Call) *policy.Resolved {
	for i := range calls {
		calls[i].ABI = a
	}
	return &policy.Resolved{Default: cbpf.Errno(1), BadArch: cbpf.KillProcess, Spaces: []policy.Space{{
		Audit: a.Audit(), ABIs: []arch.ABI{a}, Calls: calls,
	}}}
}

// allowed is a call that is allowed under each of some conditions.
func allowed(nr uint32, conds ...policy.Cond) policy.Call {
	c := policy.Call{NR: nr}
	for _, cond := range conds {
		c.Clauses = append(c.Clauses, policy.Clause{Conds: []policy.Cond{cond}, Action: cbpf.Allow})
	}
	if conds == nil {
		c.Clauses = []policy.Clause{{Action: cbpf.Allow}}
	}
	return c
}

func TestPlain(t *testing.T) {
	const wide = math.MaxUint64
	bounded := plainly(arch.X86_64, allowed(1), allowed(2))
	bounded.Spaces[0].Ranges = []policy.Range{{First: 3, Last: math.MaxUint32, Action: cbpf.Errno(38)}}
	two := plainly(arch.X86_64, allowed(1))
	two.Spaces = append(two.Spaces, plainly(arch.X86).Spaces...)
	shared := plainly(arch.X86_64, allowed(0, policy.Cond{Op: policy.MaskedEqual, Mask: 1}), policy.Call{NR: 1})
	shared.Spaces[0].Calls[1].Clauses = shared.Spaces[0].Calls[0].Clauses
	tests := []struct {
		rule string
		in   *policy.Resolved
		want string
	}{
		{"where no number counts, none is loaded", plainly(arch.X86_64), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ret ERRNO(1)
		`},
		{"neighbours with the same outcome are one piece, and unknown numbers come before foreign ones", bounded, `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 6 jf 5
			5: ret ERRNO(1)
			6: jge #3 jt 8 jf 7
			7: ret ALLOW
			8: ret ERRNO(38)
		`},
		{"each ABI has a search of its own", two, `
			0: ld arch
			1: jeq #0x40000003 jt 8 jf 2
			2: jeq #0xc000003e jt 4 jf 3
			3: ret KILL_PROCESS
			4: ld nr
			5: jge #1 jt 6 jf 8
			6: jge #2 jt 8 jf 7
			7: ret ALLOW
			8: ret ERRNO(1)
		`},
		{"both halves are compared, the upper one first", plainly(arch.X86_64, allowed(0, policy.Cond{Arg: 1, Op: policy.Equal, Mask: wide, Value: 1<<32 | 2})), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 10 jf 5
			5: ld arg1.hi
			6: jeq #1 jt 7 jf 10
			7: ld arg1.lo
			8: jeq #2 jt 9 jf 10
			9: ret ALLOW
			10: ret ERRNO(1)
		`},
		{"one half where the ABI has one", plainly(arch.S390, allowed(0, policy.Cond{Arg: 1, Op: policy.NotEqual, Mask: math.MaxUint32, Value: 2})), `
			0: ld arch
			1: jeq #22 jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 8 jf 5
			5: ld arg1.lo
			6: jeq #2 jt 8 jf 7
			7: ret ALLOW
			8: ret ERRNO(1)
		`},
		{"a mask is a test of its bits: that none is set, or which", plainly(arch.X86_64, allowed(0,
			policy.Cond{Op: policy.MaskedEqual, Mask: 0xf0}, policy.Cond{Op: policy.MaskedEqual, Mask: 0xf, Value: 3})), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 11 jf 5
			5: ld arg0.lo
			6: jset #0xf0 jt 7 jf 10
			7: ld arg0.lo
			8: and #0xf
			9: jeq #3 jt 10 jf 11
			10: ret ALLOW
			11: ret ERRNO(1)
		`},
		{"the lower half decides an order where the upper ones are equal", plainly(arch.X86_64, allowed(0,
			policy.Cond{Op: policy.LessEqual, Mask: wide, Value: 5<<32 | 6})), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 11 jf 5
			5: ld arg0.hi
			6: jgt #5 jt 11 jf 7
			7: jeq #5 jt 8 jf 10
			8: ld arg0.lo
			9: jgt #6 jt 11 jf 10
			10: ret ALLOW
			11: ret ERRNO(1)
		`},
		{"a mask of no bits asks nothing", plainly(arch.X86_64, allowed(0, policy.Cond{Op: policy.MaskedEqual})), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 6 jf 5
			5: ret ALLOW
			6: ret ERRNO(1)
		`},
		{"what any argument satisfies takes no test, and what none does is left out", plainly(arch.X86_64,
			allowed(0, policy.Cond{Op: policy.Less, Mask: wide}, policy.Cond{Op: policy.GreaterEqual, Mask: wide}),
			allowed(1, policy.Cond{Op: policy.Greater, Mask: wide, Value: wide}, policy.Cond{Op: policy.LessEqual, Mask: wide, Value: wide})), `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #1 jt 5 jf 6
			5: jge #2 jt 7 jf 6
			6: ret ALLOW
			7: ret ERRNO(1)
		`},
		{"neighbours that share their clauses are one piece", shared, `
			0: ld arch
			1: jeq #0xc000003e jt 3 jf 2
			2: ret KILL_PROCESS
			3: ld nr
			4: jge #2 jt 8 jf 5
			5: ld arg0.lo
			6: jset #1 jt 8 jf 7
			7: ret ALLOW
			8: ret ERRNO(1)
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			p, err := Plain(tt.in, cbpf.MaxInstructions)
			if err != nil {
				t.Fatal(err)
			}
			same(t, squeezed(instructions(p)), tt.want)
		})
	}
}

// squeezed returns a text with one space between the words of a line.
func squeezed(text string) string { return regexp.MustCompile(` +`).ReplaceAllString(text, " ") }

// Targets beyond 255 instructions get a jump of their own, whether a test goes there if
// it holds or if it does not.
func TestPlainReachesFar(t *testing.T) {
	for _, op := range []policy.Op{policy.Equal, policy.NotEqual, policy.Less, policy.Greater} {
		for n := range 120 {
			var calls []policy.Call
			for nr := range 3 {
				c := policy.Call{NR: uint32(nr)}
				for i := range n { // each returns something else, so that nothing is near
					cond := policy.Cond{Arg: 2, Op: op, Mask: math.MaxUint64, Value: uint64(i)<<33 | uint64(i)}
					c.Clauses = append(c.Clauses, policy.Clause{Conds: []policy.Cond{cond}, Action: cbpf.Errno(uint16(2 + i))})
				}
				if n > 0 {
					calls = append(calls, c)
				}
			}
			r := plainly(arch.X86_64, calls...)
			p, err := Plain(r, cbpf.MaxInstructions)
			if err != nil {
				t.Fatal(err)
			}
			d := cbpf.Data{Arch: arch.X86_64.Audit()}
			for i := uint64(0); i < 130; i += 13 {
				for _, v := range []uint64{i, i << 33, i<<33 | i, i<<33 + i - 1} {
					d.NR, d.Args[2] = uint32(i%4), v
					if got, want := p.Eval(&d), r.Eval(&d); got != want {
						t.Fatalf("%v, %d clauses: arg2 %#x: %v, want %v", op, n, v, got, want)
					}
				}
			}
		}
	}
}

// A limit refuses the programs that are longer, and leaves the others as they are.
func TestPlainWithinALimit(t *testing.T) {
	t.Parallel()
	for seed := range uint64(gen.Many(100, 1000)) {
		r, err := mixed(gen.New(seed))
		if err != nil {
			continue
		}
		whole, err := Plain(r, cbpf.MaxInstructions)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Plain(r, whole.Len()); err != nil || !slices.Equal(p.Raw(), whole.Raw()) {
			t.Errorf("seed %d: %d instructions are not within %d: %v", seed, whole.Len(), whole.Len(), err)
		}
		for limit := range whole.Len() {
			p, err := Plain(r, limit)
			var long *TooLongError
			if p != nil || !errors.As(err, &long) || long.Len <= limit || len(long.Costliest) > 0 {
				t.Fatalf("seed %d: %d instructions are within %d: %v", seed, whole.Len(), limit, err)
			}
			if long.Len > whole.Len() {
				t.Fatalf("seed %d: %d instructions, but %d with a limit of %d", seed, whole.Len(), long.Len, limit)
			}
		}
	}
}

func TestPlainMeansThePolicy(t *testing.T) {
	t.Parallel()
	for seed := range uint64(gen.Many(300, 1500)) {
		r := gen.New(seed)
		o := gen.ResolveOptions(r)
		p := gen.Policy(r, gen.Options{ABIs: o.ABIs, Dense: seed%4 == 0, Entries: 1 + r.IntN(8)})
		resolved, _, err := policy.Resolve(p, o)
		if err != nil {
			continue
		}
		program, err := Plain(resolved, cbpf.MaxInstructions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := proof.Equal(proof.Policy(resolved), proof.Program(program), proof.Limits{})
		if err != nil || got.Verdict == proof.Different {
			t.Errorf("seed %d: %v %v %v", seed, got.Verdict, got.Witness, err)
		}
	}
}

// FuzzPlain holds the two compilers against each other: the judge must find neither wrong,
// and the plain program must always be provable.
func FuzzPlain(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(binary.LittleEndian.AppendUint64(nil, seed), uint8(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte, entries uint8) {
		r := gen.FromBytes(data)
		o := gen.ResolveOptions(r)
		p := gen.Policy(r, gen.Options{ABIs: o.ABIs, Dense: r.IntN(4) == 0, Entries: 1 + int(entries%16)})
		resolved, _, err := policy.Resolve(p, o)
		if err != nil {
			return
		}
		optimised, err1 := Compile(resolved, Options{})
		plain, err2 := Plain(resolved, cbpf.MaxInstructions)
		if err2 == nil {
			if got, err := proof.Walk(resolved, plain); err != nil || got.Verdict != proof.Same {
				t.Errorf("plain: %+v, %v", got, err)
			}
		}
		if err1 == nil {
			if got, err := proof.Walk(resolved, optimised.Program); err != nil || got.Verdict == proof.Different {
				t.Errorf("optimised: %+v, %v", got, err)
			}
		}
	})
}

// A mixed policy has rules of several actions on one call, each with conditions of any
// kind on some of the arguments.
func mixed(r *rand.Rand) (*policy.Resolved, error) {
	values := []uint64{0, 1, 2, 1 << 32, 1<<32 + 1, math.MaxUint64, 1 << 63, r.Uint64(), r.Uint64(), uint64(r.Uint32())}
	value := func() uint64 { return values[r.IntN(len(values))] }
	if r.IntN(2) == 0 {
		value = r.Uint64
	}
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	actions := []cbpf.Action{cbpf.Allow, cbpf.KillProcess, cbpf.Log}[:1+r.IntN(3)]
	for range 2 + r.IntN(60) {
		rule := policy.Rule{Names: []string{"clone"}, Action: actions[r.IntN(len(actions))]}
		for _, i := range r.Perm(6)[:1+r.IntN(6)] {
			arg := policy.Arg{Index: uint(i), Op: policy.NotEqual + policy.Op(r.IntN(7)), Value: value()}
			if arg.Op == policy.MaskedEqual {
				arg.ValueTwo = r.Uint64() & arg.Value
			}
			rule.Args = append(rule.Args, arg)
		}
		p.Rules = append(p.Rules, rule)
	}
	abi := []arch.ABI{arch.X86_64, arch.S390X, arch.X86, arch.PPC64}[r.IntN(4)]
	resolved, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{abi}, StrictestWins: r.IntN(3) == 0})
	return resolved, err
}

// The judge follows the clauses as the plain program does, so that it never gives up.
func TestPlainIsProvedInSoManySteps(t *testing.T) {
	proved, worst := 0, 0.0
	for seed := range uint64(gen.Many(300, 5000)) {
		resolved, err := mixed(gen.New(seed))
		if err != nil {
			continue
		}
		p, err := Plain(resolved, cbpf.MaxInstructions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := proof.Walk(resolved, p)
		if err != nil || got.Verdict != proof.Same {
			t.Errorf("seed %d: %d instructions: %+v, %v", seed, p.Len(), got, err)
		}
		proved++
		if worst = max(worst, float64(got.Steps)/float64(p.Len())); worst > 20 {
			t.Fatalf("seed %d: %d steps for %d instructions", seed, got.Steps, p.Len())
		}
	}
	t.Logf("%d programs, at most %.1f steps an instruction", proved, worst)
	if proved < gen.Many(200, 3000) {
		t.Errorf("only %d programs", proved)
	}
}

func TestPlainSaysWhereARuleIs(t *testing.T) {
	r := plainly(arch.X86_64, allowed(0, policy.Cond{Mask: math.MaxUint64, Op: policy.Equal}))
	r.Spaces[0].Calls[0].Clauses[0].Pointer = "/syscalls/0"
	p, err := Plain(r, cbpf.MaxInstructions)
	if err != nil {
		t.Fatal(err)
	}
	var got []int
	for pc := range p.Len() {
		if p.Origin(pc) == "/syscalls/0" {
			got = append(got, pc)
		}
	}
	if want := []int{5, 6, 7, 8, 9}; !slices.Equal(got, want) { // two loads, two tests, a return
		t.Errorf("instructions %v are of the rule, want %v", got, want)
	}
}

func TestPlainNamesTheCostliestCalls(t *testing.T) {
	wide, narrow := make([]policy.Cond, 1000), make([]policy.Cond, 1500)
	for i := range wide {
		wide[i] = policy.Cond{Op: policy.Equal, Mask: math.MaxUint64}
	}
	for i := range narrow {
		narrow[i] = policy.Cond{Op: policy.MaskedEqual, Mask: 1}
	}
	_, err := Plain(plainly(arch.X86_64, allowed(0, narrow...), allowed(1, wide...)), cbpf.MaxInstructions)
	var long *TooLongError
	want := []string{"x86_64 write (about 4000)", "x86_64 read (about 3000)"}
	if !errors.As(err, &long) || !slices.Equal(long.Costliest, want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestPlainStopsAtTheLimit(t *testing.T) {
	var conds []policy.Cond
	for i := range 1 << 16 {
		conds = append(conds, policy.Cond{Op: policy.Equal, Mask: math.MaxUint64, Value: uint64(i)})
	}
	_, err := Plain(plainly(arch.X86_64, allowed(0, conds...)), cbpf.MaxInstructions)
	var long *TooLongError
	if !errors.As(err, &long) || long.Len < 4<<16 {
		t.Errorf("error %v", err)
	}
	allocations := func(n int) float64 {
		r := plainly(arch.X86_64, allowed(0, conds[:n]...))
		least := math.Inf(1) // the runtime allocates, too, now and then
		for range 10 {
			least = min(least, testing.AllocsPerRun(1, func() { _, _ = Plain(r, cbpf.MaxInstructions) }))
		}
		return least
	}
	if few, many := allocations(2000), allocations(len(conds)); many > few {
		t.Errorf("%.0f allocations, but %.0f for a shorter program that is too long, too", many, few)
	}
	most := 0
	for n := 1000; n < cbpf.MaxInstructions/4; n++ { // a clause takes four at least
		if p, err := Plain(plainly(arch.X86_64, allowed(0, conds[:n]...)), cbpf.MaxInstructions); err == nil {
			most = p.Len()
		}
	}
	if most <= cbpf.MaxInstructions-5 {
		t.Errorf("the longest program has %d instructions", most)
	}
}
