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

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Exit statuses. Those of run follow env(1).
const (
	exitNo         = 1   // the answer is no
	exitUsage      = 2   // wrong usage or unreadable input
	exitFailed     = 125 // run: failed before the program started
	exitCannotExec = 126 // run: the program cannot be executed
	exitNotFound   = 127 // run: the program does not exist
)

// A failure is an error with an exit status and a cure. If err is nil, it has already
// been reported.
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

// hintNearest suggests the known word nearest to the given one, or gives the other
// hint if none is near.
func (f *failure) hintNearest(given string, known []string, otherwise string) *failure {
	if near := unknown.Nearest(given, known); near != "" {
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
		return code // reported already, or nobody reads
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

// ownStatus annotates commands whose own failures must not look like failures of the
// program that they start.
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
			lines = append(lines, placed(place, p.Line, p.Column, p.Pointer, p.Reason))
		}
		return lines
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, strings.Join(nonempty(place, unprefixed(line)), ": "))
	}
	return lines
}

// placed renders a message about a place in a file, with line and column if known.
func placed(file string, line, column int, pointer, text string) string {
	if line != 0 {
		place := fmt.Sprintf("%d:%d", line, column)
		if file += ":" + place; pointer == place {
			pointer = ""
		}
	}
	return strings.Join(nonempty(file, shown(pointer), text), ": ")
}

func nonempty(words ...string) []string {
	return slices.DeleteFunc(words, func(s string) bool { return s == "" })
}

// packages are the prefixes of the library's errors. They mean nothing to a user of the
// command.
var packages = [...]string{"agent: ", "algebra: ", "arch: ", "artifact: ", "cbpf: ", "compiler: ", "edit: ", "grade: ", "graph: ", "host: ", "lint: ", "loader: ", "oci: ", "optimize: ", "policy: ", "proof: ", "report: ", "stats: ", "symbols: ", "syscalltables: ", "watch: "}

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
	where := ""
	switch args := cmd.Flags().Args(); { // those before the flag
	case cmd.HasParent():
		where = cmd.Name() + ": "
	case len(args) > 0:
		return unknownCommand(cmd, args)
	}
	var bare *pflag.ValueRequiredError
	if errors.As(err, &bare) && cmd.Name() == "check" && bare.GetSpecifiedName() == "explain" {
		return usagef("%s%w", where, err).hintf("seccompile check --explain list shows the IDs")
	}
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return usagef("%s%w", where, err)
	}
	var known []string
	add := func(f *pflag.Flag) { known = append(known, "--"+f.Name) }
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return usagef("%s%w", where, err).
		hintNearest("--"+missing.GetSpecifiedName(), known, fmt.Sprintf("run %q for the flags", cmd.CommandPath()+" --help"))
}

// unreadable explains why a file could not be read.
func unreadable(name string, err error) *failure {
	if bare := strings.TrimSuffix(name, "-default"); slices.Contains(preset.Names(), bare) {
		return inaccessible(name, err, "to use the profile that is built in, give "+presetPrefix+bare)
	}
	return inaccessible(name, err, `give the name of a file, "-" for standard input, or `+dockerDefault)
}

// unwritable explains why a file could not be written.
func unwritable(name string, err error) *failure {
	return inaccessible(name, err, "the directory must exist")
}

// inaccessible explains why a file could not be opened. The hint is for one that does not
// exist.
func inaccessible(name string, err error, hint string) *failure {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	f := usagef("%s: %w", shown(name), err)
	if errors.Is(err, fs.ErrNotExist) {
		return f.hintf("%s", hint)
	}
	return f
}
