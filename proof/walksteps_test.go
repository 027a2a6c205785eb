package proof

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/golden"
	"github.com/seccompile/seccompile/policy"
)

var update = flag.Bool("update", false, "rewrite testdata/steps.txt from what the walk does now")

// A stepper counts the steps of walks.
type stepper struct {
	*testing.T
	verdicts [3]int
	steps    int
	text     strings.Builder
}

func (s *stepper) walk(r *policy.Resolved, p *cbpf.Program) {
	s.Helper()
	got, err := Walk(r, p)
	if err != nil {
		s.Error(err)
	}
	s.verdicts[got.Verdict]++
	s.steps += got.Steps
}

// faults walks programs that are p with one fault: one of so many such programs.
func (s *stepper) faults(r *policy.Resolved, p *cbpf.Program, every int) {
	s.Helper()
	i := 0
	for _, raw := range gen.Faults(p.Raw()) {
		if bad, err := cbpf.New(raw, p.Order()); err == nil {
			if i++; i%every == 0 {
				s.walk(r, bad)
			}
		}
	}
}

// sum adds a line about the walks since the last one.
func (s *stepper) sum(name string) {
	fmt.Fprintf(&s.text, "%6d %5d %6d %s\n", s.steps, s.verdicts[Same], s.verdicts[Different], name)
	s.verdicts, s.steps = [3]int{}, 0
}

// A walk that remembers less, or asks in another order, finds the same, but later.
// TestWalkTakesSoManySteps compares with testdata/steps.txt how many steps the walks of
// some kinds of programs take together: a change shows up there, for better or worse.
func TestWalkTakesSoManySteps(t *testing.T) {
	const file = "testdata/steps.txt"
	s := &stepper{T: t}
	s.text.WriteString(" steps  same differ programs\n")
	all := families()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for i, compile := range []func(*policy.Resolved) (*cbpf.Program, error){naive, short} {
			for _, differ := range []bool{false, true} {
				few, many := all[name].of(3, differ), all[name].of(24, differ)
				p, err1 := compile(few)
				q, err2 := compile(many)
				if err := errors.Join(err1, err2); err != nil {
					t.Fatal(err)
				}
				s.faults(few, p, 20)
				s.walk(many, q)
			}
			s.sum(name + []string{", naive", ", short"}[i])
		}
	}
	for _, n := range []int{8, 64} {
		res, raw := searchTree(n)
		p := mustProgram(t, binary.LittleEndian, raw...)
		s.walk(res, p)
		s.faults(res, p, 10*n)
		s.sum(fmt.Sprintf("search tree of %d", n))
	}
	for seed := range uint64(30) {
		res, p := drawDiagram(t, gen.New(seed))
		if p.Len() <= 250 {
			s.walk(res, p)
			s.faults(res, p, 40)
		}
	}
	s.sum("diagrams")
	for seed := range uint64(300) {
		r := gen.New(seed)
		res := plainPolicy(r)
		s.walk(res, mustProgram(t, res.Order(), maskedProgram(r, res)...))
	}
	s.sum("masked numbers")
	for seed := range uint64(300) {
		r := gen.New(seed)
		p, err := naive(smallPolicy(r))
		if err != nil {
			t.Fatal(err)
		}
		s.walk(smallPolicy(r), p)
	}
	s.sum("rules of others")
	byHand := byHand()
	for _, name := range slices.Sorted(maps.Keys(byHand)) {
		p, err := naive(byHand[name])
		if err != nil {
			t.Fatal(err)
		}
		s.walk(byHand[name], p)
		s.faults(byHand[name], p, 10)
		s.sum(name)
	}
	got := s.text.String()
	golden.Check(t, *update, file, got)
}
