package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// files makes a tree of "path: text" pairs.
func files(pairs ...string) fs.FS {
	dir := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		dir[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return dir
}

func show(o *observation) []string {
	var s []string
	for i, table := range o.columns {
		for name, nr := range table {
			s = append(s, fmt.Sprintf("%s %s %d", columns[i].name, name, nr))
		}
	}
	slices.Sort(s)
	return s
}

func TestTablesAreRead(t *testing.T) {
	for _, c := range []struct {
		what string
		dir  fs.FS
		want []string
	}{
		{"headers", files(
			"x86/asm/unistd_64.h", "#ifndef _X\n#define __NR_read 0\n#define __NR_openat2 437\n#define __X32_SYSCALL_BIT 0x40000000\n#endif\n",
			"x86/asm/unistd_x32.h", "#define __NR_ioctl (__X32_SYSCALL_BIT + 514)\n",
			"mips/asm/unistd_o32.h", "#define __NR_exit (__NR_Linux + 1)\n#define __NR_unused18 (__NR_Linux + 18)\n#define __NR_reserved82 (__NR_Linux + 82)\n",
			"mips/asm/unistd.h", "#define __NR_Linux 4000\n",
			"arm/asm/unistd-eabi.h", "#define __NR_exit (__NR_SYSCALL_BASE + 1)\n",
			"arm/asm/unistd.h", "#define __NR_SYSCALL_BASE\t0\n#define __NR_sync_file_range2\t\t__NR_arm_sync_file_range\n#define __ARM_NR_BASE\t(__NR_SYSCALL_BASE+0x0f0000)\n#define __ARM_NR_set_tls\t(__ARM_NR_BASE+5)\n",
		), []string{"arm exit 1", "arm set_tls 983045", "mips exit 1", "x32 ioctl 514", "x86_64 openat2 437", "x86_64 read 0"}},
		{"a package of headers", files(
			"usr/lib/linux/uapi/x86/asm/unistd_32.h", "#define __NR_read 3\n",
		), []string{"x86 read 3"}},
		{"a source tree", files(
			"arch/x86/entry/syscalls/syscall_64.tbl", "# table\n\n0\tcommon\tread\tsys_read\n16 64 ioctl sys_ioctl\n514 x32 ioctl compat_sys_ioctl\n",
			"arch/s390/kernel/syscalls/syscall.tbl", "1 common exit sys_exit sys_exit\n142 32 _newselect - compat_sys_select\n142 64 select sys_select -\n",
			"arch/powerpc/kernel/syscalls/syscall.tbl", "1 nospu exit sys_exit\n2 spu fork sys_ni_syscall\n3 common read sys_read\n192 32 mmap2 sys_mmap2\n",
			"scripts/syscall.tbl", "0 common io_setup sys_io_setup\n38 renameat renameat sys_renameat\n79 stat64 fstatat64 sys_fstatat64\n79 64 newfstatat sys_newfstatat\n258 riscv riscv_hwprobe sys_riscv_hwprobe\n",
			"arch/arm64/kernel/Makefile.syscalls", "syscall_abis_32 +=\nsyscall_abis_64 += renameat rlimit\n",
			"arch/riscv/kernel/Makefile.syscalls", "syscall_abis_64 += riscv rlimit\n",
			"arch/loongarch/kernel/Makefile.syscalls", "# none\n",
		), []string{
			"aarch64 io_setup 0", "aarch64 newfstatat 79", "aarch64 renameat 38", "loongarch64 io_setup 0", "loongarch64 newfstatat 79",
			"ppc exit 1", "ppc mmap2 192", "ppc read 3", "ppc64 exit 1", "ppc64 read 3", "riscv64 io_setup 0", "riscv64 newfstatat 79", "riscv64 riscv_hwprobe 258",
			"s390 _newselect 142", "s390 exit 1", "s390x exit 1", "s390x select 142", "x32 ioctl 514", "x32 read 0", "x86_64 ioctl 16", "x86_64 read 0",
		}},
		{"a tree without 31-bit s390", files(
			"arch/x86/entry/syscalls/syscall_32.tbl", "3 i386 read sys_read\n",
			"arch/s390/kernel/syscalls/syscall.tbl", "1 common exit sys_exit\n",
		), []string{"s390x exit 1", "x86 read 3"}},
		{"package syscall numbers of Go", files(
			"zsysnum_linux_amd64.go", "const (\n\tSYS_READ = 0\n\tSYS_OPENAT2   = 437\n)\n",
			"zsysnum_linux_mips64.go", "\tSYS_READ = 5000\n\tSYS_RESERVED177 = 5177\n",
			"zsysnum_linux_arm64.go", "\tSYS_FSTATAT = 79\n\tSYS_ARCH_SPECIFIC_SYSCALL = 244\n",
			"zsysnum_linux_arm.go", "\tSYS_SYSCALL_MASK = 0\n\tSYS_EXIT = 1\n",
			"zsysnum_linux_sparc64.go", "\tSYS_EXIT = 1\n",
		), []string{"aarch64 newfstatat 79", "arm exit 1", "mips64 read 0", "x86_64 openat2 437", "x86_64 read 0"}},
	} {
		o, err := observe(release{7, 2}, c.dir)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := show(o); !slices.Equal(got, c.want) {
			t.Errorf("%s: read %q, want %q", c.what, got, c.want)
		}
	}
}

func TestTablesThatCannotBeReadAreRefused(t *testing.T) {
	for _, c := range []struct {
		dir  fs.FS
		want string
	}{
		{files("README", ""), "found neither headers"},
		{files("x86/asm/other.h", ""), "no table in it"},
		{files("x86/asm/unistd_64.h", "enum { __NR_read };\n"), "x86_64: there is a file, but no number in it"},
		{files("x86/asm/unistd_64.h", "#define __NR_read 9999999\n"), "9999999"},
		{files("arch/x86/entry/syscalls/syscall_64.tbl", "read common\n"), "want number, mark and name"},
		{files("arch/x86/entry/syscalls/syscall_64.tbl", "x common read\n"), "invalid syntax"},
		{files("arch/x86/entry/syscalls/x", "", "scripts/syscall.tbl", "0 common io_setup\n"), "Makefile.syscalls"},
		{files("zsysnum_linux_amd64.go", "", "zsysnum_linux_mips.go", "\tSYS_READ = 3\n"), "not a number of this ABI"},
	} {
		if o, err := observe(release{7, 2}, c.dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("read %v, %v, want %s", o, err, c.want)
		}
	}
}

// see returns an observation of x86_64.
func see(kernel string, calls map[string]uint32) *observation {
	r, err := parseRelease(kernel)
	if err != nil {
		panic(err)
	}
	o := &observation{kernel: r}
	o.columns[0] = calls
	return o
}

func TestMergingTellsWhenACallCame(t *testing.T) {
	old := "read fd x86_64=0@<=4.10"
	for _, c := range []struct {
		what    string
		kernel  string // of the file
		row     string
		seen    *observation
		want    []string
		news    int
		trouble string
	}{
		{"a newer kernel brings a call", "7.2", old, see("7.3", map[string]uint32{"read": 0, "shiny": 472}),
			[]string{old, "shiny - x86_64=472@7.3"}, 1, ""},
		{"a release was left out", "7.2", old, see("7.4", map[string]uint32{"read": 0, "shiny": 472}),
			[]string{old, "shiny - x86_64=472@7.2..7.4"}, 1, ""},
		{"a new call of an empty column has any age", "7.2", "read fd x86=3", see("7.3", map[string]uint32{"read": 0}),
			[]string{"read fd x86_64=0@<=7.3 x86=3"}, 1, ""},
		{"an older kernel has the call", "7.2", "read fd x86_64=0@<=4.10", see("3.0", map[string]uint32{"read": 0}),
			[]string{"read fd x86_64=0@<=3.0"}, 0, ""},
		{"an older kernel lacks the call", "7.2", "shiny - x86_64=472@<=7.2", see("6.1", map[string]uint32{}),
			[]string{"shiny - x86_64=472@6.1..7.2"}, 0, ""},
		{"the release before lacks the call", "7.2", "shiny - x86_64=472@6.1..7.2", see("7.1", map[string]uint32{}),
			[]string{"shiny - x86_64=472@7.2"}, 0, ""},
		{"a release inside the bounds has the call", "7.2", "shiny - x86_64=472@6.1..7.2", see("6.2", map[string]uint32{"shiny": 472}),
			[]string{"shiny - x86_64=472@6.2"}, 0, ""},
		{"an older kernel says nothing new", "7.2", "shiny - x86_64=472@6.1..7.2", see("5.10", map[string]uint32{}),
			[]string{"shiny - x86_64=472@6.1..7.2"}, 0, ""},
		{"an unknown age", "7.2", "shiny - x86_64=472", see("6.2", map[string]uint32{"shiny": 472}),
			[]string{"shiny - x86_64=472@<=6.2"}, 0, ""},
		{"a call that only an older kernel has", "7.2", old, see("5.10", map[string]uint32{"read": 0, "dropped": 7}),
			[]string{"dropped - x86_64=7@<=5.10", old}, 1, ""},
		{"a number changes", "7.2", old, see("7.3", map[string]uint32{"read": 1}),
			[]string{old}, 0, "x86_64: read is 1 in Linux 7.3 but 0 in syscalls.tsv, which keeps it"},
		{"a number vanishes", "7.2", old, see("7.3", map[string]uint32{}),
			[]string{"read fd x86_64=0@<=4.10!7.3"}, 0, "x86_64: read (0) is gone from Linux 7.3; syscalls.tsv keeps it"},
		{"it had vanished before", "7.3", "read fd x86_64=0@<=4.10!7.3", see("7.3", map[string]uint32{}),
			[]string{"read fd x86_64=0@<=4.10!7.3"}, 0, ""},
		{"it had vanished even earlier", "7.3", "read fd x86_64=0@<=4.10!7.3", see("6.1", map[string]uint32{}),
			[]string{"read fd x86_64=0@<=4.10!6.1"}, 0, "x86_64: read (0) is gone from Linux 6.1"},
		{"it is back", "7.3", "read fd x86_64=0@<=4.10!7.3", see("7.3", map[string]uint32{"read": 0}),
			[]string{"read fd x86_64=0@<=4.10!7.3"}, 0, "says that it was gone from 7.3"},
		{"it is older than the file says", "7.2", "shiny - x86_64=472@6.1..7.2", see("6.1", map[string]uint32{"shiny": 472}),
			[]string{"shiny - x86_64=472@6.1..7.2"}, 0, "x86_64: shiny is in Linux 6.1, but syscalls.tsv says that it came after 6.1"},
	} {
		f := tsv(t, c.kernel, c.row)
		news, trouble := f.merge(c.seen)
		if got := rows(f); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
		text := ""
		if err := errors.Join(trouble...); err != nil {
			text = err.Error()
		}
		if len(news) != c.news || !strings.Contains(text, c.trouble) || (text == "") != (c.trouble == "") {
			t.Errorf("%s: news %q and trouble %q, want %d and %q", c.what, news, text, c.news, c.trouble)
		}
		if want := c.seen.kernel; want.compare(f.kernel) > 0 {
			t.Errorf("%s: the file is still of %v", c.what, f.kernel)
		}
	}
}

func TestWhatASourceNeverShowsIsNotMissing(t *testing.T) {
	f := tsv(t, "7.2", "exit status arm=1@<=7.2", "set_tls tls arm=983045@<=7.2")
	o, err := observe(release{6, 12}, files("arch/x86/x", "", "arch/arm/tools/syscall.tbl", "1 common exit sys_exit\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, trouble := f.merge(o); len(trouble) > 0 {
		t.Error(trouble)
	}
	want := []string{"exit status arm=1@<=6.12", "set_tls tls arm=983045@<=7.2"}
	if got := rows(f); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAnABIHasNoCallsBeforeItIsBorn(t *testing.T) {
	f := tsv(t, "7.2", "exit status x86=1")
	o := see("5.17", nil)
	o.columns[columnIndex("loongarch64")] = map[string]uint32{"exit": 93}
	f.merge(o)
	if got, want := rows(f), []string{"exit status x86=1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	o.kernel = release{6, 1}
	f.merge(o)
	if got, want := rows(f), []string{"exit status x86=1 loongarch64=93@5.18..6.1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
