package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/loader"
)

// seccompile returns the command itself, as a process of its own.
func seccompile(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	if features, err := loader.Probe(); err != nil || features.NotifSize == 0 {
		t.Skip("the kernel has no listeners")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"seccompile"}, args...) // the name chooses the program
	cmd.Stderr = os.Stderr
	return cmd
}

// A recording names the calls that strace sees, none more and none less, but for those
// that it has unseen.
func TestRecordLosesNoCall(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	file, log, profile := filepath.Join(dir, "words"), filepath.Join(dir, "log"), filepath.Join(dir, "profile.json")
	var text bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintln(&text, i*7919%1000)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LC_ALL", "C")
	for _, script := range []string{
		"sort " + file + " | uniq -c >/dev/null",
		"for i in 1 2 3 4 5; do ls -l / | wc -l; done >/dev/null",
		"(umask 077; cp " + file + " " + file + "2) & wait; rm " + file + "2; kill -TERM $$",
	} {
		program := []string{"sh", "-c", script}
		out, err := exec.CommandContext(t.Context(), strace, append([]string{"-f", "-qq", "-o", log}, program...)...).CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == 1 {
			t.Skipf("strace: %v\n%s", err, out)
		}
		_ = seccompile(t, append([]string{"record", "-q", "-o", profile, "--"}, program...)...).Run() // one is killed
		seen, unseen := profiled(t, profile)
		if diff := cmp.Diff(straced(t, log, unseen), slices.Sorted(maps.Keys(seen))); diff != "" {
			t.Errorf("%s: calls (-strace +record):\n%s", script, diff)
		}
		if err := os.Remove(profile); err != nil {
			t.Error(err)
		}
	}
}

// straced returns the names of the calls in the output of strace -f, without some. clone3
// fails while seccompile records, and clone replaces it.
func straced(t *testing.T, path string, but map[string]bool) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllSubmatch(b, -1) {
		name := string(m[1])
		if name == "clone3" {
			name = "clone"
		}
		names[name] = !but[name]
	}
	maps.DeleteFunc(names, func(_ string, keep bool) bool { return !keep })
	return slices.Sorted(maps.Keys(names))
}

// profiled returns the names in a recorded profile: in rules from what was seen, and in
// rules with a comment.
func profiled(t *testing.T, path string) (seen, unseen map[string]bool) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p struct {
		Syscalls []struct {
			Comment string
			Names   []string
		}
	}
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	seen, unseen = make(map[string]bool), make(map[string]bool)
	for _, rule := range p.Syscalls {
		names := seen
		if rule.Comment != "" {
			names = unseen
		}
		for _, name := range rule.Names {
			names[name] = true
		}
	}
	return seen, unseen
}

func readProfile(t *testing.T, path string) (p specs.LinuxSeccomp) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Programs of another ABI of the same kernel are recorded, too.
func TestRecordOtherABI(t *testing.T) {
	if arch.Native() != arch.X86_64 {
		t.Skip("about x86")
	}
	dir := t.TempDir()
	source, program, profile := filepath.Join(dir, "main.go"), filepath.Join(dir, "main"), filepath.Join(dir, "profile.json")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, source)
	build.Env = append(os.Environ(), "GOARCH=386", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := exec.CommandContext(t.Context(), program).Run(); err != nil {
		t.Skip(err) // the kernel has no CONFIG_IA32_EMULATION
	}
	if err := seccompile(t, "record", "-q", "-o", profile, "--", program).Run(); err != nil {
		t.Fatal(err)
	}
	p := readProfile(t, profile)
	if want := []specs.Arch{specs.ArchX86_64, specs.ArchX86}; !slices.Equal(p.Architectures, want) {
		t.Errorf("architectures %q, want %q", p.Architectures, want)
	}
	if seen, unseen := profiled(t, profile); !seen["set_thread_area"] || !unseen["sigreturn"] {
		t.Errorf("seen %v, unseen %v", seen, unseen)
	}
	if err := seccompile(t, "run", "-p", profile, "--", program).Run(); err != nil {
		t.Error(err)
	}
}

// What recording costs: the same pipeline, bare and recorded.
func BenchmarkRecord(b *testing.B) {
	file := filepath.Join(b.TempDir(), "numbers")
	var text bytes.Buffer
	for i := 0; text.Len() < 100_000_000; i++ {
		fmt.Fprintf(&text, "%040d\n", uint32(i)*2654435761)
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.Setenv("LC_ALL", "C")
	program := []string{"sh", "-c", "sort " + file + " | uniq >/dev/null"}
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			if err := exec.CommandContext(b.Context(), program[0], program[1:]...).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("recorded", func(b *testing.B) {
		for b.Loop() {
			if err := seccompile(b, append([]string{"record", "-q", "-o", os.DevNull, "--"}, program...)...).Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
