package main

import (
	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/report"
)

const reportLong = `Report makes a page for the review of a profile: what it allows and under which
conditions, in plain words; what check finds; what the filter costs; and how it
decides, as a picture. Of two profiles it also shows the difference: which calls
became weaker or stricter, and for which arguments.

The page is one HTML file that loads nothing and can be read without a script. The
same profiles make the same page; it has no date unless --date gives one.`

// A review is what the flags of report say.
type review struct {
	checking
	patience
	date string
}

func (a *app) reportCommand() *cobra.Command {
	var r review
	var o output
	cmd := &cobra.Command{
		Use:   "report [flags] PROFILE | A B",
		Short: "make a page for the review of a profile, or of two and their difference",
		Long:  reportLong,
		Example: `  seccompile report -o report.html profile.json
  seccompile report -a x86_64,x86,x32 -o docker.html docker-default
  seccompile report -o change.html old.json new.json`,
		ValidArgsFunction: completeProfile,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 2 {
				return usagef("report takes a profile, or two to compare, not %d", len(args)).hintf("seccompile report -o report.html old.json new.json")
			}
			if !o.explicit() && isTerminal(a.stdout) {
				return usagef("a page is no sight for a terminal").hintf("-o FILE saves it, -o - writes it here all the same")
			}
			if len(args) == 0 {
				args = []string{""}
			}
			return a.review(&r, &o, args)
		},
	}
	r.addPlace(cmd)
	r.addReading(cmd)
	r.addConsumer(cmd)
	r.addTuning(cmd)
	r.patience.add(cmd)
	f := cmd.Flags()
	f.StringVar(&r.date, "date", "", "show `DATE` on the page, as it is")
	completeFlag(cmd, "date", oneOf())
	o.add(cmd)
	return cmd
}

// review reads profiles and writes the page about them.
func (a *app) review(r *review, o *output, args []string) error {
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
	options := report.Options{Compiler: tuning, Limits: limits, Date: r.date}
	var page []byte
	if len(profiles) == 1 {
		page, err = report.Review(profiles[0], options)
	} else {
		page, err = report.Compare(profiles[0], profiles[1], options)
	}
	if err != nil {
		return unlimited(err)
	}
	return a.put(o, new(wordWriter).plain(page)) // HTML has no way to write control characters
}

// reviewed reads a profile and what check finds in it.
func (a *app) reviewed(r *review, arg string) (report.Profile, error) {
	in, err := a.read(arg)
	if err == nil && in.kind != kindProfile {
		_, _, err = in.policy(policy.Target{})
	}
	if err != nil {
		return report.Profile{}, err
	}
	c, err := r.look(in)
	if err != nil {
		return report.Profile{}, err
	}
	if c.report.Resolved != nil {
		return report.Profile{Name: in.name, Report: c.report}, nil
	}
	var refused policy.Errors
	for _, f := range c.report.Findings {
		if f.Severity == lint.Error {
			refused = append(refused, &policy.Error{Pointer: f.Pointer, Reason: f.Reason, Line: f.Line, Column: f.Column})
		}
	}
	return report.Profile{}, in.no(refused)
}
