package policy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// On arguments of four bits every value can be tried.
func TestReducedConditionsHoldForTheSameValues(t *testing.T) {
	const width = 0xf
	random := rand.New(rand.NewPCG(1, 9))
	never, shorter := 0, 0
	for range 200_000 {
		var conds []Cond
		for range 1 + random.IntN(5) {
			c := Cond{Arg: uint8(random.IntN(2)), Op: NotEqual + Op(random.IntN(8)), Mask: width, Value: uint64(random.IntN(16))}
			if c.Op.masked() {
				c.Mask = 1 + uint64(random.IntN(15))
				c.Value &= c.Mask
			}
			conds = append(conds, c)
		}
		simple, ok := reduced(slices.Clone(conds), width)
		if !ok {
			never++
		}
		if len(simple) < len(conds) {
			shorter++
		}
		all := func(conds []Cond, args *[6]uint64) bool {
			return !slices.ContainsFunc(conds, func(c Cond) bool { return !c.holds(args[c.Arg]) })
		}
		for v := range uint64(256) {
			args := [6]uint64{v & width, v >> 4}
			if want := all(conds, &args); (ok && all(simple, &args)) != want {
				t.Fatalf("%v: %v, %v for %#x, want %v", conds, simple, ok, v, want)
			}
		}
		if !slices.IsSortedFunc(simple, func(x, y Cond) int { return int(x.Arg) - int(y.Arg) }) {
			t.Fatalf("%v: not sorted: %v", conds, simple)
		}
	}
	if never < 10_000 || shorter < 50_000 {
		t.Errorf("%d never hold, %d are shorter: the test tests little", never, shorter)
	}
}

// A condition on the lower half leaves the upper one alone, also where it meets others.
func TestLowerHalf(t *testing.T) {
	for _, tt := range []struct {
		op  Op
		yes uint64
		no  uint64
	}{
		{Equal, 1<<32 | 5, 4}, {NotEqual, 4, 1<<32 | 5}, {Less, 1<<32 | 4, 5}, {LessEqual, 1<<32 | 5, 6},
		{Greater, 6, 1<<32 | 5}, {GreaterEqual, 1<<32 | 5, 1<<32 | 4},
	} {
		errno := uint(7)
		p := &Policy{Order: FirstMatch, ABIs: []arch.ABI{arch.X86_64}, Rules: []Rule{
			{Names: []string{"read"}, Args: []Arg{{Index: 1, Op: tt.op, Value: 9<<32 | 5, Low: true}}, Action: cbpf.Allow},
			{Names: []string{"read"}, Args: []Arg{{Index: 1, Op: GreaterEqual, Value: 1 << 32}, {Index: 1, Op: tt.op, Value: 5, Low: true}}, Action: cbpf.ErrnoClass, Errno: &errno},
		}}
		r, warnings, err := Resolve(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		for _, w := range warnings {
			if a := w.Example; a.Text != "" && r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: a.NR, Args: a.Args}) != cbpf.Allow {
				t.Errorf("%v: %v does not hold", tt.op, w)
			}
		}
		for v, want := range map[uint64]cbpf.Action{tt.yes: cbpf.Allow, tt.no: cbpf.KillThread} {
			if got := r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), Args: [6]uint64{0, v}}); got != want {
				t.Errorf("%v: %#x is %v, want %v", tt.op, v, got, want)
			}
		}
	}
}
