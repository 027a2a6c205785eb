package lxc_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to all versions. What they read must be a policy with places that
// resolves, unless its rules contradict each other, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"2\ndenylist\nreject_force_umount # c\n[all]\nkexec_load errno 1\nmknod notify [1,8192,SCMP_CMP_MASKED_EQ,61440]\n",
		"2\nallowlist trap\n[x86_64]\nopen\nsocket allow [0,0x10,!=] [2,9,>=]\n[X86]\nrecv\n[arm]\nx y z\n",
		"1\nallowlist\n0\n100 x\n1073741824\n-100\n",
		" +2 blacklist errno 65537\r\n\x00\n # [\nread kill[5,18446744073709551615,&=,0b11,]x[0,1,==]]\n",
	} {
		for version := range uint8(3) {
			f.Add([]byte(text), version, uint8(arch.X86_64-1))
			f.Add([]byte(text), version, uint8(arch.S390X-1))
		}
	}
	versions := [...]int{0, 5, 7}
	f.Fuzz(func(t *testing.T, text []byte, version, abi uint8) {
		if len(text) > 1<<14 {
			return
		}
		source := language.NewSource(text)
		target := policy.Target{ABI: arch.ABI(abi%uint8(arch.SHEB) + 1)}
		reading, err := lxc.Language{Version: versions[version%3]}.Read(source, target)
		if (reading.Policy == nil) == (err == nil) {
			t.Fatalf("policy %v, error %v", reading.Policy, err)
		}
		for _, w := range reading.Warnings {
			if w.Line == 0 && w.More == 0 {
				t.Errorf("no place: %v", w)
			}
		}
		if err != nil {
			problems, ok := err.(policy.Errors)
			if !ok || len(problems) == 0 {
				t.Fatalf("error %#v", err)
			}
			for _, p := range problems {
				if p.Line == 0 && p.More == 0 {
					t.Errorf("no place: %v", p)
				}
			}
			return
		}
		_, _, err = policy.Resolve(reading.Policy, policy.Options{})
		problems, _ := err.(policy.Errors)
		for _, p := range problems {
			if p.Kind != policy.Contradiction {
				t.Errorf("%q: %v", text, err)
			}
		}
		for _, r := range reading.Policy.Rules {
			if line, column := source.Position(r.Pointer); line == 0 || column == 0 {
				t.Errorf("no rule at %s", r.Pointer)
			}
		}
	})
}
