//go:build !linux

package loader

import (
	"context"
	"errors"
	"os"
	"runtime"

	"github.com/seccompile/seccompile/cbpf"
)

func install(*cbpf.Program, Options) error { return notLinux() }

func installDescriptor(*cbpf.Program, Options) (int, error) { return -1, notLinux() }

func installListener(*cbpf.Program, Options) (*Listener, error) { return nil, notLinux() }

func openListener(*os.File) (*Listener, error) { return nil, notLinux() }

func (*Listener) syncWakeUp() error { return notLinux() }

func (*Listener) receive(context.Context) (*Notification, error) { return nil, notLinux() }

func (*Listener) ended() bool { return false }

func (*Notification) send(response) error { return notLinux() }

func (*Notification) valid() error { return notLinux() }

func (*Notification) addFile(*os.File, AddFileOptions) (int, error) { return 0, notLinux() }

func (*Notification) readMemory([]byte, uint64) (int, error) { return 0, notLinux() }

func (*Notification) readString(uint64, int) (string, error) { return "", notLinux() }

func dump(context.Context, int) ([]LiveFilter, error) { return nil, notLinux() }

func probe() (Features, error) { return Features{}, notLinux() }

func notLinux() error {
	return &Error{
		Call:   "seccomp",
		Err:    errors.ErrUnsupported,
		Reason: "there are no seccomp filters on " + runtime.GOOS + " (run on Linux)",
	}
}
