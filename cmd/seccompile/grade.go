package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/proof"
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

// grade grades a profile that was reviewed, or a filter, if that is asked for.
func (c *checkFlags) grade(p *checked) error {
	if !c.asked() || !p.filter() && p.report.Stopped() { // the findings say why
		return nil
	}
	subject, abis, err := c.gradable(p)
	if err != nil {
		return err
	}
	limits, err := c.limits()
	if err != nil {
		return err
	}
	scale, err := grade.NewScale(abis)
	if err != nil {
		return p.in.No(err)
	}
	if p.grade, err = scale.Of(subject, limits); err != nil {
		f := p.in.No(unlimited(err))
		var limit *failure.Error
		if errors.As(f.Err, &limit) {
			f.Hint = limit.Hint
		}
		return f
	}
	p.low = c.least != "" && p.grade.Letter() > c.least
	return nil
}

// gradable returns what to grade, and the ABIs that it is for.
func (c *checkFlags) gradable(p *checked) (proof.Subject, []arch.ABI, error) {
	if !p.filter() {
		r := p.report.Resolved
		return proof.Policy(r), r.ABIs(), nil
	}
	program, err := p.in.Program(c.ABIs...)
	if err != nil {
		return nil, nil, err
	}
	abis, err := intake.ParseABIs(c.ABIs)
	if len(abis) == 0 && err == nil {
		abis = testedABIs(program)
	}
	if len(abis) == 0 && err == nil {
		err = failure.Usagef("%s: does not test for an ABI, so that it can be for any", p.in.Name).Hintf("name those of the kernel with -a")
	}
	for _, b := range abis {
		if b.ByteOrder() != program.Order() {
			err = failure.Usagef("%s is %s-endian, but %v is not", p.in.Name, intake.OrderName(program.Order()), b).Hintf("choose other ABIs with -a")
		}
	}
	return proof.Program(program), abis, err
}

// filter reports whether the input is not a profile, so that it has no findings.
func (c *checked) filter() bool { return c.in.Kind != intake.KindProfile }

// putBadge writes the badge, if there is one to write.
func (a *app) putBadge(g *gradeFlags, p *checked) error {
	if !g.badge.explicit() || p.unread != "" {
		return nil
	}
	if p.grade == nil {
		a.report(nil, failure.Nof("--badge: %s has no grade, so nothing is written", p.in.Name))
		return nil
	}
	return a.put(&g.badge, p.grade.Badge())
}

// gradeText is the grade as a part of a line.
func (c *checked) gradeText() string {
	text := fmt.Sprintf("grade %s, %d of 100 points", c.grade.Letter(), c.grade.Points)
	if c.low {
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

// A gradeJSON is a grade in the document of check --json.
type gradeJSON struct {
	Grade  string      `json:"grade"`
	Points int         `json:"points"` // of 100
	ABIs   []string    `json:"abis"`   // all of the kernels
	Powers []powerJSON `json:"powers"`
}

// A powerJSON is what a program can do, or cannot.
type powerJSON struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Points int    `json:"points"` // that it can cost
	Lost   int    `json:"lost"`
	Reason string `json:"reason"`
}

func newGradeJSON(g *grade.Grade) *gradeJSON {
	if g == nil {
		return nil
	}
	j := &gradeJSON{g.Letter(), g.Points, intake.ABINames(g.ABIs), []powerJSON{}}
	for _, l := range g.Lines {
		j.Powers = append(j.Powers, powerJSON{l.ID, l.Title, l.Points, l.Lost, l.Reason})
	}
	return j
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
func (c *checked) gradeResult(rule int) sarifResult {
	var lost []string
	for _, l := range c.grade.Lines {
		if l.Lost > 0 {
			lost = append(lost, fmt.Sprintf("%d to %s: %s.", l.Lost, l.Title, l.Reason))
		}
	}
	text := strings.ToUpper(c.gradeText()[:1]) + sentence(c.gradeText()[1:])
	if lost != nil {
		text += " Points lost: " + strings.Join(lost, " ")
	}
	r := sarifResult{RuleID: "grade", RuleIndex: rule, Level: "note", Message: sarifText{text}}
	if c.low {
		r.Level = "error"
	}
	r.Locations = []sarifLocation{c.location(lint.Finding{})}
	return r
}
