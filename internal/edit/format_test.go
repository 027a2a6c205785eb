package edit

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/preset"
)

func TestFormat(t *testing.T) {
	const head = "{\n\t\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\t\"syscalls\": "
	entry := func(names, rest string) string {
		return "\n\t\t{\n\t\t\t\"names\": [\n\t\t\t\t\"" + strings.ReplaceAll(names, " ", "\",\n\t\t\t\t\"") + "\"\n\t\t\t],\n\t\t\t" + rest + "\n\t\t}"
	}
	const allow = `"action": "SCMP_ACT_ALLOW"`
	tests := []struct{ rule, text, want string }{
		{"keys in order", `{"syscalls":[],"defaultAction":"SCMP_ACT_ERRNO"}`, head + "[]\n}\n"},
		{"no byte order mark", "\ufeff" + `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":null}`, head + "null\n}\n"},
		{
			"unknown keys last, with their text", `{"x-owner":  {"b":1.50, "a":"\u0041"},"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}`,
			head + "[],\n\t\"x-owner\": {\n\t\t\"b\": 1.50,\n\t\t\"a\": \"\\u0041\"\n\t}\n}\n",
		},
		{
			"names sorted and once", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"action":"SCMP_ACT_ALLOW","names":["write","read","write"]}]}`,
			head + "[" + entry("read write", allow) + "\n\t]\n}\n",
		},
		{
			"like entries joined", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["write"],` + allow + `},{"names":["close"],"action":"SCMP_ACT_LOG"},{"names":["read", "write"],` + allow + `}]}`,
			head + "[" + entry("read write", allow) + "," + entry("close", `"action": "SCMP_ACT_LOG"`) + "\n\t]\n}\n",
		},
		{
			"not past one that has the name", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["write"],` + allow + `},{"names":["read"],"action":"SCMP_ACT_LOG"},{"names":["read"],` + allow + `}]}`,
			head + "[" + entry("write", allow) + "," + entry("read", `"action": "SCMP_ACT_LOG"`) + "," + entry("read", allow) + "\n\t]\n}\n",
		},
		{
			"a comment keeps entries apart", `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["write"],` + allow + `},{"comment":"for logs","names":["read"],` + allow + `}]}`,
			head + "[" + entry("write", allow) + "," + entry("read", allow+",\n\t\t\t\"comment\": \"for logs\"") + "\n\t]\n}\n",
		},
	}
	for _, tt := range tests {
		got, err := Format(language.NewSource([]byte(tt.text)))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tt.rule, err, got, tt.want)
		}
	}
}

// TestFormatTwice: what Format writes, it leaves alone, and the files keep their kind.
func TestFormatTwice(t *testing.T) {
	files, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	texts := map[string][]byte{"docker-default": preset.Docker()}
	for _, file := range files {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(gen.Many(100, 500)) {
		r := gen.New(seed)
		abis := gen.ABIs(r)
		p := gen.Policy(r, gen.Options{ABIs: abis, Entries: 40})
		p.ABIs = abis
		text, err := oci.Print(p)
		if err != nil {
			continue
		}
		if _, err := open(language.NewSource([]byte(text))); err == nil {
			texts[text] = []byte(text)
		}
	}
	for name, text := range texts {
		s := language.NewSource(text)
		once, err := Format(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		twice, err := Format(language.NewSource(once))
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s: not the same the second time: %v\n%s\n%s", name, err, once, twice)
		}
		if before, after := oci.Detect(s), oci.Detect(language.NewSource(once)); before != after {
			t.Errorf("%s: was %s, is %s", name, before, after)
		}
	}
}

// TestFormatRefuses: text with mistakes gets their places, and nothing hangs.
func TestFormatRefuses(t *testing.T) {
	files, err := filepath.Glob("../../testdata/profiles/bad/*")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	var texts []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "listenerMetadata") { // which runc overlooks
			texts = append(texts, string(text))
		}
	}
	var caps, entries []string
	for _, a := range []string{"CAP_CHOWN", "CAP_KILL", "CAP_BPF", "CAP_MKNOD", "CAP_SETUID", "CAP_LEASE"} {
		for _, b := range []string{"CAP_SYS_ADMIN", "CAP_SYS_TIME", "CAP_SYS_BOOT", "CAP_SYS_NICE"} {
			caps = append(caps, `"`+a+`","`+b+`"`)
		}
	}
	for i := range 20000 {
		entries = append(entries, `{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"caps":[`+caps[i%len(caps)]+`]}}`)
	}
	texts = append(texts, "", "[]", "{}", "null", `{"linux":{}}`, `{"linux":{"seccomp":{}}}`, strings.Repeat("[", 1000),
		`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[`+strings.Join(entries, ",")+`]}`)
	for _, text := range texts {
		if got, err := Format(language.NewSource([]byte(text))); err == nil {
			t.Errorf("%.200s: no error, but %.200s", text, got)
		}
	}
}
