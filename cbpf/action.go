package cbpf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Action is the word that a filter returns: a class in the upper half and
// data in the lower (linux/seccomp.h: SECCOMP_RET_ACTION_FULL, SECCOMP_RET_DATA).
// The zero Action is KILL_THREAD, so a forgotten action denies.
type Action uint32

// The action classes of linux/seccomp.h. ERRNO and TRACE carry data: see
// [Errno] and [Trace].
const (
	KillThread  Action = 0x00000000
	Trap        Action = 0x00030000
	ErrnoClass  Action = 0x00050000
	Notify      Action = 0x7fc00000
	TraceClass  Action = 0x7ff00000
	Log         Action = 0x7ffc0000
	Allow       Action = 0x7fff0000
	KillProcess Action = 0x80000000
)

// maxErrno is the largest error number that a system call can return
// (linux/err.h: MAX_ERRNO).
const maxErrno = 4095

type actionClass struct {
	class Action
	name  string // seccomp(2)'s
}

// classes names every action class, strictest first.
var classes = [...]actionClass{
	{KillProcess, "KILL_PROCESS"},
	{KillThread, "KILL_THREAD"},
	{Trap, "TRAP"},
	{ErrnoClass, "ERRNO"},
	{Notify, "NOTIFY"},
	{TraceClass, "TRACE"},
	{Log, "LOG"},
	{Allow, "ALLOW"},
}

// Errno returns the action that fails the call with error number n. Kernels cap
// numbers above 4095 at 4095.
func Errno(n uint16) Action { return ErrnoClass | Action(n) }

// Trace returns the action that asks an attached tracer, with message data.
func Trace(data uint16) Action { return TraceClass | Action(data) }

// Class returns the action without its data.
func (a Action) Class() Action { return a & 0xffff0000 }

// Data returns the lower 16 bits: the error number of ERRNO, the message of TRACE.
func (a Action) Data() uint16 { return uint16(a) }

// name returns seccomp(2)'s name of the class, "" if linux/seccomp.h has no such class.
func (a Action) name() string {
	for i := range classes {
		if classes[i].class == a.Class() {
			return classes[i].name
		}
	}
	return ""
}

// String returns the action in seccomp(2)'s words with its data in parentheses:
// ALLOW, ERRNO(1), TRACE(0). Classes that need no data show it only if it is not
// zero: TRAP(5). A word of no known class is hexadecimal: 0x12340000.
func (a Action) String() string {
	name := a.name()
	switch {
	case name == "":
		return hexadecimal(uint32(a), 8)
	case a.Data() != 0, a.Class() == ErrnoClass, a.Class() == TraceClass:
		return name + "(" + decimal(uint32(a.Data())) + ")"
	}
	return name
}

// ParseAction reads what [Action.String] writes, and any 32-bit number. ERRNO and
// TRACE must state their data.
func ParseAction(s string) (Action, error) {
	a, reason := parseAction(s)
	if reason != "" {
		return 0, errors.New("cbpf: " + reason)
	}
	return a, nil
}

func parseAction(s string) (a Action, reason string) {
	if word, err := strconv.ParseUint(s, 0, 32); err == nil {
		return Action(word), ""
	}
	name, data, hasData := strings.Cut(s, "(")
	i := slices.IndexFunc(classes[:], func(c actionClass) bool { return c.name == name })
	if i >= 0 {
		a = classes[i].class
	}
	switch {
	case i < 0:
		return 0, fmt.Sprintf("action %q is unknown (known: %s, or a number)", s, strings.Join(actionNames(), ", "))
	case !hasData && (a == ErrnoClass || a == TraceClass):
		return 0, fmt.Sprintf("action %s lacks its data (write it as in %s(1))", s, s)
	case !hasData:
		return a, ""
	}
	digits, closed := strings.CutSuffix(data, ")")
	n, err := strconv.ParseUint(digits, 0, 16)
	if !closed || err != nil {
		return 0, fmt.Sprintf("action %q: its data is a number from 0 to 65535 in parentheses", s)
	}
	return a | Action(n), ""
}

func actionNames() []string {
	names := make([]string, len(classes))
	for i := range classes {
		names[i] = classes[i].name
	}
	return names
}

// Compare orders actions as the kernel does when several filters answer one call:
// negative if a is stricter than b, so that a decides, and 0 if their classes are
// the same; then the newest filter's data counts. The order is that of the
// classes as signed numbers (kernel/seccomp.c: ACTION_ONLY): KILL_PROCESS,
// KILL_THREAD, TRAP, ERRNO, NOTIFY, TRACE, LOG, ALLOW. An unknown class has the
// place of its number, though the kernel then treats it as KILL_PROCESS.
func (a Action) Compare(b Action) int {
	return cmp.Compare(int32(a.Class()), int32(b.Class()))
}

// Effective returns the action that the kernel carries out when a filter's answer
// is a (kernel/seccomp.c: __seccomp_filter): KILL_PROCESS for an unknown class,
// ERRNO capped at 4095, and no data where none is used.
func (a Action) Effective() Action {
	switch a.Class() {
	case ErrnoClass:
		return Errno(min(a.Data(), maxErrno))
	case Trap, TraceClass:
		return a
	case KillThread, Notify, Log, Allow, KillProcess:
		return a.Class()
	}
	return KillProcess
}

// A Permission is a way in which a filter's answer lets a call happen. Each includes
// the ones before it.
type Permission uint8

// The ways, with the actions that permit a call so (kernel/seccomp.c:
// __seccomp_filter).
const (
	Alone          Permission = iota // the kernel executes the call whoever is around: ALLOW and LOG
	WithTracer                       // it also does if a tracer attends to the call: TRACE
	WithSupervisor                   // it also does if a listener's supervisor continues the call: NOTIFY
)

// Permits reports whether a call that gets this action can happen in the given way.
func (a Action) Permits(p Permission) bool {
	switch a.Class() {
	case Allow, Log:
		return true
	case TraceClass:
		return p >= WithTracer
	case Notify:
		return p >= WithSupervisor
	}
	return false
}
