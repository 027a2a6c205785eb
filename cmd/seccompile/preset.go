package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/preset"
)

// addPresets adds the flag that names presets which hold as well.
func addPresets(cmd *cobra.Command, presets *[]string) {
	cmd.Flags().StringArrayVar(presets, "preset", nil, "`PRESET`s, with commas between them, that hold as well as the profile, or alone if you name no profile")
	completeFlag(cmd, "preset", completePresets)
}

// completePresets completes the last of a list of presets.
func completePresets(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return completeList(word, preset.Names())
}

// completeBuiltIn completes a profile that is built in.
func completeBuiltIn(word string) (list []string, directive cobra.ShellCompDirective) {
	switch rest, ok := strings.CutPrefix(word, intake.PresetPrefix); {
	case ok:
		list, directive = completePresets(nil, nil, rest)
		for i := range list {
			list[i] = intake.PresetPrefix + list[i]
		}
	case word != "" && strings.HasPrefix(intake.DockerDefault, word):
		list = []string{intake.DockerDefault}
	case word != "" && strings.HasPrefix(intake.PresetPrefix, word):
		list, directive = []string{intake.PresetPrefix}, cobra.ShellCompDirectiveNoSpace
	}
	return list, directive
}

// readUnder reads the profile that an argument names, under presets. Without the argument
// they hold alone.
func (a *app) readUnder(presets []string, arg string) (*intake.Input, error) {
	if len(presets) == 0 {
		return a.read(arg)
	}
	names := strings.Join(presets, ",")
	if arg == "" {
		return intake.BuiltIn(intake.PresetPrefix + names)
	}
	list, err := intake.Presets(names)
	if err != nil {
		return nil, err
	}
	in, err := a.read(arg)
	if err != nil {
		return nil, err
	}
	in.Presets = append(list, in.Presets...)
	return in, nil
}
