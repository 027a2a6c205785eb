// Package compiler turns a resolved policy into the filter program that means the
// same. [Compile] never looks at the running kernel, the clock or the
// environment, so equal input gives equal bytes on any host.
package compiler

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// Options tune the program. They never change its meaning. The zero value is
// right for almost everybody.
type Options struct {
	Effort Effort
	// Weights say how often each system call is made, by name and in any unit.
	// nil means that nothing is known: then calls whose arguments decide count
	// most, because the others skip the filter on Linux 5.11 and later.
	Weights map[string]uint64
}

// An Effort says how long to look for a better program.
type Effort uint8

const (
	// Fast takes a fraction of a millisecond for a usual profile and is within a
	// few instructions of the best.
	Fast Effort = iota
	// Exhaustive looks at every tree of the kind that the compiler makes, and
	// every order of the arguments' words, where there are not too many.
	Exhaustive
)

// A Result is a compiled policy with the stages that it went through.
type Result struct {
	Diagram *Diagram
	Tree    *Tree
	Program *cbpf.Program
}

// Compile returns the program that returns r.Eval(d) for every call d. The error
// is that of [policy.Resolved.Validate], or a [*TooLongError] where the program would
// not fit the kernel's limit.
func Compile(r *policy.Resolved, o Options) (*Result, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	res, err := CompileDiagram(decide(r, o.Effort == Exhaustive), r.Order(), o)
	var long *TooLongError
	if errors.As(err, &long) {
		long.name(r, res.Diagram)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// CompileDiagram returns the program that returns g.Eval(d) for every call d, for a
// kernel of the given byte order. Beside a [*TooLongError] it returns the stages
// that there are. The zero Diagram, which has no nodes, is an error.
func CompileDiagram(g *Diagram, order binary.ByteOrder, o Options) (*Result, error) {
	if g == nil || len(g.nodes) == 0 {
		return nil, errors.New("compiler: the diagram has no nodes (make one with a Builder)")
	}
	res := &Result{Diagram: g, Tree: lower(g, o)}
	code, origins := layout(res.Tree, order == binary.BigEndian)
	if len(code) > cbpf.MaxInstructions {
		return res, &TooLongError{Len: len(code)}
	}
	p, err := cbpf.New(code, order)
	if err != nil {
		return nil, fmt.Errorf("compiler: BUG: %w", err)
	}
	res.Program = p.WithOrigins(origins)
	return res, nil
}
