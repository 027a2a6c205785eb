package optimize

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/proof"
)

// maxTrials is how many further programs are compiled to find the best order of
// words for single trees.
const maxTrials = 64

// A search looks for the smallest program that does what spaces say.
type search struct {
	spaces []proof.Space
	bytes  binary.ByteOrder
	orders []order
	usual  cbpf.Action
	work   int // on the arguments of one diagram
	best   *cbpf.Program
	chosen map[*proof.Tree]int // the order of a tree that has not the common one
	err    error               // why there is no program yet
}

// smallest returns the smallest program found that does what spaces say. The
// error is a [*compile.TooLongError] if there is none.
func smallest(spaces []proof.Space, bytes binary.ByteOrder) (*cbpf.Program, error) {
	s := &search{spaces: spaces, bytes: bytes, orders: orders(), chosen: map[*proof.Tree]int{}, usual: usual(spaces), work: workOfAll}
	trees := conditional(spaces)
	common := 0
	for i := range s.orders {
		if i > 0 && len(trees) == 0 {
			break
		}
		found, err := s.try(i, false)
		if err != nil {
			return nil, err
		}
		if found {
			common = i
		}
	}
	left := maxTrials
	for _, t := range trees {
		for i := range s.orders {
			was, other := s.chosen[t]
			if !other {
				was = common
			}
			if left--; i == was || left < 0 || s.best == nil {
				continue
			}
			s.chosen[t] = i
			found, err := s.try(common, false)
			if err != nil {
				return nil, err
			}
			if !found {
				s.chosen[t] = was
			}
		}
	}
	if _, err := s.try(common, true); err != nil {
		return nil, err
	}
	if s.best == nil {
		return nil, s.err
	}
	return s.best, nil
}

// try compiles with a common order of words and reports whether the program is
// the smallest so far.
func (s *search) try(common int, effort bool) (found bool, err error) {
	g, err := s.diagram(common)
	if err != nil {
		return false, err
	}
	r, err := compile.CompileDiagram(g, s.bytes, compile.Options{Exhaustive: effort})
	var long *compile.TooLongError
	switch {
	case errors.As(err, &long):
		s.err = err
		return false, nil
	case err != nil:
		return false, err
	case s.best != nil && r.Program.Len() >= s.best.Len():
		return false, nil
	}
	s.best = r.Program
	return true, nil
}

// diagram returns the diagram of the spaces.
func (s *search) diagram(common int) (*compile.Diagram, error) {
	var b compile.Builder
	sp := &splitter{b: &b, left: s.work}
	known := map[*proof.Tree]compile.NodeID{}
	var audits []compile.Case
	for i := range s.spaces {
		space := &s.spaces[i]
		numbers := make([]compile.Case, 0, len(space.Runs))
		for _, r := range space.Runs {
			o, ok := s.chosen[r.Tree]
			if !ok {
				o = common
			}
			sp.order = s.orders[o]
			numbers = append(numbers, compile.Case{First: r.First, Last: r.Last, To: sp.tree(r.Tree, known)})
		}
		id := sp.node(b.Switch(compile.NR, numbers))
		for _, a := range space.Audits {
			audits = append(audits, compile.Case{First: a.First, Last: a.Last, To: id})
		}
	}
	slices.SortFunc(audits, func(a, b compile.Case) int { return cmp.Compare(a.First, b.First) })
	root := sp.node(b.Switch(compile.Arch, audits))
	if sp.err != nil {
		return nil, sp.err
	}
	return b.Diagram(root, b.Leaf(s.usual))
}

// conditional returns the different trees of the runs that have arms.
func conditional(spaces []proof.Space) []*proof.Tree {
	var trees []*proof.Tree
	seen := map[*proof.Tree]bool{}
	for i := range spaces {
		for _, r := range spaces[i].Runs {
			if len(r.Tree.Arms) > 0 && !seen[r.Tree] {
				seen[r.Tree] = true
				trees = append(trees, r.Tree)
			}
		}
	}
	return trees
}

// usual returns the action of calls that nothing special is said about: where
// arguments decide, that of most values most often; else that of most runs.
func usual(spaces []proof.Space) cbpf.Action {
	counts := map[cbpf.Action]int{}
	best, most := cbpf.Action(0), 0
	for i := range spaces {
		for _, r := range spaces[i].Runs {
			t, n := r.Tree, 1
			for len(t.Arms) > 0 {
				t, n = t.Arms[len(t.Arms)-1].Then, math.MaxUint16
			}
			if counts[t.Action] += n; counts[t.Action] > most {
				best, most = t.Action, counts[t.Action]
			}
		}
	}
	return best
}
