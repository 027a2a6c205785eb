package main

import "github.com/spf13/cobra"

func (a *app) asmCommand() *cobra.Command {
	var e outputFormat
	var o output
	cmd := &cobra.Command{
		Use:        "asm [flags] [FILE]",
		Short:      "assemble text to a BPF filter",
		SuggestFor: []string{"assemble"},
		Long: `Asm assembles the text that disasm and compile -f asm write. If the kernel would
refuse the filter, the error names the line. The text states its byte order.`,
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
			p, err := in.Program()
			if err != nil {
				return err
			}
			e.Source = in.Name
			return a.emit(&e, &o, p)
		},
	}
	o.add(cmd)
	e.add(cmd)
	return cmd
}
