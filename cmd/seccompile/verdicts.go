package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols/phrase"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A side is an input that a command compares or describes by its meaning.
type side struct {
	*intake.Compiled // a profile has policy and resolved, a filter has program
	name             string
	subject          proof.Subject
}

// side reads a profile or a filter. Flags say how a profile is read.
func (a *app) side(t *intake.Target, arg string) (*side, error) {
	in, err := a.read(arg)
	if err != nil {
		return nil, err
	}
	s, err := newSide(t, in)
	if err == nil {
		a.warn(in, s.Warnings)
	}
	return s, err
}

// side reads an input as a side.
func newSide(t *intake.Target, in *intake.Input) (*side, error) {
	if in.Kind == intake.KindProfile {
		c, err := t.Meaning(in)
		if err != nil {
			return nil, err
		}
		return &side{c, in.Name, proof.Policy(c.Resolved)}, nil
	}
	p, err := in.Program(t.ABIs...)
	if err != nil {
		return nil, err
	}
	return &side{&intake.Compiled{Program: p}, in.Name, proof.Program(p)}, nil
}

// order returns "little" or "big".
func (s *side) order() string {
	if s.Resolved != nil {
		return intake.OrderName(s.Resolved.Order())
	}
	return intake.OrderName(s.Program.Order())
}

// sameOrder refuses sides that cannot be for the same kernel.
func sameOrder(a, b *side) error {
	if a.order() == b.order() {
		return nil
	}
	return failure.Usagef("%s is %s-endian, but %s is %s-endian", a.name, a.order(), b.name, b.order()).
		Hintf("choose the ABIs of a profile with -a")
}

// patience is the flag that raises the limits of a proof.
type patience struct{ times int }

const maxPatience = 64 // limits stay within 32 bits

func (p *patience) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.times, "patience", 1, fmt.Sprintf("allow the proof `N` times its usual work, up to %d", maxPatience))
	completeFlag(cmd, "patience", oneOf())
}

// limits returns multiples of what [proof.Limits] has by default.
func (p *patience) limits() (proof.Limits, error) {
	switch n := p.times; {
	case n < 1 || n > maxPatience:
		return proof.Limits{}, failure.Usagef("--patience: %d is not a number from 1 to %d", n, maxPatience)
	case n == 1:
		return proof.Limits{}, nil
	default:
		return proof.Limits{Nodes: n << 20, Steps: n << 24, Actions: n << 8, Rows: n << 14}, nil
	}
}

// unproved reports that the proof hit a limit, and how to raise it. It counts as a no.
func unproved(reason string) *failure.Error {
	return failure.Nof("not proved: %s", reason).Hintf("raise the limits of the proof with --patience")
}

// unlimited turns the error of a listing into one with a cure.
func unlimited(err error) error {
	var limit *proof.LimitError
	if errors.As(err, &limit) {
		return unproved(limit.Reason)
	}
	return err
}

// decide returns what a side does with a call and, for a profile, why.
func (s *side) decide(d *cbpf.Data) policy.Verdict {
	if s.Resolved != nil {
		return s.Resolved.Decide(d)
	}
	return policy.Verdict{Action: s.Program.Eval(d)}
}

// verdictText says what a side does with a call and, for a profile, why.
func (s *side) verdictText(p painter, d *cbpf.Data) string {
	v := s.decide(d)
	abi, known := arch.ByAudit(d.Arch, d.NR)
	text := p.action(v.Action, intake.ActionText(v.Action, abi))
	switch {
	case s.Resolved == nil:
		return text
	case v.Reason == policy.ByBadArch && !known:
		return text + ", bad arch: the profile is not for calls of unknown ABIs"
	}
	return text + ", " + because(s.Compiled, &intake.Call{ABI: abi, Data: *d}, v)
}

// A scope is the calls under one heading.
type scope struct {
	title   string
	abi     arch.ABI         // none if zero
	audits  policy.Intervals // AUDIT_ARCH values
	numbers []policy.Interval
	numeric bool // show constants as numbers
}

// call returns how conditions on a number of the scope are written.
func (s *scope) call(nr uint32) phrase.Call {
	return phrase.Call{ABI: s.abi, NR: nr, Numeric: s.numeric}
}

// otherABIs is the title of the ABIs that a side does not know.
const otherABIs = "other ABIs"

// ownNumbers returns the numbers of an ABI: x86_64 and x32 share those of one
// AUDIT_ARCH value.
func ownNumbers(a arch.ABI) []policy.Interval {
	const bit, last = arch.X32Bit, ^uint32(0)
	switch a {
	case arch.X86_64:
		return []policy.Interval{{First: 0, Last: bit - 1}, {First: 2 * bit, Last: 3*bit - 1}, {First: last, Last: last}}
	case arch.X32:
		return []policy.Interval{{First: bit, Last: 2*bit - 1}, {First: 3 * bit, Last: last - 1}}
	}
	return []policy.Interval{{First: 0, Last: last}}
}

// A choice is the ABIs to tell apart.
type choice struct {
	abis    []arch.ABI // these in any case
	only    bool       // and no others
	numeric bool       // for the scopes
}

// scopes splits calls by ABI. AUDIT_ARCH values that are many are those that a
// side does not know: of these only the ABIs that were chosen stand alone.
func (c *choice) scopes(audits policy.Intervals) []scope {
	const many = 1 << 16
	var list []scope
	for a := range arch.All() {
		audit := policy.Interval{First: a.Audit(), Last: a.Audit()}
		chosen := slices.Contains(c.abis, a)
		if !audits.Has(a.Audit()) || !chosen && (size(audits) >= many || c.only) {
			continue
		}
		list = append(list, scope{a.String(), a, []policy.Interval{audit}, ownNumbers(a), c.numeric})
	}
	rest := policy.Interval{First: 0, Last: ^uint32(0)}
	switch {
	case c.only:
	case size(audits) >= many:
		title := "arch " + strings.Join(archDocument(audits), ", ")
		if slices.Equal(audits, []policy.Interval{rest}) && len(list) == 0 {
			title = "every ABI"
		} else if size(audits) > 1<<31 { // most: there is one such set at most
			title = otherABIs
		}
		list = append(list, scope{title, 0, audits, []policy.Interval{rest}, c.numeric})
	default:
		for _, i := range unnamed(audits) {
			list = append(list, scope{"arch " + hexRange(i), 0, []policy.Interval{i}, []policy.Interval{rest}, c.numeric})
		}
	}
	return list
}

// unnamed returns those of a few AUDIT_ARCH values that belong to no ABI.
func unnamed(audits policy.Intervals) policy.Intervals {
	var out policy.Intervals
	for _, i := range audits {
		for v := uint64(i.First); v <= uint64(i.Last); v++ {
			audit := uint32(v)
			if _, known := arch.ByAudit(audit, 0); known {
				continue
			}
			if n := len(out); n > 0 && out[n-1].Last == audit-1 {
				out[n-1].Last = audit
			} else {
				out = append(out, policy.Interval{First: audit, Last: audit})
			}
		}
	}
	return out
}

// sortScopes sorts scopes by ABI; those without an ABI come last.
func sortScopes[T any](list []T, of func(*T) *scope) {
	rank := func(s *scope) int {
		if s.abi == 0 {
			return 1 << 8
		}
		return int(s.abi)
	}
	slices.SortStableFunc(list, func(x, y T) int { return cmp.Compare(rank(of(&x)), rank(of(&y))) })
}

// nameForeign names, in the heading of the ABIs that a side does not know, those
// that the same kernels present.
func nameForeign(all []*scope) {
	var known []arch.ABI
	for _, s := range all {
		if s.abi.Valid() && !slices.Contains(known, s.abi) {
			known = append(known, s.abi)
		}
	}
	for _, s := range all {
		if s.title != otherABIs {
			continue
		}
		var foreign []arch.ABI
		for _, k := range known {
			for _, b := range k.Family() {
				if s.audits.Has(b.Audit()) && !slices.Contains(known, b) && !slices.Contains(foreign, b) {
					foreign = append(foreign, b)
				}
			}
		}
		if len(foreign) > 0 {
			s.title = strings.Join(intake.ABINames(foreign), ", ") + " and other ABIs"
		}
	}
}

func hexRange(i policy.Interval) string {
	if i.First == i.Last {
		return fmt.Sprintf("0x%08x", i.First)
	}
	return fmt.Sprintf("0x%08x-0x%08x", i.First, i.Last)
}

// clip returns the parts of a run of numbers that a scope has.
func (s *scope) clip(first, last uint32) []policy.Interval {
	var out []policy.Interval
	for _, i := range s.numbers {
		i.First, i.Last = max(i.First, first), min(i.Last, last)
		if i.First <= i.Last {
			out = append(out, i)
		}
	}
	return out
}

// size returns how many numbers there are.
func size(list []policy.Interval) uint64 {
	n := uint64(0)
	for _, i := range list {
		n += uint64(i.Last-i.First) + 1
	}
	return n
}

// A part is a call of a table, or neighbouring numbers that it has no name for.
type part struct {
	policy.Interval
	name string
}

// parts returns the calls in an interval of numbers and what lies between them.
func (s *scope) parts(in policy.Interval) []part {
	var out []part
	next, done := in.First, false
	for nr, c := range syscalltables.All(s.abi) {
		if nr < in.First || nr > in.Last {
			continue
		}
		if nr > next {
			out = append(out, part{Interval: policy.Interval{First: next, Last: nr - 1}})
		}
		out = append(out, part{policy.Interval{First: nr, Last: nr}, c.Name()})
		next, done = nr+1, nr == in.Last
	}
	if !done {
		out = append(out, part{Interval: policy.Interval{First: next, Last: in.Last}})
	}
	return out
}
