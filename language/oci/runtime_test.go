package oci

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// One file, read like each runtime: the action of a few calls, or the place and the reason of
// a refusal.
func TestRuntimes(t *testing.T) {
	const (
		deny = `"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], `
		two  = `[{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]`
	)
	kill, eperm, enosys, allow := cbpf.KillThread, cbpf.Errno(1), cbpf.Errno(38), cbpf.Allow
	both, one := cbpf.Data{NR: 41, Args: [6]uint64{1, 1}}, cbpf.Data{NR: 41, Args: [6]uint64{1, 2}} // socket
	type asks struct {
		call cbpf.Data
		want [4]cbpf.Action // by runc, crun, youki and youki@0.6
	}
	tests := []struct {
		name, text string
		asks       []asks
		warnings   [4]string
	}{
		{"all conditions", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": ` + two + `}]}`,
			[]asks{{both, [4]cbpf.Action{allow, allow, allow, allow}}, {one, [4]cbpf.Action{eperm, eperm, eperm, allow}}},
			[4]string{3: "/syscalls/0/args: youki 0.6 takes one of these conditions for enough, and others want all (test one argument in a rule) (dialects-differ)"}},
		{"an index twice", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
			{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]}]}`,
			[]asks{{both, [4]cbpf.Action{allow, allow, allow, allow}}, {one, [4]cbpf.Action{allow, allow, allow, allow}}}, [4]string{}},
		{"no conditions", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": []}]}`,
			[]asks{{one, [4]cbpf.Action{allow, allow, allow, eperm}}},
			[4]string{3: "/syscalls/0/args: youki 0.6 drops a rule whose args are empty: it has no effect, and with others it always holds (remove args) (dialects-differ)"}},
		{"conditions null", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": null}]}`,
			[]asks{{one, [4]cbpf.Action{allow, allow, allow, allow}}}, [4]string{}},
		{"newer numbers", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW"}]}`,
			[]asks{
				{cbpf.Data{NR: 400}, [4]cbpf.Action{enosys, eperm, eperm, eperm}},
				{cbpf.Data{NR: 0x40000000}, [4]cbpf.Action{kill, kill, kill, kill}},
				{cbpf.Data{NR: 1<<32 - 1}, [4]cbpf.Action{eperm, eperm, eperm, eperm}},
			}, [4]string{}},
		{"a seventh condition", `{` + deny + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
			` + strings.Repeat(`{"index": 0, "value": 7, "op": "SCMP_CMP_EQ"},`, 6) + `{"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]}]}`,
			[]asks{{one, [4]cbpf.Action{allow, eperm, allow, allow}}},
			[4]string{1: "/syscalls/0/args/6: crun reads the first 6 conditions of a rule and ignores this one and those after it (put them into another rule) (ignored)"}},
		{"another case", `{` + deny + `"Syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW"}]}`,
			[]asks{{one, [4]cbpf.Action{allow, eperm, eperm, eperm}}},
			[4]string{
				"/Syscalls: the key is spelt syscalls: Docker, Podman and runc take this spelling too; crun and youki ignore it (write syscalls) (letter-case)",
				"/Syscalls: the key is spelt syscalls: crun ignores this spelling (write syscalls) (letter-case)",
				"/Syscalls: the key is spelt syscalls: youki ignores this spelling (write syscalls) (letter-case)",
				"/Syscalls: the key is spelt syscalls: youki 0.6 ignores this spelling (write syscalls) (letter-case)",
			}},
		{"without the native ABI", `{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"], "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW"}]}`,
			[]asks{{one, [4]cbpf.Action{allow, allow, allow, allow}}}, [4]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, runtime := range []string{Runc, Crun, Youki, Youki06} {
				r, err := Language{Runtime: runtime}.Read(language.NewSource([]byte(tt.text)), policy.Target{ABI: arch.X86_64})
				if err != nil {
					t.Fatal(err)
				}
				var warnings []string
				for _, w := range r.Warnings {
					warnings = append(warnings, w.String())
				}
				if got := strings.Join(warnings, "\n"); got != tt.warnings[i] {
					t.Errorf("%s: warnings %q, want %q", runtime, got, tt.warnings[i])
				}
				abis := []arch.ABI{arch.X86_64}
				meant, _, err := policy.Resolve(r.Policy, policy.Options{ABIs: abis})
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range tt.asks {
					a.call.Arch = arch.X86_64.Audit()
					if got := meant.Eval(&a.call); got != a.want[i] {
						t.Errorf("%s: %+v gets %v, want %v", runtime, a.call, got, a.want[i])
					}
				}
			}
		})
	}
}

func TestRuntimesRefuse(t *testing.T) {
	tests := []struct {
		text string // inside of the object
		want [4]string
	}{
		{`"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 5`, [4]string{1: "/defaultErrnoRet: ALLOW carries no errno, so crun refuses the profile (remove it)"}},
		{`"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4095`, [4]string{
			1: "/defaultErrnoRet: 4095: libseccomp takes errors up to 4094, so crun refuses the profile (use a smaller one)",
			2: "/defaultErrnoRet: 4095: libseccomp takes errors up to 4094, so youki refuses the profile (use a smaller one)",
			3: "/defaultErrnoRet: 4095: libseccomp takes errors up to 4094, so youki 0.6 refuses the profile (use a smaller one)",
		}},
		{`"defaultAction": "SCMP_ACT_TRACE", "defaultErrnoRet": 65536`, [4]string{
			2: "/defaultErrnoRet: 65536: youki takes data of TRACE up to 65535 (use a smaller number)",
			3: "/defaultErrnoRet: 65536: youki 0.6 takes data of TRACE up to 65535 (use a smaller number)",
		}},
		{`"defaultAction": "SCMP_ACT_NOTIFY"`, [4]string{
			"/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action",
			"",
			"/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action with youki (name the calls to notify of)",
			"/defaultAction: SCMP_ACT_NOTIFY cannot be used as default action with youki 0.6 (name the calls to notify of)",
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_NOTIFY"}]`, [4]string{
			"/syscalls/0/names/1: SCMP_ACT_NOTIFY cannot be used for the write syscall",
			"",
			"/syscalls/0: SCMP_ACT_NOTIFY cannot be used for the write syscall with youki (remove the name)",
			"/syscalls/0: SCMP_ACT_NOTIFY cannot be used for the write syscall with youki 0.6 (remove the name)",
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO"}]`, [4]string{
			"",
			"/syscalls/0/names: missing: crun refuses a rule without names (add them)",
			"/syscalls/0/names: missing: youki refuses a rule without names (add them)",
			"/syscalls/0/names: missing: youki 0.6 refuses a rule without names (add them)",
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["x86_64"]`, [4]string{
			`/architectures/0: "x86_64": unknown architecture (did you mean SCMP_ARCH_X86_64?)`,
			"",
			`/architectures/0: "x86_64": unknown architecture (did you mean SCMP_ARCH_X86_64?)`,
			`/architectures/0: "x86_64": unknown architecture (did you mean SCMP_ARCH_X86_64?)`,
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_NATIVE"]`, [4]string{
			1: `/architectures/0: "SCMP_ARCH_NATIVE": unknown architecture for crun (leave it out: the host's is always there)`,
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_LOONGARCH64"]`, [4]string{
			3: `/architectures/0: "SCMP_ARCH_LOONGARCH64": unknown architecture for youki 0.6 (leave it out)`,
		}},
		{`"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]`, [4]string{
			3: `/flags/0: "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": unknown flag for youki 0.6 (leave it out)`,
		}},
	}
	for _, tt := range tests {
		for i, runtime := range []string{Runc, Crun, Youki, Youki06} {
			r, err := Language{Format: OCI, Runtime: runtime}.Read(language.NewSource([]byte("{"+tt.text+"}")), policy.Target{ABI: arch.X86_64})
			if err == nil {
				_, _, err = policy.Resolve(r.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
			}
			got := ""
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "policy: ")
			}
			if got != tt.want[i] {
				t.Errorf("%s: %s:\n got %s\nwant %s", runtime, tt.text, got, tt.want[i])
			}
		}
	}
	if _, err := (Language{Runtime: "vax"}).Read(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`)), policy.Target{}); err == nil || !strings.Contains(err.Error(), `unknown runtime "vax" (known: runc, crun, youki, youki@0.6)`) {
		t.Error(err)
	}
}

// Flags are what the runtime sets: nil leaves it to whoever installs the filter.
func TestFlagsOfRuntimes(t *testing.T) {
	for runtime, want := range map[string][]cbpf.Flag{"": nil, Runc: nil, Crun: nil, Youki: {}, Youki06: {}} {
		r, err := Language{Runtime: runtime}.Read(language.NewSource([]byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`)), policy.Target{})
		if err != nil || (r.Policy.Flags == nil) != (want == nil) || len(r.Policy.Flags) > 0 {
			t.Errorf("%s: %v, %v, want %v", runtime, r.Policy, err, want)
		}
	}
}

// What Docker reads reaches the runtime as Docker writes it: with the right keys, and
// without empty lists.
func TestRuntimesBehindDocker(t *testing.T) {
	const text = `{"DefaultAction": "SCMP_ACT_ERRNO", "archMap": [], "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": []}]}`
	for _, runtime := range []string{Crun, Youki06} {
		r, err := Language{Format: Docker, Runtime: runtime}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
		if err != nil || len(r.Policy.Rules) != 1 || !r.Policy.NoBound || !slices.Equal(r.Policy.ABIs, []arch.ABI{arch.X86_64}) {
			t.Errorf("%s: %+v, %v", runtime, r.Policy, err)
		}
	}
}
