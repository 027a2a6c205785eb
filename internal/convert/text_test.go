package convert_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/convert"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/language/firecracker"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/policy"
)

// simple has an error, conditions, and one ABI.
func simple() *policy.Policy {
	errno := uint(1)
	place := func(line string) string { return line + ":1" }
	return &policy.Policy{Default: cbpf.KillThread, Order: policy.FirstMatch, ABIs: []arch.ABI{arch.X86_64}, Rules: []policy.Rule{
		{Names: []string{"write", "read"}, Action: cbpf.Allow, Pointer: place("1")},
		{Names: []string{"uname"}, Action: cbpf.ErrnoClass, Errno: &errno, Pointer: place("2")},
		{Names: []string{"socket"}, Action: cbpf.Allow, Args: []policy.Arg{{Op: policy.Equal, Value: 1}, {Index: 1, Op: policy.MaskedEqual, Value: 15, ValueTwo: 2}}, Pointer: place("3")},
	}}
}

// convertTo converts a policy for its ABIs.
func convertTo(t *testing.T, p *policy.Policy, to convert.Language, name string, butFor ...string) (string, error) {
	t.Helper()
	resolved, _, err := policy.Resolve(p, policy.Options{ABIs: p.ABIs})
	if err != nil {
		t.Fatal(err)
	}
	result, err := convert.Convert(&convert.Request{Policy: p, Resolved: resolved, To: to, Name: name, Comment: "From\nhere.", ButFor: butFor})
	if err != nil {
		return "", err
	}
	return string(result.Text), nil
}

// What a text looks like.
func TestText(t *testing.T) {
	tests := []struct {
		name   string
		to     convert.Language
		butFor []string
		want   string
	}{
		{"kafel", kafel.Language{}, nil, `// From
// here.
// For x86_64.
POLICY converted {
	ALLOW {
		read,
		write
	},
	ERRNO(1) {
		newuname
	},
	ALLOW {
		socket(a0, a1) { a0 == 1 && (a1 & 0xf) == 2 }
	}
}
USE converted DEFAULT KILL
`},
		{"lxc", lxc.Language{}, []string{convert.OtherABIs}, `2
allowlist
# From
# here.
# For LXC 7 on x86_64.
[all]
read
socket allow [0,1,SCMP_CMP_EQ][1,2,SCMP_CMP_MASKED_EQ,0xf]
uname errno 1
write
`},
		{"snap", snap.Language{}, []string{convert.OtherABIs, convert.UnknownNumbers}, `# From
# here.
# For snapd on x86_64.
~mount - - - |4096
mount
read
socket 1 15|2
write
`},
		{"spo", spo.Language{Object: "web/calls"}, []string{convert.UnknownNumbers}, `# From
# here.
# For x86_64.
apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata:
  namespace: web
  name: calls
spec:
  defaultAction: SCMP_ACT_KILL_THREAD
  architectures:
    - SCMP_ARCH_X86_64
  syscalls:
    - action: SCMP_ACT_ALLOW
      names:
        - read
        - write
    - action: SCMP_ACT_ERRNO
      errnoRet: 1
      names:
        - uname
    - action: SCMP_ACT_ALLOW
      names:
        - socket
      args:
        - index: 0
          op: SCMP_CMP_EQ
          value: 1
        - index: 1
          op: SCMP_CMP_MASKED_EQ
          value: 15
          valueTwo: 2
    - action: SCMP_ACT_KILL_THREAD
      names:
        - rseq_slice_yield
`},
		{"beats", beats.Language{}, []string{convert.OtherABIs, convert.UnknownNumbers}, `# From
# here.
# For x86_64.
seccomp:
  default_action: kill_thread
  syscalls:
    - action: allow
      names:
        - read
        - write
    - action: errno
      names:
        - uname
    - action: allow
      names_with_args:
        - name: socket
          arguments:
            - argument: 0
              operation: Equal
              value: 1
            - argument: 1
              operation: BitsNotSet
              value: 0xd
            - argument: 1
              operation: BitsSet
              value: 2
`},
		{"firecracker", firecracker.Language{Thread: "vcpu"}, nil, `{
  "vcpu": {
    "default_action": "kill_thread",
    "filter_action": "allow",
    "filter": [
      {"syscall": "read"},
      {"syscall": "socket", "args": [{"index": 0, "type": "qword", "op": "eq", "val": 1}, {"index": 1, "type": "qword", "op": {"masked_eq": 15}, "val": 2}]},
      {"syscall": "write"}
    ]
  }
}
`},
	}
	for _, tt := range tests {
		p := simple()
		switch tt.name {
		case "snap": // denies with EACCES, or by default with EPERM
			p.Default = cbpf.ErrnoClass
			errno := uint(13)
			p.Rules[1] = policy.Rule{Names: []string{"mount"}, Action: cbpf.ErrnoClass, Errno: &errno, Args: []policy.Arg{{Index: 3, Op: policy.MaskedEqual, Value: 4096, ValueTwo: 4096}}}
			p.Rules = append(p.Rules, policy.Rule{Names: []string{"mount"}, Action: cbpf.Allow})
		case "firecracker": // has one action
			p.Rules = slices.Delete(p.Rules, 1, 2)
		}
		got, err := convertTo(t, p, tt.to, tt.name, tt.butFor...)
		if err != nil || got != tt.want {
			t.Errorf("%s: %v\n%s", tt.name, err, strings.TrimSuffix(got, "\n"))
		}
	}
}
