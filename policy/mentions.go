package policy

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// A named is a name of a rule, or a number.
type named struct {
	rule, name int32              // indices of the rule and of the name in it, where numbers come after names
	call       syscalltables.Call // not valid if it is a number
	nr         uint32             // if it is one
	before     int32              // index of the name of the same call before it, plus 1; 0 if it is the first
}

// A mention is a name that stands for a number of some ABI: its own or that of a
// multiplexer, whose first argument selects it then. Selectors are not 0.
type mention struct {
	nr       uint32
	named    int32 // index into the resolver's names
	selector uint32
}

// compare orders mentions by number, then as the profile has them.
func (m mention) compare(n mention) int {
	if m.nr != n.nr {
		return cmp.Compare(m.nr, n.nr)
	}
	if m.named != n.named {
		return cmp.Compare(m.named, n.named)
	}
	return cmp.Compare(m.selector, n.selector)
}

// usualCalls is about how many calls the tables have.
const usualCalls = 512

// addName adds a name of the rule at work, unless it has named the call before.
func (r *resolver) addName(rule, name int32, call syscalltables.Call) {
	if int(call) >= len(r.last) {
		r.last = append(r.last, make([]int32, max(int(call)+1, usualCalls))...)
	}
	last := &r.last[call]
	before := *last
	switch {
	case before == 0:
		r.called = append(r.called, call)
	case r.names[before-1].rule == rule:
		return
	}
	r.names = append(r.names, named{rule: rule, name: name, call: call, before: before})
	*last = int32(len(r.names))
}

// A naming is what rules name on one ABI.
type naming struct {
	calls   []numbered // by name, in the order of their numbers
	others  []mention  // of other numbers, and of these by other ways than a call's name; in order
	numbers []uint32   // those that are given as numbers, on all ABIs of the space
	dropped []dropped
	used    usedNumbers
}

// A numbered is a call that rules name, with its number on an ABI.
type numbered struct {
	nr   uint32
	last int32 // index of its last name
}

// find finds what rules name on one ABI, and reports what is to be said about it.
func (r *resolver) find(s *Space, a arch.ABI) {
	f := &r.on
	f.calls, f.others, f.dropped = f.calls[:0], f.others[:0], f.dropped[:0]
	f.used.reset()
	r.findCalls(a)
	if _, ok := a.Socketcall(); ok && r.policy.Order == Libseccomp { // an ABI has both multiplexers or none
		r.findMultiplexed(a)
	}
	for i := range r.rules {
		rule := &r.rules[i]
		cut := rule.cut && a.Bits() == 32 && !r.drops(rule) // and not reported yet
		if (cut || r.options.Exact) && r.findNames(a, rule) && cut {
			r.checkCuts(a, int32(i))
			cut = false
		}
		r.findNumbers(s, a, rule, cut)
	}
	f.others = r.inOrderOnce(f.others)
}

// fewCalls are looked up and sorted in less time than a walk along the table of an ABI takes.
const fewCalls = 40

// findCalls finds the numbers that the names of calls stand for.
func (r *resolver) findCalls(a arch.ABI) {
	last, calls := r.last, slices.Grow(r.on.calls, len(r.called))
	if len(r.called) > fewCalls {
		for nr, call := range syscalltables.All(a) {
			if int(call) < len(last) && last[call] != 0 {
				calls = append(calls, numbered{nr, last[call] - 1})
			}
		}
	} else {
		for _, call := range r.called {
			if nr, ok := call.Number(a); ok {
				calls = append(calls, numbered{nr, last[call] - 1})
			}
		}
		slices.SortFunc(calls, func(x, y numbered) int { return cmp.Compare(x.nr, y.nr) })
	}
	if r.limited {
		calls = slices.DeleteFunc(calls, func(c numbered) bool { return !r.concerns(a, c.last) })
	}
	r.on.calls = calls
	r.on.used.addAll(calls)
}

// findMultiplexed finds the calls that can be made through multiplexers, too.
func (r *resolver) findMultiplexed(a arch.ABI) {
	const most = 32 // calls that have one
	f := &r.on
	f.others = slices.Grow(f.others, min(len(r.called), most))
	sockets, _ := a.Socketcall()
	var later []mention // of the other one, whose number is larger
	for _, call := range r.called {
		mux, selector, ok := call.Multiplexed(a)
		if !ok {
			continue
		}
		last := r.last[call] - 1
		if !r.concerns(a, last) {
			continue
		}
		f.used.add(mux)
		if mux == sockets {
			f.others = r.mention(f.others, a, last, mux, selector)
		} else {
			later = r.mention(later, a, last, mux, selector)
		}
	}
	f.others = append(f.others, later...)
}

// concerns reports whether a rule that names a call is for the ABI. last is the index of the
// call's last name.
func (r *resolver) concerns(a arch.ABI, last int32) bool {
	for i := last + 1; i != 0; i = r.names[i-1].before {
		if r.rules[r.names[i-1].rule].abis.has(a) {
			return true
		}
	}
	return false
}

// drops reports whether a rule is dropped because it does what the default action does.
func (r *resolver) drops(rule *rule) bool { return rule.redundant && r.ranked() }

// mention appends the mentions that the names of a call stand for, in profile order. last is
// the index of the last one.
func (r *resolver) mention(list []mention, a arch.ABI, last int32, nr, selector uint32) []mention {
	from := len(list)
	for i := last + 1; i != 0; i = r.names[i-1].before {
		n := &r.names[i-1]
		switch rule := &r.rules[n.rule]; {
		case !rule.abis.has(a):
		case !r.drops(rule):
			list = append(list, mention{nr, i - 1, selector})
		case selector == 0:
			r.on.dropped = append(r.on.dropped, dropped{n.rule, n.name, nr})
		}
	}
	slices.Reverse(list[from:])
	return list
}

// findNames reports the names of a rule that the ABI lacks, if it must have all, and returns
// whether it has some.
func (r *resolver) findNames(a arch.ABI, rule *rule) (some bool) {
	for i := rule.firstName; i < rule.firstNumber && rule.abis.has(a); i++ {
		n := &r.names[i]
		_, direct := n.call.Number(a)
		_, _, through := n.call.Multiplexed(a)
		if direct || through && r.policy.Order == Libseccomp {
			some = true
		} else if r.options.Exact {
			r.checkAbsent(a, n)
		}
	}
	return some
}

// findNumbers finds those of a rule's numbers that are to be decided as ones of the ABI. If
// there are some, it reports the values of the rule that are cut.
func (r *resolver) findNumbers(s *Space, a arch.ABI, rule *rule, cut bool) {
	f := &r.on
	for i := rule.firstNumber; i < rule.end; i++ {
		n := &r.names[i]
		if !r.holds(s, a, n) {
			continue
		}
		f.numbers = append(f.numbers, n.nr)
		f.used.add(n.nr)
		if r.drops(rule) {
			f.dropped = append(f.dropped, dropped{n.rule, n.name, n.nr})
		} else {
			f.others = append(f.others, mention{nr: n.nr, named: i})
		}
		if cut {
			r.checkCuts(a, n.rule)
			cut = false
		}
	}
}

// inOrderOnce sorts mentions. A number that a rule repeats, or gives by name, too, counts once.
func (r *resolver) inOrderOnce(list []mention) []mention {
	slices.SortFunc(list, mention.compare)
	return slices.CompactFunc(list, func(x, y mention) bool {
		return x.nr == y.nr && r.names[x.named].rule == r.names[y.named].rule && x.selector == 0 && y.selector == 0
	})
}

// calls appends the calls of the ABI at work that rules decide, by number.
func (r *resolver) calls(calls []Call, a arch.ABI) []Call {
	list, others := r.on.calls, r.on.others
	for {
		next := uint64(1 << 32) // number of the others
		if len(others) > 0 {
			next = uint64(others[0].nr)
		}
		calls, list = r.simple(calls, a, list, next)
		switch {
		case len(list) == 0 && len(others) == 0:
			return calls
		case len(list) == 0 || next < uint64(list[0].nr):
			calls, others = r.decide(calls, a, others[0].nr, nil, others)
		default:
			c := list[0]
			calls, others = r.decide(calls, a, c.nr, r.mention(r.mentions[:0], a, c.last, c.nr, 0), others)
			list = list[1:]
		}
	}
}

// simple appends the calls below a number as long as one rule without conditions decides each,
// as is usual, and returns the rest.
func (r *resolver) simple(calls []Call, a arch.ABI, list []numbered, end uint64) (_ []Call, rest []numbered) {
	rules, names, wide := r.rules, r.names, a.Bits()/64
	done := len(calls)
	calls = slices.Grow(calls, len(list))
	into := calls[done : done+len(list)]
	for i := range into {
		c, call := &list[i], &into[i]
		n := &names[c.last]
		rule := &rules[n.rule]
		if n.before != 0 || uint64(c.nr) >= end || !rule.alone[wide&1] {
			return calls[:done+i], list[i:]
		}
		call.NR, call.ABI, call.Clauses = c.nr, a, rule.clause
	}
	return calls[:done+len(list)], nil
}

// decide appends a call if a rule can hold for it, from the mentions of its name and those
// of its number that are the first of the others. It returns the rest of these.
func (r *resolver) decide(calls []Call, a arch.ABI, nr uint32, named, others []mention) (_ []Call, rest []mention) {
	n := 0
	for n < len(others) && others[n].nr == nr {
		n++
	}
	all, rest := others[:n], others[n:]
	if named != nil {
		if r.mentions = append(named, all...); n > 0 {
			r.mentions = r.inOrderOnce(r.mentions)
		}
		all = r.mentions
	}
	if len(all) > 0 {
		if clauses := r.settle(a, all); len(clauses) > 0 {
			calls = append(calls, Call{nr, a, clauses})
		}
	}
	return calls, rest
}
