package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

const diffLong = `Diff lists the calls that two profiles or filters, in any mix, treat differently.
It groups the calls by change, with the arguments that matter and an example. What
several ABIs have in common stands once, under all their names; an ABI that lacks a
call is not meant there. The list is complete: A and B treat every other call alike,
for every number and every argument. The exit status is 1 if there is a difference.

In --json, "abis" of a change has the numbers and the conditions on each ABI, which
can differ: arguments are 32 or 64 bits wide.

A change is weaker if B is less strict than A in the kernel's own order
(kill-process, kill-thread, trap, errno, notify, trace, log, allow), stricter if B is
stricter, and other if the action is the same but its data differs, such as an error
number.

Of an artifact with filters for several kernels, -a says which one to compare.

With --weaker, only changes that make B weaker count: the exit status is 0 if B does
not allow anything that A stops.

What a container's profile means depends on the runtime that reads it. --as says which
one, once for A and once for B. --language can be given once for each, too. With one file,
both readings are of it.`

// The diffFlags are the flags of diff.
type diffFlags struct {
	targetFlags
	patience
	weaker bool
	json   bool
	as     []string
}

func (a *app) diffCommand() *cobra.Command {
	var d diffFlags
	var o output
	cmd := &cobra.Command{
		Use:        "diff [flags] A B",
		Short:      "list the calls that two profiles or filters treat differently",
		SuggestFor: []string{"compare"},
		Long:       diffLong,
		Example: `  seccompile diff -a x86_64 docker-default profile.json
  seccompile diff --weaker old.bpf new.bpf
  seccompile diff --as runc --as crun profile.json
  seccompile diff --language minijail-python --language minijail-c dev.policy
  seccompile resolve --cap all docker-default | seccompile diff docker-default -
  seccompile diff --json a.json b.json | jq '.changes[].witness'`,
		ValidArgsFunction: completeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			both, err := d.perSide()
			switch {
			case err != nil:
				return err
			case both && len(args) == 1:
				args = append(args, args[0])
			case len(args) != 2:
				return failure.Usagef("diff: expected two profiles or filters, got %d", len(args)).Hintf("for example: seccompile diff old.json new.json")
			}
			return a.diff(&d, &o, args[0], args[1])
		},
	}
	cmd.Flags().BoolVar(&d.weaker, "weaker", false, "show only changes that make B weaker")
	cmd.Flags().StringArrayVar(&d.as, "as", nil, "read A, and given again B, in `MODE`, as --compat does; one file is both")
	completeFlag(cmd, "as", oneOf(intake.ModeNames()...))
	d.addPlace(cmd)
	o.add(cmd)
	addJSON(cmd, &d.json)
	a.addNumeric(cmd)
	d.addReading(cmd)
	d.patience.add(cmd)
	return cmd
}

// diff reads both sides and prints how they differ.
func (a *app) diff(d *diffFlags, o *output, nameA, nameB string) error {
	limits, err := d.limits()
	if err != nil {
		return err
	}
	sideA, sideB, err := a.sides(d, nameA, nameB)
	if err != nil {
		return err
	}
	if err := d.CheckSettings(sideA.Policy != nil || sideB.Policy != nil); err != nil {
		return err
	}
	v, err := answer.Diff(sideA, sideB, d.weaker, a.numeric, limits)
	if err != nil {
		return answer.Unlimited(err)
	}
	if d.json {
		err = a.putJSON(o, v.Document())
	} else {
		p := a.paint()
		if o.explicit() {
			p = false
		}
		err = a.put(o, diffText(p, v, d.weaker))
	}
	if err == nil && len(v.Changes) > 0 {
		return &failure.Error{Status: failure.No}
	}
	return err
}

// perSide reports whether the sides are read in ways of their own, and what is wrong with
// the flags that say so.
func (d *diffFlags) perSide() (bool, error) {
	switch {
	case len(d.as) == 1 || len(d.as) > 2:
		return false, failure.Usagef("--as: expected one for A and one for B, got %d", len(d.as)).Hintf("for example: seccompile diff --as runc --as crun profile.json")
	case len(d.Languages) > 2:
		return false, failure.Usagef("--language: expected one, or one for A and one for B, got %d", len(d.Languages))
	}
	for _, as := range d.as {
		if err := intake.CheckMode("--as", as); err != nil {
			return false, err
		}
	}
	return len(d.as) == 2 || len(d.Languages) == 2, nil
}

// forSide returns the flags for A (0) or B (1), and what they say about it.
func (d *diffFlags) forSide(i int) (t *intake.Target, as string) {
	side := d.Target.Of(i)
	if len(d.Languages) == 2 {
		as = " as " + d.Languages[i]
	}
	if len(d.as) == 2 {
		side.Compat = d.as[i]
		as = " as " + d.as[i]
	}
	return side, as
}

// sides reads both sides, a file that is read in two ways once.
func (a *app) sides(d *diffFlags, nameA, nameB string) (sideA, sideB *answer.Side, err error) {
	inA, err := a.read(nameA)
	inB := inA
	if _, as := d.forSide(1); err == nil && (as == "" || nameB != nameA) {
		inB, err = a.read(nameB)
	}
	if err != nil {
		return nil, nil, err
	}
	var out [2]*answer.Side
	var seen []policy.Warning
	for i, in := range []*intake.Input{inA, inB} {
		t, as := d.forSide(i)
		if as != "" {
			if err := in.WantProfile(); err != nil {
				return nil, nil, err
			}
		}
		if err := in.OneKernel(t.ABIs); err != nil {
			return nil, nil, err // another kernel's filter may be weaker
		}
		s, err := answer.NewSide(t, in)
		if err != nil {
			return nil, nil, err
		}
		a.warn(in, slices.DeleteFunc(slices.Clone(s.Warnings), func(w policy.Warning) bool { return inA == inB && slices.Contains(seen, w) }))
		seen = s.Warnings
		s.Name += as
		out[i] = s
	}
	return out[0], out[1], nil
}
