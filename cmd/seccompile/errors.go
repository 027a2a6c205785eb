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

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/preset"
)

// Exit statuses of run follow env(1).
const (
	exitFailed     = 125 // run: failed before the program started
	exitCannotExec = 126 // run: the program cannot be executed
	exitNotFound   = 127 // run: the program does not exist
)

// report prints err and returns the exit status of cmd.
func (a *app) report(cmd *cobra.Command, err error) int {
	if err == nil {
		return 0
	}
	f := &failure.Error{Status: failure.Usage, Err: err}
	errors.As(err, &f)
	code := f.Status
	if f.Err != nil && cmd != nil && cmd.Annotations[ownStatus] != "" && code < exitFailed {
		code = exitFailed
	}
	if f.Err == nil || errors.Is(err, syscall.EPIPE) {
		return code // reported already, or nobody reads
	}
	_ = a.flush() // data before words where both go to one terminal; an error stays
	for _, line := range failure.Messages(f.Err) {
		fmt.Fprintf(a.stderr, "seccompile: %s\n", line)
	}
	if f.Hint != "" {
		fmt.Fprintf(a.stderr, "seccompile: hint: %s\n", f.Hint)
	}
	return code
}

// ownStatus annotates commands whose own failures must not look like failures of the
// program that they start.
const ownStatus = "own-status"

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
		return failure.Usagef("%s%w", where, err).Hintf("seccompile check --explain list shows the IDs")
	}
	if f := badNumber(where, err); f != nil {
		return f
	}
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return failure.Usagef("%s%w", where, err)
	}
	var known []string
	add := func(f *pflag.Flag) { known = append(known, "--"+f.Name) }
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	return failure.Usagef("%s%w", where, err).
		HintNearest("--"+missing.GetSpecifiedName(), known, fmt.Sprintf("run %q for the flags", cmd.CommandPath()+" --help"))
}

// badNumber explains why a flag takes no such number, nil if it is not about one.
func badNumber(where string, err error) error {
	var bad *pflag.InvalidValueError
	if !errors.As(err, &bad) {
		return nil
	}
	flag, kind := bad.GetFlag(), "a whole number"
	switch flag.Value.Type() {
	case "uint16":
		kind = "a number from 0 to 65535"
	case "int":
	default:
		return nil
	}
	f := failure.Usagef("%s--%s: %q is not %s", where, flag.Name, bad.GetValue(), kind)
	if flag.DefValue != "0" {
		return f.Hintf("for example --%s %s", flag.Name, flag.DefValue)
	}
	return f
}

// unreadable explains why a file could not be read.
func unreadable(name string, err error) *failure.Error {
	if bare := strings.TrimSuffix(name, "-default"); slices.Contains(preset.Names(), bare) {
		return inaccessible(name, err, "to use the profile that is built in, give "+intake.PresetPrefix+bare)
	}
	return inaccessible(name, err, `give the name of a file, "-" for standard input, or `+intake.DockerDefault)
}

// unwritable explains why a file could not be written.
func unwritable(name string, err error) *failure.Error {
	return inaccessible(name, err, "the directory must exist")
}

// inaccessible explains why a file could not be opened. The hint is for one that does not
// exist.
func inaccessible(name string, err error, hint string) *failure.Error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	f := failure.Usagef("%s: %w", failure.Shown(name), err)
	if errors.Is(err, fs.ErrNotExist) {
		return f.Hintf("%s", hint)
	}
	return f
}
