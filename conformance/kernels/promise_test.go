package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

// outcomes returns results of guests; a minus before a name says left out.
func outcomes(names string) []result {
	var results []result
	for name := range strings.FieldsSeq(names) {
		j := &job{}
		if rest, ok := strings.CutPrefix(name, "-"); ok {
			name, j.absent = rest, errors.New("404")
		}
		j.guest.name = name
		results = append(results, result{job: j})
	}
	return results
}

func TestEnough(t *testing.T) {
	tests := []struct {
		name, guests, promised string
		least                  int
		want                   string
	}{
		{"all ran", "amd64 s390x", "amd64,s390x", 0, ""},
		{"another of its architecture ran", "ppc64el -ppc64el-trixie", "ppc64el", 0, ""},
		{"only an older kernel of it ran", "-ppc64el ppc64el-trixie", "ppc64el", 0, ""},
		{"none of an architecture ran", "amd64 amd64-bullseye -s390x -s390x-bookworm", "amd64,s390x", 0, "no guest ran for s390x"},
		{"a guest was named and did not run", "ppc64el -ppc64el-trixie", "ppc64el,ppc64el-trixie", 0, "no guest ran for ppc64el-trixie"},
		{"half, nothing promised", "amd64 arm64 -s390x -riscv64", "", 0, ""},
		{"less than half", "amd64 -arm64 -s390x", "", 0, "1 of 3 guests ran, and 2 must (-least)"},
		{"one in three is enough if they say so", "amd64 -arm64 -s390x", "", 1, ""},
		{"fewer than they say", "amd64 arm64 -s390x", "", 3, "2 of 3 guests ran, and 3 must (-least)"},
		{"nothing ran", "-amd64", "", 0, "0 of 1 guests ran, and 1 must (-least)"},
	}
	for _, tt := range tests {
		err := enough(outcomes(tt.guests), options{guests: tt.promised}.promised(nil), tt.least)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestASelfTestPromisesItsGuests(t *testing.T) {
	jobs, err := flawed()
	if err != nil {
		t.Fatal(err)
	}
	if got := (options{selftest: true}).promised(jobs); len(got) != len(jobs) || !slices.Contains(got, "s390x") || jobs[0].flaw.fault == cases.None {
		t.Errorf("%q", got)
	}
}

func TestSummaryTellsLeftOutFromFailed(t *testing.T) {
	results := outcomes("amd64 arm64 -s390x riscv64")
	for _, i := range []int{0, 3} {
		results[i].release, results[i].passed = "6.1", 7
	}
	results[1].broken = []string{"did not come up"}
	results[2].job.absent = errors.New("trixie: 404\nsid: 404")
	results[3].job.kernel.kept = errors.New("no network")
	results[0].skips = []console.Line{{Kind: console.Skip, Name: "loader/x", Text: "why"}}
	var text strings.Builder
	if bad := summary(results, false, &printer{w: &text}); bad != 1 {
		t.Errorf("%d failed, want 1", bad)
	}
	var rows []string
	for line := range strings.Lines(text.String()) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	for _, want := range []string{
		"amd64 6.1 - 7 of 7 1 0", "arm64 - 0 of 0 0 0", "s390x left out: trixie: 404; sid: 404", "did not come up",
		"riscv64: kept the kernel that was there, a new one is not to be had: no network",
	} {
		if !slices.Contains(rows, want) {
			t.Errorf("no row %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "s390x (console") {
		t.Errorf("s390x did not run and has a console:\n%s", text.String())
	}
}
