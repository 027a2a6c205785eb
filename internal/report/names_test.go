package report

import (
	"strings"
	"testing"
)

// ABIs that many changed calls have in common are named once.
func TestNamesOnTheSameABIs(t *testing.T) {
	list := []*changed{
		{Name: "mount"}, {Name: "ptrace", On: "x86"}, {Name: "read", On: "x86 and x32"}, {Name: "write", On: "x86 and x32"},
		{Name: "open", On: "x86 and x32"}, {Name: "close", On: "x86 and x32"},
	}
	got := string(names(list))
	lead, rest, ok := strings.Cut(got, "On x86 and x32:")
	if !ok || strings.Contains(rest, " on ") || strings.Count(rest, "<li>") != 4 {
		t.Errorf("calls on the same ABIs: %s", got)
	}
	if strings.Count(lead, "<li>") != 2 || strings.Index(lead, "mount") > strings.Index(lead, "ptrace") || strings.Count(lead, "x86") != 1 {
		t.Errorf("other calls: %s", lead)
	}
	if names(nil) != "" {
		t.Error("a list of nothing")
	}
}
