package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
)

// An app is one invocation of the command: its streams and the flags that all commands share.
type app struct {
	stdin    io.Reader
	stdout   io.Writer     // data as it is; asked whether it is a terminal
	terminal io.Writer     // standard error as it is, for the progress line
	stderr   io.Writer     // a wordWriter
	out      *bufio.Writer // text answers, on standard output
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

// rootCommand returns the command with all its subcommands.
func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "seccompile",
		Short: "compile, prove, review and install seccomp filters",
		Long:  rootLong,
		Example: `  seccompile run -- sh -c 'unshare --user true'
  seccompile compile -a x86_64,x86 -o filter.bpf profile.json
  seccompile check --for docker profile.json`,
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
	flags.SortFlags, root.Flags().SortFlags = false, false
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "do not show warnings and notes")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "also show warnings that are usually intentional")
	flags.StringVar(&a.color, "color", "auto", "colour the output `WHEN`: auto, always or never")
	completeFlag(root, "color", oneOf("auto", "always", "never"))
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if n := cmd.ArgsLenAtDash(); n >= 0 {
			args = args[:n] // what follows is of another program
		}
		if slices.Contains(args, "") && !strings.HasPrefix(cmd.Name(), "__") { // completion may ask with nothing
			return failure.Usagef("%s: empty argument", cmd.Name()).Hintf("is a variable of the shell unset?")
		}
		return cmp.Or(a.checkFiles(cmd), checkLanguages(cmd), a.checkColor())
	}
	addGroup(root, "Make and run filters", a.compileCommand(), a.runCommand(), a.recordCommand(), a.scanCommand(), a.traceCommand())
	addGroup(root, "Review", a.checkCommand(), a.diffCommand(), a.proveCommand(), a.reportCommand(), a.affectedCommand())
	addGroup(root, "Understand", a.evalCommand(), a.explainCommand(), a.denialsCommand(), a.disasmCommand(), a.dumpCommand(), a.graphCommand(),
		a.statsCommand(), a.syscallsCommand(), a.webCommand())
	addGroup(root, "Change profiles", a.convertCommand(), a.editCommand(), a.fmtCommand(), a.intersectCommand(), a.resolveCommand(), a.unionCommand())
	addGroup(root, "Install elsewhere", a.optimizeCommand(), a.asmCommand(), a.featuresCommand())
	addGroup(root, "About seccompile", a.versionCommand(), a.manCommand(), completionCommand(root))
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(helpCommand())
	return root
}

// addGroup adds commands under a heading of the help. Their flags are listed in the order
// in which they were added: those that matter most come first.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
		c.Flags().SortFlags = false
		root.AddCommand(c)
	}
}

// warn prints the warnings about a profile, the quiet kinds only on request. Users
// cannot do anything about those of a built-in profile.
func (a *app) warn(in *intake.Input, warnings []policy.Warning) {
	in.Source.Locate(warnings, nil)
	for _, w := range warnings {
		if a.verbose || w.Kind != policy.Redundant && !intake.IsBuiltIn(in.Name) && !intake.IsBuiltIn(w.Pointer) {
			a.warnf("%s", failure.Place(in.Name, w.Line, w.Column, w.Pointer, w.Message))
		}
	}
}

// warnf warns the user of a likely problem.
func (a *app) warnf(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "seccompile: warning: %s\n", fmt.Sprintf(format, args...))
	}
}

// note prints information that is neither data nor a problem.
func (a *app) note(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "seccompile: note: %s\n", fmt.Sprintf(format, args...))
	}
}

// addNumeric adds the flag of commands that write calls and conditions.
func (a *app) addNumeric(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&a.numeric, "numeric", "n", false, "show constants and flags as numbers, not by name")
}

// one accepts at most one positional argument.
func one(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return failure.Usagef("expected one %s, got %d: %s", what, len(args), strings.Join(args, " "))
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
