package scan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// A row is what was found for one program.
type row struct {
	workload *workload
	found    *found
	seen     set
	missed   []string
	ran      bool // under scan's profile
}

// f1 is the harmonic mean of precision (how much of what was found was seen) and recall (how
// much of what was seen was found). One run does not do all that a program can do, so what
// was found and not seen need not be wrong.
func f1(seen, found set) float64 {
	both := len(seen) - len(seen.minus(found))
	if both == 0 {
		return 0
	}
	return 2 * float64(both) / float64(len(seen)+len(found))
}

// A table is a row for each program.
type table []row

// String lays out the table in Markdown.
func (t table) String() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| program\t| chosen\t| seen\t| found\t| missed\t| all sites\t| share\t| F1\t| s\t| MB\t| incomplete\t| under its profile\t| seccomp-profiler: found, missed, F1\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, r := range t {
		fmt.Fprintf(w, "| %s\t| %s\t| %d\t| %d\t| %s\t| %d\t| %.0f %%\t| %.2f\t| %.1f\t| %d\t| %d\t| %s\t| %s\t|\n",
			r.workload.name, r.workload.list, len(r.seen), len(r.found.calls), count(r.missed), len(r.found.baseline), 100*r.share(), f1(r.seen, r.found.calls),
			r.found.time.Seconds(), r.found.memory>>20, len(r.found.incomplete), yes(r.ran), r.profiler())
	}
	w.Flush()
	fmt.Fprintf(&text, "\n%d programs; median share of all sites %.0f %%, median F1 %.2f\n", len(t), 100*median(t, row.share),
		median(t, func(r row) float64 { return f1(r.seen, r.found.calls) }))
	return text.String()
}

// share returns how much of the baseline was found.
func (r row) share() float64 {
	return float64(len(r.found.calls)) / float64(max(1, len(r.found.baseline)))
}

// profiler returns the cells for seccomp-profiler: calls found, calls missed, F1.
func (r row) profiler() string {
	switch {
	case !r.found.golang:
		return "-"
	case r.found.failed != "":
		return r.found.failed
	case len(r.found.profiler) == 0: // a program that it cannot read
		return "none"
	}
	return fmt.Sprintf("%d, %d, %.2f", len(r.found.profiler), len(missed(r.seen, r.found.profiler)), f1(r.seen, r.found.profiler))
}

func count(names []string) string {
	if len(names) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d: %s", len(names), strings.Join(names, " "))
}

func yes(ok bool) string {
	if ok {
		return "runs"
	}
	return "fails"
}

func median(t table, of func(row) float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	values := make([]float64, 0, len(t))
	for _, r := range t {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func TestF1(t *testing.T) {
	seen, found := set{"a": true, "b": true}, set{"b": true, "c": true, "d": true}
	if got := f1(seen, found); math.Abs(got-0.4) > 1e-9 { // precision 1/3, recall 1/2
		t.Errorf("got %v", got)
	}
	if got := f1(seen, set{}); got != 0 {
		t.Errorf("nothing found: %v", got)
	}
	r := row{workload: &workload{name: "x"}, seen: seen, found: &found1, missed: []string{"a"}}
	if text := (table{r}).String(); !strings.Contains(text, "| 1: a") || !strings.Contains(text, "| 50 %") {
		t.Error(text)
	}
}

var found1 = found{calls: set{"b": true}, baseline: set{"b": true, "c": true}, time: time.Second}
