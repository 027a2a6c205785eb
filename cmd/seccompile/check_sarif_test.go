package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sarifOf returns what check --sarif prints about a file.
func sarifOf(t *testing.T, path string) sarifRun {
	t.Helper()
	var out strings.Builder
	if code := run([]string{"check", "--sarif", "-a", "x86_64,x86", path}, nil, &out, io.Discard); code > 1 {
		t.Fatalf("%s: exit status %d", path, code)
	}
	var log sarifLog
	if err := json.Unmarshal([]byte(out.String()), &log); err != nil {
		t.Fatal(err)
	}
	return log.Runs[0]
}

// replaced makes the replacements of a fix as SARIF defines them: in order, at places in the
// text of before, where lines and characters count from 1 and a byte order mark does not.
func replaced(t *testing.T, text string, fix *sarifFix) string {
	t.Helper()
	text, marked := strings.CutPrefix(text, "\ufeff")
	var chars, done []rune
	var lines []int // where they begin
	for _, line := range strings.SplitAfter(text, "\n") {
		lines = append(lines, len(chars))
		chars = append(chars, []rune(line)...)
	}
	at := 0
	for _, r := range fix.Changes[0].Replacements {
		from := lines[r.Deleted.StartLine-1] + r.Deleted.StartColumn - 1
		to := lines[r.Deleted.EndLine-1] + r.Deleted.EndColumn - 1
		if from < at || to < from {
			t.Fatalf("%+v overlaps or is reversed", r)
		}
		done, at = append(done, chars[at:from]...), to
		if r.Inserted != nil {
			done = append(done, []rune(r.Inserted.Text)...)
		}
	}
	text = string(append(done, chars[at:]...))
	if marked {
		text = "\ufeff" + text
	}
	return text
}

// Each fix cures its result, whatever the text looks like.
func TestSarifFixes(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../internal/lint/testdata/*.json", "../../testdata/profiles/*.json"} {
		more, err := filepath.Glob(pattern)
		if err != nil || len(more) == 0 {
			t.Fatal(pattern, err)
		}
		files = append(files, more...)
	}
	file := filepath.Join(t.TempDir(), "a file.json")
	write := func(text string) sarifRun {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return sarifOf(t, file)
	}
	cured := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(b), "\ufeff") { // this test marks texts itself
			continue
		}
		for _, text := range []string{string(b), "\ufeff" + strings.Replace(strings.ReplaceAll(string(b), "\n", "\r\n"), "{", `{"😀é": 0, `, 1)} {
			before := write(text)
			bare := write(strings.TrimPrefix(text, "\ufeff"))
			if diff := cmp.Diff(bare.Results, before.Results); diff != "" {
				t.Errorf("%s: a byte order mark makes a difference:\n%s", name, diff)
			}
			for _, result := range before.Results {
				same := func(r sarifResult) bool { return r.RuleID == result.RuleID && r.Message == result.Message }
				for _, fix := range result.Fixes {
					if uri := fix.Changes[0].Artifact.URI; uri != result.Locations[0].Physical.Artifact.URI {
						t.Errorf("the fix is of %s", uri)
					}
					fixed := replaced(t, text, &fix)
					after := write(fixed)
					if n, m := count(before.Results, same), count(after.Results, same); m >= n {
						t.Errorf("%s: %s: %d became %d by %+v:\n%s", name, result.RuleID, n, m, fix, fixed)
					}
					cured++
				}
			}
		}
	}
	if cured < 100 {
		t.Errorf("%d fixes", cured)
	}
}

func count(list []sarifResult, is func(sarifResult) bool) (n int) {
	for _, r := range list {
		if is(r) {
			n++
		}
	}
	return n
}
