package proof

import (
	"encoding/binary"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

func field(d *cbpf.Data, arg int) uint64 {
	if arg == IP {
		return d.IP
	}
	return d.Args[arg]
}

// decide looks a call up in an explanation.
func decide(t testing.TB, spaces []Space, d *cbpf.Data) cbpf.Action {
	t.Helper()
	var found []cbpf.Action
	for _, s := range spaces {
		if !s.Audits.Has(d.Arch) {
			continue
		}
		for _, r := range s.Runs {
			if d.NR < r.First || d.NR > r.Last {
				continue
			}
			tree := r.Tree
			for len(tree.Arms) > 0 {
				var next []*Tree
				for i := range tree.Arms {
					if tree.Arms[i].Values.Contains(field(d, tree.Arg)) {
						next = append(next, tree.Arms[i].Then)
					}
				}
				if len(next) != 1 {
					t.Fatalf("%+v: %d arms hold", d, len(next))
				}
				tree = next[0]
			}
			found = append(found, tree.Action)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%+v: %d runs hold", d, len(found))
	}
	return found[0]
}

func TestExplanationAgreesWithEvalAndIsCanonical(t *testing.T) {
	for seed := range uint64(60) {
		res, p := randomPolicy(t, seed)
		spaces, err := Explain(Policy(res), Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for d := range gen.Points(gen.New(seed), res, p, 2) {
			if got, want := decide(t, spaces, d), res.Eval(d); got != want {
				t.Fatalf("seed %d: %+v: explained 0x%x, evaluated 0x%x", seed, *d, got, want)
			}
		}
		same, err := Explain(Program(p), Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !reflect.DeepEqual(spaces, same) {
			t.Fatalf("seed %d: policy and program are explained differently:\n%s", seed, cmp.Diff(spaces, same))
		}
	}
}

func TestDiffCoversExactlyTheCallsThatChange(t *testing.T) {
	changes, cases := 0, 0
	for seed := range uint64(200) {
		res, p := randomPolicy(t, seed)
		r := gen.New(seed)
		raw := p.Raw()
		raw[r.IntN(len(raw))].K ^= 1 << r.IntN(32)
		bad, err := cbpf.New(raw, p.Order())
		if err != nil {
			continue
		}
		got, err := Diff(Policy(res), Program(bad), Limits{})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		eq, err := Equal(Policy(res), Program(bad), Limits{})
		if err != nil || (eq.Verdict == Same) != (len(got) == 0) {
			t.Fatalf("seed %d: %v, but %d changes, %v", seed, eq.Verdict, len(got), err)
		}
		for _, c := range got {
			changes++
			cases += len(c.When)
			if !covers(&c, &c.Witness.Call) || c.Witness.A != c.From || c.Witness.B != c.To || c.From == c.To {
				t.Errorf("seed %d: witness %v of %+v", seed, &c.Witness, c)
			}
		}
		for d := range gen.Points(r, res, bad, 2) {
			a, b := res.Eval(d), bad.Eval(d)
			for i := range got {
				if c := &got[i]; covers(c, d) && (c.From != a || c.To != b) {
					t.Fatalf("seed %d: %+v: 0x%x and 0x%x, listed as %+v", seed, *d, a, b, c)
				}
			}
			if a != b && !anyCovers(got, d) {
				t.Fatalf("seed %d: %+v: 0x%x and 0x%x, not listed", seed, *d, a, b)
			}
		}
	}
	t.Logf("%d changes with %d cases", changes, cases)
	if changes < 100 {
		t.Errorf("only %d changes", changes)
	}
}

func anyCovers(changes []Change, d *cbpf.Data) bool {
	for i := range changes {
		if c := &changes[i]; covers(c, d) || c.More && c.Audits.Has(d.Arch) && c.First <= d.NR && d.NR <= c.Last {
			return true
		}
	}
	return false
}

// covers reports whether a change lists a call.
func covers(c *Change, d *cbpf.Data) bool {
	if !c.Audits.Has(d.Arch) || d.NR < c.First || d.NR > c.Last {
		return false
	}
	for _, one := range c.When {
		holds := true
		for i := range one {
			holds = holds && one[i].Values.Contains(field(d, one[i].Arg))
		}
		if holds {
			return true
		}
	}
	return false
}

func TestValuesAreWrittenInTheShortestForm(t *testing.T) {
	cond := func(op policy.Op, mask, value uint64) policy.Cond {
		return policy.Cond{Arg: 2, Op: op, Mask: mask, Value: value}
	}
	const full, low = ^uint64(0), 0xffffffff
	tests := []struct {
		want string
		cond policy.Cond
	}{
		{"== 0x5", cond(policy.Equal, full, 5)},
		{"!= 0x5", cond(policy.NotEqual, full, 5)},
		{"in 0x0..0x4", cond(policy.Less, full, 5)},
		{"in 0x5..0xffffffffffffffff", cond(policy.GreaterEqual, full, 5)},
		{"in 0x0..0x100000000", cond(policy.LessEqual, full, 1<<32)},
		{"== 0x5 (low 32 bits)", cond(policy.Equal, low, 5)},
		{"in 0x0..0x4 (low 32 bits)", cond(policy.Less, low, 5)},
		{"& 0x7e020000 == 0x0 (low 32 bits)", cond(policy.MaskedEqual, 0x7e020000, 0)},
		{"& 0x8000000000000001 == 0x1", cond(policy.MaskedEqual, 1<<63|1, 1)},
		{"in 0x0..0x7fffffffffffffff", cond(policy.MaskedEqual, 1<<63, 0)},
	}
	for _, tt := range tests {
		u := newUniverse(newOrder(groups{}), Limits{}.orDefault())
		v := u.describe(u.condition(tt.cond), wordArgs+4)
		if v.String() != tt.want || u.over != "" {
			t.Errorf("%+v: %q, want %q", tt.cond, v.String(), tt.want)
		}
	}
}

func TestRowsAreBounded(t *testing.T) {
	odd := mustProgram(t, binary.LittleEndian,
		bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffNR},
		bpf.RawInstruction{Op: classJmp | jmpSet, K: 1, Jf: 1},
		bpf.RawInstruction{Op: opRetK, K: uint32(cbpf.Allow)},
		bpf.RawInstruction{Op: opRetK, K: 0})
	_, err := Explain(Program(odd), Limits{})
	if _, ok := err.(*LimitError); !ok {
		t.Errorf("a subject with 2^32 runs: %v", err)
	}
	none := mustProgram(t, binary.LittleEndian, bpf.RawInstruction{Op: opRetK})
	_, err = Diff(Program(odd), Program(none), Limits{})
	if _, ok := err.(*LimitError); !ok {
		t.Errorf("a difference with 2^31 runs: %v", err)
	}
}

func TestRulesOfATree(t *testing.T) {
	leaf := func(a cbpf.Action) *Tree { return &Tree{Action: a} }
	one := func(v uint64) Values { return Values{Width: 64, Ranges: []Range{{v, v}}} }
	rest := func(v uint64) Values { return Values{Width: 64, Not: true, Ranges: []Range{{v, v}}} }
	tree := &Tree{Arg: 0, Arms: []Arm{
		{one(1), &Tree{Arg: 2, Arms: []Arm{{one(5), leaf(cbpf.Allow)}, {rest(5), leaf(cbpf.Trap)}}}},
		{rest(1), leaf(cbpf.Log)},
	}}
	all := []Rule{
		{Case{{0, one(1)}, {2, one(5)}}, cbpf.Allow},
		{Case{{0, one(1)}, {2, rest(5)}}, cbpf.Trap},
		{nil, cbpf.Log},
	}
	tests := []struct {
		tree *Tree
		most int
		want []Rule
		more bool
	}{
		{tree, 2, all, false},
		{tree, 1, []Rule{all[0], all[2]}, true},
		{leaf(cbpf.Trap), 1, []Rule{{nil, cbpf.Trap}}, false},
		{&Tree{Arms: []Arm{{one(1), leaf(cbpf.Log)}, {rest(1), leaf(cbpf.Log)}}}, 1, all[2:], false},
	}
	for _, tt := range tests {
		got, more := tt.tree.Rules(tt.most)
		if diff := cmp.Diff(tt.want, got); diff != "" || more != tt.more {
			t.Errorf("at most %d: more is %v, want %v; rules (-want +got):\n%s", tt.most, more, tt.more, diff)
		}
	}
}
