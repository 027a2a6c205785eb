package listing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Rule is one about a call that holds on all ABIs and compares each argument once.
type Rule struct {
	Action  cbpf.Action
	Args    []policy.Arg
	Pointer string
}

// Unordered returns rules that say what happens to a call, where they have no order: all
// actions but the one by default, under conditions of which no two hold together. calls are
// those of one name on several ABIs, which have to get the same on each. noun says what the
// language's rules are called, for the error.
func Unordered(calls []Call, standard cbpf.Action, noun string) (rules []Rule, err *policy.Error) {
	widest := &calls[0]
	for i := range calls {
		if c := &calls[i]; c.ABI.Bits() > widest.ABI.Bits() {
			widest = c
		}
	}
	for i := range calls {
		first, ok1 := widest.Always()
		other, ok2 := calls[i].Always()
		if ok1 && ok2 && first != other {
			return nil, calls[i].Fails("%v on %v and %v on %v: %s holds on all ABIs (convert for one of them: -a)", first, widest.ABI, other, calls[i].ABI, noun)
		}
	}
	if action, ok := widest.Always(); ok {
		if action == standard {
			return nil, nil
		}
		return []Rule{{Action: action, Pointer: widest.Pointer()}}, nil
	}
	for _, clause := range widest.Clauses {
		if clause.Action == standard || slices.ContainsFunc(rules, func(r Rule) bool { return r.Action == clause.Action }) {
			continue
		}
		where, ok := widest.Where(clause.Action)
		if !ok {
			return nil, widest.Fails("rules without an order would need too many conditions")
		}
		place := cmp.Or(clause.Pointer, widest.Pointer())
		for _, conds := range where {
			alternatives, problem := argsOf(conds, widest.ABI.Bits(), noun)
			if problem != "" {
				return nil, Fails(place, "%s: %s", widest.Name, problem)
			}
			for _, args := range alternatives {
				rules = append(rules, Rule{clause.Action, args, place})
			}
		}
	}
	return rules, nil
}

// maxValues is how many values of an argument become a rule each.
const maxValues = 64

// argsOf returns the arguments of rules of which one holds where all conditions do. A rule
// that tests an argument twice would hold where one of the tests does.
func argsOf(conds []policy.Cond, bits int, noun string) (alternatives [][]policy.Arg, problem string) {
	alternatives = [][]policy.Arg{nil}
	for rest := conds; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Arg == rest[0].Arg {
			n++
		}
		tests := testsOf(rest[:n], ^uint64(0)>>(64-bits))
		if tests == nil {
			var texts []string
			for _, c := range rest[:n] {
				texts = append(texts, c.String())
			}
			return nil, strings.Join(texts, " && ") + ": " + noun + " has one comparison for each argument, and none of these says that"
		}
		var next [][]policy.Arg
		for _, args := range alternatives {
			for _, test := range tests {
				next = append(next, append(slices.Clone(args), test...))
			}
		}
		if alternatives, rest = next, rest[n:]; len(alternatives) > maxValues {
			return nil, "more than " + strconv.Itoa(maxValues) + " rules would be needed: " + noun + " has one comparison for each argument"
		}
	}
	return alternatives, ""
}

// testsOf returns tests of one argument, each none or one comparison, of which one holds
// where all conditions do; nil if there are none.
func testsOf(conds []policy.Cond, width uint64) (tests [][]policy.Arg) {
	if len(conds) == 1 {
		return testsOfOne(conds[0], width)
	}
	// Values between a lower and an upper bound.
	low, high := uint64(0), width
	var not []uint64
	for _, c := range conds {
		switch {
		case c.Mask != width:
			return nil
		case c.Op == policy.GreaterEqual:
			low = c.Value
		case c.Op == policy.LessEqual:
			high = c.Value
		case c.Op == policy.NotEqual:
			not = append(not, c.Value)
		default:
			return nil
		}
	}
	for _, n := range append(not, high) { // ascending: the values up to each, without it, and last with it
		last := n - 1
		if n == high {
			last = n
		}
		switch index := uint(conds[0].Arg); {
		case low > last:
		case low == 0 && last == width:
			tests = append(tests, nil)
		case low == 0:
			tests = append(tests, []policy.Arg{{Index: index, Op: policy.LessEqual, Value: last}})
		case last == width:
			tests = append(tests, []policy.Arg{{Index: index, Op: policy.GreaterEqual, Value: low}})
		case last-low >= maxValues:
			return nil
		default:
			for v := low; v <= last; v++ {
				tests = append(tests, []policy.Arg{{Index: index, Op: policy.Equal, Value: v}})
			}
		}
		low = n + 1
	}
	return tests
}

func testsOfOne(c policy.Cond, width uint64) (tests [][]policy.Arg) {
	masked := func(list []policy.Cond) {
		for _, c := range list {
			if c.Mask == 0 {
				tests = append(tests, nil)
			} else {
				tests = append(tests, []policy.Arg{{Index: uint(c.Arg), Op: policy.MaskedEqual, Value: c.Mask, ValueTwo: c.Value}})
			}
		}
	}
	switch {
	case c.Op == policy.MaskedNotEqual:
		masked(Bits(c))
	case c.Op == policy.MaskedEqual || c.Op == policy.Equal && c.Mask != width:
		masked([]policy.Cond{c})
	case c.Op == policy.NotEqual && c.Mask != width:
		masked(Bits(c))
	case c.Mask != width:
		masked(Prefixes(c))
	default:
		tests = [][]policy.Arg{{{Index: uint(c.Arg), Op: c.Op, Value: c.Value}}}
	}
	return tests
}

// Named returns what a policy does with the calls of its ABIs, by name, on each ABI that has
// them. through and the error are those of [Calls].
func Named(r *policy.Resolved, through bool) (map[string][]Call, policy.Errors) {
	named := make(map[string][]Call)
	var errs policy.Errors
	for _, a := range r.ABIs() {
		calls, unnamed := Calls(r, a, through)
		errs = append(errs, unnamed...)
		for _, c := range calls {
			named[c.Name] = append(named[c.Name], c)
		}
	}
	return named, errs
}

// Denies reports whether no rule names a call, and it is denied, as it is by an action.
// Whether the result may deny it in another way is for those who compare the two.
func (c *Call) Denies(standard cbpf.Action) bool {
	action, always := c.Always()
	return always && c.Pointer() == "" && !action.Permits(cbpf.WithSupervisor) && !standard.Permits(cbpf.WithSupervisor)
}
