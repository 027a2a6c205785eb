package syscalltables

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
)

// every yields all calls by name.
func every() iter.Seq[Call] {
	return func(yield func(Call) bool) {
		for c := Call(1); c.Valid(); c++ {
			if !yield(c) {
				return
			}
		}
	}
}

func lookup(t *testing.T, name string) Call {
	c, ok := Lookup(name)
	if !ok {
		t.Fatalf("%s is not known", name)
	}
	return c
}

func TestNumbersAreThoseOfEachABI(t *testing.T) {
	for _, c := range []struct {
		name string
		abi  arch.ABI
		want int64 // -1: not on this ABI
	}{
		{"read", arch.X86_64, 0}, {"read", arch.X32, 0x40000000}, {"read", arch.X86, 3}, {"read", arch.AArch64, 63},
		{"openat", arch.X86_64, 257}, {"openat", arch.MIPS, 4288}, {"openat", arch.MIPSEL, 4288}, {"openat", arch.MIPS64, 5247}, {"openat", arch.MIPSEL64N32, 6251},
		{"clone3", arch.LoongArch64, 435}, {"clone3", arch.MIPS64N32, 6435}, {"clone3", arch.SH, -1},
		{"ioctl", arch.X86_64, 16}, {"ioctl", arch.X32, 0x40000000 + 514}, {"pwritev2", arch.X32, 0x40000000 + 547}, {"read", arch.SHEB, 3},
		{"mmap", arch.ARM, -1}, {"mmap2", arch.ARM, 192}, {"mmap2", arch.X86_64, -1}, {"select", arch.S390X, 142}, {"_newselect", arch.S390, 142},
		{"select", arch.PPC64LE, 82}, {"_newselect", arch.PPC64LE, 142}, {"newfstatat", arch.PPC64, 291}, {"stat", arch.PARISC, 18},
		{"breakpoint", arch.ARM, 0xf0001}, {"cacheflush", arch.ARM, 0xf0002}, {"usr26", arch.ARM, 0xf0003}, {"usr32", arch.ARM, 0xf0004},
		{"set_tls", arch.ARM, 0xf0005}, {"get_tls", arch.ARM, 0xf0006}, {"set_tls", arch.X86, -1}, {"cacheflush", arch.MIPS, 4147},
		{"uretprobe", arch.X86_64, 335}, {"uprobe", arch.X86_64, 336}, {"uprobe", arch.X86, -1},
		{"socketcall", arch.X86, 102}, {"ipc", arch.MIPS, 4117}, {"socketcall", arch.X86_64, -1},
		{"syscall", arch.MIPS, 4000}, {"open", arch.AArch64, -1}, {"getrlimit", arch.S390X, 191}, {"ugetrlimit", arch.ARM, 191},
		{"umount", arch.S390X, 22}, {"umount2", arch.S390X, 52}, {"umount", arch.X86_64, -1}, {"arm_fadvise64_64", arch.ARM, 270},
		{"riscv_hwprobe", arch.RISCV64, 258}, {"riscv_flush_icache", arch.RISCV64, 259}, {"s390_pci_mmio_read", arch.S390X, 353},
		{"rseq_slice_yield", arch.PPC64LE, 471}, {"rseq_slice_yield", arch.S390, -1}, {"file_setattr", arch.S390, 469},
		{"_llseek", arch.PARISC64, 140}, // dropped since, still its number
	} {
		got, ok := lookup(t, c.name).Number(c.abi)
		if ok != (c.want >= 0) || ok && int64(got) != c.want || !ok && got != 0 {
			t.Errorf("%s on %v is %#x, %v, want %#x", c.name, c.abi, got, ok, c.want)
		}
	}
}

func TestTheMultiplexersOfArchAreCalls(t *testing.T) {
	for a := range arch.All() {
		socketcall, okS := a.Socketcall()
		ipc, okI := a.IPC()
		if nr, ok := lookup(t, "socketcall").Number(a); nr != socketcall || ok != okS {
			t.Errorf("%v: socketcall is %d, %v here, %d, %v in arch", a, nr, ok, socketcall, okS)
		}
		if nr, ok := lookup(t, "ipc").Number(a); nr != ipc || ok != okI {
			t.Errorf("%v: ipc is %d, %v here, %d, %v in arch", a, nr, ok, ipc, okI)
		}
	}
}

func TestLookupUndoesName(t *testing.T) {
	last := ""
	for c := range every() {
		if name := c.Name(); name <= last || name != c.String() {
			t.Errorf("%q after %q", name, last)
		}
		last = c.Name()
		if got, ok := Lookup(last); got != c || !ok {
			t.Errorf("Lookup(%q) = %d, %v, want %d", last, got, ok, c)
		}
	}
	if n := len(slices.Collect(every())); n != 508 {
		t.Errorf("%d calls, want 508: are new ones in the tests of this package?", n)
	}
}

func TestLookupTakesOnlyWholeNames(t *testing.T) {
	for _, name := range []string{"", "rea", "reada", "READ", " read", "read\x00", "__NR_read", "sys_read", "reserved82", "unused18", "arch_specific_syscall"} {
		if c, ok := Lookup(name); ok || c != 0 {
			t.Errorf("Lookup(%q) = %v", name, c)
		}
	}
}

func TestByNumberUndoesNumber(t *testing.T) {
	for a := range arch.All() {
		numbers := map[uint32]Call{}
		for c := range every() {
			nr, ok := c.Number(a)
			if !ok {
				continue
			}
			if other, dup := numbers[nr]; dup {
				t.Errorf("%v: %v and %v are both %d", a, c, other, nr)
			}
			numbers[nr] = c
			if got, ok := ByNumber(a, nr); got != c || !ok {
				t.Errorf("%v: %v is %d is %v, %v", a, c, nr, got, ok)
			}
		}
		var sorted []uint32
		for nr, c := range All(a) {
			sorted = append(sorted, nr)
			if numbers[nr] != c {
				t.Errorf("%v: All says that %d is %v, Number that it is %v", a, nr, c, numbers[nr])
			}
		}
		if want := slices.Sorted(maps.Keys(numbers)); !slices.Equal(sorted, want) {
			t.Errorf("%v: All yields %v, want %v", a, sorted, want)
		}
		for nr := range uint32(8192) {
			if c, ok := ByNumber(a, nr); ok && numbers[nr] != c {
				t.Errorf("%v: %d is %v, which is another number", a, nr, c)
			}
		}
	}
}

func TestNumbersOfOtherABIsAreNotFound(t *testing.T) {
	for _, c := range []struct {
		abi arch.ABI
		nr  uint32
	}{
		{arch.X32, 0}, {arch.X86_64, 0x40000000}, {arch.X32, 0x80000000}, {arch.X32, 0xc0000000}, {arch.MIPS, 3}, {arch.MIPS, 5000}, {arch.MIPS, 3999},
		{arch.MIPS64, 4003}, {arch.MIPS64N32, 5000}, {arch.X86_64, 1<<32 - 1}, {arch.X32, 1<<32 - 1}, {arch.ARM, 0xfffff}, {arch.ARM, 0xf0000}, {arch.X86_64, 0xfffff},
		{arch.X86_64, 472}, {arch.X32, 0x400fffff}, {arch.MIPS, 4000 + 0xfffff}, {0, 0}, {0, 0xfffff}, {99, 3},
	} {
		if got, ok := ByNumber(c.abi, c.nr); ok || got != 0 {
			t.Errorf("%v: %#x is %v", c.abi, c.nr, got)
		}
	}
}

func TestABIsOfTheOtherByteOrderHaveTheSameCalls(t *testing.T) {
	for _, pair := range [][2]arch.ABI{{arch.MIPS, arch.MIPSEL}, {arch.MIPS64, arch.MIPSEL64}, {arch.MIPS64N32, arch.MIPSEL64N32}, {arch.PPC64, arch.PPC64LE}, {arch.SH, arch.SHEB}} {
		if d := cmp.Diff(maps.Collect(All(pair[0])), maps.Collect(All(pair[1]))); d != "" {
			t.Errorf("%v and %v differ:\n%s", pair[0], pair[1], d)
		}
	}
}

func TestAllStopsWhenAsked(t *testing.T) {
	n := 0
	for range All(arch.X86) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("went on to %d", n)
	}
}

func TestNoCallAndNoABIAreNothing(t *testing.T) {
	for _, c := range []Call{0, calls + 1, 65535} {
		nr, ok := c.Number(arch.X86_64)
		if c.Valid() || c.Name() != "" || ok || nr != 0 || c.Args(arch.X86_64) != nil || c.Since(arch.X86_64) != (Since{}) {
			t.Errorf("Call(%d) has properties", uint16(c))
		}
	}
	read := lookup(t, "read")
	for _, a := range []arch.ABI{0, 99} {
		nr, ok := read.Number(a)
		if ok || nr != 0 || read.Since(a) != (Since{}) || read.Args(a) != nil {
			t.Errorf("read has properties on ABI %d", uint8(a))
		}
		for nr := range All(a) {
			t.Errorf("ABI %d has call %d", uint8(a), nr)
		}
	}
}

func TestSinceIsWhatTheSourcesEstablish(t *testing.T) {
	v := func(s string) Version {
		if s == "" {
			return Version{}
		}
		v, err := ParseVersion(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name      string
		abi       arch.ABI
		after, by string
		exact     bool
	}{
		{"read", arch.X86, "", "1.0", false},
		{"read", arch.AArch64, "3.6", "4.10", false}, // came with the ABI, or so
		{"openat", arch.LoongArch64, "5.18", "5.19", true},
		{"seccomp", arch.X86_64, "3.16", "3.17", true},
		{"userfaultfd", arch.X86, "4.2", "4.3", true},
		{"pkey_alloc", arch.X86_64, "4.8", "4.9", true},
		{"socket", arch.X86, "1.2", "4.10", false}, // syscalls(2) has 2.0, when it was a part of socketcall
		{"getcpu", arch.X86_64, "2.4", "4.10", false},
		{"statx", arch.ARM, "4.10", "4.13", false},
		{"semget", arch.X86, "5.0", "5.1", true},
		{"clone3", arch.X86_64, "5.2", "5.3", true},
		{"clone3", arch.AArch64, "5.2", "5.5", false}, // implemented before the headers said so
		{"clone3", arch.MIPS, "5.3", "5.4", true},
		{"landlock_add_rule", arch.SH, "5.12", "5.13", true},
		{"memfd_secret", arch.RISCV64, "5.13", "5.19", false},
		{"memfd_secret", arch.S390X, "6.2", "6.4", false},
		{"cachestat", arch.PARISC64, "6.4", "6.5", true},
		{"map_shadow_stack", arch.X86_64, "6.5", "6.6", true},
		{"map_shadow_stack", arch.X86, "6.6", "6.7", true},
		{"fstat", arch.LoongArch64, "6.10", "6.11", true},
		{"mseal", arch.MIPSEL64, "6.9", "6.10", true},
		{"listns", arch.M68K, "6.18", "6.19", true},
		{"rseq_slice_yield", arch.X32, "6.19", "7.0", true},
		{"breakpoint", arch.X86_64, "", "", false}, // not there
	} {
		if got, want := lookup(t, c.name).Since(c.abi), (Since{v(c.after), v(c.by), c.exact}); got != want {
			t.Errorf("%s on %v: %+v, want %+v", c.name, c.abi, got, want)
		}
	}
}

func TestSinceIsOrderedAndEndsAtTheKernelOfTheTables(t *testing.T) {
	dated := 0
	for a := range arch.All() {
		for _, c := range All(a) {
			s := c.Since(a)
			if s.By == (Version{}) || s.By.Compare(Kernel()) > 0 || s.After.Compare(s.By) >= 0 || s.Exact && s.After == (Version{}) {
				t.Errorf("%v: %v: %+v", a, c, s)
			}
			if s.Exact {
				dated++
			}
		}
	}
	if dated < 1500 {
		t.Errorf("only %d releases are exact", dated)
	}
}

func TestArgumentsAreThoseOfTheABI(t *testing.T) {
	for _, c := range []struct {
		name string
		abi  arch.ABI
		want []string
	}{
		{"read", arch.X86_64, []string{"fd", "buf", "count"}},
		{"getpid", arch.X86_64, []string{}},
		{"tuxcall", arch.X86_64, nil},
		{"clone", arch.X86_64, []string{"flags", "stack", "parent_tid"}},
		{"clone", arch.S390X, []string{"stack", "flags", "parent_tid"}},
		{"mmap", arch.AArch64, []string{"addr", "length", "prot", "flags", "fd", "offset"}},
		{"mmap", arch.X86, []string{"args"}},
		{"pread64", arch.X86_64, []string{"fd", "buf", "count", "offset"}},
		{"pread64", arch.X32, []string{"fd", "buf", "count", "offset"}},
		{"pread64", arch.MIPSEL64N32, []string{"fd", "buf", "count", "offset"}},
		{"pread64", arch.ARM, []string{"fd", "buf", "count"}},
		{"fanotify_mark", arch.X86, []string{"fanotify_fd", "flags"}},
		{"cacheflush", arch.ARM, []string{"start", "end", "flags"}},
		{"cacheflush", arch.MIPSEL, []string{"addr", "nbytes", "cache"}},
	} {
		got := lookup(t, c.name).Args(c.abi)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s on %v (-want +got):\n%s", c.name, c.abi, d)
		}
	}
	unknown := 0
	for c := range every() {
		args := c.Args(arch.X86_64)
		if len(args) > 6 || slices.Contains(args, "") {
			t.Errorf("%v has arguments %q", c, args)
		}
		if args == nil {
			unknown++
		}
	}
	if unknown > 25 {
		t.Errorf("the arguments of %d calls are not known", unknown)
	}
}

func TestVersionsParseAndCompare(t *testing.T) {
	for _, s := range []string{"2.6", "3.0", "6.12", "7.2", "255.255", "0.1"} {
		if v, err := ParseVersion(s); err != nil || v.String() != s {
			t.Errorf("ParseVersion(%q) = %v, %v", s, v, err)
		}
	}
	for _, s := range []string{"", ".", "6", "6.", ".12", "0.0", "6.12.3", "v6.12", "-1.2", "6.256", "256.1", "6.12 ", "6,12", "+6.1"} {
		if v, err := ParseVersion(s); err == nil || v != (Version{}) {
			t.Errorf("ParseVersion(%q) = %v, %v, want an error", s, v, err)
		}
	}
	if !slices.IsSortedFunc([]Version{{}, {2, 6}, {5, 9}, {5, 10}, {6, 0}, Kernel()}, Version.Compare) {
		t.Error("Compare does not order by age")
	}
	if (Version{6, 1}).Compare(Version{6, 1}) != 0 {
		t.Error("a version is not itself")
	}
	if Kernel().Compare(Version{7, 2}) < 0 {
		t.Errorf("the tables are of Linux %v", Kernel())
	}
}

// Names that share their first and last letters with a call, or have one's hash but for a
// little, are not that call.
func TestLookupComparesWholeNames(t *testing.T) {
	for c := range every() {
		name := c.Name()
		if got, ok := Lookup(name); got != c || !ok {
			t.Errorf("%s is %v, %v", name, got, ok)
		}
		for _, other := range []string{name + "x", "x" + name, name[1:], name[:len(name)-1], name[:len(name)/2] + "\x00" + name[len(name)/2:]} {
			if got, ok := Lookup(other); ok && got.Name() != other {
				t.Errorf("%q is %v", other, got)
			}
		}
	}
	for _, name := range []string{"", "\x00", strings.Repeat("read", 1<<16), "clock_ge" + strings.Repeat("x", 100) + "_time64"} {
		if got, ok := Lookup(name); ok {
			t.Errorf("%.20q is %v", name, got)
		}
	}
}
