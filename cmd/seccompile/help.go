package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/unknown"
)

const rootLong = `Seccompile compiles the seccomp profiles of OCI runtimes, Docker and Podman to
small, fast filters for the Linux kernel, for any ABI and on any host. It proves
filters equal to their profiles; it reviews, compares and records profiles, and runs
programs under them.

PROFILE is a path, "-" for standard input, docker-default for the profile that Docker
gives every container, or preset:NAME for another one that is built in, such as
preset:no-network; preset:NAME,NAME is several that hold together. A file may hold a
runtime-spec profile (linux.seccomp), a whole config.json, or a profile in Docker's or
Podman's format, with includes and excludes. Commands that take FILE also accept a raw
filter, assembly text as disasm writes it, or an artifact. The kind of file is detected
from its content. Of what was copied from a registry, an OCI image layout (a directory)
or a manifest with its layer beside it, all commands take what it holds.

Three flags matter most:

  -a x86_64,x86,x32        the ABIs that the filter is for
  --cap default,SYS_ADMIN  the container's capabilities, for includes and excludes
  --for podman             with check and report: the program that reads the profile`

const completionLong = `Completion prints a script that makes your shell complete commands, flags, ABIs,
system calls, the constants that their arguments take, and file names. The help of
each shell's command says where to put the script. The script for bash needs the
package bash-completion.`

// completionCommand returns the command that cobra adds to root, with our texts.
func completionCommand(root *cobra.Command) *cobra.Command {
	root.InitDefaultCompletionCmd()
	c, _, _ := root.Find([]string{"completion"})
	c.Short, c.Long, c.Example = "print a completion script for your shell", completionLong, completionExample
	c.Args, c.RunE = unknownCommand, missingCommand
	root.RemoveCommand(c)
	return c
}

const completionExample = `  source <(seccompile completion bash)
  seccompile completion zsh >"${fpath[1]}/_seccompile"
  seccompile completion fish >~/.config/fish/completions/seccompile.fish`

const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if not .Groups}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{end}}{{range $group := .Groups}}

{{.Title}}:{{range $.Commands}}{{if eq .GroupID $group.ID}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

Run "{{.CommandPath}} COMMAND --help" for details.{{end}}
`

// helpCommand replaces cobra's, which does not treat an unknown command as a mistake.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "show the help of a command",
		ValidArgsFunction: completeCommands,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// unknownCommand refuses arguments of a command that has only subcommands. It suggests the
// commands that other tools call by the name given, or else the one with the nearest name.
func unknownCommand(parent *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names, meant []string
	for _, c := range parent.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		names = append(names, c.Name())
		if slices.Contains(c.SuggestFor, strings.ToLower(args[0])) {
			meant = append(meant, c.Name())
		}
	}
	if near := unknown.Nearest(args[0], names); meant == nil && near != "" {
		meant = append(meant, near)
	}
	for i, name := range meant {
		meant[i] = fmt.Sprintf("%q", parent.CommandPath()+" "+name)
	}
	f := failure.Usagef("unknown command %q", args[0])
	if args[0] == "merge" && !parent.HasParent() {
		return f.Hintf(mergeHint)
	}
	if meant == nil {
		return f.Hintf("run %q for the commands", parent.CommandPath()+" --help")
	}
	return f.Hintf("did you mean %s?", strings.Join(meant, " or "))
}

// missingCommand shows the commands to choose from.
func missingCommand(parent *cobra.Command, _ []string) error {
	parent.SetOut(parent.ErrOrStderr())
	if err := parent.Help(); err != nil {
		return err
	}
	return &failure.Error{Status: failure.Usage}
}
