package main

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
)

// An evaluation is what the flags of eval say.
type evaluation struct {
	target
	abi    string
	expect string
	trace  bool
	json   bool
}

func (a *app) evalCommand() *cobra.Command {
	var e evaluation
	cmd := &cobra.Command{
		Use:   "eval [flags] FILE SYSCALL [ARG...]",
		Short: "say what a profile or filter does with one call",
		Long: `Eval prints the verdict on one system call. FILE is a profile, a raw filter or
assembly text. SYSCALL is a name or a number. Each ARG is a constant that the call
takes, as the ABI has it, flags joined by "|", or a number: decimal, hex (0x) or
octal (0), perhaps negative. Arguments that are not given are 0.

Of a profile, eval also says what decided: a rule, by its JSON pointer, the
default action, the ENOSYS bound or the bad-arch action. It is evaluated for its
own ABIs and, with -a, for the kernel that presents that ABI.

With --trace eval prints every instruction that the filter executes, the
registers after it and what it means. With --expect the exit status is 1 unless
the verdict is the expected one.`,
		Example: `  seccompile eval docker-default clone3
  seccompile eval docker-default clone 'CLONE_NEWUSER|SIGCHLD'
  seccompile eval -a x86 docker-default socket AF_VSOCK SOCK_STREAM
  seccompile eval --trace filter.bpf personality 0xffffffff
  seccompile eval --expect errno:EPERM docker-default unshare CLONE_NEWUSER`,
		Annotations:       map[string]string{takesNumbers: "yes"},
		ValidArgsFunction: completeEval,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("eval takes a file and a system call").hintf("seccompile eval docker-default clone3")
			}
			return a.eval(&e, args[0], args[1], args[2:])
		},
	}
	f := cmd.Flags()
	f.StringVarP(&e.abi, "abi", "a", "", "`ABI` of the call (default: the host's if the filter knows it, else its first)")
	f.BoolVar(&e.trace, "trace", false, "print every executed instruction")
	f.StringVar(&e.expect, "expect", "", "exit with 1 unless the verdict is this `ACTION`")
	addJSON(cmd, &e.json)
	a.addNumeric(cmd)
	e.addContainer(cmd)
	e.addReading(cmd)
	completeFlag(cmd, "abi", oneOf(abiNames()...))
	completeFlag(cmd, "expect", oneOf(actionWords...))
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
func (a *app) eval(e *evaluation, file, syscall string, args []string) error {
	in, err := a.read(file)
	if err != nil {
		return err
	}
	var c *compiled
	var abis []arch.ABI
	var verdict policy.Verdict
	if in.kind == kindProfile {
		if c, err = e.resolve(in); err != nil {
			return err
		}
		abis = resolvedABIs(c.resolved)
	} else {
		c = new(compiled)
		if c.program, err = in.program(nonempty(e.abi)...); err != nil {
			return err
		}
		abis = testedABIs(c.program)
	}
	q, err := a.question(e, abis, c, syscall, args)
	if err != nil {
		return err
	}
	if c.resolved != nil {
		verdict = c.resolved.Decide(&q.data)
	} else {
		verdict.Action = c.program.Eval(&q.data)
	}
	expected, err := e.expected(q.abi)
	if err != nil {
		return err
	}
	if err := a.answer(e, c, q, verdict); err != nil {
		return err
	}
	if expected != nil && !expected.matches(verdict.Action) {
		return nof("the verdict is %s, not %s", actionText(verdict.Action, q.abi), e.expect)
	}
	return nil
}

// resolve takes a profile as far as eval needs it, for its own ABIs and the
// kernel of the call's.
func (e *evaluation) resolve(in *input) (*compiled, error) {
	var abi arch.ABI
	if e.abi != "" {
		var err error
		if abi, err = parseABI(e.abi); err != nil {
			return nil, err
		}
		e.abis = []string{abi.Main().String()}
	}
	place, err1 := e.place(in)
	options, err2 := e.options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	p, _, err := in.policy(place)
	if err != nil {
		return nil, err
	}
	options.ABIs = ownABIs(p)
	switch main := abi.Main(); {
	case abi == 0:
	case len(p.ABIs) == 0:
		options.ABIs = []arch.ABI{abi}
	case !slices.Contains(options.ABIs, main):
		options.ABIs = append(options.ABIs, main)
	}
	c := &compiled{policy: p}
	if c.resolved, _, err = policy.Resolve(p, options); err != nil {
		return nil, in.no(err)
	}
	if !e.trace {
		return c, nil
	}
	result, err := compiler.Compile(c.resolved, compiler.Options{})
	if err != nil {
		return nil, in.no(err)
	}
	c.program = result.Program
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

// expected returns what --expect wants, nil for anything.
func (e *evaluation) expected(a arch.ABI) (*wanted, error) {
	if e.expect == "" {
		return nil, nil
	}
	w, err := parseAction("--expect", e.expect, a)
	return &w, err
}
