package policy

import "strconv"

// A Warning is something in a valid profile that its author may not have meant.
type Warning struct {
	Kind    Kind
	Pointer string // JSON pointer of the value that it is about
	Message string
}

// String returns "POINTER: MESSAGE (KIND)".
func (w Warning) String() string {
	s := w.Message + " (" + w.Kind.String() + ")"
	if w.Pointer != "" {
		s = w.Pointer + ": " + s
	}
	return s
}

// A Kind is a class of warnings.
type Kind uint8

// The kinds of warnings. Their String is a stable identifier for tools.
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
