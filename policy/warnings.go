package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A Warning is something in a valid profile that its author may not have meant.
type Warning struct {
	Kind    Kind
	Pointer string // JSON pointer of the value that it is about
	Message string
	Example Example
	// More is how many further warnings of the kind this one stands for, which are
	// counted and not listed; 0 if it is about the value at Pointer alone.
	More int
}

// An Example is a call that a warning is about. The zero Example is none.
type Example struct {
	ABI    arch.ABI
	NR     uint32
	Args   [6]uint64
	Tested [6]bool // the arguments that conditions are about
	// Text is how the message writes the call, as "ioctl(a1 = 0x5)", for those who
	// have better words for it.
	Text string
}

// example returns a call that satisfies the conditions of two rules.
func example(a arch.ABI, nr uint32, args [6]uint64, first, second []Cond) Example {
	e := Example{ABI: a, NR: nr, Args: args}
	var list []string
	for i, v := range args {
		about := func(c Cond) bool { return int(c.Arg) == i }
		if e.Tested[i] = slices.ContainsFunc(first, about) || slices.ContainsFunc(second, about); e.Tested[i] {
			list = append(list, "a"+strconv.Itoa(i)+" = "+hex(v))
		}
	}
	e.Text = callName(a, nr) + "(" + strings.Join(list, ", ") + ")"
	return e
}

// String returns "POINTER: MESSAGE (KIND)".
func (w Warning) String() string {
	s := w.Message + " (" + w.Kind.String() + ")"
	if w.Pointer != "" {
		s = w.Pointer + ": " + s
	}
	return s
}

// A Kind is a class of warnings or problems. Some are both: strict mode refuses
// unknown names, errno values where none belongs, and those that are cut.
type Kind uint8

// The kinds of warnings, and of problems from Syntax on. Their String is a stable
// identifier for tools.
const (
	UnknownName      Kind = iota + 1 // a name that no ABI has: "unknown-name"
	UnknownKey                       // a JSON key that the format does not know: "unknown-key"
	Unreachable                      // a rule that another one on the same call always beats: "unreachable"
	Overlap                          // two rules with different actions whose conditions overlap: "overlap"
	LostCondition                    // a condition that a multiplexer hides from the filter: "lost-condition"
	Truncated                        // a value cut to 32 bits, or an errno to 16: "truncated"
	Redundant                        // a rule that does what the default does: "redundant"
	IgnoredErrno                     // an errno on an action that carries none: "ignored-errno"
	OpenMIPS                         // numbers of another MIPS ABI get a permissive default: "open-mips"
	NoBound                          // an ABI for which the profile names nothing: "no-bound"
	UnknownCondition                 // a condition on a capability or architecture that does not exist: "unknown-condition"
	TwoErrnos                        // an error given by name and by another number: "two-errnos"
	Dropped                          // a rule that does what the default does, and so cannot limit another one: "dropped"

	Syntax         // what is not JSON: "syntax"
	Invalid        // a value that the format, or the mode, does not allow: "invalid"
	Contradiction  // two rules with the same conditions and different actions: "contradiction"
	NotifyDefault  // NOTIFY as default action, which runc refuses: "notify-default"
	NotifyWrite    // NOTIFY for write, which runc refuses: "notify-write"
	MixedByteOrder // target ABIs of both byte orders: "mixed-byte-order"
)

var kinds = [...]string{
	UnknownName:      "unknown-name",
	UnknownKey:       "unknown-key",
	Unreachable:      "unreachable",
	Overlap:          "overlap",
	LostCondition:    "lost-condition",
	Truncated:        "truncated",
	Redundant:        "redundant",
	IgnoredErrno:     "ignored-errno",
	OpenMIPS:         "open-mips",
	NoBound:          "no-bound",
	UnknownCondition: "unknown-condition",
	TwoErrnos:        "two-errnos",
	Dropped:          "dropped",
	Syntax:           "syntax",
	Invalid:          "invalid",
	Contradiction:    "contradiction",
	NotifyDefault:    "notify-default",
	NotifyWrite:      "notify-write",
	MixedByteOrder:   "mixed-byte-order",
}

// String returns the identifier of the kind, such as "unknown-name".
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kinds) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kinds[k]
}

// Quiet reports whether warnings of this kind are for verbose output only:
// profiles do such things on purpose.
func (k Kind) Quiet() bool { return k == Redundant }
