package loader_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/loader"
)

// ways are the three ways to install on all threads; they differ in how the
// kernel reports a diverged thread.
var ways = []string{"plain", "esrch", "listener"}

// installAll installs in one of the ways.
func installAll(way string) error {
	switch way {
	case "plain":
		return loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{})
	case "esrch":
		return loader.Install(on(unix.SYS_GETPPID, cbpf.Errno(77)), loader.Options{Flags: []cbpf.Flag{cbpf.TSyncESRCH}})
	case "listener":
		_, err := loader.InstallListener(on(unix.SYS_GETPPID, cbpf.Notify), loader.Options{})
		return err
	}
	return errors.New("no way " + way)
}

// confine gives the calling thread a filter of its own.
func confine() error {
	return loader.Install(on(unix.SYS_GETSID, cbpf.Errno(78)), loader.Options{ThisThread: true})
}

func TestDivergedThreadIsNamed(t *testing.T) {
	for _, way := range ways {
		for _, caller := range []string{"free", "confined"} {
			t.Run(way+"/"+caller, func(t *testing.T) { reexec.OK(t, "diverged", way, caller) })
		}
	}
}

func diverged() error {
	way, caller := os.Args[1], os.Args[2]
	odd, bystander, installer := startThread(), startThread(), startThread()
	if err := odd.do(confine); err != nil {
		return err
	}
	own := "0"
	if caller == "confined" {
		if err := installer.do(confine); err != nil {
			return err
		}
		own = "2"
	}
	err := installer.do(func() error { return installAll(way) })
	if tsync := new(loader.TSyncError); !errors.As(err, &tsync) || tsync.TID != odd.tid || !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("got %v, want thread %d", err, odd.tid)
	}
	if want := fmt.Sprintf("a thread (id %d) cannot be synchronised", odd.tid); !strings.Contains(err.Error(), want) {
		return fmt.Errorf("%q does not say %q", err, want)
	}
	return errors.Join(
		wantStatus(bystander.tid, "Seccomp", "0", "NoNewPrivs", "0"), bystander.do(func() error { return wantErrno(0) }),
		wantStatus(installer.tid, "Seccomp", own, "NoNewPrivs", "1"), installer.do(func() error { return wantErrno(0) }))
}

// The kernel does not say which thread it is if a listener was asked for, and
// /proc shows only how many filters a thread has.
func TestUndeterminedThreadIsNotGuessed(t *testing.T) { reexec.OK(t, "undetermined") }

func undetermined() error {
	for range 2 {
		if err := startThread().do(confine); err != nil {
			return err
		}
	}
	installer := startThread()
	if err := installer.do(confine); err != nil {
		return err
	}
	err := installer.do(func() error { return installAll("listener") })
	if tsync := new(loader.TSyncError); !errors.As(err, &tsync) || tsync.TID != 0 {
		return fmt.Errorf("got %v, want thread 0", err)
	}
	return wantStatus(installer.tid, "Seccomp_filters", "1")
}
