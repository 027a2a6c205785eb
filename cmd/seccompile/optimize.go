package main

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/optimize"
)

const optimizeLong = `Optimize reads a filter from any compiler and writes a smaller one that means the
same. FILTER is a raw filter, assembly text or an artifact. If optimize does not find
a smaller filter, it writes FILTER as it is.

Optimize derives the meaning of the filter from its instructions and proves that the
new filter has the same meaning: for every number, argument and ABI, including the
data of the action. It also runs both on the calls next to every constant in them.
Calls that the kernel allows without running the old filter are allowed without
running the new one. The exit status is 1 if the proof exceeds the limits that
--patience raises.

Optimize reports the size that it saved and the proof on standard error, unless you
give -q.`

func (a *app) optimizeCommand() *cobra.Command {
	var p patience
	var e outputFormat
	var o output
	cmd := &cobra.Command{
		Use:        "optimize [flags] [FILTER]",
		Short:      "make a filter smaller and prove that it means the same",
		SuggestFor: []string{"optimise", "shrink"},
		Long:       optimizeLong,
		Example: `  seccompile optimize -o small.bpf filter.bpf
  seccompile optimize -f asm filter.bpf
  seccompile optimize -f c filter.s >filter.h`,
		Args:              one("filter"),
		ValidArgsFunction: completeOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			limits, err := p.limits()
			if err := cmp.Or(err, a.checkRaw(&e, &o)); err != nil {
				return err
			}
			in, err := a.read(first(args))
			if err != nil {
				return err
			}
			before, err := in.Program()
			if f := (*failure.Error)(nil); in.Kind == intake.KindProfile && errors.As(err, &f) {
				return f.Hintf("seccompile compile turns a policy into a filter that is as small already; seccompile fmt joins the entries of a profile in JSON")
			}
			if err != nil {
				return err
			}
			r, err := optimize.Program(before, limits)
			if err != nil {
				return answer.Unlimited(err)
			}
			e.Source = in.Name
			if err := a.emit(&e, &o, r.Program); err != nil {
				return err
			}
			if r.Program == before {
				a.note("%s: no filter smaller than its %d instructions was found", in.Name, before.Len())
				return nil
			}
			a.note("%s: %d instructions became %d, proved to mean the same for every call; no difference in %d test calls",
				in.Name, before.Len(), r.Program.Len(), r.Points)
			return nil
		},
	}
	o.add(cmd)
	e.add(cmd)
	p.add(cmd)
	return cmd
}
