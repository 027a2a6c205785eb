package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	blocks, err := parse("# A\n\n```sh\necho a\n```\n- b\n    of b\n```text NAME\n    c\n```\n")
	if err != nil || len(blocks) != 2 {
		t.Fatalf("%v, %v", blocks, err)
	}
	if b := blocks[0]; b != (Block{Line: 3, Kind: "sh", Text: "echo a\n"}) {
		t.Errorf("%+v", b)
	}
	if b := blocks[1]; b != (Block{Line: 8, Kind: "text", Name: "NAME", Text: "    c\n"}) {
		t.Errorf("%+v", b)
	}
	for _, bad := range []string{"a\n\n    code\n", "```sh\na\n"} {
		if b, err := parse(bad); err == nil {
			t.Errorf("%q: %v", bad, b)
		}
	}
}

func TestCommands(t *testing.T) {
	b := Block{Text: "$ a \\\n  b\nout\n$ c\n$ d\nx\ny\n"}
	list, err := b.commands()
	want := []command{{"a \\\n  b\n", "out\n"}, {"c\n", ""}, {"d\n", "x\ny\n"}}
	if err != nil || len(list) != len(want) {
		t.Fatalf("%q, %v", list, err)
	}
	for i := range want {
		if list[i] != want[i] {
			t.Errorf("%q, want %q", list[i], want[i])
		}
	}
	b.Text = "out\n$ a\n"
	if _, err := b.commands(); err == nil {
		t.Error("output of nothing")
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		page, printed string
		want          bool
	}{
		{"", "", true},
		{"", "a\n", false},
		{"a\n", "a\n", true},
		{"a\n", "a", true},
		{"a\n", "a\nb\n", false},
		{"a\n", "b\na\n", false},
		{"a.c\n", "abc\n", false},
		{"a\n...\n", "a\n", true},
		{"a\n...\nd\n", "a\nb\nc\nd\n", true},
		{"a\n...\nd\n", "a\nb\nc\n", false},
		{"took … ms\n", "took 12 ms\n", true},
		{"took … ms\n", "took 12\n ms\n", false},
		{"ls[4711]: denied\n", "ls[3]: denied\n", true},
		{"ls[4711]: denied\n", "ls[x]: denied\n", false},
		{"ls 4711\n", "ls 3\n", false},
	} {
		if got := Matches(tt.page, tt.printed); got != tt.want {
			t.Errorf("%q, printed %q: %v", tt.page, tt.printed, got)
		}
	}
}

func TestRun(t *testing.T) {
	const text = "```sh\nword=hello; mkdir d; cd d\n```\n```text f\nx y\n```\n```sh\necho $word $THERE; cat f; echo fine >&2\n```\n" +
		"```text\nhello you\nx y\nfine\n```\n```console\n$ sh -c 'echo no; exit 3'\nno\n$ word=again\n$ echo $word\nagain\n```\n```go\nx\n```\n"
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s := Session{Dir: filepath.Join(t.TempDir(), "a b"), Env: []string{"THERE=you"}}
	if err := os.Mkdir(s.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var code []string
	ran := s.Run(t, path, map[string]func(*testing.T, Block){"go": func(_ *testing.T, b Block) { code = append(code, b.Text) }})
	if ran["sh"] != 2 || ran["text"] != 2 || ran["console"] != 1 || strings.Join(code, "|") != "x\n" {
		t.Errorf("%v, %q", ran, code)
	}
}

// Commands that fail say so.
func TestShellFails(t *testing.T) {
	s := Session{Dir: t.TempDir()}
	if out, err := s.shell(t.Context(), "-e", "echo a\nfalse\necho b\n"); err == nil || out != "a\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := s.shell(t.Context(), "-e", "echo $nothing; exit 0"); err != nil || out != "\n" {
		t.Errorf("%q, %v", out, err)
	}
}
