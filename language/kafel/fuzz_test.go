package kafel

import (
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to the reader, as a policy and as the file that it includes. What it
// reads must be a policy with places that resolves, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"#include \"b\" \"b\";#include \"c\"\n",
		"POLICY a { ALLOW { read, write(x, y) { x == 1 && (y & 0x7f) < 16, !y >= -1 } }, ERRNO(07) { SYSCALL[-1] } }\n// c\nUSE a DEFAULT TRAP(0b11)",
		"#define A 1\n#define B 0xfffffffff\n/* x ***/ LOG { write { (count|A) != B || fd > A } } TRACE(1) { dup ON { arm, x86_64 } { fildes <= 3 } } KILL {}, DENY { A }",
		"USE a DEFAULT KILL_PROCESS USER_NOTIF { newstat ON arm64 { } }",
	} {
		f.Add([]byte(text), uint8(0))
		f.Add([]byte(text), uint8(7))
	}
	all := []arch.ABI{arch.X86_64, arch.X86, arch.ARM, arch.AArch64, arch.RISCV64}
	f.Fuzz(func(t *testing.T, data []byte, set uint8) {
		var l Language
		for i, a := range all {
			if set>>i&1 != 0 {
				l.Targets = append(l.Targets, a)
			}
		}
		l.Include = []string{"x", ".", "/"}
		files := fstest.MapFS{"a": {Data: data}, "b": {Data: data[len(data)/2:]}}
		reading, err := l.Read(language.NewSource(data).In(files, "a"), policy.Target{ABI: arch.X86_64})
		if (reading.Policy == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", reading.Policy, err)
		}
		for _, w := range reading.Warnings {
			if w.Pointer == "" && w.More == 0 {
				t.Errorf("no place: %v", w)
			}
		}
		if err != nil {
			if problems, ok := err.(policy.Errors); !ok || len(problems) == 0 {
				t.Fatalf("error %#v", err)
			}
			return
		}
		if _, _, err := policy.Resolve(reading.Policy, policy.Options{}); err != nil {
			t.Errorf("%q: %v", data, err)
		}
	})
}
