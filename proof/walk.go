package proof

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// maxSteps bounds the work of a walk: some ten milliseconds. A step is an instruction on a
// path, or a condition that is looked at. Docker's default profile takes 800 for three ABIs,
// and none of 10,000 random policies took a tenth of the bound.
const maxSteps = 1 << 18

// Walk answers what Equal(Policy(r), Program(p)) does, for compiled programs in a fraction
// of the time. It is Unknown after a fixed number of steps, and for a program that does what
// compiled filters do not: arithmetic other than AND with a constant, X, scratch memory, or
// the return of a computed value. The error is as for [Equal], and for a program that is nil.
//
// It goes along the paths of the program, with what the tests on a path say of each word of
// seccomp_data (facts), and compares the action at the end with what the policy wants of
// such calls (goal). Where paths join, it proves once what is so whatever the path (lemma).
// docs/PROOF.md says why this is exact, and why it ends.
func Walk(r *policy.Resolved, p *cbpf.Program) (Result, error) { return walk(r, p, maxSteps) }

func walk(r *policy.Resolved, p *cbpf.Program, limit int) (Result, error) {
	if err := r.Validate(); err != nil {
		return Result{}, err
	}
	if p == nil {
		return Result{}, errors.New("proof: no program (compile one)")
	}
	w := newWalker(r, p, limit)
	same := w.everywhere()
	result := Result{Steps: w.steps}
	switch {
	case w.why != "":
		result.Reason = w.why
	case same:
		result.Verdict = Same
	default:
		d := &Witness{Call: w.call, A: r.Eval(&w.call), B: p.Eval(&w.call)}
		if d.A == d.B {
			return result, fmt.Errorf("proof: BUG: the walk says that policy and program differ, but running them gives: %v", d)
		}
		result.Verdict, result.Witness = Different, d
	}
	return result, nil
}

// A walker goes along the paths of a program and compares what it returns there with
// what the policy wants.
type walker struct {
	facts
	policy *policy.Resolved
	at     []place // by instruction
	goal   goal
	calls  []policy.Call // of the space
	pieces pieces        // of all its numbers
	near   int           // the one that was looked at last
	// lemmas is how many lemmas the path is within. What contradicts a lemma need not
	// contradict the policy.
	lemmas int
	stuck  bool // a lemma within a lemma needs more than it is given
	// void is a bit for each word for which a path turned out to have no calls.
	void     uint32
	memo     memo
	key      []uint32       // the last one made
	last     counterexample // the last one found
	counters []counterexample
	all      []int32 // 0, 1, 2, ...
	lists    []int32 // the live clauses of goals on the path that are not from all

	why  string    // the walk has given up
	call cbpf.Data // that the program decides wrongly
}

// A place is an instruction and what holds of it.
type place struct {
	op      uint16
	yes, no uint16 // what is next: without a test it is yes
	ahead   uint16 // words that are loaded there or later, a bit for each
	k       uint32
	word    uint8 // that it loads
	reached bool  // some way leads to it
	join    bool  // several do, and it is not a RET
	reads   bool  // A is read before it is written
}

// An acc is what register A holds: the bits under mask of a word, or, with no word,
// a constant.
type acc struct {
	word int // noWord for none
	mask uint32
	cuts int // comparisons since it was loaded
}

const noWord = -1

// newWalker decodes the program from its end, because jumps go forward only.
func newWalker(r *policy.Resolved, p *cbpf.Program, limit int) *walker {
	w := &walker{policy: r, at: make([]place, p.Len())}
	w.trail, w.holes, w.key = make([]change, 0, 24), make([]hole, 0, 8), make([]uint32, 0, 64)
	w.limit = limit
	order := p.Order()
	for pc := p.Len() - 1; pc >= 0; pc-- {
		ins := p.At(pc)
		at := &w.at[pc]
		at.op, at.k = ins.Op, ins.K
		if ins.Op == opRetK || ins.Op == opRetA {
			at.reads = ins.Op == opRetA
			continue
		}
		yes, no := pc+1, pc+1
		if ins.Op == opJa {
			yes += int(ins.K)
			no = yes
		} else if ins.Op&classMask == classJmp {
			yes += int(ins.Jt)
			no += int(ins.Jf)
		}
		at.yes, at.no = uint16(yes), uint16(no)
		next := w.reach(yes)
		at.ahead = next.ahead
		switch ins.Op {
		case opJa:
			at.reads = next.reads
		case opLdAbs:
			at.word = uint8(wordAt(ins.K, order))
			at.ahead |= 1 << at.word
		case opLdImm, opLdLen:
		default:
			at.reads = true
			if ins.Op&classMask == classJmp {
				at.ahead |= w.reach(no).ahead
			}
		}
	}
	return w
}

// reach notes a way to an instruction.
func (w *walker) reach(pc int) *place {
	at := &w.at[pc]
	at.join = at.reached && at.op != opRetK
	at.reached = true
	return at
}

// everywhere walks for each AUDIT_ARCH value of the policy, then for all others together.
func (w *walker) everywhere() bool {
	spaces := w.policy.Spaces
	for i := range spaces {
		w.undo(mark{})
		w.forget()
		w.assume(wordArch, test{bitsAre, math.MaxUint32, spaces[i].Audit})
		w.goal = goal{numbers: w.piecesOf(&spaces[i])}
		if !w.begin() {
			return false
		}
	}
	w.undo(mark{})
	w.forget()
	for i := range spaces {
		w.assume(wordArch, test{bitsAreNot, math.MaxUint32, spaces[i].Audit})
	}
	w.goal = goal{action: w.policy.BadArch}
	return w.begin()
}

func (w *walker) begin() bool {
	if len(w.at) == 0 { // the zero Program, as it is evaluated
		return w.ret(cbpf.KillThread)
	}
	return w.arrive(0, acc{word: noWord})
}

func (w *walker) giveUp(why string) bool {
	if w.why == "" {
		w.why = why
	}
	return false
}

func (w *walker) spend() bool {
	w.steps++
	return w.steps <= w.limit || w.tooLong()
}

func (w *walker) tooLong() bool { return w.giveUp(fmt.Sprintf("more than %d steps", w.limit)) }

// arrive reports whether the program does at pc what the goal wants, for all calls that the
// path stands for. What it assumes on the way is left to its caller to undo.
func (w *walker) arrive(pc int, a acc) bool { return w.walk(pc, a, false) }

// walk is arrive. Where the claim for pc was made already, it is not made again.
func (w *walker) walk(pc int, a acc, claimed bool) bool {
	for {
		at := &w.at[pc]
		if at.join && !claimed && w.goal.numbers == nil {
			return w.prove(pc, a)
		}
		claimed = false
		if w.steps++; w.steps > w.limit {
			return w.tooLong()
		}
		switch at.op {
		case opLdAbs:
			word := int(at.word)
			if w.goal.numbers != nil && word != wordNR && word != wordArch {
				return w.byNumber(pc, a)
			}
			a = acc{word: word, mask: math.MaxUint32}
			if f := &w.of[word]; word == wordNR && w.goal.numbers != nil && f.mask == agreed(f.first, f.last) {
				return w.span(int(at.yes), f.first, f.last)
			}
		case opLdImm:
			a = acc{word: noWord, mask: at.k}
		case opLdLen:
			a = acc{word: noWord, mask: cbpf.DataSize}
		case classAlu | aluAnd:
			if a.mask &= at.k; a.mask == 0 {
				a.word = noWord
			}
		case opJa:
		case opRetK:
			return w.ret(cbpf.Action(at.k))
		case classJmp | jmpEq, classJmp | jmpGt, classJmp | jmpGe, classJmp | jmpSet:
			t, answer := w.test(a, at.op&operation, at.k)
			if answer == never {
				pc = int(at.no)
				continue
			}
			if answer == sometimes {
				if len(w.goal.live) > 0 {
					return w.branch(pc, a, t)
				}
				yes, no := w.sides(pc, t)
				m := w.mark()
				if w.assume(a.word, t) && !w.walk(yes, a, yes == pc) {
					return false
				}
				w.undo(m)
				if !w.assume(a.word, t.not()) {
					return true
				}
				pc, claimed = no, no == pc
				continue
			}
		default:
			return w.giveUp(fmt.Sprintf("instruction %d does what no compiled filter does", pc))
		}
		pc = int(at.yes)
	}
}

// sides returns where the outcomes of the test at pc lead: back there after one of a bit of
// the word that has to come first.
func (w *walker) sides(pc int, t test) (yes, no int) {
	at := &w.at[pc]
	if t.op == bitsAre && at.op != classJmp|jmpEq {
		return pc, pc
	}
	return int(at.yes), int(at.no)
}

// branch goes both ways of a test where clauses are left.
func (w *walker) branch(pc int, a acc, t test) bool {
	if t.op == atLeast {
		a.cuts++
	}
	yes, no := w.sides(pc, t)
	open, m := w.open(a.word), w.mark()
	if w.assume(a.word, t) && !w.follow(pc, yes, a, open) {
		return false
	}
	w.undo(m)
	return !w.assume(a.word, t.not()) || w.follow(pc, no, a, open)
}

// open reports whether the first live clause may hold and has a condition on a word.
func (w *walker) open(word int) bool {
	g := &w.goal
	c := g.at(0)
	onWord := func(c policy.Cond) bool { return wordArgs+2*int(c.Arg) == word&^1 }
	if !slices.ContainsFunc(c.Conds, onWord) {
		return false
	}
	holds, _, _ := w.clause(c, g.granted)
	return holds != never
}

// A plain program compares a word twice at most: it is a search tree from manyCuts
// comparisons on. Fewer clauses than manyClauses are not worth the trouble.
const (
	manyCuts    = 3
	manyClauses = 8
)

// follow goes from the test at pc to what follows it. Where the test refutes the first live
// clause, which was open, a plain program begins with the next one, and a lemma about that
// needs none of the facts so far. Where it searches a tree of comparisons, the clauses are
// dropped that do not hold: otherwise each leaf would look at all of them.
func (w *walker) follow(pc, to int, a acc, open bool) bool {
	if to == pc {
		return w.walk(pc, a, true)
	}
	if open && a.cuts < manyCuts && w.at[to].op == opLdAbs {
		if holds, _, _ := w.clause(w.goal.at(0), w.goal.granted); holds == never {
			return w.prove(to, a)
		}
	}
	if a.cuts < manyCuts || len(w.goal.live) < manyClauses {
		return w.arrive(to, a)
	}
	live, granted, start := w.goal.live, w.goal.granted, len(w.lists)
	w.narrow()
	ok := w.arrive(to, a)
	w.goal.live, w.goal.granted, w.lists = live, granted, w.lists[:start]
	return ok
}

// narrow drops the live clauses that do not hold, and those behind one that always does.
func (w *walker) narrow() {
	g, start := &w.goal, len(w.lists)
	for i := range g.live {
		holds, _, _ := w.clause(g.at(i), g.grantedOf(i))
		if holds == never {
			continue
		}
		w.lists = append(w.lists, g.live[i])
		if holds == always {
			break
		}
	}
	left := w.lists[start:len(w.lists):len(w.lists)]
	if len(left) == 0 || left[0] != g.live[0] {
		g.granted = grantNothing
	}
	g.live = left
}

// test turns a comparison of A with a constant into one of the word in A, or an answer.
func (w *walker) test(a acc, op uint16, k uint32) (t test, answer truth) {
	if op == jmpSet {
		k &= a.mask
		if a.word == noWord || k == 0 {
			return t, truthOf(k != 0)
		}
		return test{bitsAreNot, k, 0}, sometimes
	}
	if a.word == noWord {
		return t, truthOf(op == jmpEq && a.mask == k || op == jmpGt && a.mask > k || op == jmpGe && a.mask >= k)
	}
	if op == jmpEq {
		if k&^a.mask != 0 {
			return t, never
		}
		return test{bitsAre, a.mask, k}, sometimes
	}
	if op == jmpGt {
		if k++; k == 0 {
			return t, never
		}
	}
	return w.atLeast(a, k)
}

func truthOf(b bool) truth {
	if b {
		return always
	}
	return never
}

// atLeast turns a test for at least k into one of the word in A, or an answer. If there is
// no such test, it is one of a bit of the word: with either outcome there is less
// unknown, and at last an answer.
func (w *walker) atLeast(a acc, k uint32) (t test, answer truth) {
	f := &w.of[a.word]
	if a.mask == ^uint32(0) {
		switch {
		case f.first >= k:
			return t, always
		case f.last < k:
			return t, never
		}
		return test{op: atLeast, value: k}, sometimes
	}
	unknown := a.mask &^ f.mask
	least := f.value & a.mask
	switch {
	case least >= k:
		return t, always
	case least|unknown < k:
		return t, never
	}
	// Where the bits outside of the mask are known, or lower than all bits of it, the
	// word grows with what A holds.
	outside := ^a.mask &^ (a.mask&-a.mask - 1)
	if outside&^f.mask == 0 {
		k, _ = next(k, ^a.mask, 0) // there is one: the largest value of A
		return test{op: atLeast, value: k | f.value&outside}, sometimes
	}
	bit := highest(unknown)
	return test{bitsAre, bit, bit}, sometimes
}
