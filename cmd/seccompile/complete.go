package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// completeFlag makes the shell complete the values of a flag.
func completeFlag(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic("seccompile: BUG: " + err.Error()) // the flag does not exist, or has one already
	}
}

// oneOf completes from a fixed list.
func oneOf(list ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
}

// completeABIs completes the last of a comma-separated list of ABIs.
func completeABIs(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, intake.KnownABIs())
}

// completeCaps completes the last of a comma-separated list of capabilities.
func completeCaps(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, append([]string{"default", "none", "all"}, policy.AllCaps()...))
}

func completeList(word string, known []string) ([]string, cobra.ShellCompDirective) {
	before := word[:strings.LastIndexByte(word, ',')+1]
	var list []string
	for _, k := range known {
		list = append(list, before+k)
	}
	return list, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeProfile completes built-in profiles and files that may be profiles.
func completeProfile(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if list, directive := completeBuiltIn(word); list != nil {
		return list, directive
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

// completeFiles completes profiles and filters: built-in profiles and files of any name.
func completeFiles(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	if list, directive := completeBuiltIn(word); list != nil {
		return list, directive
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeOneOfFiles completes a single profile or filter.
func completeOneOfFiles(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completeFiles(cmd, args, word)
}

// completeOneFile completes a single file of any name.
func completeOneFile(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeCalls completes the names of the system calls of the ABI that -a names.
func completeCalls(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, c := range syscalltables.All(flagABI(cmd)) {
		names = append(names, c.Name())
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// flagABI returns the first ABI that -a names, else the host's.
func flagABI(cmd *cobra.Command) arch.ABI {
	if f := cmd.Flags().Lookup("abi"); f != nil {
		first, _, _ := strings.Cut(strings.Trim(f.Value.String(), "[]"), ",") // a list has brackets
		if abi, err := arch.Parse(first); err == nil {
			return abi
		}
	}
	if abi := arch.Native(); abi != 0 {
		return abi
	}
	return arch.X86_64
}

// completeConstants completes the argument of a call behind those given, flags one by
// one. An unfinished word is not a constant yet.
func completeConstants(abi arch.ABI, name string, given []string, word string) ([]string, cobra.ShellCompDirective) {
	c, ok := syscalltables.Lookup(name)
	if !ok {
		nr, _ := strconv.ParseUint(name, 0, 32)
		c, _ = syscalltables.ByNumber(abi, uint32(nr))
	}
	q := intake.Call{ABI: abi}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(given) >= len(q.Data.Args) {
		return nil, directive
	}
	q.Data.NR, _ = c.Number(abi)
	for i, s := range given {
		q.Data.Args[i], _ = q.Arg(i).Parse(s)
	}
	arg := q.Arg(len(given))
	before := ""
	if arg.Kind() == symbols.Flags || arg.Kind() == symbols.Mode {
		before = word[:strings.LastIndexByte(word, '|')+1]
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	var list []string
	for _, k := range arg.Constants() {
		if slices.Contains(strings.Split(before, "|"), k.Name) {
			continue
		}
		list = append(list, fmt.Sprintf("%s%s\t%#x", before, k.Name, k.Value))
	}
	return list, directive
}
