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

// piecesOf returns all numbers of a space.
func piecesOf(r *policy.Resolved, s *policy.Space) pieces {
	list := make(pieces, 0, 64)
	calls, at := s.Calls, uint64(0)
	for _, x := range s.Ranges {
		if at < uint64(x.First) {
			calls = list.decide(r, calls, uint32(at), x.First-1)
		}
		list.add(x.Last, x.Action, nil)
		at = uint64(x.Last) + 1
	}
	if at <= math.MaxUint32 {
		list.decide(r, calls, uint32(at), math.MaxUint32)
	}
	return list
}

// decide adds the numbers from at to last, which are in no range, and returns the calls
// after them.
func (p *pieces) decide(r *policy.Resolved, calls []policy.Call, at, last uint32) []policy.Call {
	next := uint64(at)      // the first number that is not in p yet
	var same *policy.Clause // decides those before it, whatever the arguments: neighbours share clauses
	n := 0
	for ; n < len(calls); n++ {
		c := &calls[n]
		if c.NR > last {
			break
		}
		first := &c.Clauses[0]
		if first == same && uint64(c.NR) == next {
			next++
			continue
		}
		p.extend(next)
		if next < uint64(c.NR) {
			p.add(c.NR-1, r.Default, nil)
		}
		if same = first; len(first.Conds) == 0 {
			p.add(c.NR, first.Action, nil)
		} else {
			same = nil
			p.add(c.NR, r.Default, c.Clauses)
		}
		next = uint64(c.NR) + 1
	}
	p.extend(next)
	if next <= uint64(last) {
		p.add(last, r.Default, nil)
	}
	return calls[n:]
}

// extend makes the last piece, if there is one, end before a number.
func (p *pieces) extend(next uint64) {
	if n := len(*p); n > 0 {
		(*p)[n-1].last = uint32(next - 1)
	}
}

// add adds the numbers up to last.
func (p *pieces) add(last uint32, action cbpf.Action, clauses []policy.Clause) {
	first := uint32(0)
	if n := len(*p); n > 0 {
		before := &(*p)[n-1]
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
	list, last := w.goal.numbers, w.of[wordNR].last
	w.near = list.find(w.of[wordNR].first, w.near)
	for i := w.near; i < len(list) && list[i].first <= last; i++ {
		all, m := w.goal, w.save(wordNR)
		ok := true
		if w.enter(&list[i]) {
			var done bool
			if done, ok = w.lemma(pc, acc{word: noWord}, w.goal); !done {
				ok = w.exactly(pc, acc{word: noWord})
			}
		}
		w.goal = all
		w.restore(m)
		if !ok {
			return false
		}
	}
	return true
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
