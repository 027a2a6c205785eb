// Package words says system calls in words: names of calls, arguments, constants,
// flags and errors as each ABI has them. It reads them, too.
//
//	socket(family=AF_INET, type=SOCK_STREAM|SOCK_CLOEXEC, protocol=IPPROTO_IP)
//	clone(flags & (CLONE_NEWNS|CLONE_NEWUTS) == 0)
//
// Many constants differ between ABIs: what is O_DIRECTORY on arm is O_DIRECT on x86_64.
// What the tables do not know of an ABI stays a number. They are generated from
// constants.tsv and arguments.tsv and cost nothing at start-up.
package words

import (
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

//go:generate go -C _gen run .

// Call writes a call as "openat(dirfd=AT_FDCWD, pathname=0x7ffc01020304,
// flags=O_RDONLY|O_CLOEXEC, mode=0)", by number, base and x32 bit included. It has as
// many arguments as the call, all six if they are not known; a number without a call
// stands for itself.
func Call(a arch.ABI, nr uint32, args [6]uint64) string {
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
		list = append(list, x.Name()+"="+x.Text(args[i]))
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

// cond writes a condition. The others tell what the argument means.
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

// symbol returns how C writes an operator. The mask of MaskedEqual is Compare's.
func symbol(op policy.Op) string {
	switch op {
	case policy.Equal, policy.MaskedEqual:
		return "=="
	case policy.NotEqual:
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
// It is what the kernel does: see [cbpf.Action.Effective].
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
