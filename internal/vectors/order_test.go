package vectors

import (
	"cmp"
	"slices"
)

// inOrder returns the rules in the order in which they are tried.
func (m *meaning) inOrder(a *abi, rules []rule) (tried []rule) {
	if _, ok := m.options["strictest-wins"]; ok {
		slices.SortStableFunc(rules, func(x, y rule) int { return severity(x.action, y.action) })
		return rules
	}
	if i := m.unconditional(rules); i >= 0 {
		return rules[i : i+1]
	}
	switch {
	case m.is(profileOrder):
		return rules
	case m.is(lastRuleWins):
		slices.Reverse(rules)
		return rules
	}
	for _, r := range rules {
		at := slices.IndexFunc(tried, func(there rule) bool { return m.rank(a, r, there) < 0 })
		if m.is(insertsFromTheEnd) {
			at = len(tried)
			for at > 0 && m.rank(a, r, tried[at-1]) < 0 {
				at--
			}
		}
		if m.is(tiesComeFirst) {
			at = slices.IndexFunc(tried, func(there rule) bool { return m.rank(a, r, there) <= 0 })
		}
		if at < 0 {
			at = len(tried)
		}
		tried = slices.Insert(tried, at, r)
	}
	return tried
}

// severity is negative if the first action is stricter, 0 if only data differs.
func severity(x, y uint32) int {
	return cmp.Compare(slices.Index(strictest, x&^0xffff), slices.Index(strictest, y&^0xffff))
}

// unconditional returns the index of the unconditional rule that decides, -1 if none does.
func (m *meaning) unconditional(rules []rule) int {
	always := func(r rule) bool { return len(r.conds) == 0 }
	switch {
	case m.is(conditionsBeatUnconditional):
		return -1
	case m.is(unconditionalInOrder):
		if len(rules) == 0 || !always(rules[0]) {
			return -1
		}
	case m.is(lastUnconditional):
		for i := len(rules) - 1; i >= 0; i-- {
			if always(rules[i]) {
				return i
			}
		}
	}
	return slices.IndexFunc(rules, always)
}

// rank is negative if the first rule ranks before the second, 0 if neither does.
func (m *meaning) rank(a *abi, x, y rule) int {
	for i := range min(len(x.conds), len(y.conds)) {
		if x.conds[i] != y.conds[i] {
			return m.rankConds(a, x.conds[i], y.conds[i])
		}
	}
	if m.is(longerFirst) || m.is(conditionsBeatUnconditional) && min(len(x.conds), len(y.conds)) == 0 {
		return len(y.conds) - len(x.conds)
	}
	return len(x.conds) - len(y.conds)
}

func (m *meaning) rankConds(a *abi, x, y cond) int {
	class := func(op string) int {
		switch op {
		case "LT", "LE":
			return 1
		case "GT", "GE":
			return 2
		}
		return 0
	}
	c := class(x.op) - class(y.op)
	switch {
	case x.arg != y.arg && m.is(lowerArgumentFirst):
		return x.arg - y.arg
	case x.arg != y.arg:
		return y.arg - x.arg
	case c != 0 && (m.is(boundsFirst) || m.is(greaterBeforeLess) && class(x.op) > 0 && class(y.op) > 0):
		return -c
	case c != 0:
		return c
	}
	masked := x.op == "MASKED_EQ" || y.op == "MASKED_EQ"
	differ := x.op != y.op || x.mask>>32 != y.mask>>32
	xv, yv := x.value, y.value
	if masked && differ && (a.bits == 64 && !m.is(wholeDatums) || m.is(upperHalvesEverywhere)) {
		xv, yv = xv>>32, yv>>32
	}
	if class(x.op) == 1 && !m.is(largerAlways) || m.is(smallerAlways) {
		return cmp.Compare(xv, yv)
	}
	return cmp.Compare(yv, xv)
}

// contradict refuses a profile with rules that contradict each other.
func (m *meaning) contradict(p *asked) {
	if _, ok := m.options["strictest-wins"]; ok || m.is(firstContradictionWins) {
		return
	}
	for _, a := range p.targets {
		seen := map[uint32]bool{}
		for _, e := range p.entries {
			for _, name := range e.names {
				for _, nr := range m.numbersOf(a, name) {
					if !seen[nr] {
						seen[nr] = true
						m.contradictOn(a, nr, m.rules(p, a, nr))
					}
				}
			}
		}
	}
}

func (m *meaning) contradictOn(a *abi, nr uint32, rules []rule) {
	if m.unconditional(rules) >= 0 && !m.is(unreachableContradicts) {
		return
	}
	for i, x := range rules {
		for _, y := range rules[:i] {
			if x.action == y.action || !slices.Equal(x.conds, y.conds) {
				continue
			}
			first := func(z rule) bool {
				return len(z.conds) < len(x.conds) && slices.Equal(z.conds, x.conds[:len(z.conds)])
			}
			if !x.mux || !slices.ContainsFunc(rules, first) {
				refuse("rules on %d of %s contradict each other", nr, a.name)
			}
		}
	}
}

// together returns what two profiles give a call: op is intersect or union, data is kernel
// or chain.
func (m *meaning) together(op, data string, enosys, x, y uint32) uint32 {
	order := severity(x, y)
	if m.is(threadBeforeProcess) && x|y == killProcess {
		order = cmp.Compare(x, y)
	}
	if m.is(notifyBeforeErrno) && (x == notify) != (y == notify) && severity(max(x, y), trace) < 0 && severity(min(x, y), trap) > 0 {
		order = -order
	}
	if order == 0 {
		switch rank := func(w uint32) uint32 {
			if w == errno|enosys && !m.is(enosysLikeOthers) {
				return 0
			}
			return w
		}; {
		case data == "kernel" && m.is(kernelTakesFirst):
			return x
		case data == "kernel" && !m.is(kernelChains):
			return y
		case m.is(chainLargerFirst):
			order = cmp.Compare(rank(y), rank(x))
		default:
			order = cmp.Compare(rank(x), rank(y))
		}
	}
	if order < 0 == (op == "intersect" || m.is(unionIntersects)) {
		return x
	}
	return y
}
