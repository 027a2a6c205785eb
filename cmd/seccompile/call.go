package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A call is the question that eval answers.
type call struct {
	abi  arch.ABI
	data cbpf.Data
	args int // how many were given
}

// String writes the call as C would.
func (q *call) String() string {
	name := syscalltables.Names{}.Syscall(q.data.Arch, q.data.NR)
	if name == "" {
		name = fmt.Sprintf("%d", int32(q.data.NR))
	}
	var args []string
	for i := range q.args {
		arg := fmt.Sprintf("%#x", q.data.Args[i])
		if n := (syscalltables.Names{}).Arg(q.data.Arch, q.data.NR, i); n != "" {
			arg = n + "=" + arg
		}
		args = append(args, arg)
	}
	return fmt.Sprintf("%s %s(%s)", q.abi, name, strings.Join(args, ", "))
}

// question reads the call.
func (a *app) question(e *evaluation, abis []arch.ABI, c *compiled, name string, args []string) (*call, error) {
	q := new(call)
	var err error
	switch native := arch.Native(); {
	case e.abi != "":
		if q.abi, err = parseABI(e.abi); err != nil {
			return nil, err
		}
		if c.program != nil && q.abi.ByteOrder() != c.program.Order() {
			return nil, usagef("-a: %s is %s-endian and the filter %s-endian",
				q.abi, orderName(q.abi.ByteOrder()), orderName(c.program.Order()))
		}
	case slices.Contains(abis, native):
		q.abi = native
	case len(abis) > 0:
		q.abi = abis[0]
		a.note("the call is taken to be %s's (-a names another ABI)", q.abi)
	case native != 0 && native.ByteOrder() == c.program.Order():
		q.abi = native
	default:
		return nil, usagef("the filter does not tell its ABI").hintf("name it with -a")
	}
	if q.data.NR, err = parseNumber(name, q.abi); err != nil {
		return nil, err
	}
	if len(args) > len(q.data.Args) {
		return nil, usagef("a system call has at most %d arguments, not %d", len(q.data.Args), len(args))
	}
	for i, s := range args {
		if q.data.Args[i], err = parseArg(s, q.abi); err != nil {
			return nil, err
		}
	}
	q.data.Arch, q.args = q.abi.Audit(), len(args)
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
		return 0, f.hintf("seccompile syscalls -a %s lists the calls", a)
	}
	if n < -1<<31 || n > 1<<32-1 {
		return 0, usagef("%s: a system call number has 32 bits", s)
	}
	return uint32(n), nil
}

// parseArg reads an argument of a call. On a 32-bit ABI the kernel shows filters
// zeros above bit 31.
func parseArg(s string, a arch.ABI) (uint64, error) {
	v, err := strconv.ParseUint(s, 0, 64)
	if strings.HasPrefix(s, "-") {
		var n int64
		n, err = strconv.ParseInt(s, 0, 64)
		v = uint64(n)
		if a.Bits() == 32 && n >= -1<<31 {
			v = uint64(uint32(n))
		}
	}
	switch {
	case err != nil:
		return 0, usagef("argument %q is not a 64-bit number", s)
	case a.Bits() == 32 && v > 1<<32-1:
		return 0, usagef("argument %s: arguments of %s have 32 bits", s, a)
	}
	return v, nil
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
