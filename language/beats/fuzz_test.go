package beats

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to the reader. What it reads must be a policy with places that
// resolves, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		groups("  - {action: trap, names: [read, write]}\n  - {action: log, names: write}\n"),
		condition("{argument: 1, operation: BitsSet, value: 0x1000000ff}") + "  - {action: trace, names: [ioctl]}\n",
		`{"seccomp": {"enabled": true, "syscalls": [{"action": "allow", "names": ["read"]}]}}`,
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, written bool) {
		for _, a := range []arch.ABI{arch.X86_64, arch.ARM} {
			reading, err := Language{AsWritten: written}.Read(language.NewSource(data), policy.Target{ABI: a})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if err != nil {
				if problems, ok := err.(policy.Errors); !ok || len(problems) == 0 {
					t.Fatalf("error %#v", err)
				}
				continue
			}
			for _, r := range reading.Policy.Rules {
				if r.Pointer == "" {
					t.Errorf("%q: no place: %+v", data, r)
				}
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{a}, Exact: true}); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
