package compile

import "math"

// workOnPruning bounds the nodes that prune visits.
const workOnPruning = 1 << 13

// prune drops the tests that a path has decided already, as far as its work goes:
// what it does not get to stays as it is.
func (m *matcher) prune(id NodeID) NodeID {
	m.facts.Forget()
	m.steps = workOnPruning
	return m.pruned(id)
}

func (m *matcher) pruned(id NodeID) NodeID {
	n := m.g.nodes[id]
	if m.steps--; m.steps < 0 || n.Kind == Leaf {
		return id
	}
	f := &m.facts[n.Word]
	if n.Kind == Masked {
		return m.prunedMask(n, f)
	}
	saved := *f
	var cases []Case
	for _, c := range n.Cases {
		if c.Last < saved.First || saved.Last < c.First {
			continue
		}
		f.First, f.Last = max(c.First, saved.First), min(c.Last, saved.Last)
		if to := m.pruned(c.To); len(cases) == 0 || cases[len(cases)-1].To != to {
			cases = append(cases, Case{c.First, c.Last, to})
		} else {
			cases[len(cases)-1].Last = c.Last
		}
	}
	*f = saved
	// What the path excludes may go anywhere.
	cases[0].First, cases[len(cases)-1].Last = 0, math.MaxUint32
	return m.g.switchOn(n.Word, cases, n.Origin)
}

func (m *matcher) prunedMask(n Node, f *Fact) NodeID {
	switch f.equal(n.Mask, n.Value) {
	case Yes:
		return m.pruned(n.Yes)
	case No:
		return m.pruned(n.No)
	case Open:
	}
	pass, fail := f.Either(n.Mask, n.Value, func(holds bool) NodeID {
		if holds {
			return m.pruned(n.Yes)
		}
		return m.pruned(n.No)
	})
	return m.g.masked(n.Word, n.Mask, n.Value, pass, fail, n.Origin)
}
