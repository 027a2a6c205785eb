package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/proof"
)

// side reads a profile or a filter. Flags say how a profile is read.
func (a *app) side(t *intake.Target, arg string) (*answer.Side, error) {
	in, err := a.read(arg)
	if err != nil {
		return nil, err
	}
	s, err := answer.NewSide(t, in)
	if err == nil {
		a.warn(in, s.Warnings)
	}
	return s, err
}

// patience is the flag that raises the limits of a proof.
type patience struct{ times int }

func (p *patience) add(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.times, "patience", 1, fmt.Sprintf("allow the proof `N` times its usual work, up to %d", answer.MaxPatience))
	completeFlag(cmd, "patience", oneOf())
}

// limits returns the limits of a proof.
func (p *patience) limits() (proof.Limits, error) { return answer.Limits(p.times) }

// verdictText says what a side does with a call and, for a profile, why.
func verdictText(p painter, s *answer.Side, d *cbpf.Data) string {
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	action := s.Decide(d).Action
	text := p.action(action, intake.ActionText(action, abi))
	if why := s.Why(d); why != "" {
		text += ", " + why
	}
	return text
}
