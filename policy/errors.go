package policy

import (
	"fmt"
	"strings"
)

// An Error is one problem of a profile.
type Error struct {
	Kind Kind
	// Pointer is the JSON pointer (RFC 6901) of the offending value, or of the
	// place where a missing one belongs; "" is the whole document.
	Pointer string
	// Reason says what is wrong and how to cure it.
	Reason string
	// Line and Column are the 1-based place in the document that [Read] was
	// given, and zero elsewhere. Columns count bytes.
	Line, Column int
	// More is how many further problems of the kind this one stands for, which are
	// counted and not listed; 0 if it is about the value at Pointer alone.
	More int
}

// Error returns "policy: POINTER: REASON". Where the problem is the document as
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

// Errors are the problems of a profile, in file order, and at the end how many there are
// beyond the first 1000 of a kind.
type Errors []*Error

// Error joins the problems, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the problems one by one.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, err := range e {
		errs[i] = err
	}
	return errs
}

// orNil returns e as an error that is nil when there is no problem.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}
