package firecracker

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to the reader. What it reads must be a policy that resolves, and
// nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		rules(`{"syscall": "read", "args": null, "comment": 1}, {"syscall": "mmap2"}`),
		condition(`{"index": 1, "type": "dword", "op": {"masked_eq": 6}, "val": 4}, {"index": 2, "type": "qword", "op": "le", "val": 4}`),
		`{"vmm": {"default_action": {"errno": 38}, "filter_action": {"trace": 1}, "filter": []}, "a/b": 1}`,
	} {
		f.Add([]byte(text), "", false)
		f.Add([]byte(text), "vmm", true)
	}
	f.Fuzz(func(t *testing.T, data []byte, thread string, basic bool) {
		for _, a := range []arch.ABI{arch.X86_64, arch.AArch64} {
			reading, err := Language{Thread: thread, Basic: basic}.Read(language.NewSource(data), policy.Target{ABI: a})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if err != nil {
				if problems, ok := err.(policy.Errors); !ok || len(problems) == 0 {
					t.Fatalf("error %#v", err)
				}
				continue
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{a}}); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
