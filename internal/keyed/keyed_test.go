package keyed

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/policy"
)

// However much is wrong, a report is short and says that there is more.
func TestReportsAreBounded(t *testing.T) {
	doc, bad := document.Parse([]byte(`{"x": [` + strings.Repeat(`{"b": 1},`, 5000) + `{"a": null}]}`))
	if bad != nil {
		t.Fatal(bad)
	}
	r := New(doc)
	read := 0
	for _, elem := range r.Elements(doc.Root().Member("x")) {
		o, ok := r.Object(elem, "a")
		if _, there := o.Need("a", "add it"); !ok || there {
			t.Fatal("an absent key is there")
		}
		read++
	}
	for range 5000 {
		r.Warn(doc.Root(), policy.Ignored, "x")
	}
	warnings, err := r.Report()
	problems, _ := err.(policy.Errors)
	if read != maxRemarks || len(problems) != maxRemarks+1 || problems[maxRemarks].Reason != "there may be more problems (fix these first)" {
		t.Errorf("%d read, %d problems", read, len(problems))
	}
	if n := len(warnings); n != maxRemarks+1 || warnings[n-1].More != 5000 || warnings[n-2].Pointer == "" && warnings[0].Pointer != "" {
		t.Errorf("%d warnings: %v", n, warnings[n-1])
	}
	if p := problems[1]; p.Line != 1 || p.Column != 17 || p.Pointer != "/x/1" || p.Reason != "the key a is missing (add it)" {
		t.Errorf("%+v", p)
	}
}
