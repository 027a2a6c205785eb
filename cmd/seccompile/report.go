package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/report"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/policy"
)

const reportLong = `Report writes a page for the review of a profile: what it allows and under which
conditions, in plain words; the findings of check; the cost of the filter; and how it
decides, as a picture. For two profiles it also shows the difference: which calls
became weaker or stricter, and for which arguments. FILE, A and B are profiles in any
language, or filters: raw, assembly text or artifacts. Of a filter the page says all but
what its author wrote. Filters that hold together, such as those of a unit of systemd or
with --preset, are one page.

Of two profiles, the first words say what the second allows that the first denies. With
-f markdown the same is shorter, for a comment on a pull request; action.yml makes a
GitHub action of it.

With --scan, the page is about two bounds of what a program calls: what it can call, as
scan --json finds, and what it was seen to call, as a recording has it or, without one, what
scan --observed compared with.

The page is a single HTML file that loads nothing and can be read without scripts. The
same profiles give the same page; it has no date unless you give one with --date.`

// The reportFlags are the flags of report.
type reportFlags struct {
	checkFlags
	presets []string
	date    string
	scan    string
	format  string
	weaker  bool
}

func (a *app) reportCommand() *cobra.Command {
	var r reportFlags
	var o output
	cmd := &cobra.Command{
		Use:        "report [flags] FILE | A B | --scan SCAN RECORDING",
		Short:      "write a page to review a profile, a filter or a change",
		SuggestFor: []string{"html"},
		Long:       reportLong,
		Example: `  seccompile report -o report.html profile.json
  seccompile report -a x86_64,x86,x32 -o docker.html docker-default
  seccompile report -o change.html old.json new.json
  seccompile report -o unit.html --language systemd web.service
  seccompile report --preset no-new-privileged-sockets -o both.html profile.json
  seccompile report --scan can.json -o bounds.html recording.json
  seccompile report -f markdown old.json new.json >>"$GITHUB_STEP_SUMMARY"`,
		ValidArgsFunction: completeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 && r.scan == "" {
				return failure.Usagef("expected one profile, or two to compare, got %d", len(args)).Hintf("for example: seccompile report -o report.html old.json new.json")
			}
			if !slices.Contains(report.Formats(), report.Format(r.format)) {
				return failure.Usagef("-f: unknown format %q (known: %s)", r.format, strings.Join(reportFormats(), ", "))
			}
			if r.format == string(report.HTML) && !o.explicit() && isTerminal(a.stdout) {
				return failure.Usagef("refusing to write an HTML page to a terminal").Hintf("-o FILE saves it, -o - writes it here anyway")
			}
			if r.scan != "" {
				return a.reviewScan(&r, &o, args)
			}
			if r.weaker && len(args) < 2 {
				return failure.Usagef("--fail-weaker: expected two profiles to compare")
			}
			if len(args) == 0 {
				args = []string{""}
			}
			return a.review(&r, &o, args)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVarP(&r.format, "format", "f", string(report.HTML), "output `FORMAT`: "+strings.Join(reportFormats(), ", "))
	completeFlag(cmd, "format", oneOf(reportFormats()...))
	r.addConsumer(cmd)
	addPresets(cmd, &r.presets)
	r.addPlace(cmd)
	cmd.Flags().BoolVar(&r.weaker, "fail-weaker", false, "exit with status 1 if B allows anything that A denies")
	cmd.Flags().StringVar(&r.scan, "scan", "", "write about what programs can call, as `FILE` of scan --json says, and what a recording has")
	annotate(cmd, "scan", readsFile)
	cmd.Flags().StringVar(&r.date, "date", "", "show `DATE` on the page")
	completeFlag(cmd, "date", oneOf())
	r.addReading(cmd)
	r.addTuning(cmd)
	r.patience.add(cmd)
	return cmd
}

func reportFormats() (names []string) {
	for _, f := range report.Formats() {
		names = append(names, string(f))
	}
	return names
}

// review reads profiles and writes the page about them.
func (a *app) review(r *reportFlags, o *output, args []string) error {
	limits, err := r.limits()
	if err != nil {
		return err
	}
	tuning, err := r.tuning()
	if err != nil {
		return err
	}
	var profiles []report.Profile
	for _, arg := range args {
		p, err := a.reviewed(r, arg)
		if err != nil {
			return err
		}
		profiles = append(profiles, p)
	}
	options := report.Options{Compiler: tuning, Limits: limits, Date: r.date, Format: report.Format(r.format)}
	var page []byte
	var weaker bool
	if len(profiles) == 1 {
		page, err = report.Review(profiles[0], options)
	} else {
		page, weaker, err = report.Compare(profiles[0], profiles[1], options)
	}
	if err != nil {
		return answer.Unlimited(err)
	}
	err = a.put(o, new(wordWriter).plain(page)) // HTML has no way to write control characters
	if err == nil && weaker && r.weaker {
		return failure.Nof("%s allows calls that %s denies", profiles[1].Name, profiles[0].Name)
	}
	return err
}

// reviewed reads a profile and what check finds in it.
func (a *app) reviewed(r *reportFlags, arg string) (report.Profile, error) {
	in, err := a.readUnder(r.presets, arg)
	if err != nil {
		return report.Profile{}, err
	}
	if in.Kind != intake.KindProfile {
		return r.filter(in)
	}
	c, err := r.look(in)
	if err != nil {
		return report.Profile{}, err
	}
	if c.Report.Resolved != nil {
		return report.Profile{Name: in.Name, Report: c.Report}, nil
	}
	var refused policy.Errors
	for _, f := range c.Report.Findings {
		if f.Severity == lint.Error {
			refused = append(refused, &policy.Error{Pointer: f.Pointer, Reason: f.Reason, Line: f.Line, Column: f.Column})
		}
	}
	return report.Profile{}, in.No(refused)
}

// filter reads a filter.
func (r *reportFlags) filter(in *intake.Input) (report.Profile, error) {
	if len(r.presets) > 0 {
		return report.Profile{}, in.WantProfile()
	}
	abis, err1 := intake.ParseABIs(r.ABIs)
	if err := cmp.Or(err1, r.CheckSettings(false)); err != nil {
		return report.Profile{}, err
	}
	p, err := in.Program(r.ABIs...)
	if err != nil {
		return report.Profile{}, err
	}
	if len(abis) == 0 {
		abis = stats.Known(p)
	}
	if len(abis) == 0 {
		abis = answer.TestedABIs(p) // whose calls differ by more than their numbers
	}
	if len(abis) == 0 {
		return report.Profile{}, failure.Usagef("the filter does not show its ABI").Hintf("name it with -a")
	}
	return report.Profile{Name: in.Name, Filter: p, ABIs: abis}, nil
}
