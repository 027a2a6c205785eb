package compiler

import "math"

// workOnPruning bounds the nodes that prune visits.
const workOnPruning = 1 << 13

// prune drops the tests that a path has decided already, as far as its work goes:
// what it does not get to stays as it is.
func (b *argBuilder) prune(id NodeID) NodeID {
	for i := range b.facts {
		b.facts[i] = fact{last: math.MaxUint32}
	}
	b.steps = workOnPruning
	return b.pruned(id)
}

func (b *argBuilder) pruned(id NodeID) NodeID {
	n := b.g.nodes[id]
	if b.steps--; b.steps < 0 || n.Kind == Leaf {
		return id
	}
	f := &b.facts[n.Word]
	if n.Kind == Masked {
		return b.prunedMask(n, f)
	}
	saved := *f
	var cases []Case
	for _, c := range n.Cases {
		if c.Last < saved.first || saved.last < c.First {
			continue
		}
		f.first, f.last = max(c.First, saved.first), min(c.Last, saved.last)
		if to := b.pruned(c.To); len(cases) == 0 || cases[len(cases)-1].To != to {
			cases = append(cases, Case{c.First, c.Last, to})
		} else {
			cases[len(cases)-1].Last = c.Last
		}
	}
	*f = saved
	// What the path excludes may go anywhere.
	cases[0].First, cases[len(cases)-1].Last = 0, math.MaxUint32
	return b.g.switchOn(n.Word, cases, n.Origin)
}

func (b *argBuilder) prunedMask(n Node, f *fact) NodeID {
	switch f.equal(n.Mask, n.Value) {
	case yes:
		return b.pruned(n.Yes)
	case no:
		return b.pruned(n.No)
	case open:
	}
	at := len(f.tested)
	f.tested = append(f.tested, maskTest{n.Mask, n.Value, true})
	pass := b.pruned(n.Yes)
	f.tested[at].holds = false
	fail := b.pruned(n.No)
	f.tested = f.tested[:at]
	return b.g.masked(n.Word, n.Mask, n.Value, pass, fail, n.Origin)
}
