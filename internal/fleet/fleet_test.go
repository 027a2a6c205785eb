package main

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/internal/golden"
)

var update = flag.Bool("update", false, "write the golden files")

const doc = "../../docs/FLEET.md"

// The numbers of docs/FLEET.md are what the program prints.
func TestDocumentIsFresh(t *testing.T) {
	var out bytes.Buffer
	if err := run(nil, &out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- fleet -->\n```\n", "```\n"
	before, rest, ok1 := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("no block for the numbers")
	}
	fresh := before + begin + out.String() + end + after
	golden.Check(t, *update, doc, fresh)
}

// The Go example of docs/FLEET.md is part of a program that is built and measured.
func TestDocumentShowsWorkingCode(t *testing.T) {
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("../../testdata/size/artifact/main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```go\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok || !strings.Contains(string(program), example) {
		t.Errorf("%s: the Go example is not in testdata/size/artifact/main.go", doc)
	}
}

// small is a fleet that can be counted by hand.
func small() *fleet {
	f := new(fleet)
	_ = f.flags()
	f.nodes, f.profiles, f.services, f.replaced, f.days = 10, 40, 5, 1, 4
	return f
}

func TestSimulation(t *testing.T) {
	f := small()
	got := f.simulate()
	if d := got.days[0]; d.first != f.nodes*f.services || d.misses != d.first || d.evicted != 0 {
		t.Errorf("first day %+v: every service of every node is new", d)
	}
	sum := 0
	for i, d := range got.days {
		if i > 0 && (d.first > f.nodes*f.replaced || d.misses != d.first) {
			t.Errorf("day %d %+v: at most the replaced services are new, and a cache with room forgets nothing", i, d)
		}
		sum += d.first
	}
	if got.kept != sum {
		t.Errorf("%d filters kept of %d", got.kept, sum)
	}
	users := 0
	for _, n := range got.users {
		users += n
	}
	if users != f.nodes*f.services {
		t.Errorf("%d profiles in use", users)
	}
	if slices.Max(got.users) != max(got.users[0], got.users[1]) {
		t.Errorf("the most popular profiles are not the first: %v", got.users)
	}
	if d := cmp.Diff(got, f.simulate(), cmp.AllowUnexported(traffic{}, day{})); d != "" {
		t.Errorf("another run differs:\n%s", d)
	}
	f.seed++
	if again := f.simulate(); slices.Equal(again.users, got.users) {
		t.Error("another seed makes no difference")
	}
}

// A cache that is too small forgets, and what it forgets is compiled again.
func TestSimulationOfASmallCache(t *testing.T) {
	f := small()
	f.entries, f.days, f.replaced = 6, 20, 3
	var sum day
	got := f.simulate()
	for _, d := range got.days {
		sum.first, sum.misses, sum.evicted = sum.first+d.first, sum.misses+d.misses, sum.evicted+d.evicted
	}
	if sum.evicted == 0 || sum.misses <= sum.first || sum.misses-sum.evicted != got.kept || got.kept > f.nodes*f.entries {
		t.Errorf("%+v, %d kept", sum, got.kept)
	}
}

// More of what costs costs more, and a release that changes nothing ships nothing.
func TestReportFollowsTheFlags(t *testing.T) {
	report := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(append([]string{"-nodes", "100"}, args...), &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	tests := []struct{ args, want string }{
		{"", "libseccomp, at each start                                              0.1             0.6             5.8\n"},
		{"-libseccomp 290ms", "libseccomp, at each start                                              0.6             5.8            58.0\n"},
		{"-starts 7200", "cache hits, percent of the starts                                    99.58           99.93\n"},
		{"-changed 0", "artifacts published                                                      0           1,000\n"},
		{"-runtime 1000000 -gigabits 1", "bytes moved                                                                       100.0 MB\n"},
	}
	for _, tt := range tests {
		if got := report(strings.Fields(tt.args)...); !strings.Contains(got, tt.want) {
			t.Errorf("%q: no line %q in\n%s", tt.args, tt.want, got)
		}
	}
	for _, bad := range []string{"-nodes 0", "-services 501", "-replaced 31", "-starts 29", "-changed 101", "-days 1", "-unknown", "-nodes x"} {
		if err := run(strings.Fields(bad), new(bytes.Buffer)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
