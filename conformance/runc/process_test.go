package seccomp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/internal/reexec"
	"github.com/seccompile/seccompile/oci"
)

// An initConfig is what the process that becomes the container is told.
type initConfig struct {
	Seccomp         *configs.Seccomp
	NoNewPrivileges bool
	Root            string
	Hook, Script    string
}

// setupSeccomp is specconv.SetupSeccomp. That asks its own package about flags,
// which this build leaves out, so this one is asked here.
func setupSeccomp(profile *specs.LinuxSeccomp) (*configs.Seccomp, error) {
	flags := profile.Flags
	profile.Flags = nil
	config, err := specconv.SetupSeccomp(profile)
	if err != nil || config == nil {
		return nil, err
	}
	if flags == nil && FlagSupported(specs.LinuxSeccompFlagSpecAllow) == nil {
		flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagSpecAllow}
	}
	for _, f := range flags {
		if err := FlagSupported(f); err != nil {
			return nil, err
		}
	}
	config.Flags = flags
	return config, nil
}

// startProcess prepares a process that goes the way of runc's init, from where it
// is confined, in a root directory of its own but without namespaces.
func startProcess(t *testing.T, p programs, s scenario) (cmd *exec.Cmd, parent func() error, err error) {
	profile := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(s.profile), profile); err != nil {
		t.Fatal(err)
	}
	path, metadata := profile.ListenerPath, profile.ListenerMetadata
	config, err := setupSeccomp(profile)
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(&initConfig{config, s.nnp, p.rootfs(t), s.hook, s.script})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	mine, its := os.NewFile(uintptr(pair[0]), "parent"), os.NewFile(uintptr(pair[1]), "init")
	cmd = reexec.Command(t, "init", string(text))
	cmd.ExtraFiles = []*os.File{its}
	return cmd, func() error {
		defer mine.Close()
		_ = its.Close()
		return handOver(cmd.Process.Pid, mine, path, metadata)
	}, nil
}

// handOver is what runc's parent does: it gets the listener from the process and
// sends it to the agent.
func handOver(pid int, pipe *os.File, path, metadata string) error {
	number := make([]byte, 16)
	n, err := pipe.Read(number)
	if err == io.EOF {
		return nil // no listener, or no filter: the process tells
	}
	if err != nil {
		return err
	}
	fd, err := strconv.Atoi(string(number[:n]))
	if err != nil {
		return err
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pidfd)
	fd, err = unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return err
	}
	listener := os.NewFile(uintptr(fd), specs.SeccompFdName)
	defer listener.Close()
	if _, err := pipe.Write([]byte{1}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return oci.SendState(ctx, path, &specs.ContainerProcessState{
		Version: specs.Version, Pid: pid, Metadata: metadata,
		State: specs.State{Version: specs.Version, ID: "process", Status: specs.StateCreating, Pid: pid},
	}, listener)
}

// initProcess becomes the container.
func initProcess() error {
	runtime.LockOSThread()
	var config initConfig
	if err := json.Unmarshal([]byte(os.Args[1]), &config); err != nil {
		return err
	}
	logrus.SetLevel(logrus.DebugLevel)
	if err := errors.Join(unix.Chroot(config.Root), unix.Chdir("/")); err != nil {
		return err
	}
	if config.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
	}
	if err := confine(config.Seccomp); err != nil {
		return err
	}
	_ = unix.Close(parentPipe)
	if config.Hook != "" {
		hook := exec.Command("/bin/sh", "-c", config.Hook)
		if out, err := hook.CombinedOutput(); err != nil {
			return fmt.Errorf("error running startContainer hook: %w\n%s", err, out)
		}
	}
	return syscall.Exec("/bin/sh", []string{"sh", "-c", config.Script}, []string{"PATH=/bin"})
}

// parentPipe is the descriptor of the init process's connection with its parent.
const parentPipe = 3

// confine installs the filter and waits until the parent has the listener. All that
// it calls meanwhile is write and read.
func confine(config *configs.Seccomp) error {
	if config == nil {
		return nil
	}
	fd, err := InitSeccomp(config)
	if err != nil || fd == -1 {
		return err
	}
	if _, err := unix.Write(parentPipe, strconv.AppendInt(nil, int64(fd), 10)); err != nil {
		return err
	}
	if _, err := unix.Read(parentPipe, make([]byte, 1)); err != nil {
		return err
	}
	return unix.Close(fd)
}

// What specconv made of a profile means the profile.
func TestProfileOfIsTheWayBack(t *testing.T) {
	names := []specs.LinuxSeccompAction{
		specs.ActAllow, specs.ActErrno, specs.ActKill, specs.ActKillProcess, specs.ActKillThread,
		specs.ActLog, specs.ActNotify, specs.ActTrace, specs.ActTrap,
	}
	operators := []specs.LinuxSeccompOperator{
		specs.OpEqualTo, specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpLessEqual, specs.OpLessThan, specs.OpMaskedEqual, specs.OpNotEqual,
	}
	errno := uint(7)
	profile := &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno,
		Architectures: []specs.Arch{
			specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64, specs.ArchMIPS, specs.ArchMIPS64, specs.ArchMIPS64N32,
			specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32, specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchRISCV64,
			specs.ArchS390, specs.ArchS390X, specs.ArchLOONGARCH64,
		},
		Flags: []specs.LinuxSeccompFlag{},
	}
	for _, action := range names {
		call := specs.LinuxSyscall{Names: []string{"mkdir"}, Action: action, ErrnoRet: &errno}
		for i, op := range operators[:6] {
			call.Args = append(call.Args, specs.LinuxSeccompArg{Index: uint(i), Value: 1 << 40, ValueTwo: 2 << 40, Op: op})
		}
		profile.Syscalls = append(profile.Syscalls, call)
		operators = append(operators[1:], operators[0])
	}
	copied := *profile
	config, err := setupSeccomp(&copied)
	if err != nil {
		t.Fatal(err)
	}
	got, err := profileOf(config)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, profile) {
		t.Errorf("%+v, want %+v", got, profile)
	}
}
