package syscalltables

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// TestImportingCostsNothing re-executes the test binary with a trace of all
// package initialisation: neither this package nor arch may have any.
func TestImportingCostsNothing(t *testing.T) {
	if testing.CoverMode() != "" {
		t.Skip("measuring coverage adds work at start-up")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !regexp.MustCompile(`(?m)^init os @`).Match(out) {
		t.Fatalf("no trace of package initialisation:\n%s", out)
	}
	if m := regexp.MustCompile(`(?m)^init \S*seccompile/(syscalltables|arch) @.*`).Find(out); m != nil {
		t.Errorf("there is work at start-up: %s", m)
	}
}

func TestQueriesDoNotAllocate(t *testing.T) {
	c := lookup(t, "openat")
	for _, q := range []struct {
		name string
		run  func()
	}{
		{"Lookup", func() { _, _ = Lookup("openat") }},
		{"Lookup of an unknown name", func() { _, _ = Lookup("nonsense") }},
		{"ByNumber", func() { _, _ = ByNumber(arch.MIPS, 4288) }},
		{"Number", func() { _, _ = c.Number(arch.X32) }},
		{"Multiplexed", func() { _, _, _ = c.Multiplexed(arch.X86) }},
		{"Since", func() { _ = c.Since(arch.X32) }},
		{"Name", func() { _ = c.Name() }},
		{"Nearest", func() { _ = Nearest("opennat") }},
	} {
		if n := testing.AllocsPerRun(10, q.run); n != 0 {
			t.Errorf("%s allocates %v times", q.name, n)
		}
	}
}

// A profile names some 400 calls: one compilation looks each up.
func BenchmarkLookup(b *testing.B) {
	var names []string
	for c := range every() {
		names = append(names, c.Name())
	}
	for i := 0; b.Loop(); i++ {
		Lookup(names[i%len(names)])
	}
}

func BenchmarkNumber(b *testing.B) {
	c, _ := Lookup("openat")
	for b.Loop() {
		c.Number(arch.MIPSEL)
	}
}

func BenchmarkByNumber(b *testing.B) {
	for b.Loop() {
		ByNumber(arch.X86_64, 257)
	}
}

func BenchmarkNearest(b *testing.B) {
	for b.Loop() {
		Nearest("opennat")
	}
}
