package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/optimize"
)

const optimizeLong = `Optimize reads any filter, from any compiler, and writes a smaller one that means
the same. FILTER is a raw filter or assembly text. If nothing smaller is found the
filter is written as it is.

What the filter does with every call is read off its instructions, and the new
filter is proved to do just that: for every number, argument and ABI, down to the
data of the action. Both are also run on the calls beside every constant in them.
Calls that kernels allow without running the old filter, they allow without running
the new one. The exit status is 1 if the proof goes beyond the limits that
--patience raises.

The size that was saved and the proof are reported on standard error; -q leaves
that out.`

func (a *app) optimizeCommand() *cobra.Command {
	var p patience
	var e emission
	var o output
	cmd := &cobra.Command{
		Use:   "optimize [flags] [FILTER]",
		Short: "make a filter smaller and prove that it means the same",
		Long:  optimizeLong,
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
			before, err := in.program()
			if err != nil {
				return err
			}
			r, err := optimize.Program(before, limits)
			if err != nil {
				return unlimited(err)
			}
			e.source = in.name
			if err := a.emit(&e, &o, r.Program); err != nil {
				return err
			}
			if r.Program == before {
				a.note("%s: nothing smaller than its %d instructions was found", in.name, before.Len())
				return nil
			}
			a.note("%s: %d instructions became %d, proved to mean the same for every call; run on %d calls: no difference",
				in.name, before.Len(), r.Program.Len(), r.Points)
			return nil
		},
	}
	p.add(cmd)
	e.add(cmd)
	o.add(cmd)
	return cmd
}
