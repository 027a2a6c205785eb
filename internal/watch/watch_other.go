//go:build !linux

package watch

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

func run(*Command) (int, error) {
	return 0, fmt.Errorf("watch: %s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)
}

func installs(string, []string, func(*Install), func()) (int, error) { return run(nil) }

func attach(context.Context, int, func(*Denial)) error {
	return fmt.Errorf("watch: %s has no seccomp: %w", runtime.GOOS, errors.ErrUnsupported)
}

func earlier() (int, error) { return 0, nil }

func start() {}

func enforce(n *loader.Notification, _ cbpf.Action) error { return n.Continue() }

func caller(*loader.Notification) Process { return Process{} }
