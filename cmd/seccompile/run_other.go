//go:build !linux

package main

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// become fails: there is no seccomp here.
func become(*cbpf.Program, loader.Options, string, []string) error {
	return &failure{code: exitFailed, err: fmt.Errorf("run: %s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)}
}

// kernelRelease returns "": there is no Linux running.
func kernelRelease() string { return "" }

// runningKernel returns the zero Version: there is no Linux running.
func runningKernel() syscalltables.Version { return syscalltables.Version{} }
