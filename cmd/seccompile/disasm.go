package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
)

func (a *app) disasmCommand() *cobra.Command {
	var asJSON bool
	var abi string
	var o output
	cmd := &cobra.Command{
		Use:        "disasm [flags] [FILE]",
		Short:      "show a filter as assembly text",
		SuggestFor: []string{"disassemble"},
		Long: `Disasm writes a filter as assembly text that asm can read back. The comments name
the ABI, call or action of each instruction. Disasm detects the byte order of a raw
filter. Of the filters of a snap (NAME.bin2) it writes both.`,
		Example: `  seccompile disasm filter.bpf
  seccompile compile -a x86_64 docker-default | seccompile disasm
  seccompile disasm --json filter.bpf | jq '.instructions | length'`,
		Args:              one("file"),
		ValidArgsFunction: completeOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			in, err := a.read(first(args))
			if err != nil {
				return err
			}
			paint := painter(false)
			if !o.explicit() {
				paint = a.paint()
			}
			if in.Kind == intake.KindSnap {
				return a.disassembleSnap(&o, in, paint, asJSON)
			}
			p, err := in.Program(nonempty(abi)...)
			if err != nil {
				return err
			}
			if asJSON {
				return a.putJSON(&o, emit.Disassembly(p))
			}
			return a.put(&o, []byte(paint.assembly(p, p.Disassemble(symbols.Names()))))
		},
	}
	cmd.Flags().StringVarP(&abi, "abi", "a", "", "from an artifact, take the filter for `ABI` (default: the only one, or the host's)")
	completeFlag(cmd, "abi", oneOf(intake.KnownABIs()...))
	addJSON(cmd, &asJSON)
	o.add(cmd)
	return cmd
}

// assembly colours the verdicts of a disassembly.
func (p painter) assembly(prog *cbpf.Program, text string) string {
	if !p {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	for pc := range prog.Len() {
		ins := prog.At(pc)
		if ins.Op != opRetK {
			continue
		}
		line := &lines[pc+1] // after the directive for the byte order
		code, comment, hasComment := strings.Cut(*line, ";")
		label, ret, _ := strings.Cut(code, "ret")
		verdict := strings.TrimRight("ret"+ret, " \n")
		*line = label + p.action(cbpf.Action(ins.K), verdict) + code[len(label)+len(verdict):]
		if hasComment {
			*line += ";" + comment
		}
	}
	return strings.Join(lines, "")
}

// opRetK returns a constant (linux/bpf_common.h: BPF_RET|BPF_K).
const opRetK = 0x06
