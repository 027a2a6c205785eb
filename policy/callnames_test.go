package policy_test

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

func TestNamesSpeakOfCallsAsFiltersSeeThem(t *testing.T) {
	n := policy.Names()
	x86_64, s390x, mips := arch.X86_64.Audit(), arch.S390X.Audit(), arch.MIPS.Audit()
	for _, c := range []struct {
		what      string
		got, want string
	}{
		{"ABI of x86_64", n.ABI(x86_64, 0), "x86_64"},
		{"ABI of x32", n.ABI(x86_64, 0x40000000), "x32"},
		{"ABI of a skipped call", n.ABI(x86_64, 1<<32-1), "x86_64"},
		{"unknown ABI", n.ABI(1, 0), ""},
		{"call of x86_64", n.Syscall(x86_64, 257), "openat"},
		{"call of x32", n.Syscall(x86_64, 0x40000000+514), "ioctl"},
		{"call of mips", n.Syscall(mips, 4288), "openat"},
		{"number of another MIPS ABI", n.Syscall(mips, 5247), ""},
		{"unknown number", n.Syscall(x86_64, 5000), ""},
		{"skipped call", n.Syscall(x86_64, 1<<32-1), ""},
		{"call of an unknown ABI", n.Syscall(1, 0), ""},
		{"argument", n.Arg(x86_64, 257, 1), "pathname"},
		{"argument of clone on s390x", n.Arg(s390x, 120, 0), "stack"},
		{"argument before the first", n.Arg(x86_64, 257, -1), ""},
		{"argument after the last", n.Arg(x86_64, 257, 4), ""},
		{"argument of an unknown call", n.Arg(x86_64, 5000, 0), ""},
		{"argument on an unknown ABI", n.Arg(1, 0, 0), ""},
		{"errno of x86_64", n.Errno(x86_64, 38), "ENOSYS"},
		{"errno of mips", n.Errno(mips, 89), "ENOSYS"},
		{"no errno", n.Errno(x86_64, 0), ""},
		{"errno of an unknown ABI", n.Errno(1, 1), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestNamesReadWhatTheyWrite(t *testing.T) {
	n := policy.Names()
	for a := range arch.All() {
		if audit, ok := n.Audit(a.String()); audit != a.Audit() || !ok {
			t.Errorf("Audit(%v) = %#x, %v", a, audit, ok)
		}
		for nr, c := range syscalltables.All(a) {
			if got := n.Syscall(a.Audit(), nr); got != c.Name() {
				t.Errorf("%v: %d is %q, want %v", a, nr, got, c)
			}
			if got, ok := n.Number(a.String(), c.Name()); got != nr || !ok {
				t.Errorf("%v: %v is %d, %v, want %d", a, c, got, ok, nr)
			}
		}
	}
	for _, p := range [][2]string{{"x86_64", "nonsense"}, {"nonsense", "read"}, {"arm", "mmap"}, {"", ""}} {
		if nr, ok := n.Number(p[0], p[1]); ok || nr != 0 {
			t.Errorf("Number(%q) = %d", p, nr)
		}
	}
	if audit, ok := n.Audit("nonsense"); ok || audit != 0 {
		t.Errorf("Audit(nonsense) = %#x", audit)
	}
}
