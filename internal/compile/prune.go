package compile

import "math"

// workOnPruning bounds the nodes that prune visits.
const workOnPruning = 1 << 13

// prune drops the tests that a path has decided already, as far as its work goes:
// what it does not get to stays as it is.
func (b *decider) prune(id NodeID) NodeID {
	b.facts.Forget()
	b.steps = workOnPruning
	return b.pruned(id)
}

func (b *decider) pruned(id NodeID) NodeID {
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
		if c.Last < saved.First || saved.Last < c.First {
			continue
		}
		f.First, f.Last = max(c.First, saved.First), min(c.Last, saved.Last)
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

func (b *decider) prunedMask(n Node, f *Fact) NodeID {
	switch f.equal(n.Mask, n.Value) {
	case Yes:
		return b.pruned(n.Yes)
	case No:
		return b.pruned(n.No)
	case Open:
	}
	pass, fail := f.Either(n.Mask, n.Value, func(holds bool) NodeID {
		if holds {
			return b.pruned(n.Yes)
		}
		return b.pruned(n.No)
	})
	return b.g.masked(n.Word, n.Mask, n.Value, pass, fail, n.Origin)
}
