package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/lint"
)

// The gradeFlags are the flags of check that are about grades.
type gradeFlags struct {
	on    bool
	least string
	badge output
}

func (g *gradeFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&g.on, "grade", false, "also grade what remains reachable, from A to F; filters can be graded, too")
	f.StringVar(&g.least, "min-grade", "", "grade, and exit with 1 below this `GRADE`")
	f.StringVar(&g.badge.path, "badge", "", "grade, and write the grade as a picture (SVG) to `FILE`")
	annotate(cmd, "badge", writesFile)
	completeFlag(cmd, "min-grade", oneOf(grade.Letters()...))
}

// asked reports whether there is something to grade.
func (g *gradeFlags) asked() bool { return g.on || g.least != "" || g.badge.explicit() }

// check refuses flags without a meaning.
func (g *gradeFlags) check(inputs int) error {
	switch {
	case g.least != "" && !slices.Contains(grade.Letters(), g.least):
		return failure.Usagef("--min-grade: unknown grade %q (known: %s)", g.least, strings.Join(grade.Letters(), ", "))
	case g.badge.explicit() && inputs != 1:
		return failure.Usagef("--badge: expected one profile or filter, got %d", inputs)
	}
	return nil
}

// rate grades what was reviewed, or a filter, if that is asked for.
func (c *checkFlags) rate(p *answer.Checked) error {
	if !c.asked() {
		return nil
	}
	limits, err := c.limits()
	if err != nil {
		return err
	}
	return p.Rate(c.ABIs, c.least, limits)
}

// putBadge writes the badge, if there is one to write.
func (a *app) putBadge(g *gradeFlags, p *answer.Checked) error {
	if !g.badge.explicit() || p.Unread != "" {
		return nil
	}
	if p.Grade == nil {
		a.report(nil, failure.Nof("--badge: %s has no grade, so nothing is written", p.In.Name))
		return nil
	}
	return a.put(&g.badge, p.Grade.Badge())
}

// gradeText is the grade as a part of a line.
func gradeText(c *answer.Checked) string {
	text := fmt.Sprintf("grade %s, %d of 100 points", c.Grade.Letter(), c.Grade.Points)
	if c.Low {
		text += ", which is too low"
	}
	return text
}

// printGrade prints a line for each power, those that are reachable first.
func (a *app) printGrade(g *grade.Grade) {
	p := a.paint()
	for _, lost := range []bool{true, false} {
		for _, l := range g.Lines {
			if l.Lost > 0 != lost {
				continue
			}
			color := green
			if lost {
				color = red
			}
			fmt.Fprintf(a.out, "    %s %s: %s\n", p.text(color, fmt.Sprintf("%d/%d", l.Points-l.Lost, l.Points)), l.Title, l.Reason)
		}
	}
}

// gradeRule describes the results that are grades.
func gradeRule() sarifRule {
	return sarifRule{
		ID:               "grade",
		ShortDescription: sarifText{"What the filter leaves to a program, from A to F."},
		FullDescription:  sarifText{"The grade is 100 points less those of every power over the kernel, or over what is outside of the sandbox, that remains reachable."},
		Help:             sarifText{"Deny the calls that the program does not need."},
		Default:          sarifConfig{"note"},
	}
}

// gradeResult is the grade as a finding: an error if it is too low.
func gradeResult(c *answer.Checked, rule int) sarifResult {
	var lost []string
	for _, l := range c.Grade.Lines {
		if l.Lost > 0 {
			lost = append(lost, fmt.Sprintf("%d to %s: %s.", l.Lost, l.Title, l.Reason))
		}
	}
	text := strings.ToUpper(gradeText(c)[:1]) + ended(gradeText(c)[1:])
	if lost != nil {
		text += " Points lost: " + strings.Join(lost, " ")
	}
	r := sarifResult{RuleID: "grade", RuleIndex: rule, Level: "note", Message: sarifText{text}}
	if c.Low {
		r.Level = "error"
	}
	r.Locations = []sarifLocation{location(c, lint.Finding{})}
	return r
}
