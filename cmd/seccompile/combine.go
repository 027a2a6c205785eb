package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
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

// The words of --data.
const (
	dataChain  = "chain"
	dataKernel = "kernel"
)

// The combineFlags are the flags of intersect and union.
type combineFlags struct {
	targetFlags
	patience
	outputFormat
	output
	op       algebra.Op
	data     string
	accept   []string
	maxRules int
	nearest  bool
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
	c := combineFlags{op: op}
	c.formats = append([]string{formatProfile}, formats...)
	cmd.Use = c.verb() + " [flags] PROFILE PROFILE..."
	cmd.ValidArgsFunction = completeFiles
	cmd.RunE = func(_ *cobra.Command, args []string) error { return a.combine(&c, args) }
	c.output.add(cmd)
	c.outputFormat.add(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&c.accept, "accept", nil, "let the profile differ in `WHAT`: foreign, unassigned, data")
	f.BoolVar(&c.nearest, "nearest", false, "if no profile says it exactly, write the nearest and list what differs")
	f.StringVar(&c.data, "data", "", "of equally strict actions take the data of `WHICH`: chain (a fixed order) or kernel (the last profile's)")
	f.Lookup("data").DefValue = dataChain
	f.IntVar(&c.maxRules, "max-rules", 0, "write at most `N` rules for one call (default 128)")
	completeFlag(cmd, "accept", completeAccept)
	completeFlag(cmd, "data", oneOf(dataChain, dataKernel))
	completeFlag(cmd, "max-rules", oneOf())
	c.addPlace(cmd)
	c.addReading(cmd)
	c.patience.add(cmd)
	return cmd
}

// completeAccept completes the last of a comma-separated list of relations.
func completeAccept(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, r := range relations() {
		names = append(names, r.String())
	}
	return completeList(word, names)
}

// relations lists what a profile may treat differently.
func relations() []algebra.Relation {
	return []algebra.Relation{algebra.ExceptForeign, algebra.ExceptUnassigned, algebra.ExceptData}
}

// options returns how to combine, and finds mistakes in the flags.
func (c *combineFlags) options(args []string) (algebra.Options, error) {
	verb := c.verb()
	o := algebra.Options{MaxRules: c.maxRules}
	switch n := len(c.Languages); {
	case len(args) < 2:
		what := "profiles or filters"
		if c.op == algebra.Union {
			what = "profiles"
		}
		return o, failure.Usagef("%s: expected two or more %s, got %d", verb, what, len(args)).Hintf("for example: seccompile %s docker-default profile.json", verb)
	case n > 1 && n != len(args):
		return o, failure.Usagef("--language: expected one, or one for each of the %d profiles, got %d", len(args), n)
	case c.maxRules < 0:
		return o, failure.Usagef("--max-rules: expected a number from 1 on, got %d", c.maxRules)
	case c.format != formatProfile && (len(c.accept) > 0 || c.nearest || c.maxRules > 0):
		return o, failure.Usagef("%s: --accept, --nearest and --max-rules are about profiles, and -f %s writes a filter", verb, c.format).
			Hintf("leave them out: the filter is exact")
	}
	for _, word := range c.accept {
		i := slices.IndexFunc(relations(), func(r algebra.Relation) bool { return r.String() == word })
		if i < 0 {
			known, _ := completeAccept(nil, nil, "")
			return o, failure.Usagef("--accept: unknown word %q (known: %s)", word, strings.Join(known, ", ")).HintNearest(word, known, "")
		}
		o.Accept |= relations()[i]
	}
	switch c.data {
	case "", dataChain:
	case dataKernel:
		o.KernelData = true
	default:
		return o, failure.Usagef("--data: unknown word %q (known: %s, %s)", c.data, dataChain, dataKernel)
	}
	var err error
	o.Reading, err = c.Target.Options()
	o.Reading.StrictestWins, o.Reading.Exact = false, false // the profiles may need them, and the result does not
	if c.Runtime() != "" && o.Reading.ENOSYS == (policy.ENOSYS{}) {
		o.Reading.ENOSYS.Off = true // the runtimes other than runc have no such bound
	}
	return o, err
}

// A source is one of what is combined.
type source struct {
	*answer.Side
	in *intake.Input
}

// combine reads the sources and writes what they are together.
func (a *app) combine(c *combineFlags, args []string) error {
	limits, err1 := c.limits()
	o, err2 := c.options(args)
	o.Limits = limits
	if err := cmp.Or(err1, err2, a.checkRaw(&c.outputFormat, &c.output)); err != nil {
		return err
	}
	sources, err := a.sources(c, args)
	if err != nil {
		return err
	}
	var list []algebra.Source
	for _, s := range sources {
		if s.Resolved == nil {
			return a.combineFilters(c, sources, limits)
		}
		list = append(list, algebra.Source{Policy: s.Policy, Meaning: s.Resolved})
	}
	r, err := algebra.Combine(c.op, o, list...)
	switch {
	case err != nil:
		return c.no(err)
	case c.format != formatProfile:
		return a.combineFilter(c, r)
	}
	return a.combineProfile(c, &combined{Result: r, sources: sources, reading: o.Reading, limits: limits})
}

// sources reads what is to be combined.
func (a *app) sources(c *combineFlags, args []string) ([]source, error) {
	var sources []source
	var names []string
	for i, arg := range args {
		in, err := a.read(arg)
		if err == nil && len(c.Languages) > 1 {
			err = in.WantProfile()
		}
		if err != nil {
			return nil, err
		}
		s, err := answer.NewSide(c.Of(i), in)
		if err != nil {
			return nil, err
		}
		a.warn(in, s.Warnings)
		sources = append(sources, source{s, in})
		if err := answer.SameOrder(sources[0].Side, s); err != nil {
			return nil, err
		}
		names = append(names, s.Name)
	}
	c.source = strings.Join(names, " + ")
	return sources, c.CheckSettings(slices.ContainsFunc(sources, func(s source) bool { return s.Policy != nil }))
}

// combineFilters writes the filter that does what filters, and perhaps profiles, do together.
func (a *app) combineFilters(c *combineFlags, sources []source, limits proof.Limits) error {
	filter := sources[slices.IndexFunc(sources, func(s source) bool { return s.Resolved == nil })].in
	switch {
	case c.op == algebra.Union:
		return failure.Usagef("union: expected profiles, but %s is %s", filter.Name, filter.Kind).Hintf("give the profile that it was made from")
	case c.format == formatProfile:
		return failure.Usagef("intersect: no profile can be made of %s: %s", filter.Kind, filter.Name).
			Hintf("-f raw makes one filter of filters and profiles (formats: %s)", strings.Join(formats, ", "))
	case c.data == dataChain:
		return failure.Usagef("--data chain: %s is %s, and with filters the data is that of the kernel", filter.Name, filter.Kind).Hintf("leave it out")
	}
	var layers []optimize.Layer
	for _, s := range sources {
		f := optimize.Layer{Name: s.Name, Policy: s.Resolved}
		if f.Policy == nil {
			f.Program = s.Program
		}
		layers = append(layers, f)
	}
	r, err := optimize.Merge(layers, limits)
	if err != nil {
		return answer.Unlimited(err)
	}
	if err := a.emit(&c.outputFormat, &c.output, r.Program); err != nil {
		return err
	}
	a.note("%s: %d instructions, proved equal to the %d together for every call; no difference in %d test calls",
		c.source, r.Program.Len(), len(sources), r.Points)
	return nil
}

// combineFilter writes the filter of what profiles mean together.
func (a *app) combineFilter(c *combineFlags, r *algebra.Result) error {
	p, err := proved.Compile(r.Meaning, compile.Options{})
	if err != nil {
		return c.no(err)
	}
	c.outputFormat.abis = intake.ABINames(r.Meaning.ABIs())
	asks := r.Profile
	if r.Refusal != nil {
		asks = r.Refusal.Nearest // which asks for the same flags
	}
	if asks != nil {
		c.flags = loaderFlags(asks)
	}
	if err := a.emit(&c.outputFormat, &c.output, p.Program); err != nil {
		return err
	}
	a.note("%s: %d instructions, proved to be the %s for every call", c.source, p.Program.Len(), c.noun())
	return nil
}

// no reports that the sources together are not what was asked for.
func (c *combineFlags) no(err error) *failure.Error {
	return &failure.Error{Status: failure.No, Err: &failure.InFile{Name: c.source, Err: err}}
}

// noun says what the result is.
func (c *combineFlags) noun() string {
	if c.op == algebra.Union {
		return "union"
	}
	return "intersection"
}

// verb is the name of the command.
func (c *combineFlags) verb() string {
	if c.op == algebra.Union {
		return "union"
	}
	return "intersect"
}
