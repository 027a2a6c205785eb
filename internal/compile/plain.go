package compile

import (
	"encoding/binary"
	"math"
	"slices"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Plain returns a second program that means the same as [Compile]'s, made so plainly
// that it is easy to see right: a search over the numbers, and behind it for each call
// its clauses in order, each a list of tests. It uses no other pass and no diagram.
//
// Where all that a call's rules have in common is few, this is shorter than a diagram,
// and it takes its place if that should ever be wrong.
//
// The policy is one that Compile finds valid. The error is a [*TooLongError] for more
// instructions than the limit, or the kernel's if that is lower. A limit below the kernel's
// also bounds the time, and the error names no calls then.
func Plain(r *policy.Resolved, limit int) (*cbpf.Program, error) {
	p := &plain{policy: r, big: r.Order() == binary.BigEndian, enough: math.MaxInt}
	if limit < cbpf.MaxInstructions {
		p.enough = limit
	}
	p.program()
	if p.n > min(limit, cbpf.MaxInstructions) {
		long := &TooLongError{Len: p.n}
		if limit >= cbpf.MaxInstructions {
			long.blame(r, plainSize)
		}
		return nil, long
	}
	for i, j := 0, len(p.code)-1; i < j; i, j = i+1, j-1 {
		p.code[i], p.code[j] = p.code[j], p.code[i]
		p.from[i], p.from[j] = p.from[j], p.from[i]
	}
	program, err := cbpf.New(p.code, r.Order())
	if err != nil {
		return nil, err
	}
	return program.WithOrigins(p.from), nil
}

// plainSize estimates the instructions for the clauses of a call.
func plainSize(_ *policy.Space, c *policy.Call) int {
	size := 0
	for i := range c.Clauses {
		for _, cond := range c.Clauses[i].Conds {
			size += 2 // a load and a test for each half
			if half(cond.Mask, true) != 0 {
				size += 2
			}
		}
	}
	return size
}

// A plain emits a program from its last instruction to its first, because jumps go
// forward only: what a jump leads to is there before it.
type plain struct {
	policy *policy.Resolved
	big    bool
	enough int                  // with more than so many, the rest does not matter
	n      int                  // instructions emitted
	code   []bpf.RawInstruction // those that fit, the last one first
	from   []string             // the rule of each instruction
	origin string               // the rule of the instructions that come now
	rets   []ret                // the last of each action
	bodies []body
}

// A place is an instruction: n once it was emitted.
type place int

// A ret is where an action is returned.
type ret struct {
	action cbpf.Action
	at     place
}

// A body is where a list of clauses is tried.
type body struct {
	first *policy.Clause
	n     int
	at    place
}

// emit emits an instruction that is not a test.
func (p *plain) emit(op uint16, k uint32) place { return p.add(bpf.RawInstruction{Op: op, K: k}) }

func (p *plain) add(ins bpf.RawInstruction) place {
	if p.n++; p.n <= cbpf.MaxInstructions {
		p.code = append(p.code, ins)
		p.from = append(p.from, p.origin)
	}
	return place(p.n)
}

// The conditional jumps that a plain program has, with a constant (linux/bpf_common.h).
const (
	jumpEqual   = 0x15
	jumpAbove   = 0x25 // greater
	jumpAtLeast = 0x35
	jumpAnySet  = 0x45
)

// skips returns how many instructions the next one would skip to get to a place.
func (p *plain) skips(to place) int { return p.n - int(to) }

// test emits a conditional jump. A place that is too far away gets a jump of its own
// right behind the test.
func (p *plain) test(op uint16, k uint32, yes, no place) place {
	if p.skips(yes) >= maxJump { // not just >: the jump to no may come in between
		yes = p.emit(opJump, uint32(p.skips(yes)))
	}
	if p.skips(no) > maxJump {
		no = p.emit(opJump, uint32(p.skips(no)))
	}
	return p.add(bpf.RawInstruction{Op: op, K: k, Jt: uint8(p.skips(yes)), Jf: uint8(p.skips(no))})
}

// returns returns a place within reach that returns an action.
func (p *plain) returns(a cbpf.Action) place {
	for i := range p.rets {
		if r := &p.rets[i]; r.action == a {
			if p.skips(r.at) >= maxJump {
				r.at = p.emit(opRet, uint32(a))
			}
			return r.at
		}
	}
	at := p.emit(opRet, uint32(a))
	p.rets = append(p.rets, ret{a, at})
	return at
}

// program emits everything, the first instruction last.
func (p *plain) program() {
	spaces := p.policy.Spaces
	numbers, tests := make([][]piece, len(spaces)), 0
	for i := range spaces {
		numbers[i] = pieces(p.policy, &spaces[i], p.enough-tests)
		if tests += len(numbers[i]) - 1; tests > p.enough {
			p.n = tests
			return
		}
	}
	starts := make([]place, len(spaces))
	for i, s := range numbers {
		starts[i] = p.search(s)
		if p.n > p.enough {
			return
		}
		if p.origin = ""; len(s) > 1 { // else nothing asks for the number
			starts[i] = p.emit(opLoad, cbpf.OffNR)
		}
	}
	at := p.returns(p.policy.BadArch)
	for i := range spaces {
		at = p.test(jumpEqual, spaces[i].Audit, starts[i], at)
	}
	p.emit(opLoad, cbpf.OffArch)
}

// search emits a binary search for the piece of the number in the accumulator. There is no
// place if it has emitted enough.
func (p *plain) search(s []piece) place {
	if len(s) == 1 {
		return p.outcome(&s[0])
	}
	middle := len(s) / 2
	high := p.search(s[middle:])
	if p.n > p.enough {
		return 0
	}
	low := p.search(s[:middle])
	if p.n > p.enough {
		return 0
	}
	p.origin = ""
	return p.test(jumpAtLeast, s[middle].first, high, low)
}

// outcome returns the place for all numbers of a piece.
func (p *plain) outcome(s *piece) place {
	if len(s.clauses) == 0 {
		p.origin = ""
		return p.returns(s.action)
	}
	for _, b := range p.bodies {
		if b.first == &s.clauses[0] && b.n == len(s.clauses) {
			return b.at
		}
	}
	p.origin = ""
	at := p.returns(p.policy.Default)
	for i := len(s.clauses) - 1; i >= 0 && p.n <= p.enough; i-- {
		if c := &s.clauses[i]; !slices.ContainsFunc(c.Conds, isImpossible) {
			at = p.clause(c, at)
		}
	}
	p.bodies = append(p.bodies, body{&s.clauses[0], len(s.clauses), at})
	return at
}

// isImpossible and isTrivial report whether nothing or anything satisfies a condition.
func isImpossible(c policy.Cond) bool {
	return c.Op == policy.Less && c.Value == 0 || c.Op == policy.Greater && c.Value == c.Mask
}

func isTrivial(c policy.Cond) bool {
	return c.Op == policy.GreaterEqual && c.Value == 0 || c.Op == policy.LessEqual && c.Value == c.Mask
}

// clause emits the tests of a clause, which go on to another place when one fails.
func (p *plain) clause(c *policy.Clause, otherwise place) place {
	p.origin = c.Pointer
	at := p.returns(c.Action)
	for i := len(c.Conds) - 1; i >= 0; i-- {
		if !isTrivial(c.Conds[i]) {
			at = p.cond(c.Conds[i], at, otherwise)
		}
	}
	return at
}

// cond emits the tests of a condition.
func (p *plain) cond(c policy.Cond, yes, no place) place {
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		return p.equal(c, yes, no)
	case policy.NotEqual, policy.MaskedNotEqual:
		return p.equal(c, no, yes)
	case policy.GreaterEqual:
		return p.above(jumpAtLeast, c, yes, no)
	case policy.Less:
		return p.above(jumpAtLeast, c, no, yes)
	case policy.Greater:
		return p.above(jumpAbove, c, yes, no)
	case policy.LessEqual:
		return p.above(jumpAbove, c, no, yes)
	}
	panic("BUG: operator " + c.Op.String()) // Validate refuses it
}

// equal compares the bits of a mask, first those of the upper half.
func (p *plain) equal(c policy.Cond, yes, no place) place {
	for _, upper := range [...]bool{false, true} {
		mask, value := half(c.Mask, upper), half(c.Value, upper)
		switch {
		case mask == 0:
			continue
		case mask == ^uint32(0):
			p.test(jumpEqual, value, yes, no)
		case value == 0:
			p.test(jumpAnySet, mask, no, yes)
		default:
			p.test(jumpEqual, value, yes, no)
			p.emit(opAnd, mask)
		}
		yes = p.load(c.Arg, upper)
	}
	return yes
}

// above asks whether an argument is at least the value, or with [jumpAbove] greater. Where
// the ABI has an upper half, that decides unless it is equal.
func (p *plain) above(op uint16, c policy.Cond, yes, no place) place {
	p.test(op, half(c.Value, false), yes, no)
	at := p.load(c.Arg, false)
	if half(c.Mask, true) != 0 {
		at = p.test(jumpEqual, half(c.Value, true), at, no)
		p.test(jumpAbove, half(c.Value, true), yes, at)
		at = p.load(c.Arg, true)
	}
	return at
}

func half(v uint64, upper bool) uint32 {
	if upper {
		return uint32(v >> 32)
	}
	return uint32(v)
}

// load emits the load of half an argument.
func (p *plain) load(arg uint8, upper bool) place {
	offset := uint32(cbpf.OffArgs) + 8*uint32(arg)
	if upper != p.big { // the upper half comes first where the target is big-endian
		offset += 4
	}
	return p.emit(opLoad, offset)
}

// A piece is neighbouring numbers with the same outcome, from first to where the next
// piece starts: clauses, or without any an action.
type piece struct {
	first   uint32
	clauses []policy.Clause
	action  cbpf.Action
}

func (s *piece) same(t *piece) bool {
	if len(s.clauses) != len(t.clauses) {
		return false
	}
	return len(s.clauses) == 0 && s.action == t.action || len(s.clauses) > 0 && &s.clauses[0] == &t.clauses[0]
}

// pieces returns what a space does with every number, or only with the first numbers if more
// tests than a limit tell them apart.
func pieces(r *policy.Resolved, s *policy.Space, limit int) []piece {
	out := make([]piece, 0, 64)
	ranges, calls := s.Ranges, s.Calls
	for nr := uint64(0); nr <= math.MaxUint32 && len(out)-1 <= limit; {
		for len(calls) > 0 && uint64(calls[0].NR) < nr {
			calls = calls[1:]
		}
		next := piece{first: uint32(nr), action: r.Default}
		end := uint64(math.MaxUint64) // where what decides nr may end
		if len(calls) > 0 && uint64(calls[0].NR) > nr {
			end = uint64(calls[0].NR)
		} else if len(calls) > 0 {
			end = nr + uint64(alike(calls))
			if next.clauses = calls[0].Clauses; len(next.clauses[0].Conds) == 0 {
				next.action, next.clauses = next.clauses[0].Action, nil
			}
		}
		end = over(&next, &ranges, end)
		if n := len(out); n == 0 || !out[n-1].same(&next) {
			out = append(out, next)
		}
		nr = end
	}
	return out
}

// alike returns how many calls from the first on are neighbours with the same clauses.
func alike(calls []policy.Call) int {
	first, n := &calls[0], 1
	for n < len(calls) && calls[n].NR == first.NR+uint32(n) &&
		len(calls[n].Clauses) == len(first.Clauses) && &calls[n].Clauses[0] == &first.Clauses[0] {
		n++
	}
	return n
}

// over lets a range that holds the first number of a piece decide it, and returns where
// the piece ends.
func over(s *piece, ranges *[]policy.Range, end uint64) uint64 {
	for len(*ranges) > 0 && (*ranges)[0].Last < s.first {
		*ranges = (*ranges)[1:]
	}
	if len(*ranges) == 0 {
		return end
	}
	x := (*ranges)[0]
	if x.First > s.first {
		return min(end, uint64(x.First))
	}
	s.action, s.clauses = x.Action, nil
	return uint64(x.Last) + 1
}
