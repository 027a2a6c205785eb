package firejail_test

import (
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/policy"
)

// FuzzRead feeds bytes to the reader as a profile, as one that it includes and as options.
// What it reads must be a policy with places that resolves, and nothing may panic.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"include b\ninclude ${CFG}/c\nseccomp !chroot,@clock,chmod:ENOENT,fchmod:kill,$165,$-5,$0x7fffffff\nseccomp.block-secondary\n",
		"seccomp.drop execve,@default\nseccomp.32.drop chmod,execve\nseccomp-error-action log\nprotocol unix,-unix,=inet,+netlink\n",
		"seccomp.keep read,!write\nseccomp.32.keep @system-service\nmemory-deny-write-execute\nrestrict-namespaces -user,time\nrestrict-namespaces\n",
		"nosound\n?HAS_NOSOUND: ?HAS_NET : seccomp\nignore seccomp\nallow-debuggers\nquiet\nprivate-bin x\n",
		"firejail --noprofile --seccomp='!chroot' \\\n --seccomp.32=chmod \"--protocol=unix\" --profile=b -- x\n",
		"seccomp chmod\nseccomp.32 chmod\nseccomp.block-secondary\n",
	} {
		for switches := range uint8(4) {
			f.Add([]byte(text), switches)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, switches uint8) {
		l := firejail.Language{BeforeExec: switches&1 != 0}
		if switches&2 != 0 {
			l.Options = string(data[len(data)/3:])
			l.Config = map[string]string{"seccomp-filter-add": string(data[:len(data)/3]), "seccomp-error-action": "kill"}
		}
		files := fstest.MapFS{
			"etc/firejail/a": {Data: data},
			"etc/firejail/b": {Data: data[len(data)/2:]},
			"etc/firejail/c": {Data: data[:len(data)/2]},
		}
		s := language.NewSource(data).In(files, "etc/firejail/a")
		for _, a := range []arch.ABI{arch.X86_64, arch.AArch64} {
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
				if w.Pointer == "" && w.More == 0 && switches&2 == 0 {
					t.Errorf("no place: %v", w)
				}
			}
			if _, _, err := policy.Resolve(reading.Policy, policy.Options{}); err != nil {
				t.Errorf("%q: %v", data, err)
			}
		}
	})
}
