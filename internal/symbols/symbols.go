// Package symbols writes and reads system calls with symbols: the names that each ABI has
// for calls, arguments, constants, flags and errors.
//
//	socket(family=AF_INET, type=SOCK_STREAM|SOCK_CLOEXEC, protocol=IPPROTO_IP)
//	clone(flags & (CLONE_NEWNS|CLONE_NEWUTS) == 0)
//
// Many constants differ between ABIs: O_DIRECTORY on arm is O_DIRECT on x86_64. Values
// without a name in the tables stay numbers. The tables are generated from constants.tsv
// and arguments.tsv and cost nothing at start-up. Start with [Call] for a call and with
// [At] for one argument.
package symbols

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

//go:generate go -C _gen run .

// Call writes a call as "openat(dirfd=AT_FDCWD, pathname=0x7ffc01020304,
// flags=O_RDONLY|O_CLOEXEC, mode=0)". nr includes the base and the x32 bit. The text has
// the arguments that the call has, or all six if they are unknown; a number without a
// name stays a number.
func Call(a arch.ABI, nr uint32, args [6]uint64) string {
	return CallWith(a, nr, args, [6]string{})
}

// CallWith is Call with other texts for some arguments: for those that are not "".
func CallWith(a arch.ABI, nr uint32, args [6]uint64, texts [6]string) string {
	call, _ := syscalltables.ByNumber(a, nr)
	n := len(args)
	if names := call.Args(a); names != nil {
		n = len(names)
	}
	var list []string
	for i := range n {
		x := At(a, call, i)
		for other, v := range args {
			x = x.Given(other, v)
		}
		list = append(list, x.Name()+"="+cmp.Or(texts[i], x.Text(args[i])))
	}
	return callName(call, nr) + "(" + strings.Join(list, ", ") + ")"
}

func callName(call syscalltables.Call, nr uint32) string {
	switch {
	case call.Valid():
		return call.Name()
	case nr < 1<<30:
		return strconv.Itoa(int(nr))
	}
	return "0x" + strconv.FormatUint(uint64(nr), 16)
}

// Cond writes a condition on an argument of a call: "family != AF_VSOCK" or
// "flags & (CLONE_NEWNS|CLONE_NEWUTS) == 0".
func Cond(a arch.ABI, nr uint32, c policy.Cond) string {
	return cond(a, nr, c, nil)
}

// Conds writes a call under conditions that must all hold:
// "fcntl(cmd == F_SETFL and arg == (O_RDWR|O_APPEND))" or, without conditions,
// "fcntl".
func Conds(a arch.ABI, nr uint32, cs []policy.Cond) string {
	call, _ := syscalltables.ByNumber(a, nr)
	name := callName(call, nr)
	if len(cs) == 0 {
		return name
	}
	var list []string
	for _, c := range cs {
		list = append(list, cond(a, nr, c, cs))
	}
	return name + "(" + strings.Join(list, " and ") + ")"
}

// cond writes a condition. The others decide what the argument means.
func cond(a arch.ABI, nr uint32, c policy.Cond, others []policy.Cond) string {
	call, _ := syscalltables.ByNumber(a, nr)
	x := At(a, call, int(c.Arg))
	for _, o := range others {
		if o.Op == policy.Equal {
			x = x.Given(int(o.Arg), o.Value)
		}
	}
	return x.Compare(symbol(c.Op), c.Mask, c.Value)
}

// symbol returns how C writes an operator. Masks are Compare's.
func symbol(op policy.Op) string {
	switch op {
	case policy.Equal, policy.MaskedEqual:
		return "=="
	case policy.NotEqual, policy.MaskedNotEqual:
		return "!="
	case policy.Less:
		return "<"
	case policy.LessEqual:
		return "<="
	case policy.GreaterEqual:
		return ">="
	case policy.Greater:
		return ">"
	}
	return op.String()
}

// Action writes what happens to a call: "allow", "log", "kill the process", "kill the
// thread", "signal SIGSYS", "ask the listener", "ask the tracer" and, for an ERRNO, the
// name of the error on the ABI: "ENOSYS", "errno 4000" if it has none, or "return 0".
// It describes what the kernel does: see [cbpf.Action.Effective].
func Action(a arch.ABI, action cbpf.Action) string {
	action = action.Effective()
	switch action.Class() {
	case cbpf.Allow:
		return "allow"
	case cbpf.Log:
		return "log"
	case cbpf.KillProcess:
		return "kill the process"
	case cbpf.KillThread:
		return "kill the thread"
	case cbpf.Trap:
		return "signal SIGSYS"
	case cbpf.Notify:
		return "ask the listener"
	case cbpf.TraceClass:
		return "ask the tracer"
	case cbpf.ErrnoClass:
		if name := a.ErrnoName(action.Data()); name != "" {
			return name
		} else if action.Data() == 0 {
			return "return 0"
		}
		return "errno " + strconv.Itoa(int(action.Data()))
	}
	return action.String()
}
