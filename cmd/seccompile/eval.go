package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
)

// The evalFlags are the flags of eval.
type evalFlags struct {
	targetFlags
	abi    string
	expect string
	trace  bool
	json   bool
}

func (a *app) evalCommand() *cobra.Command {
	var e evalFlags
	cmd := &cobra.Command{
		Use:        "eval [flags] FILE [SYSCALL [ARG...]]",
		Short:      "show what a profile or filter does with one call",
		SuggestFor: []string{"emu", "query", "simulate", "test"},
		Long: `Eval prints the verdict on one system call. FILE is a profile, a raw filter,
assembly text or an artifact. SYSCALL is a name or a number. Each ARG is a constant
of the call, flags joined by "|", or a number: decimal, hex (0x) or octal (0), and
possibly negative. ARGs stand in their order, or have a name as in family=AF_UNIX.
Missing arguments are 0; "?" is one that is not known. Instead, a single argument can
have the call as C writes it, or a line of strace: a text or structure in it is not
known to a filter. If what is not known may change the verdict, eval says so.

For a profile, eval also says what decided: a rule (by its JSON pointer), the default
action, the ENOSYS bound or the bad-arch action. It reads the profile for the ABIs
that the profile names and, with -a, for the kernel of that ABI.

With --trace, eval prints every instruction that the filter executes, the registers
after it and its meaning. With --expect, the exit status is 1 unless the verdict is
the expected one.

Without a SYSCALL, --expect names a file of expectations, one on each line as eval
prints them. Eval checks each as it would answer that call with -a, and the exit status
is 1 if any fails:

  # comments, names of arguments and the ABI may be left out
  x86_64 socket(family=AF_ALG): ERRNO(1) EPERM
  socket(AF_UNIX, SOCK_STREAM): allow
  clone3: errno:ENOSYS`,
		Example: `  seccompile eval docker-default clone3
  seccompile eval docker-default clone 'CLONE_NEWUSER|SIGCHLD'
  seccompile eval -a x86 docker-default socket AF_VSOCK SOCK_STREAM
  seccompile eval docker-default 'mount("none", "/", NULL, MS_PRIVATE, NULL) = 0'
  seccompile eval --trace filter.bpf personality 0xffffffff
  seccompile eval --expect errno:EPERM docker-default unshare CLONE_NEWUSER
  seccompile eval --expect expectations.txt profile.json`,
		Annotations:       map[string]string{takesNumbers: "yes"},
		ValidArgsFunction: completeEval,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 && e.expect != "" {
				return a.expectations(&e, args[0])
			}
			if len(args) < 2 {
				return failure.Usagef("eval: expected a file and a system call").Hintf("for example: seccompile eval docker-default clone3")
			}
			return a.eval(&e, args[0], args[1], args[2:])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&e.abi, "abi", "a", "", "`ABI` of the call (default: the host's if the filter knows it, else the filter's first)")
	f.BoolVar(&e.trace, "trace", false, "print every instruction that the filter executes")
	f.StringVar(&e.expect, "expect", "", "exit with 1 unless the verdict is `ACTION` or, without SYSCALL, unless all in a file are as expected")
	e.addContainer(cmd)
	addJSON(cmd, &e.json)
	a.addNumeric(cmd)
	e.addReading(cmd)
	completeFlag(cmd, "abi", oneOf(intake.KnownABIs()...))
	completeFlag(cmd, "expect", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return intake.ActionWords, cobra.ShellCompDirectiveDefault
	})
	return cmd
}

func completeEval(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return completeFiles(cmd, args, word)
	case 1:
		return completeCalls(cmd, args, word)
	}
	return completeConstants(flagABI(cmd), args[1], args[2:], word)
}

// eval reads FILE, asks it and prints the answer.
func (a *app) eval(e *evalFlags, file, syscall string, args []string) error {
	abi := e.abi
	if strings.Contains(syscall, "(") || strings.Contains(syscall, " ") {
		line, err := symbols.ParseLine(syscall)
		switch {
		case err != nil:
			return failure.Usagef("%w", err)
		case len(args) > 0:
			return failure.Usagef("eval: %s has its arguments, and %q is one more", line.Name, args[0]).Hintf("write the call as one word, or all arguments after its name")
		}
		abi, syscall, args = cmp.Or(line.ABI, abi), line.Name, line.Args
	}
	in, err := a.read(file)
	if err != nil {
		return err
	}
	ask, err := answer.NewEvaluator(&e.Target, in, abi, e.trace)
	if err != nil {
		return err
	}
	a.warn(in, ask.Warnings)
	if ask.Assumed {
		a.note("evaluating the call for %s (choose another ABI with -a)", ask.ABI)
	}
	x, err := ask.Ask(syscall, args, a.numeric)
	if err != nil {
		return err
	}
	if len(x.Depends) > 0 {
		a.note("the verdict may depend on %s, which is not known: this is the one for 0", strings.Join(x.Depends, " and "))
	}
	expected, err := e.expected(x.ABI)
	if err != nil {
		return err
	}
	if err := a.answer(e, x); err != nil {
		return err
	}
	if expected != nil && !expected.Matches(x.Verdict.Action) {
		return failure.Nof("the verdict is %s, not %s", intake.ActionText(x.Verdict.Action, x.ABI), e.expect)
	}
	return nil
}

// expected returns the verdict that --expect asks for, or nil.
func (e *evalFlags) expected(a arch.ABI) (*intake.ActionPattern, error) {
	if e.expect == "" {
		return nil, nil
	}
	w, err := intake.ParseAction("--expect", e.expect, a)
	return &w, err
}
