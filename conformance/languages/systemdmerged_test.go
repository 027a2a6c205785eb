package languages

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language/systemd"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A mergedUnit is what merging the filters of a well-known unit gives.
type mergedUnit struct {
	name          string
	before, after int     // instructions
	execBefore    float64 // mean for the calls of x86_64
	execAfter     float64
}

// One program for each of some well-known units is in sum no slower than what merging
// systemd's filters themselves gives, and no longer either if it is compiled with all effort,
// which prefers short programs.
func TestSystemdMerged(t *testing.T) {
	dir := os.Getenv("SECCOMPILE_POLICIES")
	if dir == "" {
		t.Skip("SECCOMPILE_POLICIES does not name a directory with the filters that policy tools made")
	}
	dir = filepath.Join(dir, "systemd")
	older := readUnits(t, filepath.Join(dir, "units-252.json.gz"))
	units := readUnits(t, filepath.Join(dir, "units-257.json.gz"))
	own := readLiveUnits(t)
	calls := 0
	for range syscalltables.All(arch.X86_64) {
		calls++
	}
	var table strings.Builder
	row := func(name string, m mergedUnit, fast, best effort) {
		fmt.Fprintf(&table, "%-22s %6d %7d %6d %6d %10.1f %7.1f %6.1f %6.1f\n", name,
			m.before, m.after, fast.length, best.length, m.execBefore, m.execAfter, fast.executed, best.executed)
	}
	fmt.Fprintf(&table, "%-22s %6s %7s %6s %6s %10s %7s %6s %6s\n", "unit", "stack", "merged", "fast", "exh.", "executed:", "merged", "fast", "exh.")
	var sum mergedUnit
	var sumFast, sumBest effort
	for _, m := range readMerged(t, filepath.Join(dir, "merge.md")) {
		u, ok := units["real-"+m.name]
		if !ok {
			u, ok = older["real-"+m.name] // whose text is the same
		}
		if !ok {
			if u, ok = own[m.name]; !ok {
				t.Fatalf("no text of %s", m.name)
			}
		}
		reading, err := systemd.Language{Version: 257}.Read(u.source(), policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Fatal(err)
		}
		fast := costOf(compileWith(t, reading.Policy, compiler.Options{}), calls)
		best := costOf(compileWith(t, reading.Policy, compiler.Options{Effort: compiler.Exhaustive}), calls)
		row(m.name, m, fast, best)
		sum.before, sum.after = sum.before+m.before, sum.after+m.after
		sum.execBefore, sum.execAfter = sum.execBefore+m.execBefore, sum.execAfter+m.execAfter
		sumFast.add(fast)
		sumBest.add(best)
	}
	row("sum", sum, sumFast, sumBest)
	t.Log("\n" + table.String())
	if sumFast.executed > sum.execAfter {
		t.Errorf("executed: %.1f against %.1f", sumFast.executed, sum.execAfter)
	}
	if sumBest.length > sum.after {
		t.Errorf("%d instructions against %d", sumBest.length, sum.after)
	}
}

// An effort is what a program costs that is compiled with one: instructions, and the mean of
// how many are executed.
type effort struct {
	length   int
	executed float64
}

func costOf(p *cbpf.Program, calls int) effort {
	return effort{p.Len(), float64(executed(p)) / float64(calls)}
}

func (e *effort) add(o effort) { e.length, e.executed = e.length+o.length, e.executed+o.executed }

// readMerged reads the rows for systemd 257.
func readMerged(t *testing.T, name string) []mergedUnit {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []mergedUnit
	cells := regexp.MustCompile(`(?m)^\| (\S+) \|[^|]*\| [0-9]+, ([0-9]+) -> ([0-9]+), ([0-9.]+) -> ([0-9.]+) \|`)
	for _, m := range cells.FindAllStringSubmatch(string(text), -1) {
		var n [2]int
		var f [2]float64
		for i := range 2 {
			if n[i], err = strconv.Atoi(m[2+i]); err != nil {
				t.Fatal(err)
			}
			if f[i], err = strconv.ParseFloat(m[4+i], 64); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, mergedUnit{m[1], n[0], n[1], f[0], f[1]})
	}
	if len(list) != 28 {
		t.Fatalf("%s: %d rows", name, len(list))
	}
	return list
}
