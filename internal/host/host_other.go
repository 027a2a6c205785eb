//go:build !linux

package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

func walk(context.Context, func(*Thread)) (Count, error) {
	return Count{}, fmt.Errorf("host: %s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)
}
