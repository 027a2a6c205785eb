//go:build !linux

package agent

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
)

// private fails: there is nobody who would connect.
func private(string, string, syscall.RawConn) error {
	return fmt.Errorf("%s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)
}
