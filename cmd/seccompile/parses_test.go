package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every command parses each JSON file that it is given once, whatever it asks about it:
// its format, its policy, places of findings. The command is built to count what it
// executes, and the count of the parser's first block is read.
func TestFilesAreParsedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: builds the command with coverage, which takes some seconds")
	}
	dir := t.TempDir()
	command := filepath.Join(dir, "seccompile.exe")
	const counted = ".,github.com/seccompile/seccompile/internal/document" // main package, too: it writes the counts
	build := exec.Command("go", "build", "-cover", "-covermode=atomic", "-coverpkg="+counted, "-o", command, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]string{
		"oci.json": `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "no_such_call"], "action": "SCMP_ACT_ALLOW"}]}`,
		"docker.json": `{"defaultAction": "SCMP_ACT_ERRNO", "archMap": [], "syscalls": [
			{"names": ["reboot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_BOOT", "CAP_NONE"]}},
			{"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`,
		"config.json": `{"ociVersion": "1.2.0", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}}`,
		"bad.json":    `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": "read", "action": "NONE"}]}`,
		"broken.json": `{"defaultAction": `,
		"filter.asm":  "ret ALLOW\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		parses int // as many as there are JSON files
		args   string
	}{
		{0, "compile --help"},
		{0, "disasm filter.asm"},
		{0, "stats filter.asm"},
		{1, "compile -o out.bpf oci.json"},
		{1, "compile -o out.bpf docker-default"},
		{1, "compile -f artifact -a x86_64,aarch64,s390x --prove -o out.artifact docker.json"},
		{1, "compile -o out.bpf bad.json"},
		{1, "compile -o out.bpf broken.json"},
		{1, "check oci.json"},
		{1, "check -v docker.json"},
		{1, "check --json docker.json"},
		{1, "check bad.json"},
		{1, "check broken.json"},
		{1, "check --for docker docker.json"},
		{1, "check --for kubernetes docker.json"},
		{1, "check --for podman docker.json"},
		{1, "check --for runc config.json"},
		{3, "check oci.json docker.json config.json"},
		{1, "explain docker.json"},
		{1, "resolve docker.json"},
		{1, "resolve config.json"},
		{1, "eval -a x86_64 docker.json socket 1"},
		{1, "denials -a x86_64 -p docker.json -o out.json filter.asm"},
		{1, "prove -a x86_64 docker.json filter.asm"},
		{1, "graph -a x86_64 docker.json"},
		{1, "stats docker.json filter.asm"},
		{2, "stats docker.json oci.json"},
		{1, "report -a x86_64 -o out.html docker.json"},
		{2, "report -a x86_64 -o out.html docker.json oci.json"},
		{2, "diff -a x86_64 docker.json oci.json"},
		{1, "diff -a x86_64 docker.json filter.asm"},
		{2, "intersect -a x86_64 -f raw -o out.bpf docker.json oci.json"},
		{3, "union -a x86_64 --accept unassigned -o out.json docker.json oci.json"}, // and the result
	}
	block := firstBlock(t, filepath.Join("..", "..", "internal", "document", "scan.go"), "Parse")
	_ = exec.Command("go", "tool", "covdata").Run() // builds it, and fails for want of arguments
	reader, err := exec.Command("go", "tool", "-n", "covdata").Output()
	if err != nil {
		t.Fatal(err)
	}
	covdata := strings.TrimSpace(string(reader))
	for i, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			counts := filepath.Join(dir, strconv.Itoa(i))
			if err := os.Mkdir(counts, 0o777); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(command, strings.Fields(tt.args)...)
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOCOVERDIR="+counts)
			out, err := cmd.CombinedOutput()
			if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || bytes.Contains(out, []byte("--help"))) {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := countOf(t, covdata, counts, block); got != tt.parses {
				t.Errorf("%d parses, want %d\n%s", got, tt.parses, out)
			}
		})
	}
}

// firstBlock returns how a coverage profile begins the line of a function's first block.
func firstBlock(t *testing.T, file, function string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := bytes.Cut(text, []byte("\nfunc "+function+"("))
	if !ok {
		t.Fatalf("%s: no function %s", file, function)
	}
	return fmt.Sprintf("internal/document/%s:%d.", filepath.Base(file), bytes.Count(before, []byte{'\n'})+2)
}

// countOf returns how often a run that left its counts in a directory executed a block.
func countOf(t *testing.T, covdata, counts, block string) int {
	t.Helper()
	profile := filepath.Join(counts, "profile")
	if out, err := exec.Command(covdata, "textfmt", "-i="+counts, "-o="+profile).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, block) {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Fatalf("no block at %s in\n%s", block, text)
	return 0
}
