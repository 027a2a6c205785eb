package main

import "github.com/spf13/cobra"

func (a *app) asmCommand() *cobra.Command {
	var e emission
	var o output
	cmd := &cobra.Command{
		Use:   "asm [flags] [FILE]",
		Short: "turn assembly text into a filter",
		Long: `Asm turns the text that disasm and compile -f asm write into the filter that it
stands for. A text that no kernel would take is an error that names the line. The
text names its byte order itself.`,
		Example: `  seccompile asm -o filter.bpf filter.s
  seccompile compile -f asm -a x86_64 docker-default | seccompile asm -f hex`,
		Args:              one("file"),
		ValidArgsFunction: completeOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := a.checkRaw(&e, &o); err != nil {
				return err
			}
			in, err := a.read(first(args))
			if err != nil {
				return err
			}
			p, err := in.program()
			if err != nil {
				return err
			}
			e.source = in.name
			return a.emit(&e, &o, p)
		},
	}
	e.add(cmd)
	o.add(cmd)
	return cmd
}
