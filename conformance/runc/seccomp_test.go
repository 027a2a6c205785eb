package seccomp

import (
	"reflect"
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
