// Package optimize makes existing filters smaller and several filters into one.
// It needs neither profile nor compiler of the originals: what they do with every
// call is read off the programs by package proof, the result is built anew by
// package compiler, and then proved to do the same.
//
// The account of the originals stands on both sides of that proof. So the result
// and the originals are also run, by the plain evaluator, on the calls beside
// every constant of each.
package optimize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A Result is a program and what stands behind it.
type Result struct {
	// Program is the new program. It is the original itself where nothing smaller
	// was found; then there was nothing to prove and the rest is zero.
	Program *cbpf.Program
	// Proof is the proof that Program decides every call as the originals do. Its
	// Verdict is Same.
	Proof proof.Result
	// Points is the number of calls on which Program and the originals were run.
	Points int
}

// Program returns the smallest program found that returns p.Eval(d) for every
// call d, never one that is longer than p. All calls that kernels allow without
// running p (see [cbpf.Program.ConstAllow]), they also allow without running the
// result. Origins of instructions are lost.
//
// The error wraps a [*proof.LimitError] where what p does cannot be told, or not
// proved, within the limits.
func Program(p *cbpf.Program, l proof.Limits) (*Result, error) {
	want := proof.Program(p)
	spaces, err := proof.Explain(want, l)
	if err != nil {
		return nil, fmt.Errorf("optimize: %w", err)
	}
	small, err := smallest(spaces, p.Order())
	var long *compile.TooLongError
	switch {
	case errors.As(err, &long), err == nil && small.Len() >= p.Len():
		return &Result{Program: p}, nil
	case err != nil:
		return nil, err
	}
	return verified(want, spaces, small, []*cbpf.Program{p}, l)
}

// Decisions returns what a program does as a decision diagram. The error wraps a
// [*proof.LimitError] where that cannot be told within the limits.
func Decisions(p *cbpf.Program, l proof.Limits) (*compile.Diagram, error) {
	spaces, err := proof.Explain(proof.Program(p), l)
	if err != nil {
		return nil, fmt.Errorf("optimize: %w", err)
	}
	s := &search{spaces: spaces, bytes: p.Order(), orders: orders(), usual: usual(spaces), work: workOfAll}
	return s.diagram(0)
}

// A Layer is one of the filters that [Merge] makes one of: either Policy or
// Program is set.
type Layer struct {
	Name    string // for messages
	Policy  *policy.Resolved
	Program *cbpf.Program
}

func (f *Layer) subject() proof.Subject {
	if f.Policy != nil {
		return proof.Policy(f.Policy)
	}
	return proof.Program(f.Program)
}

func (f *Layer) order() binary.ByteOrder {
	if f.Policy != nil {
		return f.Policy.Order()
	}
	return f.Program.Order()
}

// Merge returns a program that decides every call as a kernel does that has all
// layers installed: the strictest action wins, of equally strict ones the newest
// layer's, and an allowed call has no data. See [proof.Stack].
//
// So each layer also decides the calls of ABIs that it was not made for: layers for
// different ABIs that kill all others together kill every call. To keep the rules of
// each, make them with the BadArch action ALLOW, and add a layer for all the ABIs
// whose default action is ALLOW and whose BadArch kills.
//
// The error is that of a policy that is not valid, says which layers have different
// byte orders, wraps a [*proof.LimitError] as that of [Program] does, or is a
// [*compile.TooLongError] where the program would not fit the kernel's limit.
func Merge(oldestFirst []Layer, l proof.Limits) (*Result, error) {
	if err := checkLayers(oldestFirst); err != nil {
		return nil, err
	}
	var subjects []proof.Subject
	var programs []*cbpf.Program
	for i := range oldestFirst {
		f := &oldestFirst[i]
		subjects = append(subjects, f.subject())
		if f.Program != nil {
			programs = append(programs, f.Program)
		}
	}
	want := proof.Stack(subjects...)
	spaces, err := proof.Explain(want, l)
	if err != nil {
		return nil, fmt.Errorf("optimize: %w", err)
	}
	merged, err := smallest(spaces, oldestFirst[0].order())
	if err != nil {
		return nil, err
	}
	return verified(want, spaces, merged, programs, l)
}

// checkLayers reports every layer that cannot be merged with the first.
func checkLayers(layers []Layer) error {
	if len(layers) == 0 {
		return errors.New("optimize: nothing to merge")
	}
	var errs []error
	for i := range layers {
		f := &layers[i]
		switch {
		case (f.Policy == nil) == (f.Program == nil):
			errs = append(errs, fmt.Errorf("optimize: %s: a layer is either a policy or a program", f.Name))
		case f.Policy != nil:
			if err := f.Policy.Validate(); err != nil {
				errs = append(errs, fmt.Errorf("optimize: %s: %w", f.Name, err))
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	first := &layers[0]
	for i := range layers {
		f := &layers[i]
		if f.order() == first.order() {
			continue
		}
		big, little := first, f
		if f.order() == binary.BigEndian {
			big, little = f, first
		}
		errs = append(errs, fmt.Errorf("optimize: %s is big-endian and %s little-endian: no kernel runs both", big.Name, little.Name))
	}
	return errors.Join(errs...)
}

// verified holds a new program against what it is to do: proved for all calls,
// run on those beside the constants, and no call lost for the kernel's bitmap.
func verified(want proof.Subject, spaces []proof.Space, p *cbpf.Program, originals []*cbpf.Program, l proof.Limits) (*Result, error) {
	r, err := proof.Equal(want, proof.Program(p), l)
	switch {
	case err != nil:
		return nil, err
	case r.Verdict == proof.Different:
		return nil, fmt.Errorf("optimize: BUG: the new program means something else: %v", r.Witness)
	case r.Verdict == proof.Unknown:
		return nil, fmt.Errorf("optimize: not proved: %w", &proof.LimitError{Reason: r.Reason})
	}
	result := &Result{Program: p, Proof: r}
	for d := range points(spaces, append([]*cbpf.Program{p}, originals...)) {
		result.Points++
		if a, b := want.Eval(d), p.Eval(d); a != b {
			return nil, fmt.Errorf("optimize: BUG: proved, but running it gives: %v", &proof.Witness{Call: *d, A: a, B: b})
		}
	}
	for i := range spaces {
		if a, nr, lost := uncached(&spaces[i], p); lost {
			return nil, fmt.Errorf("optimize: BUG: kernels do not see that %v call %d is always allowed", a, nr)
		}
	}
	return result, nil
}

// emulated is how many numbers of an ABI, from its first, are looked at for the
// bitmap; Linux 7.2 has 472.
const emulated = 1024

// uncached looks for a call of a space that is always allowed without p letting
// kernels see it.
func uncached(s *proof.Space, p *cbpf.Program) (a arch.ABI, nr uint32, lost bool) {
	for a := range arch.All() {
		if !slices.ContainsFunc(s.Audits, func(i policy.Interval) bool { return i.First <= a.Audit() && a.Audit() <= i.Last }) {
			continue
		}
		for _, r := range s.Runs {
			if len(r.Tree.Arms) > 0 || r.Tree.Action != cbpf.Allow {
				continue
			}
			last := min(uint64(r.Last), uint64(a.Base())+emulated-1)
			for nr := uint64(max(r.First, a.Base())); nr <= last; nr++ {
				if ok, _ := p.ConstAllow(a.Audit(), uint32(nr)); !ok {
					return a, uint32(nr), true
				}
			}
		}
	}
	return 0, 0, false
}
