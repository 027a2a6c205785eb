package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/kernels/internal/foreign"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// checkDocker has a process live under Docker's default profile.
func checkDocker(s *suite) error {
	return s.do("docker", func() error {
		out, err := exec.Command("/proc/self/exe", "docker").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// underDocker is the process. All its threads are confined.
func underDocker([]string) error {
	profile, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		return err
	}
	meant, _, err := policy.Resolve(profile, policy.Options{})
	if err != nil {
		return err
	}
	filter, _, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		return err
	}
	if err := loader.Install(filter, loader.Options{}); err != nil {
		return err
	}
	orders, err := readOrders()
	if err != nil {
		return err
	}
	problems := []error{work(), refusals()}
	for _, name := range orders.Callers[1:] {
		abi, err := arch.Parse(name)
		if err != nil {
			return err
		}
		problems = append(problems, guestOfAnotherABI(abi, meant))
	}
	return errors.Join(problems...)
}

// work does what programs do all day.
func work() error {
	dir, err := os.MkdirTemp("", "work")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "a")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file, file+"b"); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		return fmt.Errorf("%d entries: %w", len(entries), err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() { _, _ = theirs.Write([]byte("x")); _ = theirs.Close() }()
	if _, err := ours.Read(make([]byte, 1)); err != nil {
		return err
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	err = errors.Join(unix.Close(fds[0]), unix.Close(fds[1]))
	var threads sync.WaitGroup
	for range 8 {
		threads.Go(func() { _ = onThread(func() error { return nil }) })
	}
	threads.Wait()
	out, failure := exec.Command("/proc/self/exe", "true").CombinedOutput()
	if failure != nil {
		return fmt.Errorf("a program: %w\n%s", failure, out)
	}
	return err
}

// profileENOSYS is what the profile writes for ENOSYS. On MIPS it means something
// else.
const profileENOSYS = unix.Errno(38)

// refusals makes calls that the profile refuses.
func refusals() error {
	const vsock = 40
	socket := func(domain uintptr) error {
		fd, _, errno := unix.Syscall(unix.SYS_SOCKET, domain, unix.SOCK_STREAM, 0) // not through socketcall(2)
		if errno != 0 {
			return errno
		}
		return unix.Close(int(fd))
	}
	var problems []error
	for _, t := range []struct {
		name string
		call func() error
		want unix.Errno
	}{
		{"unshare", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, unix.EPERM},
		{"mount", func() error { return unix.Mount("none", "/tmp", "tmpfs", 0, "") }, unix.EPERM},
		{"sethostname", func() error { return unix.Sethostname([]byte("x")) }, unix.EPERM},
		{"socket of AF_VSOCK", func() error { return socket(vsock) }, unix.EPERM},
		{"socket of AF_UNIX", func() error { return socket(unix.AF_UNIX) }, 0},
		{"clone3", func() error { _, _, err := unix.Syscall(unix.SYS_CLONE3, 0, 0, 0); return err }, profileENOSYS},
		{"personality", func() error { _, _, err := unix.Syscall(unix.SYS_PERSONALITY, 1, 0, 0); return err }, unix.EPERM},
		{"personality that changes nothing", func() error {
			_, _, errno := unix.Syscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0)
			if errno == 0 {
				return nil
			}
			return errno
		}, 0},
	} {
		err := t.call()
		if t.want == 0 && err != nil || t.want != 0 && !errors.Is(err, t.want) {
			problems = append(problems, fmt.Errorf("%s: %v, want %v", t.name, err, t.want))
		}
	}
	return errors.Join(problems...)
}

// guestOfAnotherABI runs a program of another ABI under the filter that this one
// has installed. If the profile does not name that ABI, its first call ends it.
func guestOfAnotherABI(abi arch.ABI, meant *policy.Resolved) error {
	results, err := foreign.Run(abi, nil, []foreign.Call{
		{NR: uint64(number(abi, "getppid"))},
		{NR: uint64(number(abi, "unshare")), Args: [6]uint64{unix.CLONE_NEWUSER}},
		{NR: uint64(number(abi, "clone3"))},
	})
	if !slices.ContainsFunc(meant.Spaces, func(s policy.Space) bool { return slices.Contains(s.ABIs, abi) }) {
		var death foreign.Death
		if !errors.As(err, &death) || death.Signal != unix.SIGSYS {
			return fmt.Errorf("%v, which the profile does not name: %v, %v", abi, results, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if results[0] <= 0 || results[1] != -int64(unix.EPERM) || results[2] != -int64(profileENOSYS) {
		return fmt.Errorf("%v: getppid, unshare and clone3 return %d", abi, results)
	}
	return nil
}
