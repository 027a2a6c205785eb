package proof

import (
	"math"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A piece is neighbouring numbers that the policy decides alike: by clauses, or all by one
// action.
type piece struct {
	first, last uint32
	action      cbpf.Action
	clauses     []policy.Clause
	list        int // names the clauses once they have a name
}

// pieces are numbers from 0 on, ascending and without gaps.
type pieces []piece

// pieces returns all numbers of a space. Those of another space are no more then.
func (w *walker) piecesOf(s *policy.Space) pieces {
	list := w.pieces[:0]
	calls, at := s.Calls, uint64(0)
	for _, x := range s.Ranges {
		if at < uint64(x.First) {
			calls = list.decide(w.policy, calls, x.First-1)
		}
		list.add(x.Last, x.Action, nil)
		at = uint64(x.Last) + 1
	}
	if at <= math.MaxUint32 {
		list.decide(w.policy, calls, math.MaxUint32)
	}
	w.pieces = list
	return list
}

// decide adds the numbers up to last, which are in no range, and returns the calls after
// them.
func (p *pieces) decide(r *policy.Resolved, calls []policy.Call, last uint32) []policy.Call {
	for len(calls) > 0 && calls[0].NR <= last {
		c, n := &calls[0], alike(calls)
		if c.NR > 0 {
			p.add(c.NR-1, r.Default, nil)
		}
		end := c.NR + uint32(n-1)
		if first := &c.Clauses[0]; len(first.Conds) == 0 {
			p.add(end, first.Action, nil)
		} else {
			p.add(end, r.Default, c.Clauses)
		}
		calls = calls[n:]
	}
	p.add(last, r.Default, nil)
	return calls
}

// alike returns how many calls from the first on have neighbouring numbers and share
// their clauses, as most do.
func alike(calls []policy.Call) int {
	first := &calls[0]
	for n := 1; n < len(calls); n++ {
		c := &calls[n]
		if c.NR != first.NR+uint32(n) || len(c.Clauses) != len(first.Clauses) || &c.Clauses[0] != &first.Clauses[0] {
			return n
		}
	}
	return len(calls)
}

// add adds the numbers up to last that are not there yet, if there are any.
func (p *pieces) add(last uint32, action cbpf.Action, clauses []policy.Clause) {
	first := uint32(0)
	if n := len(*p); n > 0 {
		before := &(*p)[n-1]
		if before.last >= last {
			return
		}
		if clauses == nil && before.clauses == nil && before.action == action {
			before.last = last
			return
		}
		first = before.last + 1
	}
	*p = append(*p, piece{first: first, last: last, action: action, clauses: clauses})
}

// find returns the index of the piece that has a number, given one that may be near.
func (p pieces) find(nr uint32, near int) int {
	const steps = 4
	near = min(near, len(p)-1)
	for range steps {
		switch {
		case nr < p[near].first:
			near--
		case nr > p[near].last:
			near++
		default:
			return near
		}
	}
	low, high := 0, len(p)
	for high-low > 1 {
		if middle := (low + high) / 2; p[middle].first <= nr {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// byNumber walks for each piece of the numbers on the path. Nothing is known of the
// arguments yet, so what is proved of a list of clauses is so for all calls that have it.
func (w *walker) byNumber(pc int, a acc) bool {
	for i := w.first(); i >= 0; i = w.following(i) {
		all, m := w.goal, w.mark()
		ok := true
		if w.enter(&all.numbers[i]) {
			var done bool
			if done, ok = w.lemma(pc, acc{word: noWord}, w.goal); !done {
				ok = w.exactly(pc, acc{word: noWord})
			}
		}
		w.goal = all
		w.undo(m)
		if !ok {
			return false
		}
	}
	return true
}

// first returns the index of the first piece that has numbers on the path.
func (w *walker) first() int {
	w.near = w.goal.numbers.find(w.of[wordNR].first, w.near)
	return w.near
}

// following returns that of the next one, as far as holes do not matter, or -1.
func (w *walker) following(i int) int {
	list, f := w.goal.numbers, &w.of[wordNR]
	if list[i].last >= f.last {
		return -1
	}
	nr, ok := next(list[i].last+1, f.mask, f.value)
	if !ok || nr > f.last {
		return -1
	}
	for i++; list[i].last < nr; {
		i++
	}
	return i
}

// enter narrows the number to a piece and makes that the goal. It reports false if no
// number of the piece is on the path.
func (w *walker) enter(p *piece) bool {
	if !w.assume(wordNR, test{op: atLeast, value: p.first}) {
		return false
	}
	if p.last != math.MaxUint32 && !w.assume(wordNR, test{op: lessThan, value: p.last + 1}) {
		return false
	}
	w.goal = goal{action: p.action}
	if p.clauses != nil {
		if p.list == 0 {
			p.list = w.named(p.clauses)
			for n := len(w.all); n < len(p.clauses); n++ {
				w.all = append(w.all, int32(n))
			}
		}
		w.goal.clauses, w.goal.list = p.clauses, p.list
		w.goal = w.from(0, grantNothing)
	}
	return true
}
