package compile

import (
	"encoding/binary"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A pass takes a policy a step further on its way to a program. Its file has its name.
type pass struct {
	name   string
	inside string              // the pass that uses it, if it is a part of one
	run    func(*stages) error // nil for a part
	turns  string              // what it is given, and what it makes
	why    string              // why it stands here
}

// passes are in the order in which they run.
var passes = [...]pass{
	{name: "decide", run: (*stages).decide, turns: "Resolved, Diagram",
		why: "all sharing between rules, calls and ABIs comes from hash-consing, before anything depends on addresses"},
	{name: "args", inside: "decide", turns: "clauses, Diagram",
		why: "the order of the words of a call is chosen by the size of the diagram, while that is all there is; before the switch on the number, which needs to know what each call goes to"},
	{name: "prune", inside: "args", turns: "Diagram, Diagram",
		why: "only a chain of clauses asks twice, and what it asks is known once the whole chain is there"},
	{name: "lower", run: (*stages).lower, turns: "Diagram, Tree",
		why: "children first, so that every switch knows where its cases go"},
	{name: "dispatch", inside: "lower", turns: "cases, tests",
		why: "one search for numbers, AUDIT_ARCH values and arguments alike"},
	{name: "x32", inside: "lower", turns: "two halves of a number space, one tree",
		why: "needs the finished tree of x86_64 to lay that of x32 over it"},
	{name: "layout", run: (*stages).layout, turns: "Tree, instructions",
		why: "needs to know all paths to a test to know where loads are needed"},
}

// stages are those of one policy, as far as the passes have come.
type stages struct {
	policy  *policy.Resolved // nil for a diagram of another origin
	order   binary.ByteOrder
	options Options
	Result
}

// run runs the passes from a named one on.
func (s *stages) run(from string) error {
	started := false
	for i := range passes {
		p := &passes[i]
		if started = started || p.name == from; !started || p.run == nil {
			continue
		}
		if err := p.run(s); err != nil {
			return err
		}
	}
	return nil
}

func (s *stages) decide() error {
	s.Diagram = decide(s.policy, s.options.Exhaustive)
	return nil
}

func (s *stages) lower() error {
	s.Tree = lower(s.Diagram, s.options)
	return nil
}

func (s *stages) layout() error {
	code, origins := layout(s.Tree, s.order == binary.BigEndian)
	if len(code) > cbpf.MaxInstructions {
		return &TooLongError{Len: len(code)}
	}
	p, err := cbpf.New(code, s.order)
	if err != nil {
		return fmt.Errorf("compiler: BUG: %w", err)
	}
	s.Program = p.WithOrigins(origins)
	return nil
}
