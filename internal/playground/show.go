package playground

import (
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A drawn says what a drawing shows: a stage of everything, or of one call.
type drawn struct{ stage, call string }

// The stages.
const (
	diagram = "diagram"
	tree    = "tree"
)

const (
	maxBoxes = 1500 // of a drawing: more are of no use to anybody, and take long
	maxLines = 12   // of calls in a box
)

// draw draws what a subject decides.
func (e *Engine) draw(q *drawOf) (*Drawing, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	g, err := s.drawing(q.Stage, q.Call)
	if err != nil {
		return nil, err
	}
	if g.Len() > maxBoxes {
		return nil, failure.Nof("the drawing has %d boxes, too many for a page", g.Len()).Hintf("choose one call to draw")
	}
	return &Drawing{SVG: g.SVG(), Boxes: g.Len()}, nil
}

// drawing returns a drawing of the subject, of everything if call is "".
func (s *subject) drawing(stage, call string) (*graph.Graph, error) {
	d := drawn{stage, call}
	if g := s.drawings[d]; g != nil {
		return g, nil
	}
	if _, ok := syscalltables.Lookup(call); !ok && call != "" {
		f := failure.Usagef("unknown system call %q", call)
		if near := syscalltables.Nearest(call); near != "" {
			return nil, f.Hintf("did you mean %s?", near)
		}
		return nil, f
	}
	g, err := s.newDrawing(d)
	if err != nil {
		return nil, err
	}
	if s.drawings == nil || len(s.drawings) == remembered {
		s.drawings = make(map[drawn]*graph.Graph)
	}
	s.drawings[d] = g
	return g, nil
}

func (s *subject) newDrawing(d drawn) (*graph.Graph, error) {
	o := graph.Options{
		ABIs: s.abis, Syscall: d.call, Words: symbols.Names(), Lines: maxLines, ID: "drawing-", Marks: true,
		Title: "What the filter decides",
	}
	switch {
	case d.stage == diagram && s.compiled != nil:
		return graph.Diagram(s.compiled.Result.Diagram, o)
	case d.stage == tree && s.compiled != nil:
		o.Title = "The tests of the filter"
		return graph.Tree(s.compiled.Result.Tree, o)
	case d.stage == diagram:
		decisions, err := optimize.Decisions(s.filter, proof.Limits{})
		if err != nil {
			return nil, err
		}
		return graph.Diagram(decisions, o)
	case d.stage == tree:
		return nil, failure.Nof("a filter without its profile has no tree: its tests are its instructions").Hintf("draw what it decides")
	}
	return nil, failure.Usagef("unknown stage %q (known: %s, %s)", d.stage, diagram, tree)
}

// program lists the instructions of a subject's filter.
func (e *Engine) program(of *Subject) ([]Instruction, error) {
	s, err := e.good(*of)
	if err != nil {
		return nil, err
	}
	list := make([]Instruction, 0, s.filter.Len())
	for _, line := range s.filter.Lines(symbols.Names()) {
		i := Instruction{PC: line.PC, Text: strings.Join(strings.Fields(line.Text), " "), Comment: line.Comment, Origins: []string{}}
		if origin := s.filter.Origin(line.PC); origin != "" {
			i.Origins = append(i.Origins, origin)
		}
		switch ins := s.filter.At(line.PC); ins.Op {
		case opReturn:
			i.Look = graph.Look(cbpf.Action(ins.K))
		case opJump:
			i.Targets = []int{line.PC + 1 + int(ins.K)}
		default:
			if ins.Op&classMask == classJump {
				i.Targets = []int{line.PC + 1 + int(ins.Jt), line.PC + 1 + int(ins.Jf)}
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// Opcodes of linux/bpf_common.h.
const (
	opReturn  = 0x06 // RET K
	opJump    = 0x05 // JA
	classMask = 0x07
	classJump = 0x05
	opLoad    = 0x20 // LD W ABS
)
