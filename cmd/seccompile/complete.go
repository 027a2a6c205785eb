package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// completeFlag makes the shell complete the values of a flag.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic("seccompile: BUG: " + err.Error()) // the flag does not exist, or has one already
	}
}

// words completes from a fixed list.
func words(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// completeABIs completes the last of a comma-separated list of ABIs.
func completeABIs(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, abiNames())
}

// completeCaps completes the last of a comma-separated list of capabilities.
func completeCaps(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, append([]string{"default", "none", "all"}, capNames()...))
}

func completeList(word string, known []string) ([]string, cobra.ShellCompDirective) {
	before := word[:strings.LastIndexByte(word, ',')+1]
	var list []string
	for _, k := range known {
		list = append(list, before+k)
	}
	return list, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeProfile completes docker-default and files that may be profiles.
func completeProfile(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if word != "" && strings.HasPrefix(dockerDefault, word) {
		return []string{dockerDefault}, cobra.ShellCompDirectiveDefault
	}
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeOneProfile completes a single profile.
func completeOneProfile(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeProfile(cmd, args, word)
}

// completeOneFile completes a single file of any name.
func completeOneFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeCalls completes the names of system calls.
func completeCalls(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	abi := arch.Native()
	if abi == 0 {
		abi = arch.X86_64
	}
	var names []string
	for _, c := range syscalltables.All(abi) {
		names = append(names, c.Name())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
