package seccomp

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/sirupsen/logrus"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/oci"
)

// Enabled is true if seccomp support is compiled in.
const Enabled = true

// Version returns the version of libseccomp: 0.0.0, for none. runc then prints no version.
func Version() (major, minor, micro uint) { return 0, 0, 0 }

// FlagSupported returns nil if the flag is known and the running kernel supports it.
func FlagSupported(flag specs.LinuxSeccompFlag) error { return oci.FlagSupported(flag) }

// InitSeccomp installs the filter on this thread, which becomes the container. It
// returns the listener's descriptor if there is a rule with SCMP_ACT_NOTIFY,
// otherwise -1.
func InitSeccomp(config *configs.Seccomp) (int, error) {
	if config == nil {
		return -1, errors.New("cannot initialize Seccomp - nil config passed")
	}
	profile, err := profileOf(config)
	if err != nil {
		return -1, err
	}
	fd, err := oci.Install(profile, oci.Options{Debug: func(line string) { logrus.Debug(line) }})
	if err != nil {
		return -1, fmt.Errorf("error loading seccomp filter into kernel: %w", err)
	}
	return fd, nil
}

// profileOf is specconv.SetupSeccomp the other way round. The listener's path and
// metadata are left out: runc hands the listener over itself.
func profileOf(config *configs.Seccomp) (*specs.LinuxSeccomp, error) {
	profile := &specs.LinuxSeccomp{
		DefaultAction:   actionName(config.DefaultAction),
		DefaultErrnoRet: config.DefaultErrnoRet,
		// nil would mean that there is no saying, which specconv has dealt with.
		Flags: append([]specs.LinuxSeccompFlag{}, config.Flags...),
	}
	for _, name := range config.Architectures {
		abi, err := arch.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("error validating Seccomp architecture: %w", err)
		}
		profile.Architectures = append(profile.Architectures, specs.Arch(abi.OCI()))
	}
	for _, call := range config.Syscalls {
		if call == nil {
			return nil, errors.New("encountered nil syscall while initializing Seccomp")
		}
		entry := specs.LinuxSyscall{Names: []string{call.Name}, Action: actionName(call.Action), ErrnoRet: call.ErrnoRet}
		for _, arg := range call.Args {
			if arg == nil {
				return nil, errors.New("cannot convert nil to syscall condition")
			}
			entry.Args = append(entry.Args, specs.LinuxSeccompArg{
				Index: arg.Index, Value: arg.Value, ValueTwo: arg.ValueTwo, Op: operatorName(arg.Op),
			})
		}
		profile.Syscalls = append(profile.Syscalls, entry)
	}
	return profile, nil
}

// actionName returns runtime-spec's name of an action, "" if there is none.
func actionName(action configs.Action) specs.LinuxSeccompAction {
	switch action {
	case configs.Kill:
		return specs.ActKill
	case configs.Errno:
		return specs.ActErrno
	case configs.Trap:
		return specs.ActTrap
	case configs.Allow:
		return specs.ActAllow
	case configs.Trace:
		return specs.ActTrace
	case configs.Log:
		return specs.ActLog
	case configs.Notify:
		return specs.ActNotify
	case configs.KillThread:
		return specs.ActKillThread
	case configs.KillProcess:
		return specs.ActKillProcess
	}
	return ""
}

// operatorName returns runtime-spec's name of an operator, "" if there is none.
func operatorName(op configs.Operator) specs.LinuxSeccompOperator {
	switch op {
	case configs.EqualTo:
		return specs.OpEqualTo
	case configs.NotEqualTo:
		return specs.OpNotEqual
	case configs.GreaterThan:
		return specs.OpGreaterThan
	case configs.GreaterThanOrEqualTo:
		return specs.OpGreaterEqual
	case configs.LessThan:
		return specs.OpLessThan
	case configs.LessThanOrEqualTo:
		return specs.OpLessEqual
	case configs.MaskEqualTo:
		return specs.OpMaskedEqual
	}
	return ""
}
