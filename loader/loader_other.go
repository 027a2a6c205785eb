//go:build !linux

package loader

import (
	"errors"
	"os"
	"runtime"

	"github.com/seccompile/seccompile/cbpf"
)

func install(*cbpf.Program, Options, bool) (*os.File, error) { return nil, notLinux() }

func probe() (Features, error) { return Features{}, notLinux() }

func notLinux() error {
	return &Error{
		Call:   "seccomp",
		Err:    errors.ErrUnsupported,
		Reason: "there are no seccomp filters on " + runtime.GOOS + " (run on Linux)",
	}
}
