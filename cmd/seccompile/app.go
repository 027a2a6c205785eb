package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/policy"
)

// An app is one invocation: its streams and the flags that all commands share.
type app struct {
	stdin    io.Reader
	stdout   io.Writer     // data as it is; asked whether it is a terminal
	terminal io.Writer     // standard error as it is, for what is drawn
	stderr   io.Writer     // a wordWriter
	out      *bufio.Writer // answers in words, on standard output
	words    *wordWriter   // below out

	stdinTaken     bool
	quiet, verbose bool
	numeric        bool // write constants as numbers
	color          string
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin, stdout: stdout, terminal: stderr, stderr: &wordWriter{to: stderr}}
	a.words = &wordWriter{to: stdout, colors: func() bool { return bool(a.paint()) }}
	a.out = bufio.NewWriter(a.words)
	return a
}

// flush writes the answers so far.
func (a *app) flush() error {
	return cmp.Or(a.out.Flush(), a.words.end())
}

const rootLong = `Seccompile turns the seccomp profiles that OCI runtimes, Docker and Podman use
into the filters that the Linux kernel runs: small, fast and for any ABI from
any host.

PROFILE is a path, "-" for standard input, or docker-default for the profile
that Docker gives every container. A file may hold a runtime-spec profile
(linux.seccomp), a whole config.json, or the format of Docker or Podman with
includes and excludes. Where a command takes FILE, a raw filter and the text of
disasm will do as well: what a file is shows in its content.`

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "seccompile",
		Short: "compile seccomp profiles to BPF filters",
		Long:  rootLong,
		Example: `  seccompile compile -a x86_64,x86 -o filter.bpf profile.json
  seccompile run -- sh -c 'unshare -U'
  seccompile eval docker-default clone3`,
		Args:              unknownCommand,
		RunE:              missingCommand,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Version:           buildVersion(),
	}
	root.SetVersionTemplate("seccompile {{.Version}}\n")
	root.SetIn(a.stdin)
	root.SetOut(a.out)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.DisableSuggestions = true // ours become hints
	flags := root.PersistentFlags()
	flags.StringVar(&a.color, "color", "auto", "`WHEN` to colour the output: auto, always or never")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no warnings")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "also warn of what profiles do on purpose")
	completeFlag(root, "color", oneOf("auto", "always", "never"))
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkColor() }
	root.AddCommand(
		a.compileCommand(), a.runCommand(), a.recordCommand(), a.traceCommand(), a.evalCommand(), a.resolveCommand(),
		a.proveCommand(), a.diffCommand(), a.explainCommand(), a.optimizeCommand(), a.mergeCommand(),
		a.disasmCommand(), a.asmCommand(), a.dumpCommand(), a.affectedCommand(), a.checkCommand(), a.syscallsCommand(), a.statsCommand(), a.graphCommand(), a.reportCommand(),
		a.featuresCommand(), a.versionCommand(), a.manCommand(),
	)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(helpCommand())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short = "print the completion script of a shell"
			c.Long = completionLong
			c.Example = completionExample
			c.Args, c.RunE = unknownCommand, missingCommand
		}
	}
	return root
}

const completionLong = `Completion prints the script that makes a shell complete commands, flags, ABIs,
system calls, the constants that their arguments take, and names of files. The help
of the command for a shell tells where its script belongs. That for bash needs the
package bash-completion.`

const completionExample = `  source <(seccompile completion bash)
  seccompile completion zsh >"${fpath[1]}/_seccompile"
  seccompile completion fish >~/.config/fish/completions/seccompile.fish`

const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Global flags:
{{.InheritedFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

{{.CommandPath}} COMMAND --help tells more of a command.{{end}}
`

// helpCommand replaces cobra's, which takes unknown commands for no mistake.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "tell more of a command",
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

// unknownCommand refuses arguments of a command that has only subcommands.
func unknownCommand(parent *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range parent.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("unknown command %q", args[0]).hintNearest(args[0], names, parent.CommandPath()+" --help lists the commands")
}

// missingCommand shows what there is to choose from.
func missingCommand(parent *cobra.Command, _ []string) error {
	parent.SetOut(parent.ErrOrStderr())
	if err := parent.Help(); err != nil {
		return err
	}
	return &failure{code: exitUsage}
}

// warn prints the warnings of a profile, the quiet kinds only if asked. Nobody
// can do anything about those of Docker's own profile.
func (a *app) warn(in *input, warnings []policy.Warning) {
	if in.name == dockerDefault && !a.verbose {
		return
	}
	for _, w := range a.loud(warnings) {
		place := ""
		if w.Pointer != "" {
			place = shown(w.Pointer) + ": "
		}
		fmt.Fprintf(a.stderr, "seccompile: warning: %s%s\n", place, w.Message)
	}
}

// loud returns the warnings that the -q and -v flags leave.
func (a *app) loud(warnings []policy.Warning) []policy.Warning {
	var loud []policy.Warning
	for _, w := range warnings {
		if !a.quiet && (a.verbose || !w.Kind.Quiet()) {
			loud = append(loud, w)
		}
	}
	return loud
}

// note tells the user something that is neither data nor a problem.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "seccompile: note: %s\n", fmt.Sprintf(format, args...))
	}
}

// addNumeric adds the flag of commands that write calls and conditions.
func (a *app) addNumeric(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&a.numeric, "numeric", "n", false, "write numbers, not the names of constants and flags")
}

// one allows at most one positional argument.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("one %s at a time, not %d: %s", what, len(args), strings.Join(args, " "))
		}
		return nil
	}
}

// first returns the first argument, or "".
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
