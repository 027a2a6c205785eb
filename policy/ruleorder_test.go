package policy_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// The order of many rules on one call is that of inserting one after the other,
// also where ranks tie in ways that no sorting could keep.
func TestOrderIsThatOfInsertion(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	high := []uint64{0, 1, 2, 3, 1 << 32, 1<<32 + 1, 1<<32 + 2, 2 << 32}
	for range 300 {
		a := pick(random, []arch.ABI{arch.X86_64, arch.X86})
		m := &reading{p: &policy.Policy{}, o: policy.Options{ABIs: []arch.ABI{a}}}
		var seen []statement
		for n := range 2 + random.IntN(60) {
			errno := uint(n + 1)
			rule := policy.Rule{Names: []string{"read"}, Action: cbpf.ErrnoClass, Errno: &errno}
			for index := range uint(3) {
				if random.IntN(2) == 0 || index == 2 && rule.Args == nil {
					rule.Args = append(rule.Args, policy.Arg{
						Index: index, Op: policy.NotEqual + policy.Op(random.IntN(7)),
						Value: pick(random, high), ValueTwo: pick(random, high),
					})
				}
			}
			s := m.statement(a, 0, rule.Args, n)
			same := func(other statement) bool { return slices.Equal(other.tests, s.tests) }
			if len(s.tests) > 0 && !slices.ContainsFunc(seen, same) {
				seen = append(seen, s)
				m.p.Rules = append(m.p.Rules, rule)
			}
		}
		checkOrder(t, m)
	}
}

// These lists tie with one that does not tie with both of them.
func TestTiesAreNotTransitive(t *testing.T) {
	eq := func(index uint, v uint64) policy.Arg { return policy.Arg{Index: index, Op: policy.Equal, Value: v} }
	ne := policy.Arg{Index: 0, Op: policy.NotEqual, Value: 5}
	lists := [][]policy.Arg{{eq(0, 5), eq(1, 1)}, {ne}, {eq(0, 5), eq(1, 7)}, {eq(0, 5)}, {eq(0, 5), eq(1, 0)}}
	permutations(len(lists), func(order []int) {
		m := &reading{p: &policy.Policy{}, o: policy.Options{ABIs: []arch.ABI{arch.X86_64}}}
		for _, i := range order {
			errno := uint(i + 1)
			m.p.Rules = append(m.p.Rules, policy.Rule{Names: []string{"read"}, Action: cbpf.ErrnoClass, Errno: &errno, Args: lists[i]})
		}
		checkOrder(t, m)
	})
}

func checkOrder(t *testing.T, m *reading) {
	t.Helper()
	a := m.o.ABIs[0]
	r, _, err := policy.Resolve(m.p, m.o)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []cbpf.Action
	if calls := r.Spaces[0].Calls; len(calls) > 0 {
		for _, c := range calls[0].Clauses {
			got = append(got, c.Action)
		}
	}
	for _, s := range m.order(a, m.statements(a, number(t, a, "read"))) {
		want = append(want, s.action)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("order %v, want %v, of\n%v", got, want, r)
	}
}

func number(t testing.TB, a arch.ABI, name string) uint32 {
	t.Helper()
	nr, err := parseCall(a, name)
	if err != nil {
		t.Fatal(err)
	}
	return nr
}

// permutations calls f with every order of the numbers below n.
func permutations(n int, f func([]int)) {
	var rest func(order []int)
	rest = func(order []int) {
		if len(order) == n {
			f(order)
		}
		for i := range n {
			if !slices.Contains(order, i) {
				rest(append(slices.Clip(order), i))
			}
		}
	}
	rest(nil)
}

// A manyRulesKind is a kind of profile with many rules on one call.
type manyRulesKind struct {
	name string
	rule func(i uint64) policy.Rule
}

// manyRules are the kinds, some with as many ties and
// overlaps as there can be.
var manyRules = []manyRulesKind{
	{"distinct values", func(i uint64) policy.Rule {
		return policy.Rule{Action: cbpf.Allow, Args: []policy.Arg{{Index: 1, Op: policy.Equal, Value: i}}}
	}},
	{"distinct values, two actions", func(i uint64) policy.Rule {
		action := []cbpf.Action{cbpf.Allow, cbpf.Log}[i%2]
		return policy.Rule{Action: action, Args: []policy.Arg{{Index: 1, Op: policy.Equal, Value: i}}}
	}},
	{"masks and values", func(i uint64) policy.Rule {
		action := []cbpf.Action{cbpf.Allow, cbpf.Log}[i%2]
		op := []policy.Op{policy.Equal, policy.MaskedEqual, policy.NotEqual}[i%3]
		arg := policy.Arg{Index: 1, Op: op, Value: i<<1 | 1, ValueTwo: i}
		return policy.Rule{Action: action, Args: []policy.Arg{arg, {Index: 2, Op: policy.Equal, Value: i}}}
	}},
	{"masks that exclude each other", func(i uint64) policy.Rule {
		action := []cbpf.Action{cbpf.Allow, cbpf.Log}[i%2]
		return policy.Rule{Action: action, Args: []policy.Arg{{Index: 1, Op: policy.MaskedEqual, Value: 0xfffff, ValueTwo: i}}}
	}},
	{"ranges in ranges", func(i uint64) policy.Rule {
		action := []cbpf.Action{cbpf.Allow, cbpf.Log}[i%2]
		return policy.Rule{Action: action, Args: []policy.Arg{{Index: 1, Op: policy.Less, Value: i + 1}}}
	}},
	{"unreachable", func(i uint64) policy.Rule {
		if i == 0 {
			return policy.Rule{Action: cbpf.Log}
		}
		return policy.Rule{Action: cbpf.Allow, Args: []policy.Arg{{Index: 1, Op: policy.Equal, Value: i}}}
	}},
}

func manyRulesPolicy(n int, rule func(uint64) policy.Rule) *policy.Policy {
	p := &policy.Policy{Default: cbpf.ErrnoClass}
	for i := range n {
		r := rule(uint64(i))
		r.Names = []string{"ioctl"}
		p.Rules = append(p.Rules, r)
	}
	return p
}

const tooManyTies = "more than 16777216 pairs of rules that only profile order ranks: " +
	"no filter holds them (name fewer calls or test fewer values)"

// Sorting puts these in order, or a bounded number of comparisons does, or they are
// refused: the work never grows with the square of what a profile may have.
func TestManyRulesDoNotHang(t *testing.T) {
	for _, kind := range manyRules {
		t.Run(kind.name, func(t *testing.T) {
			const n = 64000
			r, _, err := policy.Resolve(manyRulesPolicy(n, kind.rule), policy.Options{ABIs: []arch.ABI{arch.X86_64}})
			switch {
			case kind.name == "masks and values":
				if err == nil || err.Error() != "policy: /syscalls/63999/names/0: ioctl: "+tooManyTies {
					t.Errorf("error %v, want %s", err, tooManyTies)
				}
			case err != nil:
				t.Fatal(err)
			case kind.name == "unreachable":
				if clauses := len(r.Spaces[0].Calls[0].Clauses); clauses != 1 {
					t.Errorf("%d clauses, want 1", clauses)
				}
			default:
				if clauses := len(r.Spaces[0].Calls[0].Clauses); clauses != n {
					t.Errorf("%d clauses, want %d", clauses, n)
				}
			}
		})
	}
}

// How many rules may tie is bounded for one call and for all calls together.
func TestTiesAreBounded(t *testing.T) {
	i := slices.IndexFunc(manyRules, func(kind manyRulesKind) bool { return kind.name == "masks and values" })
	ties := manyRules[i].rule
	resolve := func(p *policy.Policy) error {
		_, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
		return err
	}
	if err := resolve(manyRulesPolicy(5793, ties)); err != nil {
		t.Error(err)
	}
	if err := resolve(manyRulesPolicy(5794, ties)); err == nil || err.Error() != "policy: /syscalls/5793/names/0: ioctl: "+tooManyTies {
		t.Errorf("error %v, want %s", err, tooManyTies)
	}
	// A rule more on each of these calls makes a list of each.
	names := []string{"read", "write", "open", "close", "stat", "fstat", "lstat", "poll", "lseek", "mmap"}
	p := manyRulesPolicy(2000, ties)
	for i := range p.Rules {
		p.Rules[i].Names = names
	}
	if err := resolve(p); err != nil {
		t.Error(err)
	}
	for i, name := range names {
		p.Rules = append(p.Rules, policy.Rule{
			Names: []string{name}, Action: cbpf.Allow, Args: []policy.Arg{{Index: 0, Op: policy.Equal, Value: uint64(i)}},
		})
	}
	if err := resolve(p); err == nil || err.Error() != "policy: /syscalls/1998/names/8: lseek: "+tooManyTies {
		t.Errorf("error %v, want %s", err, tooManyTies)
	}
}

func BenchmarkResolve(b *testing.B) {
	for _, kind := range manyRules {
		for _, n := range []int{10, 100, 1000, 10000} {
			p := manyRulesPolicy(n, kind.rule)
			b.Run(fmt.Sprintf("%s/%d", kind.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
