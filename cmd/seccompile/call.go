package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A call is the question that eval answers.
type call struct {
	abi  arch.ABI
	data cbpf.Data
	args int // how many were given
}

// text writes the call as C would.
func (q *call) text(numeric bool) string {
	abi, name := q.abi, policy.Names().Syscall(q.data.Arch, q.data.NR)
	if a, _ := arch.ByAudit(q.data.Arch, q.data.NR); a == arch.X32 && name != "" {
		abi = a // the number says so
	}
	if name == "" {
		name = fmt.Sprintf("%d", int32(q.data.NR))
	}
	var args []string
	for i := range q.args {
		arg := q.arg(i)
		args = append(args, arg.Name()+"="+valueText(arg, q.data.Args[i], numeric))
	}
	return fmt.Sprintf("%s %s(%s)", abi, name, strings.Join(args, ", "))
}

// valueText writes an argument's value.
func valueText(arg symbols.Arg, v uint64, numeric bool) string {
	if numeric {
		return fmt.Sprintf("%#x", v)
	}
	return arg.Text(v)
}

// arg returns what is known of an argument, with the arguments before it.
func (q *call) arg(i int) symbols.Arg {
	c, _ := syscalltables.ByNumber(q.abi, q.data.NR)
	arg := symbols.At(q.abi, c, i)
	for j := range i {
		arg = arg.Given(j, q.data.Args[j])
	}
	return arg
}

// question reads the call.
func (a *app) question(e *evalFlags, abis []arch.ABI, c *compiled, name string, args []string) (*call, error) {
	q := new(call)
	var err error
	switch native := arch.Native(); {
	case e.abi != "":
		if q.abi, err = parseABI(e.abi); err != nil {
			return nil, err
		}
		if c.program != nil && q.abi.ByteOrder() != c.program.Order() {
			return nil, usagef("-a: %s is %s-endian, the filter is %s-endian",
				q.abi, orderName(q.abi.ByteOrder()), orderName(c.program.Order()))
		}
	case slices.Contains(abis, native):
		q.abi = native
	case len(abis) > 0:
		q.abi = abis[0]
		a.note("evaluating the call for %s (choose another ABI with -a)", q.abi)
	case native != 0 && native.ByteOrder() == c.program.Order():
		q.abi = native
	default:
		return nil, usagef("the filter does not show its ABI").hintf("name it with -a")
	}
	if q.data.NR, err = parseNumber(name, q.abi); err != nil {
		return nil, err
	}
	if len(args) > len(q.data.Args) {
		return nil, usagef("a system call has at most %d arguments, not %d", len(q.data.Args), len(args))
	}
	q.data.Arch, q.args = q.abi.Audit(), len(args)
	for i, s := range args {
		if q.data.Args[i], err = q.arg(i).Parse(s); err != nil {
			return nil, badArg(err)
		}
	}
	return q, nil
}

// parseNumber reads a system call's name or number.
func parseNumber(s string, a arch.ABI) (uint32, error) {
	if c, ok := syscalltables.Lookup(s); ok {
		nr, ok := c.Number(a)
		if !ok {
			return 0, usagef("%s has no call named %s", a, s)
		}
		return nr, nil
	}
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		f := usagef("unknown system call %q", s)
		if near := syscalltables.Nearest(s); near != "" {
			return 0, f.hintf("did you mean %s?", near)
		}
		return 0, f.hintf("run \"seccompile syscalls -a %s\" for the list", a)
	}
	if n < -1<<31 || n > 1<<32-1 {
		return 0, usagef("%s: a system call number has 32 bits", s)
	}
	return uint32(n), nil
}

// badArg explains why a word is not a value of an argument, and suggests the constant
// nearest to it.
func badArg(err error) error {
	f := usagef("%w", err)
	var bad *symbols.ParseError
	if !errors.As(err, &bad) {
		return f
	}
	var known []string
	for _, k := range bad.Arg.Constants() {
		known = append(known, k.Name)
	}
	if near := unknown.Nearest(bad.Word, known); near != "" {
		return f.hintf("did you mean %s?", near)
	}
	return f
}

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
