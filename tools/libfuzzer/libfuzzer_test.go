package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A target whose fault is a few bytes from its seeds is built, and finds it.
func TestPlantedFault(t *testing.T) {
	wanted(t)
	t.Setenv("CXXFLAGS", "-fsanitize=address")
	out := t.TempDir()
	if err := run(t.Context(), []string{"-C", "testdata/planted", "-o", out}, io.Discard); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(out, "p_FuzzGood")
	if got, want := seeds(t, program), []string{"\x01\x00seed", "BABAG"}; !slices.Equal(got, want) {
		t.Errorf("seeds %q, want %q", got, want)
	}
	for input, found := range map[string]bool{"\x01\x00BUG": false, "BABAG": false, "BABUG": true, "BABUG and more": true, "\x00\x00BUG": false, "B": false, "": false} {
		file := filepath.Join(t.TempDir(), "input")
		if err := os.WriteFile(file, []byte(input), 0o644); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(program, file).CombinedOutput(); (err != nil) != found || found && !strings.Contains(string(text), "found in ") {
			t.Errorf("%q: %v\n%s", input, err, text)
		}
	}
	fuzz := exec.Command(program, "-runs=2000000", "-seed=1", corpus(t, program))
	fuzz.Dir = t.TempDir() // where it leaves what it found
	text, err := fuzz.CombinedOutput()
	if err == nil || !bytes.Contains(text, []byte("inline 8-bit counters")) || !bytes.Contains(text, []byte("crash-")) {
		t.Errorf("fuzzing did not find the fault, or cannot see coverage: %v\n%s", err, text)
	}
}

// The builders' script makes programs that run where there is nothing but themselves, and,
// for coverage, asks the builders' own command. It runs for targets whose names match
// SECCOMPILE_FUZZERS.
func TestBuildScript(t *testing.T) {
	match := wanted(t)
	src, out := t.TempDir(), t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(src, "seccompile")); err != nil {
		t.Fatal(err)
	}
	script := func(path, sanitizer string) string {
		cmd := exec.Command(filepath.Join(root, ".clusterfuzzlite", "build.sh"))
		cmd.Env = append(os.Environ(), "SRC="+src, "OUT="+out, "FUZZERS="+match, "SANITIZER="+sanitizer, "PATH="+path,
			"CXX=clang++", "CXXFLAGS=-O1 -fsanitize=address", "LIB_FUZZING_ENGINE=-fsanitize=fuzzer")
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return string(text)
	}
	var list strings.Builder
	if err := run(t.Context(), []string{"-C", root, "-list", "-match", match}, &list); err != nil {
		t.Fatal(err)
	}

	// A stand-in for the builders' command that prints what it is asked.
	tools := t.TempDir()
	if err := os.WriteFile(filepath.Join(tools, "compile_native_go_fuzzer_v2"), []byte("#!/bin/sh\ngo list \"$1\" >/dev/null && echo \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := script(tools+":"+os.Getenv("PATH"), "coverage"); got != list.String() {
		t.Errorf("for coverage: %s, want %s", got, list.String())
	}

	if got := script(os.Getenv("PATH"), "address"); got != list.String() {
		t.Errorf("built %s, want %s", got, list.String())
	}
	for line := range strings.Lines(list.String()) {
		program := filepath.Join(out, strings.Fields(line)[2])
		t.Run(filepath.Base(program), func(t *testing.T) {
			cmd := exec.Command(program, "-runs=200", "-max_len=512", corpus(t, program))
			cmd.Dir = t.TempDir()
			text, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(text, []byte("inline 8-bit counters")) {
				t.Errorf("%v\n%s", err, text)
			}
			t.Logf("%d seeds", len(seeds(t, program)))
		})
	}
}

// Every target of ours has a name of its own.
func TestNames(t *testing.T) {
	var list strings.Builder
	if err := run(t.Context(), []string{"-C", "../..", "-list"}, &list); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(list.String()), "\n")
	if len(lines) < 25 {
		t.Errorf("%d targets:\n%s", len(lines), list.String())
	}
	var names []string
	for _, l := range lines {
		names = append(names, strings.Fields(l)[2])
	}
	slices.Sort(names)
	if n := len(slices.Compact(slices.Clone(names))); n != len(names) {
		t.Errorf("%d names of %d targets: %v", n, len(names), names)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"-o", "x", "y"}, {"-match", "("}, {"-C", "testdata/planted", "-match", "nothing", "-list"}, {"-C", t.TempDir(), "-list"}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

// wanted skips a test that takes minutes, or that this machine has no clang for, unless that
// is CI's. It returns an expression that matches the names of the targets to build.
func wanted(t *testing.T) (match string) {
	t.Helper()
	match = os.Getenv("SECCOMPILE_FUZZERS")
	if match == "" {
		t.Skip("SECCOMPILE_FUZZERS is not set (make test-fuzzers sets it): it takes minutes")
	}
	cmd := exec.Command("clang++", "-fsanitize=fuzzer,address", "-x", "c++", "-", "-o", filepath.Join(t.TempDir(), "x"))
	cmd.Stdin = strings.NewReader("extern \"C\" int LLVMFuzzerTestOneInput(const char *, unsigned long) { return 0; }")
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("install Debian's clang and libclang-rt-dev: %v %s", err, out)
	case err != nil:
		t.Skipf("no clang with libFuzzer (Debian's clang and libclang-rt-dev): %v %s", err, out)
	}
	return match
}

// seeds returns the seeds of a program, sorted.
func seeds(t *testing.T, program string) []string {
	t.Helper()
	z, err := zip.OpenReader(program + "_seed_corpus.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var list []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(text))
	}
	slices.Sort(list)
	return list
}

// corpus returns a directory with the seeds of a program.
func corpus(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	for i, s := range seeds(t, program) {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
