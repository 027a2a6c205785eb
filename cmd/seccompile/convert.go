package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/convert"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/language"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

const convertLong = `Convert writes a policy in another language. It reads what it wrote as the tool of that
language does, and proves that both mean the same: for every call, number, argument and
ABI, with the data of the action. If the language cannot say what the policy does,
convert names the rules and the reasons, writes nothing, and exits with status 1. It
never writes anything weaker, or stricter.

The flags say how to read the policy, as with compile. Most languages have a policy for
one ABI: name it with -a. A filter kills calls through ABIs that are left out.

Languages also decide about what a policy does not name, and cannot be told otherwise:
runtimes of OCI give ENOSYS to numbers above those of a profile, systemd lets calls
through unknown ABIs pass. Convert refuses such a policy too, unless you let these differ:

  --but-for other-abis        calls through ABIs that the policy is not for
  --but-for unknown-numbers   numbers that no rule names and no call has
  --but-for unnamed-calls     calls that no rule names, where both policies deny them

Convert then says what they get. --enosys off leaves out ENOSYS for numbers above those
of an OCI profile, in the reading of the policy.

The filters of systemd are lists of calls, and its sets stand for calls where all that
are in them get the same in the version of LANGUAGE.`

// The convertFlags are the flags of convert.
type convertFlags struct {
	targetFlags
	output
	to       string
	settings []string // of to
	butFor   []string
}

func (a *app) convertCommand() *cobra.Command {
	var c convertFlags
	cmd := &cobra.Command{
		Use:        "convert [flags] --to LANGUAGE [FILE]",
		Short:      "write a policy in another language, proved equal",
		SuggestFor: []string{"translate", "export"},
		Long:       convertLong,
		Example: `  seccompile convert --to oci -a x86_64 sshd.service
  seccompile convert --to systemd@257 -a x86_64 --but-for unknown-numbers profile.json
  seccompile convert --to minijail-python --to-set 'default-action=return EPERM' -a aarch64 profile.json`,
		Args:              one("policy"),
		ValidArgsFunction: completeOneProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.convert(&c, first(args))
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.to, "to", "", "`LANGUAGE` to write, with a version as in systemd@257 where it has some")
	f.StringArrayVar(&c.settings, "to-set", nil, "a setting `KEY=VALUE` of the tool that will read the result")
	f.StringSliceVar(&c.butFor, "but-for", nil, "let the result treat `WHAT` in another way: other-abis, unknown-numbers, unnamed-calls")
	completeFlag(cmd, "to", oneOf(targetNames()...))
	completeFlag(cmd, "to-set", oneOf(intake.SettingNames()...))
	completeFlag(cmd, "but-for", oneOf(convert.Exceptions()...))
	c.output.add(cmd)
	c.addPlace(cmd)
	c.addReading(cmd)
	return cmd
}

// targetNames returns the languages that can be written.
func targetNames() (names []string) {
	for _, name := range intake.LanguageVersions() {
		if lang, err := intake.LanguageNamed("--to", name, "--to-set", nil); err == nil && converts(lang) != nil {
			names = append(names, name)
		}
	}
	return names
}

// converts returns a language if it can be written: config.json holds much else.
func converts(lang language.Language) convert.Language {
	if l, ok := lang.(ocijson.Language); ok {
		if l.Format == ocijson.Config {
			return nil
		}
		return convert.Profile{Language: l}
	}
	to, _ := lang.(convert.Language)
	return to
}

// languageTo returns the language to write.
func languageTo(name string, settings []string) (convert.Language, error) {
	if name == "" {
		return nil, failure.Usagef("convert: no language to convert to").Hintf("name one with --to: %s", strings.Join(targetNames(), ", "))
	}
	lang, err := intake.LanguageNamed("--to", name, "--to-set", settings)
	if err != nil {
		return nil, err
	}
	to := converts(lang)
	if to == nil {
		return nil, failure.Usagef("--to: seccompile does not write %s", name).Hintf("it writes %s", strings.Join(targetNames(), ", "))
	}
	return to, nil
}

// convert writes a policy in another language.
func (a *app) convert(c *convertFlags, arg string) error {
	to, err := languageTo(c.to, c.settings)
	if err != nil {
		return err
	}
	for _, what := range c.butFor {
		if known := convert.Exceptions(); !slices.Contains(known, what) {
			return failure.Usagef("--but-for: unknown word %q (known: %s)", what, strings.Join(known, ", ")).HintNearest(what, known, "")
		}
	}
	in, err := a.read(arg)
	if err != nil {
		return err
	}
	from, err := c.Meaning(in)
	if err != nil {
		return err
	}
	a.warn(in, from.Warnings)
	result, err := convert.Convert(&convert.Request{
		Policy: from.Policy, Resolved: from.Resolved, To: to, Name: c.to, ButFor: c.butFor,
		Comment: "Converted from " + in.Name + " by seccompile.",
	})
	if err != nil {
		var problems policy.Errors
		if !errors.As(err, &problems) {
			return err
		}
		no := in.No(fmt.Errorf("%w", err))
		if strings.Contains(err.Error(), "give the setting") {
			no.Hintf("--to-set gives %s a setting", c.to)
		}
		return no
	}
	if err := a.put(&c.output, result.Text); err != nil {
		return err
	}
	a.noteConverted(c, in, from, result)
	return nil
}

// noteConverted says what was proved.
func (a *app) noteConverted(c *convertFlags, in *intake.Input, from *intake.Compiled, result *convert.Result) {
	but := ""
	var seen []string
	for _, change := range result.Changes {
		what := fmt.Sprintf("%v becomes %v", change.From, change.To)
		if !slices.Contains(seen, what) {
			seen = append(seen, what)
		}
	}
	if len(seen) > 0 {
		but = " but for " + strings.Join(c.butFor, " and ") + " (" + strings.Join(seen, ", ") + ")"
	}
	a.note("%s: proved equal in %s for every call of %s%s", in.Name, c.to, strings.Join(intake.ABINames(from.Resolved.ABIs()), ", "), cmp.Or(but, ""))
}
