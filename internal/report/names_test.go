package report

import (
	"slices"
	"strings"
	"testing"
)

// ABIs that many changed calls have in common are named once.
func TestNamesOnTheSameABIs(t *testing.T) {
	list := []*changed{
		{Name: "read", On: "x86 and x32"}, {Name: "mount"}, {Name: "write", On: "x86 and x32"}, {Name: "ptrace", On: "x86"},
		{Name: "open", On: "x86 and x32"}, {Name: "close", On: "x86 and x32"},
	}
	var got []string
	for _, g := range together(list) {
		text := g.On + ":"
		for _, x := range g.Calls {
			text += " " + x.Name
		}
		got = append(got, text)
	}
	if want := []string{"x86 and x32: read write open close", ": mount ptrace"}; !slices.Equal(got, want) {
		t.Errorf("groups %q, want %q", got, want)
	}
	page := string(names(list))
	if strings.Count(page, "x86 and x32") != 1 || strings.Count(page, "<li>") != len(list) || !strings.Contains(page, "on x86<") {
		t.Errorf("page: %s", page)
	}
	var w marks
	w.table([]*change{{Always: list}})
	if text := w.String(); !strings.Contains(text, "on x86 and x32: `read`, `write`, `open`, `close`<br>`mount`, `ptrace` on x86") {
		t.Errorf("markdown: %s", text)
	}
	if names(nil) != "" {
		t.Error("a list of nothing")
	}
}
