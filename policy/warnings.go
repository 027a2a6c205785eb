package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Warning is something in a valid profile that its author may not have meant.
type Warning struct {
	Kind WarningKind
	// Pointer is the JSON pointer of the value that it is about, and Line and Column
	// its place in the text as in [Error].
	Pointer      string
	Line, Column int
	Message      string
	Example      Example
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
	// Text is how the message writes the call, as "ioctl(a1 = 0x5)" or, if it has no
	// name, "call 1000 of x86_64 with a1 = 0x5", for those who have better words for it.
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
	e.Text = callName(a, nr)
	if _, named := syscalltables.ByNumber(a, nr); named {
		e.Text += "(" + strings.Join(list, ", ") + ")"
	} else if list != nil {
		e.Text += " with " + strings.Join(list, ", ")
	}
	return e
}

// String returns "POINTER: MESSAGE (KIND)".
func (w Warning) String() string {
	s := w.Message + " (" + string(w.Kind) + ")"
	if w.Pointer != "" {
		s = w.Pointer + ": " + s
	}
	return s
}

// A WarningKind is a class of warnings: a stable identifier for tools.
type WarningKind string

// The kinds of warnings.
const (
	UnknownName      WarningKind = "unknown-name"      // a name that no ABI has
	UnknownKey       WarningKind = "unknown-key"       // a key that the format does not know
	LetterCase       WarningKind = "letter-case"       // a key in other letter case than the format's, which some programs ignore
	Unreachable      WarningKind = "unreachable"       // a rule that another one on the same call always beats
	Overlap          WarningKind = "overlap"           // two rules with different actions whose conditions overlap
	LostCondition    WarningKind = "lost-condition"    // a condition that a multiplexer hides from the filter
	Truncated        WarningKind = "truncated"         // a value cut to 32 bits, or an errno to 16
	Redundant        WarningKind = "redundant"         // a rule that does what the default does, often on purpose
	IgnoredErrno     WarningKind = "ignored-errno"     // an errno on an action that carries none
	OpenMIPS         WarningKind = "open-mips"         // numbers of another MIPS ABI get a permissive default
	NoBound          WarningKind = "no-bound"          // an ABI for which the profile names nothing
	UnknownCondition WarningKind = "unknown-condition" // a condition on a capability or architecture that does not exist
	TwoErrnos        WarningKind = "two-errnos"        // an error given by name and by another number
	Dropped          WarningKind = "dropped"           // a rule that does what the default does, and so cannot limit another one
	NoNames          WarningKind = "no-names"          // a rule that names no call
	ForeignNumber    WarningKind = "foreign-number"    // a number that no call of the rule's ABIs can have
	AmbiguousNumber  WarningKind = "ambiguous-number"  // a number that is different calls on the rule's ABIs
	UnusedMetadata   WarningKind = "unused-metadata"   // metadata for a listener that has no path
	DialectsDiffer   WarningKind = "dialects-differ"   // text that another dialect of the language reads in another way
	Ignored          WarningKind = "ignored"           // text that the language's own tool ignores, and so does its reader
	Defect           WarningKind = "defect"            // a fault of seccompile that the proof caught; the filter is right
)

// warningKinds are those that [Resolve] counts, in the order in which it says how many
// more there are.
var warningKinds = [...]WarningKind{
	UnknownName, UnknownKey, Unreachable, Overlap, LostCondition, Truncated, Redundant, IgnoredErrno, OpenMIPS, NoBound,
	UnknownCondition, TwoErrnos, Dropped, NoNames, ForeignNumber, AmbiguousNumber, UnusedMetadata,
}
