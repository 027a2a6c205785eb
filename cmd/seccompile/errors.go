package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/seccompile/seccompile/policy"
)

// Exit statuses. Those of run follow env(1).
const (
	exitNo         = 1   // the answer is no
	exitUsage      = 2   // wrong usage or unreadable input
	exitFailed     = 125 // run: failed before the program started
	exitCannotExec = 126 // run: the program cannot be executed
	exitNotFound   = 127 // run: there is no such program
)

// A failure is an error with an exit status and a cure. One without err has been
// reported already.
type failure struct {
	code int
	err  error
	hint string
}

// Error implements error.
func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("exit status %d", f.code)
	}
	return f.err.Error()
}

// Unwrap returns the error itself.
func (f *failure) Unwrap() error { return f.err }

func usagef(format string, args ...any) *failure {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func nof(format string, args ...any) *failure {
	return &failure{code: exitNo, err: fmt.Errorf(format, args...)}
}

func (f *failure) hintf(format string, args ...any) *failure {
	f.hint = fmt.Sprintf(format, args...)
	return f
}

// hintNearest hints at the known word nearest to the one given, or gives the
// other hint if none is near.
func (f *failure) hintNearest(given string, known []string, otherwise string) *failure {
	if near := nearest(given, known); near != "" {
		return f.hintf("did you mean %s?", near)
	}
	return f.hintf("%s", otherwise)
}

// A fileError is a problem with the content of a named input.
type fileError struct {
	name string
	err  error
}

// Error implements error.
func (e *fileError) Error() string { return e.name + ": " + e.err.Error() }

// Unwrap returns the problem.
func (e *fileError) Unwrap() error { return e.err }

// report prints err and returns the exit status of cmd.
func (a *app) report(cmd *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	f := &failure{code: exitUsage, err: err}
	errors.As(err, &f)
	code := f.code
	if f.err != nil && cmd != nil && cmd.Annotations[ownStatus] != "" && code < exitFailed {
		code = exitFailed
	}
	if f.err == nil || errors.Is(err, syscall.EPIPE) {
		return code // everything has been said, or nobody is listening
	}
	_ = a.flush() // data before words where both go to one terminal; an error stays
	for _, line := range messages(f.err) {
		fmt.Fprintf(a.stderr, "seccompile: %s\n", line)
	}
	if f.hint != "" {
		fmt.Fprintf(a.stderr, "seccompile: hint: %s\n", f.hint)
	}
	return code
}

// ownStatus annotates commands whose own failures must not look like those of
// the program that they start.
const ownStatus = "own-status"

// messages returns the lines to print for err: one for each problem, with the
// file that it is in.
func messages(err error) []string {
	place := ""
	var file *fileError
	if errors.As(err, &file) {
		place, err = file.name, file.err
	}
	var lines []string
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			lines = append(lines, problemLine(place, p))
		}
		return lines
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, strings.Join(nonempty(place, unprefixed(line)), ": "))
	}
	return lines
}

// problemLine renders one problem of a profile, with line and column if known.
func problemLine(file string, p *policy.Error) string {
	place := file
	if p.Line != 0 {
		place += fmt.Sprintf(":%d:%d", p.Line, p.Column)
	}
	return strings.Join(nonempty(place, shown(p.Pointer), p.Reason), ": ")
}

func nonempty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// packages are the names that errors of the library begin with. They mean
// nothing to a user of the command.
var packages = [...]string{"arch: ", "artifact: ", "cbpf: ", "compiler: ", "graph: ", "lint: ", "loader: ", "oci: ", "optimize: ", "policy: ", "proof: ", "report: ", "stats: ", "syscalltables: ", "watch: ", "words: "}

func unprefixed(line string) string {
	for _, prefix := range packages {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest
		}
	}
	return line
}

// flagError turns a flag that does not exist, or has a wrong value, into a usage
// failure that names the nearest flag.
func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return usagef("%s: %w", cmd.Name(), err)
	}
	var known []string
	add := func(f *pflag.Flag) { known = append(known, "--"+f.Name) }
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return usagef("%s: %w", cmd.Name(), err).
		hintNearest("--"+missing.GetSpecifiedName(), known, cmd.CommandPath()+" --help lists its flags")
}

// unreadable explains why a file could not be opened.
func unreadable(name string, err error) *failure {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	f := usagef("%s: %w", shown(name), err)
	if errors.Is(err, fs.ErrNotExist) {
		return f.hintf(`name a file, "-" for standard input, or %s`, dockerDefault)
	}
	return f
}
