package answer

import (
	"errors"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/proof"
)

// Rate grades what was reviewed, unless that was refused: the findings say why. A grade below
// least is too low. ABIs are those that a filter is for, none for those that it tests for.
func (c *Checked) Rate(abis []string, least string, limits proof.Limits) error {
	if !c.IsFilter() && c.Report.Stopped() {
		return nil
	}
	subject, graded, err := c.gradable(abis)
	if err != nil {
		return err
	}
	scale, err := grade.NewScale(graded)
	if err != nil {
		return c.In.No(err)
	}
	if c.Grade, err = scale.Of(subject, limits); err != nil {
		f := c.In.No(Unlimited(err))
		var limit *failure.Error
		if errors.As(f.Err, &limit) {
			f.Hint = limit.Hint
		}
		return f
	}
	c.Low = least != "" && c.Grade.Letter() > least
	return nil
}

// gradable returns what to grade, and the ABIs that it is for.
func (c *Checked) gradable(names []string) (proof.Subject, []arch.ABI, error) {
	if !c.IsFilter() {
		r := c.Report.Resolved
		return proof.Policy(r), r.ABIs(), nil
	}
	program, err := c.In.Program(names...)
	if err != nil {
		return nil, nil, err
	}
	abis, err := intake.ParseABIs(names)
	if len(abis) == 0 && err == nil {
		abis = TestedABIs(program)
	}
	if len(abis) == 0 && err == nil {
		err = failure.Usagef("%s: does not test for an ABI, so that it can be for any", c.In.Name).Hintf("name those of the kernel with -a")
	}
	for _, b := range abis {
		if b.ByteOrder() != program.Order() {
			err = failure.Usagef("%s is %s-endian, but %v is not", c.In.Name, intake.OrderName(program.Order()), b).Hintf("choose other ABIs with -a")
		}
	}
	return proof.Program(program), abis, err
}

// IsFilter reports whether the input is not a profile, so that it has no findings.
func (c *Checked) IsFilter() bool { return c.In.Kind != intake.KindProfile }

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
