package main

import (
	"slices"

	"github.com/spf13/cobra"
)

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
