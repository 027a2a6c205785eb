package emit

import (
	"go/format"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
)

func compiled(t *testing.T, abi string) *cbpf.Program {
	t.Helper()
	c, err := (&intake.Target{ABIs: []string{abi}}).Compile(intake.New("p", "p", []byte(
		`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}`)))
	if err != nil {
		t.Fatal(err)
	}
	return c.Program
}

// Every format writes every filter, of either byte order, and the same bytes each time.
func TestFormats(t *testing.T) {
	for _, abi := range []string{"x86_64", "s390x"} {
		p := compiled(t, abi)
		f := Filter{Source: "a */ b\nc", Package: "filter", ABIs: []string{abi}, Flags: []cbpf.Flag{cbpf.LogFlag}}
		for _, name := range append(Formats(), Snap) {
			text, err := f.Render(name, p)
			again, _ := f.Render(name, p)
			if err != nil || len(text) == 0 || string(text) != string(again) {
				t.Errorf("%s, %s: %d bytes, %v", abi, name, len(text), err)
			}
			if strings.Contains(string(text), "b\nc") {
				t.Errorf("%s, %s: a name ends its comment:\n%s", abi, name, text)
			}
		}
	}
	if text, err := new(Filter).Render("jsn", compiled(t, "x86_64")); err == nil || text != nil {
		t.Errorf("an unknown format: %q, %v", text, err)
	}
}

// Go's file is laid out as gofmt does it.
func TestGoIsFormatted(t *testing.T) {
	for _, source := range []string{"profile.json", "docker-default", "a  b `c` ''d'' # e\t[f]"} {
		f := Filter{Source: source, Package: "main", Flags: []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}}
		text, err := f.Render(Go, compiled(t, "x86_64"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := format.Source(text)
		if err != nil || string(text) != string(want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", source, err, text, want)
		}
	}
}
