// Package failure has the errors of commands: each with an exit status, and many with a hint
// at the cure. It says how they read.
package failure

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// Exit statuses.
const (
	No    = 1 // the answer is no
	Usage = 2 // wrong usage or unreadable input
)

// An Error is an error with an exit status and a cure. If Err is nil, it has already
// been reported.
type Error struct {
	Status int // No, Usage or another exit status
	Err    error
	Hint   string // how to go on, "" if that is not known
}

// Error implements error.
func (f *Error) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit status %d", f.Status)
	}
	return f.Err.Error()
}

// Unwrap returns the error itself.
func (f *Error) Unwrap() error { return f.Err }

// Usagef returns an error about wrong usage or unreadable input.
func Usagef(format string, args ...any) *Error {
	return &Error{Status: Usage, Err: fmt.Errorf(format, args...)}
}

// Nof returns an error that is the answer no.
func Nof(format string, args ...any) *Error {
	return &Error{Status: No, Err: fmt.Errorf(format, args...)}
}

// Hintf sets the hint.
func (f *Error) Hintf(format string, args ...any) *Error {
	f.Hint = fmt.Sprintf(format, args...)
	return f
}

// HintNearest suggests the known word nearest to the given one, or gives the other
// hint if none is near.
func (f *Error) HintNearest(given string, known []string, otherwise string) *Error {
	if near := unknown.Nearest(given, known); near != "" {
		return f.Hintf("did you mean %s?", near)
	}
	return f.Hintf("%s", otherwise)
}

// An InFile is a problem with the content of a named input.
type InFile struct {
	Name string
	Err  error
}

// Error implements error.
func (e *InFile) Error() string { return e.Name + ": " + e.Err.Error() }

// Unwrap returns the problem.
func (e *InFile) Unwrap() error { return e.Err }

// Messages returns the lines to print for err: one for each problem, with the
// file that it is in.
func Messages(err error) []string {
	place := ""
	var file *InFile
	if errors.As(err, &file) {
		place, err = file.Name, file.Err
	}
	var lines []string
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			lines = append(lines, Place(place, p.Line, p.Column, p.Pointer, p.Reason))
		}
		return lines
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, Join(place, Unprefixed(line)))
	}
	return lines
}

// Place renders a message about a place in a file, with line and column if known.
func Place(file string, line, column int, pointer, text string) string {
	if line != 0 {
		place := fmt.Sprintf("%d:%d", line, column)
		if file += ":" + place; pointer == place {
			pointer = ""
		}
	}
	return Join(file, Shown(pointer), text)
}

// packages are the prefixes of the library's errors. They mean nothing to a user of the
// command.
var packages = [...]string{"agent: ", "algebra: ", "arch: ", "artifact: ", "cbpf: ", "compiler: ", "edit: ", "grade: ", "graph: ", "host: ", "lint: ", "loader: ", "oci: ", "optimize: ", "policy: ", "proof: ", "report: ", "stats: ", "symbols: ", "syscalltables: ", "watch: "}

// Unprefixed returns a line of an error of the library without the name of the package.
func Unprefixed(line string) string {
	for _, prefix := range packages {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	return line
}

// Join joins the parts of a message that are not empty.
func Join(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ": ")
}

// Shown returns a name for use in a message: quoted if it contains invisible characters,
// or a line feed, which would start a line that looks like one of ours.
func Shown(name string) string {
	if utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

// Flag reports that a library refuses the value of a flag.
func Flag(flag string, err error) error {
	if err == nil {
		return nil
	}
	return Usagef("%s: %s", flag, Unprefixed(err.Error()))
}
