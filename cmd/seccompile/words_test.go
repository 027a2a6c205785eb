package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/seccompile/seccompile/internal/answer"
)

// hostile is a name that a terminal would obey: an escape sequence, one of C1 in UTF-8
// and raw, a title, a turn of direction, a line that looks like one of ours.
const hostile = "a\x1b[31m\u009b5m\x9b\x1b]0;PWNED\a\u202eb\x7f\nseccompile: x\r*/"

// unseen returns what of a text should not get to a terminal, "" if nothing.
func unseen(text string) string {
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 || r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
			return text[max(0, i-20):min(len(text), i+20)]
		}
	}
	return ""
}

// Whatever a command is given, the words that it prints are words.
func TestNamesDoNotReachTheTerminal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such file names")
	}
	t.Chdir(t.TempDir())
	const profile = `{"defaultAction": "SCMP_ACT_ERRNO", "k\u001b[31m\u202e\u009b": 1, "syscalls": [
		{"names": ["read", "\u001b[31m\u202e"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_EQ"}]}]}`
	dir := strings.ReplaceAll(hostile, "/", "") // "*/" in two names
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	filter, text, missing, log := filepath.Join(dir, "filter"), filepath.Join(dir, "text"), filepath.Join(dir, hostile), filepath.Join(dir, "log")
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Skip("the file system takes no such names:", err)
	}
	write(good, profile)
	write(bad, `{"defaultAction": "\u001b[31m\u202e", "syscalls": [{"names": [""], "\u009b": 0}]}`)
	write(text, "no such instruction \x1b[31m\n")
	write(log, fmt.Sprintf("type=SECCOMP msg=audit(1.002:3): auid=0 uid=\x1b[31m gid=0 ses=\u202e subj=\x9b\x1b pid=5 comm=%X exe=%[1]X sig=\u009b arch=c000003e syscall=257 compat=0 ip=0x1 code=0x7ffc0000\n", hostile))
	if code := run([]string{"compile", "-a", "x86_64", "-o", filter, good}, nil, new(bytes.Buffer), new(bytes.Buffer)); code != 0 {
		t.Fatal("status", code)
	}
	for _, line := range []string{
		"compile GOOD -o MISSING/x", "compile BAD", "compile FILTER", "compile TEXT", "compile GOOD -f asm", "compile GOOD -f c", "compile GOOD -f go",
		"compile GOOD -f json", "compile GOOD -f HOSTILE", "compile GOOD --weights MISSING", "compile GOOD --weights TEXT", "compile GOOD -f hex --prove --certificate MISSING/x",
		"check GOOD", "check BAD", "check FILTER", "check GOOD --json", "check GOOD --sarif", "check --explain HOSTILE", "check --for HOSTILE GOOD",
		"resolve GOOD", "resolve BAD", "eval GOOD read 3", "eval GOOD HOSTILE", "eval FILTER read HOSTILE", "explain GOOD", "explain FILTER", "explain --json GOOD",
		"prove GOOD FILTER", "prove FILTER GOOD", "diff GOOD FILTER", "diff --json GOOD FILTER", "stats GOOD FILTER", "stats --json GOOD",
		"graph GOOD", "graph -f dot GOOD", "graph -f svg GOOD", "graph -f mermaid GOOD", "graph --syscall HOSTILE GOOD",
		"disasm FILTER", "disasm GOOD", "asm TEXT", "asm FILTER -f hex", "optimize FILTER -f asm", "intersect GOOD FILTER -f asm", "intersect GOOD GOOD -f c",
		"intersect GOOD GOOD", "intersect BAD GOOD", "intersect GOOD FILTER", "union GOOD GOOD -f go", "union GOOD FILTER", "union GOOD GOOD --accept HOSTILE",
		"report GOOD", "report BAD", "report GOOD -o MISSING/x", "syscalls HOSTILE", "dump HOSTILE", "run MISSING", "run HOSTILE", "run -p MISSING true", "run -p BAD true",
		"record MISSING", "record -o GOOD MISSING", "record -o FILTER true", "record --base MISSING true", "trace MISSING", "trace -p BAD true", "trace -o MISSING/x true",
		"denials LOG", "denials -p GOOD LOG", "denials --json LOG", "denials -p BAD LOG", "denials -p GOOD -o MISSING/x LOG", "denials --program HOSTILE -o - LOG", "denials MISSING",
		"HOSTILE", "--HOSTILE", "compile --HOSTILE", "compile -HOSTILE", "compile -a HOSTILE GOOD", "help HOSTILE", "__complete compile HOSTILE", "__complete --HOSTILE",
		"man HOSTILE", "completion HOSTILE", "version HOSTILE", "features HOSTILE",
	} {
		replace := strings.NewReplacer("GOOD", good, "BAD", bad, "FILTER", filter, "TEXT", text, "MISSING", missing, "HOSTILE", hostile, "LOG", log)
		var args []string
		for word := range strings.FieldsSeq(line) {
			args = append(args, replace.Replace(word))
		}
		var stdout, stderr bytes.Buffer
		run(args, strings.NewReader(""), &stdout, &stderr)
		for name, got := range map[string]string{"stdout": stdout.String(), "stderr": stderr.String()} {
			if x := unseen(got); x != "" {
				t.Errorf("%s: %s has %q", line, name, x)
			}
			if strings.Contains(got, "\nseccompile: x") && !strings.HasPrefix(line, "__") {
				t.Errorf("%s: %s has a line that is not ours:\n%s", line, name, got)
			}
		}
		if stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%s: nothing was printed", line)
		}
	}
}

// Colours are ours, and the only thing of the kind that passes, wherever a write ends.
func TestWordWriter(t *testing.T) {
	const in = "\x1b[32mok\x1b[0m \x1b[2Jx \xe2\x80\xaey \x9b é\u00a0\t\n\U000e0001 \xf0\x9f"
	for _, tt := range []struct {
		colors bool
		want   string
	}{
		{true, "\x1b[32mok\x1b[0m " + `\x1b[2Jx \u202ey \x9b é` + "\u00a0\t\n" + `\U000e0001 \xf0\x9f`},
		{false, `\x1b[32mok\x1b[0m \x1b[2Jx \u202ey \x9b é` + "\u00a0\t\n" + `\U000e0001 \xf0\x9f`},
	} {
		for size := 1; size <= len(in); size++ {
			var b bytes.Buffer
			w := &wordWriter{to: &b, colors: func() bool { return tt.colors }}
			for rest := in; rest != ""; rest = rest[min(size, len(rest)):] {
				if n, err := w.Write([]byte(rest[:min(size, len(rest))])); err != nil || n != min(size, len(rest)) {
					t.Fatal(n, err)
				}
			}
			if err := w.end(); err != nil {
				t.Fatal(err)
			}
			if b.String() != tt.want {
				t.Fatalf("%d bytes a write: got %q, want %q", size, b.String(), tt.want)
			}
		}
	}
}

// JSON means the same and shows everything.
func TestEscapedJSON(t *testing.T) {
	want := []string{"a\u009b\u202e\x7f\U000e0001\u2028é\x1b\""}
	text, err := answer.Marshal(want)
	if err != nil || unseen(string(text)) != "" {
		t.Fatalf("%q %v", text, err)
	}
	var got []string
	if err := json.Unmarshal(text, &got); err != nil || got[0] != want[0] {
		t.Errorf("%s: %q %v", text, got, err)
	}
}

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"docker-default": "docker-default", "a b.json": "'a b.json'", "it's": `'it'\''s'`, "$x": "'$x'", standardInput: "PROFILE",
	} {
		if got := quoted(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
