//go:build !linux

package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/syscalltables"
)

// become fails: this system has no seccomp.
func become([]*confinement, bool, string, []string) error {
	return &failure.Error{Status: exitFailed, Err: fmt.Errorf("run: %s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)}
}

// untraceable returns nil: nothing starts here.
func untraceable(*cbpf.Program, string) error { return nil }

// notStarted explains why a program did not start.
func notStarted(verb string, err error) *failure.Error {
	return &failure.Error{Status: exitFailed, Err: fmt.Errorf("%s: %s", verb, failure.Unprefixed(err.Error()))}
}

// processorTime returns 0: it is not known.
func processorTime() time.Duration { return 0 }

// isCooked returns false: nothing can be recorded here.
func isCooked(any) bool { return false }

// kernelRelease returns "": there is no Linux running.
func kernelRelease() string { return "" }

// runningKernel returns the zero Version: there is no Linux running.
func runningKernel() syscalltables.Version { return syscalltables.Version{} }
