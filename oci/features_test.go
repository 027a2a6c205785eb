package oci_test

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// features-linux.md: what is listed must be recognised in the matching place.
func TestFeaturesAreRecognised(t *testing.T) {
	f := oci.Features()
	if f.Enabled == nil || *f.Enabled != (runtime.GOOS == "linux") {
		t.Errorf("enabled: %v", f.Enabled)
	}
	for _, list := range []struct {
		name   string
		values []string
		count  int
		put    func(s *specs.LinuxSeccomp, value string)
	}{
		{"actions", f.Actions, 9, func(s *specs.LinuxSeccomp, value string) { s.Syscalls[0].Action = specs.LinuxSeccompAction(value) }},
		{"operators", f.Operators, 7, func(s *specs.LinuxSeccomp, value string) {
			s.Syscalls[0].Args = []specs.LinuxSeccompArg{{Op: specs.LinuxSeccompOperator(value)}}
		}},
		{"archs", f.Archs, 23, func(s *specs.LinuxSeccomp, value string) { s.Architectures = []specs.Arch{specs.Arch(value)} }},
		{"knownFlags", f.KnownFlags, 4, func(s *specs.LinuxSeccomp, value string) {
			s.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlag(value)}
		}},
	} {
		if len(list.values) != list.count {
			t.Errorf("%s: %d values, want %d", list.name, len(list.values), list.count)
		}
		if list.name != "knownFlags" && !slices.IsSorted(list.values) {
			t.Errorf("%s: not sorted: %v", list.name, list.values)
		}
		for _, value := range list.values {
			s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"mkdir"}, Action: specs.ActTrap}}}
			list.put(s, value)
			if _, err := oci.Compile(s, oci.Options{Policy: policy.Options{ABIs: x86_64().ABIs}}); err != nil {
				t.Errorf("%s: %v", list.name, err)
			}
		}
	}
	for _, flag := range f.KnownFlags {
		supported := slices.Contains(f.SupportedFlags, flag)
		if err := oci.FlagSupported(specs.LinuxSeccompFlag(flag)); (err == nil) != supported {
			t.Errorf("%s: supported %v, error %v", flag, supported, err)
		}
	}
}

func TestFlagSupported(t *testing.T) {
	if err := oci.FlagSupported("SECCOMP_FILTER_FLAG_TSYNC"); err != nil {
		t.Errorf("TSYNC, which is ignored: %v", err)
	}
	err := oci.FlagSupported("SECCOMP_FILTER_FLAG_NEW_LISTENER") // not for profiles
	if err == nil || errors.Is(err, errors.ErrUnsupported) || !strings.HasPrefix(err.Error(), "oci: seccomp flag SECCOMP_FILTER_FLAG_NEW_LISTENER is not known") {
		t.Errorf("a flag that no profile may name: %v", err)
	}
	if err := oci.FlagSupported(specs.LinuxSeccompFlagSpecAllow); (err == nil) != (runtime.GOOS == "linux") || err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SPEC_ALLOW on %s: %v", runtime.GOOS, err)
	}
}

func TestVersionIsAVersion(t *testing.T) {
	if v := oci.Version(); v != "(devel)" && !strings.HasPrefix(v, "v") {
		t.Errorf("version %q", v)
	}
}
