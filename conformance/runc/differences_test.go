package seccomp

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// A verdict is what becomes of a profile, or of one call under it.
type verdict struct {
	errno  syscall.Errno // libseccomp's error, if the profile is refused
	action cbpf.Action
}

const (
	allowRead = `{"names": ["read"], "action": "SCMP_ACT_ALLOW"}`
	one       = `{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}`
)

// The differences that docs/RUNC.md names, each with a profile that shows it.
func TestDifferences(t *testing.T) {
	page, err := os.ReadFile("../../docs/RUNC.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(page)), " ")
	for _, tt := range []struct {
		said    string // on the page
		profile string
		abis    []arch.ABI
		call    string // of the last ABI
		runc    verdict
		ours    verdict
	}{
		{
			said:    "Error numbers from 4095 on are cut to 16 bits and taken; libseccomp refuses the profile",
			profile: denying(`{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4095}`),
			abis:    []arch.ABI{arch.X86_64}, call: "mkdir",
			runc: verdict{errno: syscall.EINVAL}, ours: verdict{action: cbpf.Errno(4095)},
		},
		{
			said:    "The bound above which numbers get ENOSYS counts the direct numbers of calls that x86, s390 and others also multiplex",
			profile: denying(allowRead, `{"names": ["semget"], "action": "SCMP_ACT_LOG"}`),
			abis:    []arch.ABI{arch.X86}, call: "semget",
			runc: verdict{action: cbpf.Errno(38)}, ours: verdict{action: cbpf.Log},
		},
		{
			said:    "ENOSYS has the number that it has on the ABI of the call",
			profile: denying(allowRead), abis: []arch.ABI{arch.X86_64, arch.MIPSEL64}, call: "copy_file_range",
			runc: verdict{action: cbpf.Errno(38)}, ours: verdict{action: cbpf.Errno(89)},
		},
		{
			said: "Overlapping rules are taken wherever their order decides",
			profile: denying(`{"names": ["kill"], "action": "SCMP_ACT_ALLOW", "args": [`+one+`, {"index": 1, "value": 9, "op": "SCMP_CMP_EQ"}]}`,
				`{"names": ["kill"], "action": "SCMP_ACT_LOG", "args": [`+one+`]}`),
			abis: []arch.ABI{arch.X86_64}, call: "kill",
			runc: verdict{errno: syscall.EEXIST}, ours: verdict{action: cbpf.Errno(1)},
		},
	} {
		t.Run(tt.said, func(t *testing.T) {
			if !strings.Contains(text, tt.said) {
				t.Error("docs/RUNC.md does not say so")
			}
			s := new(specs.LinuxSeccomp)
			if err := json.Unmarshal([]byte(tt.profile), s); err != nil {
				t.Fatal(err)
			}
			d := data(t, tt.abis[len(tt.abis)-1], tt.call)
			theirs, err := scmp.Compile(s, tt.abis, scmp.Options{})
			tt.runc.check(t, "runc", &d, theirs, err)
			f, err := oci.Compile(s, oci.Options{Policy: policy.Options{ABIs: tt.abis}})
			var program *cbpf.Program
			if f != nil {
				program = f.Program
			}
			tt.ours.check(t, "ours", &d, program, err)
		})
	}
}

func (v verdict) check(t *testing.T, whose string, d *cbpf.Data, p *cbpf.Program, err error) {
	t.Helper()
	switch {
	case err == nil && v.errno == syscall.EEXIST && !strings.HasPrefix(scmp.Version(), "2.5."):
		t.Logf("libseccomp %s takes it", scmp.Version())
	case v.errno != 0:
		if !errors.Is(err, v.errno) {
			t.Errorf("%s: %v, want %v", whose, err, v.errno)
		}
	case err != nil:
		t.Errorf("%s: %v", whose, err)
	default:
		if got := p.Eval(d); got != v.action {
			t.Errorf("%s: %v, want %v", whose, got, v.action)
		}
	}
}

// denying returns a profile that denies what its rules do not allow.
func denying(rules ...string) string {
	return `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + strings.Join(rules, ", ") + `]}`
}

// All problems of a profile are reported together, and NOTIFY for calls that the ABIs lack
// makes no listener.
func TestDifferencesThatLibseccompCannotShow(t *testing.T) {
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(denying(`{"names": ["read"], "action": "ACT_X"}`, `{"names": ["write"], "action": "ACT_Y"}`)), s); err != nil {
		t.Fatal(err)
	}
	if _, err := oci.Compile(s, oci.Options{}); err == nil || !strings.Contains(err.Error(), "/syscalls/0/action") || !strings.Contains(err.Error(), "/syscalls/1/action") {
		t.Errorf("two problems: %v", err)
	}
	if err := json.Unmarshal([]byte(notify("arm_fadvise64_64")), s); err != nil {
		t.Fatal(err)
	}
	s.Architectures = nil
	f, err := oci.Compile(s, oci.Options{Policy: policy.Options{ABIs: []arch.ABI{arch.X86_64}}})
	if err != nil || f.Program != nil && f.Program.Returns(cbpf.Notify) {
		t.Errorf("NOTIFY for a call of arm: %v", err)
	}
}
