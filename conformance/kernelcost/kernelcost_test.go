package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

func TestFitFindsTheCoefficients(t *testing.T) {
	want := []float64{20, 0.15, 0.003}
	var x [][]float64
	var y []float64
	for _, length := range []float64{1, 60, 200, 1300} {
		for _, steps := range []float64{900, 5000, 10000} {
			x = append(x, []float64{1, length, steps})
			y = append(y, dot(want, x[len(x)-1]))
		}
	}
	got, r2 := fit(x, y)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-6 {
			t.Errorf("coefficient %d: %g, want %g", i, got[i], want[i])
		}
	}
	if r2 < 0.999999 {
		t.Errorf("R2 %g", r2)
	}
	y[0] *= 3
	if _, r2 := fit(x, y); r2 > 0.999 {
		t.Errorf("R2 %g with a wrong value", r2)
	}
}

func TestQuantiles(t *testing.T) {
	s := sample{9, 1, 8, 2, 7, 3, 6, 4, 5, 10, 11}
	if s.low() != 2 || s.median() != 6 {
		t.Errorf("first decile %g, median %g", s.low(), s.median())
	}
	if one := (sample{4}); one.low() != 4 || one.median() != 4 {
		t.Errorf("of one value: %g, %g", one.low(), one.median())
	}
}

// The counts on the page are those of today's filters.
func TestPerformancePageCounts(t *testing.T) {
	page, err := os.ReadFile("../../docs/PERFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("..") // where the program runs
	filters, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.ReplaceAll(string(page), ",", "")
	for _, f := range filters {
		row := fmt.Sprintf("| %s | %d | %d |", strings.ReplaceAll(f.name, ",", ""), f.stats.Instructions, f.stats.Emulated)
		if !strings.Contains(plain, row) {
			t.Errorf("docs/PERFORMANCE.md lacks the row %q: bring it up to date with make -C conformance bench kernelcost", row)
		}
	}
}

// Each part of a path is executed as often as the slopes assume, for every call that the
// measuring child makes, and the kernel's bitmap has none of them.
func TestPathsExecuteTheirParts(t *testing.T) {
	executed := []int{1, 1, 1, 1, 1, 2} // instructions of a part
	for i, s := range paths {
		for _, n := range parts {
			p, err := program([]bpf.RawInstruction{load(offNumber)}, s, n, uncached, pathLength)
			if err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
			if p.Len() != pathLength {
				t.Errorf("%s, %d parts: %d instructions", s.name, n, p.Len())
			}
			for nr := range uint32(500) {
				d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit(), Args: [6]uint64{1, 2, 3}}
				action, steps := p.Trace(&d)
				if want := n*executed[i] + 2; len(steps) != want || action != cbpf.Action(uncached) {
					t.Fatalf("%s, %d parts: call %d executes %d, want %d, and gets %v", s.name, n, nr, len(steps), want, action)
				}
				if ok, _ := p.ConstAllow(d.Arch, nr); ok {
					t.Fatalf("%s: the bitmap has call %d", s.name, nr)
				}
			}
		}
	}
}
