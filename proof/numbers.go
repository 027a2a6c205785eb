package proof

import (
	"math"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A piece is neighbouring numbers that the policy decides alike: by the clauses of a call,
// or all by one action.
type piece struct {
	first, last uint32
	action      cbpf.Action
	call        int32 // index, or noCall
	list        int32 // names the clauses once they have a name
}

const noCall = -1

// pieces are numbers from 0 on, ascending and without gaps.
type pieces []piece

// piecesOf returns all numbers of a space. Those of another space are no more then.
func (w *walker) piecesOf(s *policy.Space) pieces {
	w.calls = s.Calls
	list, n := slices.Grow(w.pieces[:0], 16+len(s.Calls)/2), 0
	for _, x := range s.Ranges {
		if x.First > 0 {
			list, n = list.decide(w.policy.Default, s.Calls, n, x.First-1)
		}
		list = list.add(x.Last, x.Action, noCall)
	}
	w.pieces, _ = list.decide(w.policy.Default, s.Calls, n, math.MaxUint32)
	return w.pieces
}

// decide appends the numbers up to last that are not there yet. They are in no range, and
// calls from the n-th on decide them. It returns the index of the first call after them.
func (p pieces) decide(otherwise cbpf.Action, calls []policy.Call, n int, last uint32) (pieces, int) {
	for n < len(calls) && calls[n].NR <= last {
		c, call := &calls[n], int32(noCall)
		if c.NR > 0 {
			p = p.add(c.NR-1, otherwise, noCall)
		}
		action := c.Clauses[0].Action
		if len(c.Clauses[0].Conds) > 0 {
			action, call = otherwise, int32(n)
		}
		n += alike(calls[n:])
		p = p.add(calls[n-1].NR, action, call)
	}
	return p.add(last, otherwise, noCall), n
}

// alike returns how many calls from the first on have neighbouring numbers and share
// their clauses, as most do. Inside of decide the loop would not have its variables in
// registers.
//
//go:noinline
func alike(calls []policy.Call) int {
	nr, clauses := calls[0].NR, calls[0].Clauses
	first := &clauses[0]
	for n := range calls {
		c := &calls[n]
		if c.NR != nr || len(c.Clauses) != len(clauses) || &c.Clauses[0] != first {
			return n
		}
		nr++
	}
	return len(calls)
}

// add appends the numbers up to last that are not there yet, if there are any.
func (p pieces) add(last uint32, action cbpf.Action, call int32) pieces {
	first := uint32(0)
	if n := len(p); n > 0 {
		before := &p[n-1]
		if before.last >= last {
			return p
		}
		if call == noCall && before.call == noCall && before.action == action {
			before.last = last
			return p
		}
		first = before.last + 1
	}
	return append(p, piece{first, last, action, call, 0})
}

// find returns the index of the piece that has a number, given one that may be near.
func (p pieces) find(nr uint32, near int) int {
	near = min(near, len(p)-1)
	for steps := 4; steps > 0; steps-- {
		switch x := &p[near]; {
		case nr < x.first:
			near--
		case nr > x.last:
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

// following returns the index of the next piece after the i-th that has numbers of which a
// fact is true, -1 if none has.
func (p pieces) following(i int, f *fact) int {
	if p[i].last >= f.last {
		return -1
	}
	nr, ok := next(p[i].last+1, f.mask, f.value)
	if !ok || nr > f.last {
		return -1
	}
	for i++; p[i].last < nr; {
		i++
	}
	return i
}

// span is walk for the numbers from first to last but for holes, with the number in A. It
// goes on as long as the program compares the number with constants, which is most of what
// a filter does, and proves more than it has to where no fact says that a number is not on
// the path. What it cannot prove so is for walk.
func (w *walker) span(pc int, first, last uint32) bool {
	for {
		at, k := &w.at[pc], w.at[pc].k
		yes, no := int(at.yes), int(at.no)
		switch {
		case at.op == opRetK && w.decidesAll(cbpf.Action(k), first, last):
			return w.spend()
		case at.op == opJa:
			pc = yes
		case at.op == classJmp|jmpEq && (k < first || last < k):
			pc = no
		case at.op == classJmp|jmpEq:
			holes := len(w.holes)
			if !w.span(yes, k, k) {
				return false
			}
			w.holes = w.holes[:holes]
			switch {
			case first == last:
				return true
			case k == first:
				first++
			case k == last:
				last--
			default:
				w.holes = append(w.holes, hole{wordNR, math.MaxUint32, k})
			}
			pc = no
		case at.op == classJmp|jmpGe || at.op == classJmp|jmpGt && k < math.MaxUint32:
			if at.op == classJmp|jmpGt {
				k++
			}
			if k <= last {
				holes := len(w.holes)
				if !w.span(yes, max(first, k), last) {
					return false
				}
				w.holes = w.holes[:holes]
			}
			if k <= first {
				return true
			}
			pc, last = no, min(last, k-1)
		default:
			return w.wide(pc, first, last)
		}
		if !w.spend() {
			return false
		}
	}
}

// wide is arrive for a span.
func (w *walker) wide(pc int, first, last uint32) bool {
	m := w.mark()
	ok := !w.meet(wordNR, fact{first: first, last: last}) || w.arrive(pc, acc{word: wordNR, mask: math.MaxUint32})
	w.undo(m)
	return ok
}

// decidesAll reports whether an action alone decides all numbers of a span but for holes.
func (w *walker) decidesAll(a cbpf.Action, first, last uint32) bool {
	list := w.goal.numbers
	i := list.find(first, w.near)
	for w.near = i; ; i++ {
		p := &list[i]
		if (p.call != noCall || p.action != a) && (p.first < p.last || w.in(wordNR, math.MaxUint32, p.first) != never) {
			return false
		}
		if p.last >= last {
			return true
		}
	}
}

// byNumber walks for each piece of the numbers on the path. Nothing is known of the
// arguments yet, so what is proved of a list of clauses is so for all calls that have it.
func (w *walker) byNumber(pc int, a acc) bool {
	list, f := w.goal.numbers, w.of[wordNR]
	i := list.find(f.first, w.near)
	for w.near = i; i >= 0; i = list.following(i, &f) {
		all, m := w.goal, w.mark()
		ok := true
		if w.enter(&list[i]) {
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

// enter narrows the number to a piece and makes that the goal. It reports false if no
// number of the piece is on the path.
func (w *walker) enter(p *piece) bool {
	if !w.meet(wordNR, fact{first: p.first, last: p.last}) {
		return false
	}
	w.goal = goal{action: p.action}
	if p.call != noCall {
		clauses := w.calls[p.call].Clauses
		if p.list == 0 {
			p.list = w.named(clauses)
			for n := len(w.all); n < len(clauses); n++ {
				w.all = append(w.all, int32(n))
			}
		}
		w.goal.clauses, w.goal.list = clauses, p.list
		w.goal = w.from(0, grantNothing)
	}
	return true
}
