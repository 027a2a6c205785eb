package policy

import (
	"fmt"
	"strings"
)

// An Error is one reason why a profile is refused.
type Error struct {
	Kind ErrorKind
	// Pointer is the JSON pointer (RFC 6901) of the offending value, or of the
	// place where a missing one belongs; "" is the whole document.
	Pointer string
	// Reason says what is wrong and how to cure it.
	Reason string
	// Line and Column are the 1-based place in the text of the policy, and zero where
	// there is none or nobody has looked it up. Columns count bytes.
	Line, Column int
	// More is how many further errors of the kind this one stands for, which are
	// counted and not listed; 0 if it is about the value at Pointer alone.
	More int
}

// Error returns "policy: POINTER: REASON". Where it is about the document as
// a whole, such as its syntax, the place is LINE:COLUMN instead of a pointer.
func (e *Error) Error() string {
	switch {
	case e.Pointer != "":
		return "policy: " + e.Pointer + ": " + e.Reason
	case e.Line != 0:
		return fmt.Sprintf("policy: %d:%d: %s", e.Line, e.Column, e.Reason)
	}
	return "policy: " + e.Reason
}

// Errors are all errors of a profile, in file order. Of each kind they list the first 1000,
// and at the end how many more there are.
type Errors []*Error

// Error joins the errors, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// orNil returns e as an error that is nil when there are none.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

// An ErrorKind is a class of errors: a stable identifier for tools. What strict
// mode, or [Options.Exact], refuses and runc's only warns of has the identifier of the
// warning.
type ErrorKind string

// The kinds of errors.
const (
	Syntax         ErrorKind = "syntax"           // text that the language cannot read, such as broken JSON
	Invalid        ErrorKind = "invalid"          // a value that the format, or the mode, does not allow
	Contradiction  ErrorKind = "contradiction"    // two rules with the same conditions and different actions
	NotifyDefault  ErrorKind = "notify-default"   // NOTIFY as default action, which runc refuses
	NotifyWrite    ErrorKind = "notify-write"     // NOTIFY for write, which runc refuses
	MixedByteOrder ErrorKind = "mixed-byte-order" // target ABIs of both byte orders
	Absent         ErrorKind = "absent"           // a name that some ABI lacks, where [Options] ask for exact rules
	StrictName     ErrorKind = "unknown-name"     // see [UnknownName]
	StrictErrno    ErrorKind = "ignored-errno"    // see [IgnoredErrno]
	StrictRange    ErrorKind = "truncated"        // see [Truncated]
	StrictNoNames  ErrorKind = "no-names"         // see [NoNames]
	StrictNumber   ErrorKind = "foreign-number"   // see [ForeignNumber]
	StrictMetadata ErrorKind = "unused-metadata"  // see [UnusedMetadata]
	StrictCase     ErrorKind = "letter-case"      // see [LetterCase]
)

// errorKinds are all of them, in the order in which [Resolve] says how many more there
// are.
var errorKinds = [...]ErrorKind{
	StrictName, StrictRange, StrictErrno, StrictNoNames, StrictNumber, StrictMetadata, StrictCase, Absent, Syntax, Invalid, Contradiction, NotifyDefault, NotifyWrite, MixedByteOrder,
}
