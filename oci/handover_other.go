//go:build !linux

package oci

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/loader"
)

func sendState(context.Context, string, *specs.ContainerProcessState, *os.File) error {
	return notLinux()
}

func receiveState(_ context.Context, conn *net.UnixConn) (*specs.ContainerProcessState, *loader.Listener, error) {
	_ = conn.Close()
	return nil, nil, notLinux()
}

func notLinux() error {
	return fmt.Errorf("oci: there are no seccomp listeners on %s (run on Linux): %w", runtime.GOOS, errors.ErrUnsupported)
}
