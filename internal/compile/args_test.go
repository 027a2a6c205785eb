package compile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// holds reports whether a condition of a policy holds for a call.
func holds(c policy.Cond, d *cbpf.Data) bool {
	v := d.Args[c.Arg] & c.Mask
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		return v == c.Value
	case policy.NotEqual, policy.MaskedNotEqual:
		return v != c.Value
	case policy.Less:
		return v < c.Value
	case policy.LessEqual:
		return v <= c.Value
	case policy.Greater:
		return v > c.Value
	default:
		return v >= c.Value
	}
}

// decided returns the action of the first clause that holds, ERRNO(1) if none does.
func decided(clauses []policy.Clause, d *cbpf.Data) cbpf.Action {
next:
	for _, c := range clauses {
		for _, cond := range c.Conds {
			if !holds(cond, d) {
				continue next
			}
		}
		return c.Action
	}
	return cbpf.Errno(1)
}

// turns are values at which conditions on words and on both words change.
var turns = []uint64{0, 1, 5, 6, math.MaxUint32, 1 << 32, 1<<32 + 5, 3 << 32, 3<<32 + 5, 1 << 63, math.MaxUint64 - 1, math.MaxUint64}

func nearEdge(r *rand.Rand) uint64 { return oneOf(r, turns...) + r.Uint64N(3) - 1 }

// anyClauses returns so many clauses with conditions on a few arguments, the same one
// more than once among them.
func anyClauses(r *rand.Rand, n int) []policy.Clause {
	clauses := make([]policy.Clause, n)
	args := 1 + r.IntN(3)
	width := oneOf[uint64](r, math.MaxUint32, math.MaxUint64, math.MaxUint64)
	for i := range clauses {
		c := &clauses[i]
		c.Action = oneOf(r, cbpf.Allow, cbpf.Allow, cbpf.Trap, cbpf.Log)
		for arg := range args {
			for range oneOf(r, 0, 1, 1, 1, 2) {
				op := oneOf(r, policy.NotEqual, policy.Less, policy.LessEqual, policy.Equal, policy.Equal, policy.GreaterEqual, policy.Greater, policy.MaskedEqual, policy.MaskedNotEqual)
				cond := policy.Cond{Arg: uint8(arg), Op: op, Mask: width, Value: nearEdge(r) & width}
				if op == policy.MaskedEqual || op == policy.MaskedNotEqual {
					cond.Mask &= oneOf[uint64](r, 1, 6, 5<<32|2, 0xff<<32, ^uint64(3), math.MaxUint32)
					cond.Value &= cond.Mask
				}
				c.Conds = append(c.Conds, cond)
			}
		}
	}
	if len(clauses[0].Conds) == 0 {
		clauses[0].Conds = []policy.Cond{{Op: policy.Equal, Mask: width, Value: 5}}
	}
	return clauses
}

// What is built says what the clauses say: the rules, all of them or those that decide
// something, and the diagram, for few clauses and for more than fit in a word of a set.
func TestCallsDecideAsTheirClauses(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 3))
		m := newMatcher()
		m.exhaustive = seed%7 == 0
		for range 1 + r.IntN(3) { // calls share what they can
			clauses := anyClauses(r, 1+r.IntN(oneOf(r, 2, 5, 20, 100)))
			root := m.call(clauses)
			if !m.read(clauses) {
				t.Fatalf("seed %d: too many rules", seed)
			}
			for range 200 {
				var d cbpf.Data
				for i := range 3 {
					d.Args[i] = nearEdge(r)
				}
				want := decided(clauses, &d)
				if got := m.firstRule(&d); got != want {
					t.Fatalf("seed %d: %v: rules say %v, want %v\n%v\n%+v", seed, d.Args, got, want, clauses, m.rules)
				}
				g := *m.g
				g.root = root
				if got := g.Eval(&d); got != want {
					t.Fatalf("seed %d: %v: the diagram says %v, want %v\n%v\n%v", seed, d.Args, got, want, clauses, &g)
				}
			}
			m.rules = m.rules[len(m.rules):] // those read here stay as they are below
		}
		clauses := anyClauses(r, 1+r.IntN(maxCompared/2))
		m.read(clauses)
		m.simplify()
		for range 200 {
			d := cbpf.Data{Args: [6]uint64{nearEdge(r), nearEdge(r), nearEdge(r)}}
			if got, want := m.firstRule(&d), decided(clauses, &d); got != want {
				t.Fatalf("seed %d: %v: the rules that are left say %v, want %v\n%v\n%+v", seed, d.Args, got, want, clauses, m.rules)
			}
		}
	}
}

// firstRule returns the action of the first rule that holds.
func (m *matcher) firstRule(d *cbpf.Data) cbpf.Action {
next:
	for i := range m.rules {
		for _, t := range m.rules[i].tests {
			if !t.holds(t.word.Of(d)) {
				continue next
			}
		}
		return m.g.nodes[m.rules[i].to].Action
	}
	return m.g.nodes[m.fallback].Action
}

// holds reports whether a value of the word passes.
func (t *wordTest) holds(v uint32) bool {
	in := t.first <= v && v <= t.last
	if t.mask != 0 {
		in = v&t.mask == t.first
	}
	return in != t.negated
}

// In each piece of a word, a column's rules are those whose tests of intervals pass.
func TestColumnsSayWhichRulesPass(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		m := newMatcher()
		if !m.read(anyClauses(r, 1+r.IntN(90))) || len(m.rules) == 0 || !m.tabulate() {
			continue
		}
		for i := range m.columns {
			c := &m.columns[i]
			for p, last := range c.ends {
				for j := range m.rules {
					passes, asked := true, false
					for _, x := range m.rules[j].tests {
						if x.word == c.word {
							asked = true
							passes = passes && (x.mask != 0 || x.holds(last))
						}
					}
					if got := c.live[p*m.size:].has(j); got != passes || c.asked.has(j) != asked {
						t.Fatalf("seed %d: %v up to %#x: rule %d live %v, want %v; asked %v, want %v", seed, c.word, last, j, got, passes, c.asked.has(j), asked)
					}
				}
			}
		}
	}
}

func TestTestsImplyTests(t *testing.T) {
	var all []wordTest
	for first := range uint32(4) {
		for last := first; last < 4; last++ {
			all = append(all, between(Lo(0), first, last))
		}
		all = append(all, equalTest(Lo(0), 5, first&5), equalTest(Lo(0), 2, first&2))
	}
	for _, x := range all {
		x.negated = true
		all = append(all, x)
	}
	implied := 0
	for _, x := range all {
		for _, y := range all {
			really := true
			for v := range uint32(8) {
				really = really && (!x.holds(v) || y.holds(v))
			}
			if x.implies(&y) {
				implied++
				if !really {
					t.Errorf("%+v does not imply %+v", x, y)
				}
			} else if really && x.mask|y.mask == 0 && x.negated == y.negated {
				t.Errorf("%+v implies %+v", x, y)
			}
			y.word = Hi(0)
			if x.implies(&y) {
				t.Errorf("%+v says nothing about %v", x, y.word)
			}
		}
	}
	if implied < len(all) {
		t.Errorf("only %d of %d tests imply one", implied, len(all))
	}
}

// Rules that decide nothing are gone, and with them the words that only they look at.
func TestRulesThatDecideNothing(t *testing.T) {
	eq := func(arg uint8, v uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.Equal, Mask: math.MaxUint32, Value: v}
	}
	ne := func(arg uint8, v uint64) policy.Cond {
		return policy.Cond{Arg: arg, Op: policy.NotEqual, Mask: math.MaxUint32, Value: v}
	}
	allow := func(conds ...policy.Cond) policy.Clause { return policy.Clause{Conds: conds, Action: cbpf.Allow} }
	trap := func(conds ...policy.Cond) policy.Clause { return policy.Clause{Conds: conds, Action: cbpf.Trap} }
	for _, tt := range []struct {
		name    string
		clauses []policy.Clause
		rules   int
	}{
		{"an earlier rule holds where a later one does", []policy.Clause{allow(eq(1, 1)), trap(eq(0, 0), eq(1, 1))}, 1},
		{"a later one says the same", []policy.Clause{allow(eq(0, 0), eq(1, 1)), allow(eq(1, 1))}, 1},
		{"something else comes between", []policy.Clause{allow(eq(0, 0), eq(1, 1)), trap(eq(2, 2)), allow(eq(1, 1))}, 3},
		{"values that follow each other", []policy.Clause{allow(eq(0, 9)), allow(eq(0, 8)), allow(eq(0, 7))}, 1},
		{"values with a gap", []policy.Clause{allow(eq(0, 9)), allow(eq(0, 7))}, 2},
		{"values that follow with other actions", []policy.Clause{allow(eq(0, 9)), trap(eq(0, 8))}, 2},
		{"a value that another excludes", []policy.Clause{allow(ne(0, 3)), trap(eq(0, 4))}, 1},
		{"every value", []policy.Clause{allow(policy.Cond{Op: policy.GreaterEqual, Mask: math.MaxUint32}), trap(eq(1, 1))}, 1},
		{"no value", []policy.Clause{allow(policy.Cond{Op: policy.Less, Mask: math.MaxUint32}), trap(eq(1, 1))}, 1},
		{"no value of two", []policy.Clause{allow(eq(0, 3), eq(0, 4)), trap(eq(1, 1))}, 1},
	} {
		m := newMatcher()
		m.read(tt.clauses)
		m.simplify()
		if len(m.rules) != tt.rules {
			t.Errorf("%s: %d rules, want %d: %+v", tt.name, len(m.rules), tt.rules, m.rules)
		}
	}
}

// Calls whose rules are the same are one, whoever wrote them.
func TestCallsWithTheSameRulesAreOne(t *testing.T) {
	m := newMatcher()
	clauses := func(pointer string) []policy.Clause {
		eq := func(arg uint8, v uint64) policy.Cond {
			return policy.Cond{Arg: arg, Op: policy.Equal, Mask: math.MaxUint64, Value: v}
		}
		return []policy.Clause{
			{Conds: []policy.Cond{eq(0, 1), eq(1, 2)}, Action: cbpf.Allow, Pointer: pointer},
			{Conds: []policy.Cond{eq(1, 3), eq(2, 4)}, Action: cbpf.Trap, Pointer: pointer},
		}
	}
	a := m.call(clauses("/a"))
	made, tried := len(m.g.nodes), m.tried
	if b := m.call(clauses("/b")); a != b || len(m.g.nodes) != made || m.tried != tried {
		t.Errorf("n%d and n%d, %d nodes more, %d orders", a, b, len(m.g.nodes)-made, m.tried-tried)
	}
	if tried == 0 {
		t.Error("no orders were tried")
	}
}

// Whatever the clauses are, what is built of them is linear in their number.
func TestHostileCallsStaySmall(t *testing.T) {
	full := func(arg int, op policy.Op, v uint64) policy.Cond {
		return policy.Cond{Arg: uint8(arg), Op: op, Mask: math.MaxUint64, Value: v}
	}
	for _, tt := range []struct {
		name   string
		clause func(i uint64) []policy.Cond
		n      int
	}{
		{"many conditions on one argument, each of two kinds", func(i uint64) (conds []policy.Cond) {
			for j := range uint64(60) {
				conds = append(conds, full(0, policy.NotEqual, i<<32+j))
			}
			return conds
		}, 10},
		{"bounds of both words on all arguments", func(i uint64) (conds []policy.Cond) {
			for arg := range 6 {
				conds = append(conds, full(arg, policy.Op(2+(int(i)+arg)%5), (i+1)*0x1_2345_6789<<arg))
			}
			return conds
		}, 200},
		{"values far apart", func(i uint64) []policy.Cond { return []policy.Cond{full(1, policy.Equal, i*3)} }, 10_000},
		{"values that follow each other", func(i uint64) []policy.Cond { return []policy.Cond{full(1, policy.Equal, i)} }, 10_000},
		{"all upper and lower words", func(i uint64) []policy.Cond { return []policy.Cond{full(1, policy.Equal, i<<32|i*7%1000)} }, 3000},
		{"masks of all kinds", func(i uint64) []policy.Cond {
			mask := i*0x9e3779b97f4a7c15 | 1
			return []policy.Cond{{Arg: 1, Op: policy.MaskedEqual, Mask: mask, Value: i * 5 & mask}}
		}, 1000},
		{"bounds, each with its action", func(i uint64) []policy.Cond { return []policy.Cond{full(2, policy.Less, i<<30)} }, 4000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var clauses []policy.Clause
			conds := 0
			for i := range tt.n {
				c := policy.Clause{Conds: tt.clause(uint64(i)), Action: oneOf(rand.New(rand.NewPCG(uint64(i), 0)), cbpf.Allow, cbpf.Trap)}
				if i%3 == 0 {
					c.Action = cbpf.Errno(uint16(1 + i%4000))
				}
				conds += len(c.Conds)
				clauses = append(clauses, c)
			}
			m := newMatcher()
			g := *m.g
			root := m.call(clauses)
			g = *m.g
			g.root = root
			if most := 40*conds + 10_000; len(g.nodes) > most {
				t.Errorf("%d nodes of %d conditions", len(g.nodes), conds)
			}
			r := rand.New(rand.NewPCG(1, 1))
			for range 300 {
				var d cbpf.Data
				for i := range d.Args {
					d.Args[i] = oneOf(r, nearEdge(r), r.Uint64N(30_000), r.Uint64())
				}
				if got, want := g.Eval(&d), decided(clauses, &d); got != want {
					t.Fatalf("%v: %v, want %v", d.Args, got, want)
				}
			}
			t.Logf("%d conditions, %d nodes, cost %d", conds, len(g.nodes), newMatcherOf(&g).cost(root))
		})
	}
}

func newMatcherOf(g *Diagram) *matcher { return &matcher{g: g} }

func oneOf[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }
