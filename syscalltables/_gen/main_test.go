package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFollowingAKernelIsOneCommand runs it on a tiny package and a tiny kernel.
func TestFollowingAKernelIsOneCommand(t *testing.T) {
	pkg, tree := t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(pkg, "syscalls.tsv", "# Linux 7.2\n"+headLine()+"\n"+line("read fd,buf x86_64=0@<=2.6 x86=3")+"\n")
	write(tree, "x86/asm/unistd_64.h", "#define __NR_read 0\n#define __NR_shiny 472\n")

	var out bytes.Buffer
	if err := run([]string{"-pkg", pkg, "refresh", "7.3", tree}, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "x86_64: shiny is 472: new\n") || !strings.Contains(got, "arm: not there\n") {
		t.Errorf("it says %q", got)
	}
	want := "# Linux 7.3\n" + headLine() + "\n" + line("read fd,buf x86_64=0@<=2.6 x86=3") + "\n" + line("shiny - x86_64=472@7.3") + "\n"
	if got, _ := os.ReadFile(filepath.Join(pkg, "syscalls.tsv")); string(got) != want {
		t.Errorf("syscalls.tsv is\n%s\nwant\n%s", got, want)
	}
	code := filepath.Join(pkg, "ztables.go")
	if _, err := parser.ParseFile(token.NewFileSet(), code, nil, 0); err != nil {
		t.Error(err)
	}

	first, _ := os.ReadFile(code)
	out.Reset()
	if err := run([]string{"-pkg", pkg, "refresh", "7.3", tree}, &out); err != nil || strings.Contains(out.String(), "new") {
		t.Errorf("a second time: %v\n%s", err, out.String())
	}
	if again, _ := os.ReadFile(code); !bytes.Equal(first, again) {
		t.Error("the same facts give other code")
	}

	write(tree, "x86/asm/unistd_64.h", "#define __NR_read 1\n")
	err := run([]string{"-pkg", pkg, "refresh", "7.3", tree}, &out)
	for _, want := range []string{"x86_64: read is 1 in Linux 7.3 but 0", "x86_64: shiny (472) is gone"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a changed number: %v, want %s", err, want)
		}
	}
}

func TestCommandLinesThatMeanNothingAreRefused(t *testing.T) {
	pkg := t.TempDir()
	tsv := filepath.Join(pkg, "syscalls.tsv")
	if err := os.WriteFile(tsv, []byte("# Linux 7.2\n"+headLine()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"refresh"}, {"refresh", "7.3"}, {"refresh", "x", pkg}, {"refresh", "7.3", pkg}, {"refresh", "7.3", pkg, "more"},
		{"manual"}, {"manual", filepath.Join(pkg, "absent")}, {"nonsense"}, {"-nonsense"},
	} {
		if err := run(append([]string{"-pkg", pkg}, args...), &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
		if _, err := os.Stat(filepath.Join(pkg, "ztables.go")); err == nil {
			t.Fatalf("%q writes tables", args)
		}
	}
	if err := run([]string{"-pkg", filepath.Join(pkg, "absent")}, &bytes.Buffer{}); err == nil {
		t.Error("a package without syscalls.tsv is taken")
	}
	if err := os.WriteFile(tsv, []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"-pkg", pkg}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a malformed syscalls.tsv: %v", err)
	}
}
