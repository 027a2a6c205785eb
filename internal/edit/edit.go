// Package edit changes what a profile says about some calls, and nothing else: neither what
// it means for others, nor more of its text than needed. Start with [Edit]; [Format] lays
// out a profile and leaves its meaning as it is.
package edit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Request is what to change in a profile: its settings first, then one change after the
// other, so that a later one has precedence.
type Request struct {
	Settings
	Changes []Change
}

// A Result is a changed profile.
type Result struct {
	Text []byte
	// Notes say what the one who asked may not expect, such as that an ABI lacks a call.
	Notes []string
}

// Edit changes a profile in a format of OCI, Docker or Podman, in JSON. What it returns was
// read again and proved: on all ABIs of the profile, and if it depends on capabilities, kernel
// or ABI of the container for the default set of capabilities, all, none and those that the
// profile mentions, the calls in question get what was asked for, and all others what they
// got. The exception are calls and numbers that are denied either way, with ENOSYS on one side
// of the bound above which runtimes give it, where a new name moves the bound; notes name them. A call that a
// multiplexer such as socketcall makes, which hides its arguments from the filter, gets there
// what a rule of the profile would give it, or stays as it was; a note says so.
//
// The error is a [*ParseError] if conditions use words that mean nothing on all ABIs, or else
// [policy.Errors]: a profile that is wrong, or cannot say what was asked for.
func Edit(s *language.Source, r Request) (*Result, error) {
	e := editor{result: &Result{Text: s.Data()}}
	var err error
	if e.profile, err = open(s); err != nil {
		return nil, err
	}
	if err := e.set(&r.Settings); err != nil {
		return nil, err
	}
	for _, c := range r.Changes {
		if c.Deny {
			c.Action = e.denial()
		}
		for _, step := range steps(c) {
			if err := e.change(step); err != nil {
				return nil, err
			}
		}
	}
	e.result.Text = e.profile.source.Data()
	slices.Sort(e.result.Notes)
	e.result.Notes = slices.Compact(e.result.Notes)
	return e.result, nil
}

// An editor changes a profile step by step.
type editor struct {
	profile *profile
	result  *Result
}

func (e *editor) note(format string, args ...any) {
	e.result.Notes = append(e.result.Notes, fmt.Sprintf(format, args...))
}

// denial returns how the profile denies calls.
func (e *editor) denial() cbpf.Action {
	if standard := e.profile.standard(); !standard.Permits(cbpf.WithTracer) && standard != cbpf.Notify {
		return standard
	}
	return cbpf.Errno(1) // EPERM
}

// standard returns the default action.
func (p *profile) standard() cbpf.Action { return p.contexts[0].resolved.Default }

// steps splits a change into those that are made at once: one for all calls without
// conditions, because reading a profile for all its targets takes a while, and one for each
// other call.
func steps(c Change) (list []Change) {
	for _, s := range c.Specs {
		if last := len(list) - 1; s.When == nil && last >= 0 && list[last].Specs[0].When == nil {
			list[last].Specs = append(list[last].Specs, s)
		} else {
			list = append(list, Change{Specs: []Spec{s}, Action: c.Action, Deny: c.Deny})
		}
	}
	return list
}

// change makes one change.
func (e *editor) change(c Change) error {
	if err := e.check(c.Specs); err != nil {
		return err
	}
	p := e.profile
	goals := p.goals(&c)
	if goals[0].reached(p, new(slack)) == nil { // already
		return nil
	}
	plans, err := p.plans(&c)
	var asked []string // calls that may lose ENOSYS where the conditions do not hold, if nothing else will do
	for range 2 {
		for _, plan := range plans {
			s, reason := p.try(plan, goals, asked)
			if reason == nil {
				e.profile = s.profile
				e.noteStep(&c, goals, s)
				return nil
			}
			if asked == nil {
				err = reason
			}
		}
		if c.Specs[0].When == nil {
			break
		}
		asked = []string{c.Specs[0].Call.Name()}
	}
	if len(c.Specs) > 1 { // find the one that cannot be changed
		for _, s := range c.Specs {
			if err := e.change(Change{Specs: []Spec{s}, Action: c.Action, Deny: c.Deny}); err != nil {
				return err
			}
		}
		return nil
	}
	return p.refused(&c, err)
}

// refused returns the error that a profile cannot say what a change asks for.
func (p *profile) refused(c *Change, err error) error {
	call := c.Specs[0].Call
	pointer := p.at + "/syscalls"
	for _, e := range p.entries {
		if e.has(call) {
			pointer = e.pointer
			break
		}
	}
	reason := err.Error()
	var problems policy.Errors
	if errors.As(err, &problems) {
		reason = problems[0].Reason
	}
	return policy.Errors{{Kind: policy.Invalid, Pointer: pointer, Reason: fmt.Sprintf("%s: this profile cannot say %v for these calls and leave all others alone: %s", call.Name(), c.Action, reason)}}
}

// check finds words in conditions that mean nothing on any ABI, and notes what the ABIs of
// the profile lack.
func (e *editor) check(specs []Spec) error {
	abis := e.profile.abis()
	for _, s := range specs {
		var lack []arch.ABI
		absent := make(map[string][]arch.ABI) // words
		var first *ParseError
		for _, a := range abis {
			if !has(a, s.Call) {
				lack = append(lack, a)
				continue
			}
			_, bad := s.When.lists(a, s.Call)
			for _, w := range bad {
				if absent[w.word] = append(absent[w.word], a); w.needed {
					return w
				}
				first = cmp.Or(first, w)
			}
		}
		for word, on := range absent {
			if on = slices.Compact(on); len(on)+len(lack) == len(abis) {
				return first
			}
			e.note("%s: %s has no %s, so conditions that name it do not hold there", s.Call.Name(), listing.Names(on), word)
		}
		switch {
		case len(lack) == len(abis):
			e.note("%s: no ABI of the profile has this call", s.Call.Name())
		case len(lack) > 0:
			e.note("%s: not a call of %s", s.Call.Name(), listing.Names(lack))
		}
	}
	return nil
}

// has reports whether an ABI has a call, under its own number or behind a multiplexer.
func has(a arch.ABI, call syscalltables.Call) bool {
	_, direct := call.Number(a)
	_, _, through := call.Multiplexed(a)
	return direct || through
}

// abis returns the ABIs of all contexts.
func (p *profile) abis() (list []arch.ABI) {
	for _, c := range p.contexts {
		for _, a := range c.resolved.ABIs() {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	return list
}
