package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const (
	head      = "# A comment.\n# Linux 7.2\n" + headLine + "\n"
	arguments = "# A comment.\nsort\tset\targuments\n"
)

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestFollowingAKernelIsOneCommand runs it on a tiny package and tiny headers.
func TestFollowingAKernelIsOneCommand(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil || runtime.GOARCH != "amd64" {
		t.Skip("refreshing needs gcc for x86-64")
	}
	pkg, dir := t.TempDir(), t.TempDir()
	write(t, pkg, "constants.tsv", head+"O\tO_ACCMODE\tmask\t?\t-\nO\tO_RDWR\tO_ACCMODE\t2\t-\nO\tO_BYHAND\tflag\t16\t-\n"+
		"AT\tAT_FDCWD\tvalue\t-99\t-\nAT\tAT_LONG\tvalue\t?\t-\nAT\tAT_ENUM\tvalue\t?\t-\n")
	write(t, pkg, "arguments.tsv", arguments+"flags\tO\topen.flags\nenum\tAT\t*.dirfd fcntl.arg(cmd=O_RDWR)\n")
	write(t, dir, "usr/include/linux/types.h", "typedef int __kernel_pid_t; typedef unsigned long __kernel_size_t;\n")
	write(t, dir, "usr/include/linux/fcntl.h", "#include <asm/fcntl.h>\n#define AT_FDCWD -100\n#define AT_LONG (sizeof(long))\n"+
		"enum { AT_ENUM = 7 };\n#define O_ACCMODE ~0xfffffffc\n#define O_RDWR 2\n")
	write(t, dir, "usr/include/asm/fcntl.h", "")
	write(t, dir, "usr/lib/linux/uapi/mips/asm/fcntl.h", "#if _MIPS_SIM == 2\n#define AT_FDCWD -101\n#endif\n")
	write(t, dir, "usr/lib/linux/uapi/x86/asm/prctl.h", "")

	var out bytes.Buffer
	if err := run([]string{"-pkg", pkg, "refresh", "7.3", dir}, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "AT AT_FDCWD: x86_64: -100, was -99\n") {
		t.Errorf("it says %q", got)
	}
	want := strings.Replace(head, "7.2", "7.3", 1) + "O\tO_ACCMODE\tmask\t3\t-\nO\tO_RDWR\tO_ACCMODE\t2\t-\nO\tO_BYHAND\tflag\t0x10\t-\n" +
		"AT\tAT_FDCWD\tvalue\t-100\t-\nAT\tAT_LONG\tvalue\t4\tx86_64,aarch64,riscv64,loongarch64,mips64,ppc64,s390x,parisc64=8\nAT\tAT_ENUM\tvalue\t7\t-\n"
	if got, _ := os.ReadFile(filepath.Join(pkg, "constants.tsv")); string(got) != want {
		t.Errorf("constants.tsv is\n%s\nwant\n%s", got, want)
	}
	code := filepath.Join(pkg, "zsymbols.go")
	if _, err := parser.ParseFile(token.NewFileSet(), code, nil, 0); err != nil {
		t.Error(err)
	}
	out.Reset()
	if err := run([]string{"-pkg", pkg, "refresh", "7.3", dir}, &out); err != nil || out.Len() > 0 {
		t.Errorf("a second time: %v\n%s", err, out.String())
	}
	write(t, dir, "usr/include/linux/fcntl.h", "#error no\n")
	if err := run([]string{"-pkg", pkg, "refresh", "7.3", dir}, &out); err == nil || !strings.Contains(err.Error(), "#error no") {
		t.Errorf("headers that do not compile: %v", err)
	}
}

func TestMistakesInTheFilesAreRefused(t *testing.T) {
	const good = "S\tA\tvalue\t1\t-\n"
	for _, tt := range []struct{ constants, arguments, want string }{
		{"nonsense\n", "", "line 4: 1 fields, want 5"},
		{"S\tA\tvalue\tx\t-\n", "", `line 4: strconv.ParseInt: parsing "x"`},
		{"S\tA\tvalue\t1\tmips\n", "", `line 4: "mips": want COLUMN,...=VALUE`},
		{"S\tA\tvalue\t1\tvax=2\n", "", `line 4: "vax": no such column`},
		{good + good, "", "S A: twice"},
		{good + "T\tA\tvalue\t1\t-\nS\tB\tvalue\t1\t-\n", "", "S B: the set is in two places"},
		{"S\tA\tvalue\t-\t-\n", "", "S A: no ABI has it"},
		{"S\tA\tM\t1\t-\n", "", "S A: no mask M before it"},
		{"S\tA\tflag\t0\t-\n", "", "S A: x86_64: 0 is no bit"},
		{"S\tM\tmask\t3\t-\nS\tA\tM\t1\tsh=4\n", "", "S A: sh: 0x4 is not within M"},
		{"S\tM\tmask\t3\t-\nS\tA\tflag\t4\tsh=6\n", "", "S A: sh: 0x6 has bits of a field"},
		{"S\tA\tflag\t1\t-\nS\tB\tflag\t3\t-\n", "", "S B: x86_64: 0x3: a flag above it has some of its bits alone"},
		{good, "nonsense\n", "line 3: 1 fields, want 3"},
		{good, "thing\tS\tc.a\n", `line 3: "thing": no such sort`},
		{good, "enum\tT\tc.a\n", "line 3: T: no such set"},
		{good, "flags\tS\tc.a\n", "line 3: S: flags and modes have bits and fields"},
		{good, "enum\tS\tc\n", `line 3: "c": want CALL.NAME`},
		{good, "enum\tS\t*.a(b=A)\n", `line 3: "*.a(b=A)": want CALL.NAME`},
		{good, "enum\tS\tc.a(b=B)\n", `line 3: "c.a(b=B)": no constant B`},
		{good, "enum\tS\tc.a\nnumber\t-\tc.a\n", "c.a is in two rows"},
	} {
		pkg := t.TempDir()
		write(t, pkg, "constants.tsv", head+tt.constants)
		write(t, pkg, "arguments.tsv", arguments+tt.arguments)
		if err := run([]string{"-pkg", pkg}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q %q: %v, want %s", tt.constants, tt.arguments, err, tt.want)
		}
		if _, err := os.Stat(filepath.Join(pkg, "zsymbols.go")); err == nil {
			t.Errorf("%q %q: the tables were written", tt.constants, tt.arguments)
		}
	}
}

func TestCommandLinesThatMeanNothingAreRefused(t *testing.T) {
	pkg := t.TempDir()
	write(t, pkg, "constants.tsv", head+"S\tA\tvalue\t1\t-\n")
	write(t, pkg, "arguments.tsv", arguments)
	for _, args := range [][]string{{"refresh"}, {"refresh", "7.3"}, {"refresh", "x", pkg}, {"refresh", "7.3", pkg, "more"}, {"nonsense"}, {"-nonsense"}} {
		if err := run(append([]string{"-pkg", pkg}, args...), &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
	if err := run([]string{"-pkg", filepath.Join(pkg, "absent")}, &bytes.Buffer{}); err == nil {
		t.Error("a package without constants.tsv is taken")
	}
}
