package moby_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/moby"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// samePolicy compares policies but for where they were read.
var samePolicy = cmp.Options{
	cmpopts.IgnoreFields(policy.Policy{}, "Pointer", "ArchMap"),
	cmpopts.IgnoreFields(policy.Rule{}, "Pointer", "Comment"),
}

// host is what moby resolves profiles for, with the given capabilities.
func host(t *testing.T, caps []string) policy.Target {
	t.Helper()
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(uts.Release[:])
	var v syscalltables.Version
	if _, err := fmt.Sscanf(release, "%d.%d", &v.Major, &v.Minor); err != nil {
		t.Fatalf("kernel release %q: %v", release, err)
	}
	return policy.Target{ABI: arch.Native(), Caps: caps, Kernel: v}
}

// mobys resolves a profile with moby's own code, for this host.
func mobys(profile string, caps []string) (*policy.Policy, error) {
	s, err := seccomp.LoadProfile(profile, &specs.Spec{
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}},
	})
	if err != nil {
		return nil, err
	}
	p, err := oci.FromSpec(s)
	if err == nil && len(p.ABIs) == 0 {
		p.ABIs = []arch.ABI{arch.Native()} // which runtimes take it for
	}
	return p, err
}

// conditionCaps are the capabilities that Docker's default profile asks about.
func conditionCaps() []string {
	var caps []string
	for _, s := range seccomp.DefaultProfile().Syscalls {
		for _, f := range []*seccomp.Filter{s.Includes, s.Excludes} {
			if f != nil {
				caps = append(caps, f.Caps...)
			}
		}
	}
	slices.Sort(caps)
	return slices.Compact(caps)
}

func TestDefaultResolvesAsMobyDoes(t *testing.T) {
	asked := conditionCaps()
	if len(asked) < 10 {
		t.Fatalf("the default profile asks about %q only", asked)
	}
	sets := [][]string{nil, asked, preset.Caps("docker")}
	for i, a := range asked {
		sets = append(sets, []string{a}, append(preset.Caps("docker"), a), slices.Delete(slices.Clone(asked), i, i+1))
		for _, b := range asked[:i] {
			sets = append(sets, []string{a, b})
		}
	}
	for _, caps := range sets {
		want, err := mobys(string(preset.Docker()), caps)
		if err != nil {
			t.Fatal(err)
		}
		got, warnings, err := oci.Read(preset.Docker(), host(t, caps))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%q: %v, warnings %v", caps, err, warnings)
		}
		if diff := cmp.Diff(want, got, samePolicy); diff != "" {
			t.Errorf("%q: moby's is -, ours +\n%s", caps, diff)
		}
		got, warnings, err = moby.Read(seccomp.DefaultProfile(), host(t, caps))
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%q: %v, warnings %v", caps, err, warnings)
		}
		if diff := cmp.Diff(want, got, samePolicy); diff != "" {
			t.Errorf("%q: from moby's type: moby's is -, ours +\n%s", caps, diff)
		}
	}
}

// Each profile has one rule with a condition, or one point of the format.
func TestConditionsHoldAsMobyDecides(t *testing.T) {
	const rule = `{"names": ["read"], "action": "SCMP_ACT_ALLOW", %s}`
	var profiles []string
	for _, condition := range []string{
		`{}`,
		`{"caps": []}`, `{"arches": []}`,
		`{"caps": ["CAP_KILL"]}`, `{"caps": ["CAP_BPF"]}`, `{"caps": ["CAP_KILL", "CAP_BPF"]}`, `{"caps": ["CAP_KILL", "CAP_CHOWN"]}`,
		`{"arches": ["amd64"]}`, `{"arches": ["arm64", "s390x", "riscv64"]}`, `{"arches": ["x32"]}`, `{"arches": ["x86", "amd64"]}`,
		`{"arches": ["x86_64"]}`, `{"arches": ["AMD64"]}`, `{"arches": ["SCMP_ARCH_X86_64"]}`,
		`{"minKernel": ""}`, `{"minKernel": "2.6"}`, `{"minKernel": "4.8"}`, `{"minKernel": "255.255"}`, `{"minKernel": "04.08"}`,
		`{"caps": ["CAP_KILL"], "arches": ["amd64"], "minKernel": "3.0"}`, `{"caps": ["CAP_BPF"], "arches": ["arm64"], "minKernel": "255.0"}`,
		`{"caps": ["CAP_KILL"], "minKernel": "255.0"}`, `{"caps": ["CAP_BPF"], "minKernel": "3.0"}`, `{"arches": ["arm"], "minKernel": "3.0"}`,
	} {
		profiles = append(profiles,
			fmt.Sprintf(rule, `"includes": `+condition),
			fmt.Sprintf(rule, `"excludes": `+condition),
			fmt.Sprintf(rule, `"includes": `+condition+`, "excludes": {"caps": ["CAP_CHOWN"]}`),
			fmt.Sprintf(rule, `"excludes": `+condition+`, "includes": {"caps": ["CAP_CHOWN"]}`))
	}
	profiles = append(profiles,
		fmt.Sprintf(rule, `"includes": null, "excludes": null`),
		`{"name": "read", "action": "SCMP_ACT_ALLOW", "args": []}`,
		`{"name": "", "names": ["read"], "action": "SCMP_ACT_ALLOW"}`,
		`{"name": "read", "names": [], "action": "SCMP_ACT_ALLOW", "comment": "old"}`)
	for i, p := range profiles {
		profiles[i] = `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + p + `]}`
	}
	for _, top := range []string{
		`"archMap": []`, `"archMap": null, "architectures": ["SCMP_ARCH_ARM"]`, `"archMap": [], "architectures": ["SCMP_ARCH_ARM"]`,
		`"archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}, {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": null}]`,
		`"archMap": [{"architecture": "SCMP_ARCH_PARISC"}], "flags": []`,
		`"archMap": [{"architecture": "SCMP_ARCH_ARM"}, {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}]`,
		`"archMap": [], "defaultErrnoRet": 38, "listenerPath": "/run/agent", "listenerMetadata": "x", "flags": ["SECCOMP_FILTER_FLAG_LOG"]`,
	} {
		profiles = append(profiles, `{"defaultAction": "SCMP_ACT_ERRNO", `+top+`, "syscalls": []}`)
	}
	kept := 0
	for _, profile := range profiles {
		caps := preset.Caps("docker")
		want, err := mobys(profile, caps)
		if err != nil {
			t.Fatalf("%s: %v", profile, err)
		}
		got, _, err := oci.Read([]byte(profile), host(t, caps))
		if err != nil {
			t.Errorf("%s: %v", profile, err)
			continue
		}
		if diff := cmp.Diff(want, got, samePolicy); diff != "" {
			t.Errorf("%s: moby's is -, ours +\n%s", profile, diff)
		}
		kept += len(got.Rules)
	}
	if kept == 0 || kept == len(profiles) {
		t.Errorf("%d of %d rules kept: the conditions tell nothing apart", kept, len(profiles))
	}
}

func TestWhatMobyRefusesIsRefused(t *testing.T) {
	for _, tt := range []struct{ profile, pointer string }{
		{`"archMap": [{"architecture": "SCMP_ARCH_X86"}], "architectures": ["SCMP_ARCH_X86"]`, "/archMap"},
		{`"syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]`, "/syscalls/0/name"},
		{`"syscalls": [{"names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4"}}]`, "/syscalls/0/includes/minKernel"},
		{`"syscalls": [{"names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8.1"}}]`, "/syscalls/0/includes/minKernel"},
		{`"syscalls": [{"names": ["b"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "0.0"}}]`, "/syscalls/0/includes/minKernel"},
		{`"syscalls": [{"names": ["b"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": "4.256"}}]`, "/syscalls/0/excludes/minKernel"},
		{`"syscalls": [{"names": ["b"], "action": "SCMP_ACT_ALLOW", "excludes": {"minKernel": 4.8}}]`, "/syscalls/0/excludes/minKernel"},
	} {
		profile := `{"defaultAction": "SCMP_ACT_ERRNO", ` + tt.profile + `}`
		if _, err := seccomp.LoadProfile(profile, &specs.Spec{}); err == nil {
			t.Errorf("%s: moby takes it", profile)
		}
		_, _, err := oci.Read([]byte(profile), policy.Target{})
		if err == nil || !strings.HasPrefix(err.Error(), "policy: "+tt.pointer+": ") {
			t.Errorf("%s: error %v, want one at %s", profile, err, tt.pointer)
		}
	}
}

func TestReadKeepsWhatJSONLoses(t *testing.T) {
	s := &seccomp.Seccomp{LinuxSeccomp: specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{}}}
	p, _, err := moby.Read(s, policy.Target{ABI: arch.S390X})
	if err != nil {
		t.Fatal(err)
	}
	if p.Flags == nil {
		t.Error("an empty list of flags, which asks for none, became an absent one")
	}
	if want := []arch.ABI{arch.S390X}; !slices.Equal(p.ABIs, want) {
		t.Errorf("ABIs %v, want %v", p.ABIs, want)
	}
}

func TestReadReportsProblems(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    *seccomp.Seccomp
		want string
	}{
		{"nil", nil, "policy: no seccomp object"},
		{"zero", &seccomp.Seccomp{}, `policy: /defaultAction: "": unknown action`},
		{"embedded rules", &seccomp.Seccomp{LinuxSeccomp: specs.LinuxSeccomp{Syscalls: make([]specs.LinuxSyscall, 1)}}, "policy: /syscalls: "},
		{"nil rule", &seccomp.Seccomp{LinuxSeccomp: specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, Syscalls: []*seccomp.Syscall{nil}},
			"policy: /syscalls/0: expected an object, got null"},
		{"bad rule", &seccomp.Seccomp{LinuxSeccomp: specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, Syscalls: []*seccomp.Syscall{{Name: "read"}}},
			`policy: /syscalls/0/action: "": unknown action`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _, err := moby.Read(tt.s, policy.Target{})
			if p != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("policy %v, error %v, want %q", p, err, tt.want)
			}
		})
	}
}

func TestDefaultIsFresh(t *testing.T) {
	clear(preset.Docker())
	if b := preset.Docker(); bytes.IndexByte(b, 0) >= 0 {
		t.Error("a caller can change the default profile")
	}
}
