package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
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
		Use:        "eval [flags] FILE SYSCALL [ARG...]",
		Short:      "show what a profile or filter does with one call",
		SuggestFor: []string{"emu", "query", "simulate", "test"},
		Long: `Eval prints the verdict on one system call. FILE is a profile, a raw filter,
assembly text or an artifact. SYSCALL is a name or a number. Each ARG is a constant
of the call, flags joined by "|", or a number: decimal, hex (0x) or octal (0), and
possibly negative. Missing arguments are 0.

For a profile, eval also says what decided: a rule (by its JSON pointer), the default
action, the ENOSYS bound or the bad-arch action. It reads the profile for the ABIs
that the profile names and, with -a, for the kernel of that ABI.

With --trace, eval prints every instruction that the filter executes, the registers
after it and its meaning. With --expect, the exit status is 1 unless the verdict is
the expected one.`,
		Example: `  seccompile eval docker-default clone3
  seccompile eval docker-default clone 'CLONE_NEWUSER|SIGCHLD'
  seccompile eval -a x86 docker-default socket AF_VSOCK SOCK_STREAM
  seccompile eval --trace filter.bpf personality 0xffffffff
  seccompile eval --expect errno:EPERM docker-default unshare CLONE_NEWUSER`,
		Annotations:       map[string]string{takesNumbers: "yes"},
		ValidArgsFunction: completeEval,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return failure.Usagef("eval: expected a file and a system call").Hintf("for example: seccompile eval docker-default clone3")
			}
			return a.eval(&e, args[0], args[1], args[2:])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&e.abi, "abi", "a", "", "`ABI` of the call (default: the host's if the filter knows it, else the filter's first)")
	f.BoolVar(&e.trace, "trace", false, "print every instruction that the filter executes")
	f.StringVar(&e.expect, "expect", "", "exit with 1 unless the verdict is `ACTION`")
	e.addContainer(cmd)
	addJSON(cmd, &e.json)
	a.addNumeric(cmd)
	e.addReading(cmd)
	completeFlag(cmd, "abi", oneOf(intake.KnownABIs()...))
	completeFlag(cmd, "expect", oneOf(intake.ActionWords...))
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
	in, err := a.read(file)
	if err != nil {
		return err
	}
	var c *intake.Compiled
	var abis []arch.ABI
	var verdict policy.Verdict
	if in.Kind == intake.KindProfile {
		if c, err = e.resolve(in); err != nil {
			return err
		}
		a.warn(in, c.Warnings)
		abis = c.Resolved.ABIs()
	} else {
		if err := e.CheckSettings(false); err != nil {
			return err
		}
		c = new(intake.Compiled)
		if c.Program, err = in.Program(nonempty(e.abi)...); err != nil {
			return err
		}
		abis = testedABIs(c.Program)
	}
	q, err := a.question(e, abis, c, syscall, args)
	if err != nil {
		return err
	}
	if c.Resolved != nil {
		verdict = c.Resolved.Decide(&q.Data)
	} else {
		verdict.Action = c.Program.Eval(&q.Data)
	}
	expected, err := e.expected(q.ABI)
	if err != nil {
		return err
	}
	if err := a.answer(e, c, q, verdict); err != nil {
		return err
	}
	if expected != nil && !expected.Matches(verdict.Action) {
		return failure.Nof("the verdict is %s, not %s", intake.ActionText(verdict.Action, q.ABI), e.expect)
	}
	return nil
}

// resolve resolves a profile for its own ABIs and the kernel of the call's ABI, and
// compiles it if --trace needs the program.
func (e *evalFlags) resolve(in *intake.Input) (*intake.Compiled, error) {
	var abi arch.ABI
	if e.abi != "" {
		var err error
		if abi, err = intake.ParseABI(e.abi); err != nil {
			return nil, err
		}
		e.ABIs = []string{abi.Main().String()}
	}
	lang, place, err1 := e.Place(in)
	options, err2 := e.Options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	reading, err := in.Read(intake.ForTargets(lang, nil), place)
	if err != nil {
		return nil, err
	}
	p := reading.Policy
	options.ABIs = lint.ABIs(p)
	switch main := abi.Main(); {
	case abi == 0:
	case len(options.ABIs) == 0:
		options.ABIs = []arch.ABI{abi}
	case !slices.Contains(options.ABIs, main):
		options.ABIs = append(options.ABIs, main)
	}
	if len(options.ABIs) == 0 && arch.Native() != 0 {
		options.ABIs = []arch.ABI{arch.Native()}
	}
	c := &intake.Compiled{Policy: p}
	var more []policy.Warning
	if c.Resolved, more, err = policy.Resolve(p, options); err != nil {
		return nil, in.No(err)
	}
	c.Warnings = append(reading.Warnings, more...)
	if !e.trace {
		return c, nil
	}
	if c.Result, err = proved.Compile(c.Resolved, compile.Options{}); err != nil {
		return nil, in.No(err)
	}
	c.Program = c.Result.Program
	return c, nil
}

// testedABIs returns the ABIs whose AUDIT_ARCH value a program compares with.
func testedABIs(p *cbpf.Program) []arch.ABI {
	var abis []arch.ABI
	for a := range arch.All() {
		if a.ByteOrder() != p.Order() {
			continue
		}
		for pc := range p.Len() {
			if i := p.At(pc); i.Op == opJumpEqual && i.K == a.Audit() {
				abis = append(abis, a)
				break
			}
		}
	}
	return abis
}

// expected returns the verdict that --expect asks for, or nil.
func (e *evalFlags) expected(a arch.ABI) (*intake.ActionPattern, error) {
	if e.expect == "" {
		return nil, nil
	}
	w, err := intake.ParseAction("--expect", e.expect, a)
	return &w, err
}
