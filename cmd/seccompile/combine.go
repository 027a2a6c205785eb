package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/internal/combine"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

const intersectLong = `Intersect writes one profile that allows only what every PROFILE allows: each call gets
the strictest of the actions that they give it (in the order kill-process, kill-thread,
trap, errno, notify, trace, log, allow). ` + combineLong + `

With -f raw, or another format of filters, filters may be among the PROFILEs. Then every
call gets what the kernel gives it if all are loaded in this order, with the newest
filter's data. Intersect proves that, and also runs the filter and its sources on the calls
next to every constant. If one of them does not know an ABI, the result treats that ABI as
that one does: filters for different ABIs together kill every call, unless each was
compiled with --bad-arch allow. In that case, add a profile that allows everything for
all these ABIs to forbid the others again.`

const unionLong = `Union writes one profile that allows what any PROFILE allows: each call gets the most
permissive of the actions that they give it (in the order allow, log, trace, notify,
errno, trap, kill-thread, kill-process). ` + combineLong

const combineLong = `The flags say how to read the profiles, as with
compile, and how the result will be read.

The result is an OCI profile, whatever languages the profiles are in, and has no conditions
on capabilities or kernels. The command reads back what it writes and proves it: for every
number, argument and ABI, with the data of the action. If one of several OCI profiles is
already the result, its text is written unchanged.

Actions that differ only in their data, such as the error number, are equally strict. Of
these --data chain takes the first for intersect and the last for union, in the order:
ENOSYS, then the others from the smallest to the largest. So neither the order of the
profiles nor naming one twice changes the result. --data kernel takes the data of the last
profile, as the kernel does of the newest filter.

A profile cannot say all that a filter can do. If none says exactly this, the command
says for which call and why, writes nothing, and exits with status 1, unless you let the
profile differ there:

  --accept foreign     numbers from 0x40000000 on, outside the profile's ABIs
  --accept unassigned  numbers that no call has, foreign ones included
  --accept data        data, such as the error number, where the action is the same

A note then says what differs. --nearest writes the nearest profile all the same, lists
on standard error every call that differs, and exits with status 1. -f raw and the other
formats write one filter, which is exact.`

// mergeHint says what does the work of merge, a command of earlier versions.
const mergeHint = `use "seccompile intersect" or "seccompile union" for profiles, "seccompile intersect -f raw" for filters, ` +
	`and "seccompile compile" for each filter of a stack`

// The combineFlags are the flags of intersect and union.
type combineFlags struct {
	targetFlags
	patience
	outputFormat
	output
	combine.Request
}

func (a *app) intersectCommand() *cobra.Command {
	cmd := &cobra.Command{
		Short:      "write the profile that allows only what all profiles allow",
		SuggestFor: []string{"meet", "and"},
		Long:       intersectLong,
		Example: `  seccompile intersect -a x86_64,x86,x32 -o both.json docker-default profile.json
  seccompile intersect --accept unassigned docker-default chrony.service
  seccompile intersect -f raw -o filter.bpf docker-default first.bpf second.s`,
	}
	return a.combineCommand(algebra.Intersect, cmd)
}

func (a *app) unionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Short:      "write the profile that allows what any of several allows",
		SuggestFor: []string{"join", "or"},
		Long:       unionLong,
		Example: `  seccompile union -a x86_64,x86,x32 -o more.json docker-default profile.json
  seccompile union -a aarch64 -f raw -o filter.bpf first.json second.json third.json`,
	}
	return a.combineCommand(algebra.Union, cmd)
}

// combineCommand adds to a command what intersect and union have in common.
func (a *app) combineCommand(op algebra.Op, cmd *cobra.Command) *cobra.Command {
	c := combineFlags{Request: combine.Request{Op: op}}
	c.formats = append([]string{formatProfile}, emit.Formats()...)
	cmd.Use = c.verb() + " [flags] PROFILE PROFILE..."
	cmd.ValidArgsFunction = completeFiles
	cmd.RunE = func(_ *cobra.Command, args []string) error { return a.combine(&c, args) }
	c.output.add(cmd)
	c.outputFormat.add(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&c.Accept, "accept", nil, "let the profile differ in `WHAT`: foreign, unassigned, data")
	f.BoolVar(&c.Nearest, "nearest", false, "if no profile says it exactly, write the nearest and list what differs")
	f.StringVar(&c.Data, "data", "", "of equally strict actions take the data of `WHICH`: chain (a fixed order) or kernel (the last profile's)")
	f.Lookup("data").DefValue = combine.DataChain
	f.IntVar(&c.MaxRules, "max-rules", 0, "write at most `N` rules for one call (default 128)")
	completeFlag(cmd, "accept", completeAccept)
	completeFlag(cmd, "data", oneOf(combine.DataChain, combine.DataKernel))
	completeFlag(cmd, "max-rules", oneOf())
	c.addPlace(cmd)
	c.addReading(cmd)
	c.patience.add(cmd)
	return cmd
}

// completeAccept completes the last of a comma-separated list of relations.
func completeAccept(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, r := range combine.Relations() {
		names = append(names, r.String())
	}
	return completeList(word, names)
}

// check finds mistakes in the flags.
func (c *combineFlags) check(args []string) error {
	verb := c.verb()
	switch n := len(c.Languages); {
	case len(args) < 2:
		what := "profiles or filters"
		if c.Op == algebra.Union {
			what = "profiles"
		}
		return failure.Usagef("%s: expected two or more %s, got %d", verb, what, len(args)).Hintf("for example: seccompile %s docker-default profile.json", verb)
	case n > 1 && n != len(args):
		return failure.Usagef("--language: expected one, or one for each of the %d profiles, got %d", len(args), n)
	case c.MaxRules < 0: // the request says it
	case c.format != formatProfile && (len(c.Accept) > 0 || c.Nearest || c.MaxRules > 0):
		return failure.Usagef("%s: --accept, --nearest and --max-rules are about profiles, and -f %s writes a filter", verb, c.format).
			Hintf("leave them out: the filter is exact")
	}
	_, err := c.Options()
	return err
}

// combine reads the sources and writes what they are together.
func (a *app) combine(c *combineFlags, args []string) error {
	var err error
	c.Request.Target = &c.targetFlags.Target
	if c.Request.Limits, err = c.patience.limits(); err != nil {
		return err
	}
	if err := cmp.Or(c.check(args), a.checkRaw(&c.outputFormat, &c.output)); err != nil {
		return err
	}
	if err := a.readSources(c, args); err != nil {
		return err
	}
	if c.FirstFilter() != nil && c.format != formatProfile {
		return a.combineFilters(c)
	}
	r, err := c.Request.Combine()
	switch {
	case err != nil:
		return err
	case c.format != formatProfile:
		return a.combineFilter(c, r)
	}
	return a.combineProfile(c, r)
}

// readSources reads what is to be combined.
func (a *app) readSources(c *combineFlags, args []string) error {
	profiles := false
	for _, arg := range args {
		in, err := a.read(arg)
		if err == nil && len(c.Languages) > 1 {
			err = in.WantProfile()
		}
		if err != nil {
			return err
		}
		s, err := c.Request.Add(in)
		if s != nil {
			a.warn(in, s.Warnings)
			profiles = profiles || s.Policy != nil
		}
		if err != nil {
			return err
		}
	}
	c.Source = c.Name()
	return c.CheckSettings(profiles)
}

// combineFilters writes the filter that does what filters, and perhaps profiles, do together.
func (a *app) combineFilters(c *combineFlags) error {
	r, err := c.Merge()
	if err != nil {
		return err
	}
	if err := a.emit(&c.outputFormat, &c.output, r.Program); err != nil {
		return err
	}
	a.note("%s: %d instructions, proved equal to the %d together for every call; no difference in %d test calls",
		c.Source, r.Program.Len(), len(c.Sources), r.Points)
	return nil
}

// combineFilter writes the filter of what profiles mean together.
func (a *app) combineFilter(c *combineFlags, r *combine.Combined) error {
	p, asks, err := r.Program()
	if err != nil {
		return err
	}
	c.Filter.ABIs = intake.ABINames(r.Meaning.ABIs())
	if asks != nil {
		c.Flags = loaderFlags(asks)
	}
	if err := a.emit(&c.outputFormat, &c.output, p); err != nil {
		return err
	}
	a.note("%s: %d instructions, proved to be the %s for every call", c.Source, p.Len(), c.Noun())
	return nil
}

// verb is the name of the command.
func (c *combineFlags) verb() string {
	if c.Op == algebra.Union {
		return "union"
	}
	return "intersect"
}
