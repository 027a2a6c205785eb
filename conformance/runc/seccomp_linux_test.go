package seccomp

import (
	"strings"
	"testing"

	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestInitSeccompRefuses(t *testing.T) {
	one := func(call *configs.Syscall) *configs.Seccomp {
		return &configs.Seccomp{DefaultAction: configs.Allow, Syscalls: []*configs.Syscall{call}}
	}
	for _, test := range []struct {
		rule   string
		config *configs.Seccomp
		want   string
	}{
		{"no config", nil, "cannot initialize Seccomp - nil config passed"},
		{"no default action", &configs.Seccomp{}, "/defaultAction: "},
		{"an architecture of nobody's", &configs.Seccomp{DefaultAction: configs.Allow, Architectures: []string{"vax"}}, "error validating Seccomp architecture: "},
		{"no call", one(nil), "encountered nil syscall while initializing Seccomp"},
		{"no name", one(&configs.Syscall{Action: configs.Kill}), "/syscalls/0/names/0: the name is empty"},
		{"no action", one(&configs.Syscall{Name: "mkdir"}), "/syscalls/0/action: "},
		{"no condition", one(&configs.Syscall{Name: "mkdir", Action: configs.Kill, Args: []*configs.Arg{nil}}), "cannot convert nil to syscall condition"},
		{"no operator", one(&configs.Syscall{Name: "mkdir", Action: configs.Kill, Args: []*configs.Arg{{}}}), "/syscalls/0/args/0/op: "},
		{"a seventh argument", one(&configs.Syscall{Name: "mkdir", Action: configs.Kill, Args: []*configs.Arg{{Index: 6, Op: configs.EqualTo}}}),
			"a syscall has only 6 arguments"},
		{"NOTIFY for write", one(&configs.Syscall{Name: "write", Action: configs.Notify}), "SCMP_ACT_NOTIFY cannot be used for the write syscall"},
		{"NOTIFY as default", &configs.Seccomp{DefaultAction: configs.Notify}, "SCMP_ACT_NOTIFY cannot be used as default action"},
	} {
		if fd, err := InitSeccomp(test.config); err == nil || fd != -1 || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d, %v; want %s", test.rule, fd, err, test.want)
		}
	}
}

// What package configs has a number for has its name in the profile.
func TestProfileOfNames(t *testing.T) {
	actions := map[configs.Action]specs.LinuxSeccompAction{
		configs.Kill: specs.ActKill, configs.KillThread: specs.ActKillThread, configs.KillProcess: specs.ActKillProcess,
		configs.Errno: specs.ActErrno, configs.Trap: specs.ActTrap, configs.Trace: specs.ActTrace,
		configs.Allow: specs.ActAllow, configs.Log: specs.ActLog, configs.Notify: specs.ActNotify, 0: "", 99: "",
	}
	for action, want := range actions {
		if got := actionName(action); got != want {
			t.Errorf("action %d: %q, want %q", action, got, want)
		}
	}
	operators := map[configs.Operator]specs.LinuxSeccompOperator{
		configs.EqualTo: specs.OpEqualTo, configs.NotEqualTo: specs.OpNotEqual, configs.MaskEqualTo: specs.OpMaskedEqual,
		configs.GreaterThan: specs.OpGreaterThan, configs.GreaterThanOrEqualTo: specs.OpGreaterEqual,
		configs.LessThan: specs.OpLessThan, configs.LessThanOrEqualTo: specs.OpLessEqual, 0: "", 99: "",
	}
	for op, want := range operators {
		if got := operatorName(op); got != want {
			t.Errorf("operator %d: %q, want %q", op, got, want)
		}
	}
}

// A config without flags has none: specconv has chosen them.
func TestProfileOfFlags(t *testing.T) {
	for _, flags := range [][]specs.LinuxSeccompFlag{nil, {}, {specs.LinuxSeccompFlagLog}} {
		profile, err := profileOf(&configs.Seccomp{DefaultAction: configs.Allow, Flags: flags})
		if err != nil || profile.Flags == nil || len(profile.Flags) != len(flags) {
			t.Errorf("%v: %v, %v", flags, profile, err)
		}
	}
}
