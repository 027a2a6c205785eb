package intake

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Call is a system call as a user writes it.
type Call struct {
	ABI   arch.ABI
	Data  cbpf.Data
	Given int // arguments that were written; the others are 0

	Unknown [6]bool // arguments whose value did not show: Data has 0
}

// Text writes the call as C would.
func (q *Call) Text(numeric bool) string {
	abi, name := q.ABI, policy.Names().Syscall(q.Data.Arch, q.Data.NR)
	if a, _ := arch.ByAudit(q.Data.Arch, q.Data.NR); a == arch.X32 && name != "" {
		abi = a // the number says so
	}
	if name == "" {
		name = fmt.Sprintf("%d", int32(q.Data.NR))
	}
	var args []string
	for i := range q.Given {
		arg, value := q.Arg(i), symbols.Unseen
		if !q.Unknown[i] {
			value = ValueText(arg, q.Data.Args[i], numeric)
		}
		args = append(args, arg.Name()+"="+value)
	}
	return fmt.Sprintf("%s %s(%s)", abi, name, strings.Join(args, ", "))
}

// ValueText writes an argument's value.
func ValueText(arg symbols.Arg, v uint64, numeric bool) string {
	if numeric {
		return fmt.Sprintf("%#x", v)
	}
	return arg.Text(v)
}

// Arg returns what is known of an argument, with the arguments before it.
func (q *Call) Arg(i int) symbols.Arg {
	c, _ := syscalltables.ByNumber(q.ABI, q.Data.NR)
	arg := symbols.At(q.ABI, c, i)
	for j := range i {
		if !q.Unknown[j] {
			arg = arg.Given(j, q.Data.Args[j])
		}
	}
	return arg
}

// Depends returns the names of the unknown arguments that the verdict on a call may depend on.
func (c *Compiled) Depends(q *Call) (names []string, err error) {
	if q.Unknown == [6]bool{} {
		return nil, nil
	}
	if c.Program == nil {
		if c.Result, err = proved.Compile(c.Resolved, compile.Options{}); err != nil {
			return nil, err
		}
		c.Program = c.Result.Program
	}
	for i, decides := range stats.Deciding(c.Program, &q.Data, q.Unknown) {
		if decides {
			names = append(names, q.Arg(i).Name())
		}
	}
	return names, nil
}

// ParseCall reads a call of an ABI: a name or number, and words for its arguments, in their
// order or as NAME=VALUE, "?" for a value that is not known.
func ParseCall(abi arch.ABI, name string, args []string) (*Call, error) {
	nr, err := parseSyscall(name, abi)
	if err != nil {
		return nil, err
	}
	if args, err = symbols.Arrange(abi, nr, args); err != nil {
		return nil, failure.Usagef("%w", err)
	}
	q := &Call{ABI: abi, Data: cbpf.Data{NR: nr, Arch: abi.Audit()}, Given: len(args)}
	for i, s := range args {
		if q.Unknown[i] = s == symbols.Unseen; q.Unknown[i] {
			continue
		}
		if q.Data.Args[i], err = q.Arg(i).Parse(s); err != nil {
			return nil, badArg(err)
		}
	}
	return q, nil
}

// parseSyscall reads a system call's name or number.
func parseSyscall(s string, a arch.ABI) (uint32, error) {
	if c, ok := syscalltables.Lookup(s); ok {
		nr, ok := c.Number(a)
		if !ok {
			return 0, failure.Usagef("%s has no call named %s", a, s)
		}
		return nr, nil
	}
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		f := failure.Usagef("unknown system call %q", s)
		if near := syscalltables.Nearest(s); near != "" {
			return 0, f.Hintf("did you mean %s?", near)
		}
		return 0, f.Hintf("run \"seccompile syscalls -a %s\" for the list", a)
	}
	if n < -1<<31 || n > 1<<32-1 {
		return 0, failure.Usagef("%s: a system call number has 32 bits", s)
	}
	return uint32(n), nil
}

// badArg explains why a word is not a value of an argument, and suggests the constant
// nearest to it.
func badArg(err error) error {
	f := failure.Usagef("%w", err)
	var bad *symbols.ParseError
	if !errors.As(err, &bad) {
		return f
	}
	var known []string
	for _, k := range bad.Arg.Constants() {
		known = append(known, k.Name)
	}
	if near := unknown.Nearest(bad.Word, known); near != "" {
		return f.Hintf("did you mean %s?", near)
	}
	if c := bad.Word; c != "" && 'A' <= c[0] && c[0] <= 'Z' {
		return f.Hintf("write its number, or ? if it is not known")
	}
	return f
}

// Describe writes a call as C would, with at least n arguments and as many as
// are not 0.
func Describe(d *cbpf.Data, n int, numeric bool) string {
	for i, v := range d.Args {
		if v != 0 {
			n = max(n, i+1)
		}
	}
	abi, known := arch.ByAudit(d.Arch, d.NR)
	q := Call{ABI: abi, Data: *d, Given: n}
	s := q.Text(numeric)
	if int32(d.NR) < 0 { // as listings have it
		s = strings.Replace(s, fmt.Sprintf("%d(", int32(d.NR)), fmt.Sprintf("%#x(", d.NR), 1)
	}
	if !known {
		s = fmt.Sprintf("arch 0x%08x", d.Arch) + strings.TrimPrefix(s, abi.String())
	}
	if d.IP != 0 {
		s += fmt.Sprintf(" made at %#x", d.IP)
	}
	return s
}

// KnownArgs returns how many arguments the call has, as far as is known.
func KnownArgs(d *cbpf.Data) int {
	abi, _ := arch.ByAudit(d.Arch, d.NR)
	c, _ := syscalltables.ByNumber(abi, d.NR)
	return len(c.Args(abi))
}
