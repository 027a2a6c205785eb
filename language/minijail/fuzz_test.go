package minijail

import (
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to both dialects, as a policy and as the file that it includes. What
// they read must be a policy with places that resolves, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"@include ./a\n@include ./b\n@frequency ./b\n",
		"@default trap\n{read, write[arch=x86_64,arm64]}: {arg0 == 1; return EPERM, arg1 in ~(PROT_EXEC|2) || arg2 & 010; log, kill}\n",
		"@denylist\nkill: arg0 >= -1 && arg5 <= 0xff; return 5\n",
		"read: 1 \\\n\nwrite : 1\nopen: return ENOENT\nclose: arg0 == 1 || arg0 != (~1)|2; return EIO; x",
		"read: 5\nwrite: 6\n",
	} {
		for switches := range uint8(32) {
			f.Add([]byte(text), switches)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, switches uint8) {
		l := Language{Dialect: Python, UseKillProcess: switches&2 != 0, UseRetLog: switches&4 != 0}
		if switches&1 != 0 {
			l.Dialect, l.AllowDuplicates = C, switches&8 != 0
		} else {
			l.Denylist = switches&8 != 0
			if switches&16 != 0 {
				l.DefaultAction = string(data[:min(len(data), 9)])
			}
		}
		files := fstest.MapFS{
			"a": {Data: data},
			"b": {Data: data[len(data)/2:]},
		}
		s := language.NewSource(files["a"].Data).In(files, "a")
		for _, a := range []arch.ABI{arch.X86_64, arch.ARM} {
			reading, err := l.Read(s, policy.Target{ABI: a})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if err != nil {
				if problems, ok := err.(policy.Errors); !ok || len(problems) == 0 {
					t.Fatalf("error %#v", err)
				}
				continue
			}
			for _, w := range reading.Warnings {
				if w.Pointer == "" && w.More == 0 {
					t.Errorf("no place: %v", w)
				}
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{a}, Exact: true}); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
