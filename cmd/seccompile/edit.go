package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/edit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

const editLong = `Edit changes what a profile does with some calls, and nothing else. It writes the changed
profile and shows on standard error what changed, as diff does. The text stays as it was:
order, layout, comments and unknown keys.

CALLS are names with commas between them. Conditions on arguments follow in parentheses,
in the words that explain uses; && and || are the same as "and" and "or":

  socket(family == AF_UNIX)
  clone(flags & CLONE_NEWUSER == 0)
  ioctl(request in {TCGETS, TIOCGWINSZ} || request not in {0..0xffff})

--deny gives calls the profile's own denial: its default action, or EPERM if that does
not deny. --rule gives them any ACTION. Of several changes of one call the last one on the
command line has precedence.

Edit reads the result again and proves that it means what was asked for: for every call,
number and argument, on every ABI of the profile, and for a profile with conditions on
each ABI, capability and kernel that it mentions. It refuses a change that the profile
cannot say. Notes tell what it cannot leave alone: an error number where calls are newer
than the profile, and what programs do through socketcall and ipc, whose arguments no
filter sees.`

// The editFlags are the flags of edit.
type editFlags struct {
	changes      []changeFlag
	standard     string
	flags, abis  []string
	place        output
	inPlace, dry bool
}

// A changeFlag is a change as the command line has it.
type changeFlag struct {
	flag, action, calls string
}

// A changesFlag collects changes in the order of the command line.
type changesFlag struct {
	name string
	to   *[]changeFlag
}

// Set implements pflag.Value.
func (f *changesFlag) Set(text string) error {
	c := changeFlag{flag: "--" + f.name, action: f.name, calls: text}
	if f.name == "rule" {
		var ok bool
		if c.action, c.calls, ok = strings.Cut(text, "="); !ok {
			return errors.New("expected ACTION=CALLS, such as errno:ENOSYS=clone3")
		}
	}
	*f.to = append(*f.to, c)
	return nil
}

// String implements pflag.Value.
func (f *changesFlag) String() string { return "" }

// Type implements pflag.Value.
func (f *changesFlag) Type() string { return "CALLS" }

func (a *app) editCommand() *cobra.Command {
	var e editFlags
	cmd := &cobra.Command{
		Use:        "edit [flags] [PROFILE]",
		Short:      "change what a profile does with some calls, and prove the rest",
		SuggestFor: []string{"allow", "deny", "modify", "set"},
		Long:       editLong,
		Example: `  seccompile edit --allow io_uring_setup,io_uring_enter --deny ptrace docker-default >profile.json
  seccompile edit -i --allow 'socket(family == AF_UNIX)' --rule errno:ENOSYS=clone3 profile.json
  seccompile edit --dry-run --deny 'clone(flags & CLONE_NEWUSER != 0)' profile.json
  seccompile edit --default log --flags log,spec_allow -o audit.json profile.json`,
		Args:              one("profile"),
		ValidArgsFunction: completeOneProfile,
		RunE:              func(_ *cobra.Command, args []string) error { return a.edit(&e, first(args)) },
	}
	f := cmd.Flags()
	for _, x := range [][2]string{
		{"allow", "allow `CALLS`"},
		{"deny", "deny `CALLS` as the profile denies others"},
		{"log", "allow and log `CALLS`"},
		{"rule", "give calls any action: `ACTION=CALLS`, such as kill-process=ptrace"},
	} {
		f.Var(&changesFlag{x[0], &e.changes}, x[0], x[1])
	}
	f.StringVar(&e.standard, "default", "", "`ACTION` for calls that no rule of the profile decides")
	f.StringSliceVar(&e.flags, "flags", nil, "filter `FLAG`s that the profile asks for, such as log, or none")
	f.StringSliceVar(&e.abis, "abis", nil, "`ABI`s that the profile is for")
	f.BoolVar(&e.dry, "dry-run", false, "show what would change and write nothing")
	f.BoolVarP(&e.inPlace, "in-place", "i", false, "change the file that PROFILE names")
	e.place.add(cmd)
	annotate(cmd, "output", changesFile, "")
	cmd.MarkFlagsMutuallyExclusive("output", "in-place", "dry-run")
	completeFlag(cmd, "default", oneOf(intake.ActionWords...))
	completeFlag(cmd, "flags", oneOf(append(flagWords(), "none")...))
	completeFlag(cmd, "abis", completeABIs)
	return cmd
}

// edit changes a profile.
func (a *app) edit(e *editFlags, arg string) error {
	in, err := a.editable("edit", arg, e.inPlace)
	if err != nil {
		return err
	}
	abis, err := edit.ABIs(in.Source)
	if err != nil {
		return in.No(err)
	}
	request, err := e.request(abis[0])
	if err != nil {
		return err
	}
	result, err := edit.Edit(in.Source, request)
	if err != nil {
		var bad *edit.ParseError
		if errors.As(err, &bad) {
			return badCalls("", bad)
		}
		return in.No(err)
	}
	if e.inPlace {
		e.place.path = arg
	}
	shown, err := a.edited(in, result)
	if err != nil {
		return err
	}
	if e.dry {
		return a.put(&e.place, shown)
	}
	if !e.inPlace || !bytes.Equal(result.Text, in.Data) { // a file that stays as it is stays the same file
		if err := a.put(&e.place, result.Text); err != nil {
			return err
		}
	}
	if !a.quiet {
		_, err = a.stderr.Write(shown)
	}
	return err
}

// editable reads a profile whose text can be changed.
func (a *app) editable(verb, arg string, inPlace bool) (*intake.Input, error) {
	if inPlace && (arg == "" || arg == "-" || arg == intake.DockerDefault) {
		return nil, failure.Usagef("-i needs the name of a file").Hintf("without -i, the result goes to standard output or to -o")
	}
	in, err := a.read(arg)
	if err == nil {
		err = in.WantProfile()
	}
	if err != nil {
		return nil, err
	}
	_, broken := in.Source.JSON()
	if broken != nil && intake.IsObject(in.Data) {
		return nil, in.No(broken)
	}
	name := ""
	if broken == nil {
		if name, err = intake.SniffLanguage(in); err != nil {
			return nil, err
		}
	}
	if name != "" || in.YAML || broken != nil {
		return nil, failure.Nof("%s: %s takes profiles of OCI, Docker and Podman in JSON alone", in.Name, verb).
			Hintf("seccompile convert --to oci writes one")
	}
	return in, nil
}

// request returns what the flags ask for. Errors have the numbers that they have on an ABI.
func (e *editFlags) request(a arch.ABI) (r edit.Request, err error) {
	for _, f := range e.changes {
		c := edit.Change{Deny: f.flag == "--deny"}
		if !c.Deny {
			action, err := intake.ParseAction(f.flag, f.action, a)
			if err != nil {
				return r, err
			}
			c.Action = action.Action
		}
		if c.Specs, err = edit.Parse(f.calls); err != nil {
			var bad *edit.ParseError
			if errors.As(err, &bad) {
				return r, badCalls(f.flag, bad)
			}
			return r, err
		}
		r.Changes = append(r.Changes, c)
	}
	if e.standard != "" {
		action, err := intake.ParseAction("--default", e.standard, a)
		if err != nil {
			return r, err
		}
		r.Default = &action.Action
	}
	if r.Flags, err = parseFlags(e.flags); err != nil {
		return r, err
	}
	if r.ABIs, err = intake.ParseABIs(e.abis); err != nil {
		return r, err
	}
	if len(r.Changes) == 0 && r.Default == nil && r.Flags == nil && r.ABIs == nil {
		return r, failure.Usagef("nothing to change").Hintf("--allow, --deny, --log and --rule change calls; --default, --flags and --abis the rest")
	}
	return r, nil
}

// badCalls explains what is wrong with calls and their conditions.
func badCalls(flag string, bad *edit.ParseError) *failure.Error {
	f := failure.Usagef("%s", failure.Join(flag, failure.Unprefixed(bad.Error())))
	if bad.Near != "" {
		return f.Hintf("did you mean %s?", bad.Near)
	}
	return f
}

// flagWords returns the flags that profiles may ask for, as --flags takes them.
func flagWords() (words []string) {
	for _, f := range cbpf.ProfileFlags() {
		words = append(words, strings.ToLower(strings.TrimPrefix(f.String(), flagPrefix)))
	}
	return words
}

const flagPrefix = "SECCOMP_FILTER_FLAG_"

// parseFlags returns the flags with some names, empty and not nil for none.
func parseFlags(words []string) ([]cbpf.Flag, error) {
	if slices.Equal(words, []string{"none"}) {
		return []cbpf.Flag{}, nil
	}
	var flags []cbpf.Flag
	for _, word := range words {
		name := flagPrefix + strings.TrimPrefix(strings.ToUpper(strings.ReplaceAll(word, "-", "_")), flagPrefix)
		f, err := cbpf.ParseFlag(name)
		if err != nil {
			return nil, failure.Usagef("--flags: unknown flag %q (known: %s, or none)", word, strings.Join(flagWords(), ", ")).HintNearest(word, flagWords(), "")
		}
		flags = append(flags, f)
	}
	return flags, nil
}

// edited shows what an edit changed, and warns of what is new about the profile.
func (a *app) edited(in *intake.Input, result *edit.Result) ([]byte, error) {
	if bytes.Equal(result.Text, in.Data) {
		for _, note := range result.Notes {
			a.note("%s", note)
		}
		return []byte(in.Name + ": nothing to change: it means that already\n"), nil
	}
	before, err := sideOf(in)
	if err != nil {
		return nil, err
	}
	changed := intake.New(in.Path, in.Name+" (edited)", result.Text)
	after, err := sideOf(changed)
	if err != nil {
		return nil, err
	}
	a.warn(changed, slices.DeleteFunc(after.Warnings, func(w policy.Warning) bool {
		return slices.ContainsFunc(before.Warnings, func(old policy.Warning) bool { return old.Kind == w.Kind && old.Message == w.Message })
	}))
	for _, note := range result.Notes {
		a.note("%s", note)
	}
	found, err := edit.Changes(before.Resolved, after.Resolved)
	if err != nil {
		return nil, err
	}
	v, err := answer.NewDifference(before, after, found, false)
	if err != nil {
		return nil, err
	}
	return diffText(false, v, false), nil
}

// sideOf reads a profile for the ABIs that it is for.
func sideOf(in *intake.Input) (*answer.Side, error) {
	abis, err := edit.ABIs(in.Source)
	if err != nil {
		return nil, in.No(err)
	}
	t := intake.Target{ABIs: intake.ABINames(abis), Host: thisHost()}
	return answer.NewSide(&t, in)
}
