package playground

import (
	"encoding/binary"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A reaching says which instructions the calls of the filter's ABIs may execute.
type reaching struct {
	calls []graph.Call // by ABI and number
	pcs   [][]int      // by call, ascending
	index map[graph.Call]int
	words []tested // by instruction
}

// A tested is the word of a call that an instruction loads or a jump tests, or nothing.
type tested struct {
	word compile.Word
	ok   bool
}

// reached returns what the calls may execute.
func (s *subject) reached() *reaching {
	if s.reaching != nil {
		return s.reaching
	}
	r := &reaching{index: make(map[graph.Call]int), words: testedWords(s.filter)}
	of := stats.Reaching(s.filter)
	for _, a := range s.abis {
		for nr := range syscalltables.All(a) {
			call := graph.Call{ABI: a, NR: nr}
			r.index[call] = len(r.calls)
			r.calls = append(r.calls, call)
			r.pcs = append(r.pcs, of(a.Audit(), nr))
		}
	}
	s.reaching = r
	return r
}

// testedWords returns which word of a call each instruction loads or tests, the latter as far as
// all paths to it have loaded the same one.
func testedWords(p *cbpf.Program) []tested {
	type state struct {
		tested
		reached bool
	}
	states := make([]state, p.Len()+1)
	states[0].reached = true
	words := make([]tested, p.Len())
	for pc := range p.Len() {
		ins, now := p.At(pc), states[pc]
		if !now.reached {
			continue
		}
		to := func(next int) {
			if t := &states[next]; !t.reached {
				*t = now
			} else if t.tested != now.tested {
				t.tested = tested{}
			}
		}
		switch {
		case ins.Op == opLoad:
			now.tested = tested{wordAt(ins.K, p.Order()), true}
			words[pc] = now.tested
			to(pc + 1)
		case ins.Op == opJump:
			to(pc + 1 + int(ins.K))
		case ins.Op&classMask == classJump:
			words[pc] = now.tested
			to(pc + 1 + int(ins.Jt))
			to(pc + 1 + int(ins.Jf))
		case ins.Op&classMask == classReturn:
		case ins.Op == opAnd:
			words[pc] = now.tested // a part of the test that follows
			to(pc + 1)
		default:
			now.tested = tested{}
			to(pc + 1)
		}
	}
	return words
}

// Opcodes of linux/bpf_common.h.
const (
	classReturn = 0x06
	opAnd       = 0x54 // AND K
)

// wordAt returns the word at an offset of seccomp_data.
func wordAt(offset uint32, order binary.ByteOrder) compile.Word {
	w := compile.Word(offset / 4)
	if w >= compile.IPLo && order == binary.BigEndian {
		w ^= 1 // the upper half comes first
	}
	return w
}

// matches reports whether an instruction does what a box stands for.
func (s *subject) matches(pc int, m *graph.Mark) bool {
	ins := s.filter.At(pc)
	if m.Leaf || ins.Op&classMask == classReturn {
		return m.Leaf && ins.Op == opReturn && cbpf.Action(ins.K) == m.Action
	}
	t := s.reached().words[pc]
	return t.ok && t.word == m.Word && !m.DropX32 && (!m.Compares || ins.K == m.K)
}

// trail returns what belongs to a thing on the page.
func (e *Engine) trail(q *trailOf) (*Trail, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	g, err := s.drawing(q.Stage, q.Call)
	if err != nil {
		g = nil // there is nothing drawn to light up
	}
	t := newTrail()
	switch spot := &q.Spot; {
	case spot.Call != nil:
		err = s.ofCall(t, g, *spot.Call)
	case spot.Node != nil:
		err = s.ofBox(t, g, *spot.Node)
	case spot.PC != nil:
		err = s.ofInstruction(t, g, *spot.PC)
	case spot.Pointer != nil:
		s.ofRule(t, g, *spot.Pointer)
	default:
		err = failure.Usagef("trail: nothing is pointed at")
	}
	if err != nil {
		return nil, err
	}
	return t, nil
}

func newTrail() *Trail {
	return &Trail{Calls: []CallRef{}, Nodes: []int{}, PCs: []int{}, Pointers: []string{}}
}

// addCall adds a call, and the pointers of the rules for it that have one of some actions, or
// any if there are none.
func (s *subject) addCall(t *Trail, c graph.Call, actions ...cbpf.Action) {
	t.Calls = append(t.Calls, CallRef{c.ABI.String(), c.NR})
	for _, clause := range s.clauses(c.ABI.Audit(), c.NR) {
		if clause.Pointer != "" && (len(actions) == 0 || slices.Contains(actions, clause.Action)) && !slices.Contains(t.Pointers, clause.Pointer) {
			t.Pointers = append(t.Pointers, clause.Pointer)
		}
	}
}

func (s *subject) clauses(audit, nr uint32) []policy.Clause {
	if s.compiled == nil {
		return nil
	}
	return s.compiled.Resolved.Clauses(audit, nr)
}

// ofCall is for a call: all that it may pass.
func (s *subject) ofCall(t *Trail, g *graph.Graph, call CallRef) error {
	var audit uint32 // 0 is that of no ABI
	if call.ABI != "" {
		a, err := intake.ParseABI(call.ABI)
		if err != nil {
			return err
		}
		audit = a.Audit()
		s.addCall(t, graph.Call{ABI: a, NR: call.Number})
	} else {
		t.Calls = append(t.Calls, call)
	}
	if g != nil {
		t.Nodes = g.Reach(audit, call.Number)
	}
	t.PCs = stats.Reaching(s.filter)(audit, call.Number)
	return nil
}

// ofBox is for a box: the calls that pass it, and the instructions that do the same for them.
func (s *subject) ofBox(t *Trail, g *graph.Graph, box int) error {
	if g == nil || box < 0 || box >= g.Len() {
		return failure.Usagef("trail: nothing is drawn with the number %d", box)
	}
	t.Nodes = append(t.Nodes, box)
	m := g.Mark(box)
	if m.Origin != "" {
		t.Pointers = append(t.Pointers, m.Origin)
	}
	r := s.reached()
	passed := make([]bool, s.filter.Len())
	for _, c := range m.Calls {
		if m.Leaf {
			s.addCall(t, c, m.Action)
		} else {
			t.Calls = append(t.Calls, CallRef{c.ABI.String(), c.NR})
		}
		if i, ok := r.index[c]; ok {
			for _, pc := range r.pcs[i] {
				passed[pc] = true
			}
		}
	}
	for pc, ok := range passed {
		if ok && s.matches(pc, &m) {
			t.PCs = append(t.PCs, pc)
		}
	}
	return nil
}

// ofInstruction is for an instruction: the calls that may execute it, and the boxes that stand
// for what it does for them.
func (s *subject) ofInstruction(t *Trail, g *graph.Graph, pc int) error {
	if pc < 0 || pc >= s.filter.Len() {
		return failure.Usagef("trail: the filter has no instruction %d", pc)
	}
	t.PCs = append(t.PCs, pc)
	if origin := s.filter.Origin(pc); origin != "" {
		t.Pointers = append(t.Pointers, origin)
	}
	r := s.reached()
	passes := make(map[graph.Call]bool)
	ins := s.filter.At(pc)
	for i, c := range r.calls {
		if _, ok := slices.BinarySearch(r.pcs[i], pc); !ok {
			continue
		}
		passes[c] = true
		if ins.Op == opReturn {
			s.addCall(t, c, cbpf.Action(ins.K))
		} else {
			t.Calls = append(t.Calls, CallRef{c.ABI.String(), c.NR})
		}
	}
	t.Nodes = s.boxes(g, passes, func(m *graph.Mark) bool { return s.matches(pc, m) })
	return nil
}

// boxes returns the boxes that some of the calls pass and for which a condition holds.
func (s *subject) boxes(g *graph.Graph, calls map[graph.Call]bool, holds func(*graph.Mark) bool) []int {
	list := []int{}
	if g == nil {
		return list
	}
	for box := range g.Len() {
		m := g.Mark(box)
		if holds(&m) && slices.ContainsFunc(m.Calls, func(c graph.Call) bool { return calls[c] }) {
			list = append(list, box)
		}
	}
	return list
}

// ofRule is for a rule: its calls, and the tests and verdicts that are made for it.
func (s *subject) ofRule(t *Trail, g *graph.Graph, pointer string) {
	t.Pointers = append(t.Pointers, pointer)
	r := s.reached()
	calls := make(map[graph.Call]bool)
	returned := make(map[int]bool) // instructions
	var actions []cbpf.Action
	for i, c := range r.calls {
		for _, clause := range s.clauses(c.ABI.Audit(), c.NR) {
			if clause.Pointer != pointer {
				continue
			}
			if !calls[c] {
				t.Calls = append(t.Calls, CallRef{c.ABI.String(), c.NR})
			}
			calls[c] = true
			actions = append(actions, clause.Action)
			for _, pc := range r.pcs[i] {
				returned[pc] = returned[pc] || s.matches(pc, &graph.Mark{Leaf: true, Action: clause.Action})
			}
		}
	}
	for pc := range s.filter.Len() {
		if s.filter.Origin(pc) == pointer || returned[pc] {
			t.PCs = append(t.PCs, pc)
		}
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	t.Nodes = s.boxes(g, calls, func(m *graph.Mark) bool {
		return m.Origin == pointer || m.Leaf && slices.Contains(actions, m.Action)
	})
}
