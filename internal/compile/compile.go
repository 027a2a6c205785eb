// Package compile has the passes of the compiler: a resolved policy becomes a
// decision diagram, that a tree of two-way tests, and that a filter program. Each
// stage prints itself and has an Eval. Package compiler is the way in for programs
// that only want the result.
package compile

import (
	"encoding/binary"
	"errors"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Options tune the program. They never change its meaning.
type Options struct {
	// Exhaustive looks at every tree of the kind that the compiler makes, and every
	// order of the arguments' words, where there are not too many.
	Exhaustive bool
	// Weights say how often each system call is made, by name and in any unit.
	// nil means that nothing is known: then calls whose arguments decide count
	// most, because the others skip the filter on Linux 5.11 and later.
	Weights map[string]uint64
}

// A Result is a compiled policy with the stages that it went through.
type Result struct {
	Diagram *Diagram
	Tree    *Tree
	Program *cbpf.Program
}

// Compile returns the program that returns r.Eval(d) for every call d. The error
// is that of [policy.Resolved.Validate], or a [*TooLongError] where the program would
// not fit the kernel's limit; then there are only the other stages.
func Compile(r *policy.Resolved, o Options) (*Result, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	s := &stages{policy: r, order: r.Order(), options: o}
	err := s.run("decide")
	var long *TooLongError
	if errors.As(err, &long) {
		long.blame(r, s.Diagram.callSize)
	}
	return &s.Result, err
}

// CompileDiagram returns the program that returns g.Eval(d) for every call d, for a
// kernel of the given byte order. Beside a [*TooLongError] it returns the stages
// that there are. The zero Diagram, which has no nodes, is an error.
func CompileDiagram(g *Diagram, order binary.ByteOrder, o Options) (*Result, error) {
	if g == nil || len(g.nodes) == 0 {
		return nil, errors.New("compiler: the diagram has no nodes (make one with a Builder)")
	}
	s := &stages{order: order, options: o, Result: Result{Diagram: g}}
	err := s.run("lower")
	return &s.Result, err
}
