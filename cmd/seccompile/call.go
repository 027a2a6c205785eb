package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
)

// question reads the call.
func (a *app) question(e *evalFlags, abis []arch.ABI, c *intake.Compiled, name string, args []string) (*intake.Call, error) {
	var abi arch.ABI
	var err error
	switch native := arch.Native(); {
	case e.abi != "":
		if abi, err = intake.ParseABI(e.abi); err != nil {
			return nil, err
		}
		if c.Program != nil && abi.ByteOrder() != c.Program.Order() {
			return nil, failure.Usagef("-a: %s is %s-endian, the filter is %s-endian",
				abi, intake.OrderName(abi.ByteOrder()), intake.OrderName(c.Program.Order()))
		}
	case slices.Contains(abis, native):
		abi = native
	case len(abis) > 0:
		abi = abis[0]
		a.note("evaluating the call for %s (choose another ABI with -a)", abi)
	case native != 0 && native.ByteOrder() == c.Program.Order():
		abi = native
	default:
		return nil, failure.Usagef("the filter does not show its ABI").Hintf("name it with -a")
	}
	return intake.ParseCall(abi, name, args)
}

// takesNumbers annotates commands whose arguments may be negative numbers.
const takesNumbers = "takes-numbers"

// guardNumbers keeps negative numbers from being read as flags.
func guardNumbers(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Annotations[takesNumbers] == "" {
		return args
	}
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if len(arg) > 1 && arg[0] == '-' && '0' <= arg[1] && arg[1] <= '9' {
			return slices.Insert(slices.Clone(args), i, "--")
		}
	}
	return args
}
