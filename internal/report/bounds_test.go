package report

import (
	"bytes"
	"strings"
	"testing"
)

func exampleBounds() Bounds {
	return Bounds{
		Programs: []string{"server", "<b>helper</b>"}, Recording: "seen`.json",
		Incomplete: []string{"/bin/server: load opens libraries whose names are not in its data"},
		Both:       []Bound{{"write", []string{"_start", "main", "write"}}, {"read", nil}},
		Reachable:  []Bound{{"getpid", nil}, {"init_module", []string{"_start", "<script>", "init_module"}}},
		Seen:       []Bound{{"acct", nil}},
	}
}

// The page has three parts, the gravest calls first in each, and says first what is wrong.
func TestBounds(t *testing.T) {
	for format, want := range map[Format][]string{
		HTML: {
			"1 call was seen that the analysis did not find: acct.", "Of 4 calls that server and &lt;b&gt;helper&lt;/b&gt; can make, the recording has 2 and lacks 2.", "is incomplete",
			"load opens libraries", `id="seen"`, "<code>acct</code>", `id="reachable"`, "<code>init_module</code>", "load and unload kernel modules", "_start → &lt;script&gt; → init_module",
			"<code>getpid</code>", `id="both"`, "<code>read</code>", "<code>write</code>", "_start → main → write", "seen`.json",
		},
		Markdown: {
			"### 1 call was seen that the analysis did not find: acct.", "Of 4 calls", "seen&#96;.json", "<details open><summary>Seen only: 1</summary>", "- `acct`",
			"Reachable only: 2", "- `init_module`: load and unload kernel modules", "- `getpid`", "Seen and reachable: 2", "- `read`", "- `write`", "Incomplete: /bin/server: load opens",
		},
	} {
		page, err := Bounded(exampleBounds(), Options{Format: format, Date: "2031-05-12"})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Bounded(exampleBounds(), Options{Format: format, Date: "2031-05-12"})
		if err != nil || !bytes.Equal(page, again) {
			t.Errorf("%s: another page, error %v", format, err)
		}
		rest := string(page)
		for _, text := range append(want, "2031-05-12") {
			_, after, found := strings.Cut(rest, text)
			if !found && text == "2031-05-12" {
				found = strings.Contains(string(page), text)
			}
			if !found {
				t.Errorf("%s: %q is missing, or in another place", format, text)
				continue
			}
			rest = after
		}
		if strings.Contains(string(page), "<b>helper") || strings.Contains(string(page), "<script") {
			t.Errorf("%s: names are markup", format)
		}
	}
	if _, err := Bounded(exampleBounds(), Options{Format: "pdf"}); err == nil {
		t.Error("a format that does not exist")
	}
}

// Without a defect the answer is the distance of the bounds.
func TestBoundsThatFit(t *testing.T) {
	b := Bounds{Programs: []string{"a", "b", "c", "d"}, Recording: "r", Both: []Bound{{"read", nil}}}
	page, err := Bounded(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"<b>Of 1 call that 4 programs can make, the recording has 1 and lacks 0.</b>", "None."} {
		if !strings.Contains(string(page), text) {
			t.Errorf("%q is missing", text)
		}
	}
	if strings.Contains(string(page), "incomplete") {
		t.Error("said to be incomplete")
	}
}
