package algebra

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// sets are the ABIs that profiles are read and combined for.
var sets = [][]arch.ABI{
	{arch.X86_64}, {arch.X86}, {arch.AArch64}, {arch.ARM},
	{arch.X86_64, arch.X86}, {arch.X86_64, arch.X86, arch.X32}, {arch.AArch64, arch.ARM},
}

// All pairs of profiles that differ in meaning are combined, and each profile that is written
// is proved again. SECCOMPILE_PROFILES is a directory of profiles, SECCOMPILE_PAIRS=N takes
// every Nth pair only.
func TestPairs(t *testing.T) {
	dir := os.Getenv("SECCOMPILE_PROFILES")
	if dir == "" {
		t.Skip("no profiles (SECCOMPILE_PROFILES=DIR)")
	}
	step := 1
	if s := os.Getenv("SECCOMPILE_PAIRS"); s != "" {
		var err error
		if step, err = strconv.Atoi(s); err != nil || step < 1 {
			t.Fatalf("SECCOMPILE_PAIRS=%s: expected a number from 1 up", s)
		}
	}
	for _, abis := range sets {
		t.Run(strings.Trim(fmt.Sprint(abis), "[]"), func(t *testing.T) {
			sources := read(t, dir, abis)
			for _, op := range []algebra.Op{algebra.Intersect, algebra.Union} {
				n, c := 0, counts{results: map[string]int{}, reasons: map[string]int{}}
				for i := range sources {
					for j := range i {
						if n++; n%step == 0 {
							c.combine(t, op, abis, sources[j], sources[i])
						}
					}
				}
				t.Logf("%v of %d profiles: %v", op, len(sources), &c)
			}
		})
	}
}

// A source is a profile with the file that it came from.
type source struct {
	algebra.Source
	file string
}

// read reads the profiles of a directory, each meaning once.
func read(t *testing.T, dir string, abis []arch.ABI) (sources []source) {
	t.Helper()
	seen := map[string]bool{}
	target := policy.Target{ABI: abis[0], Caps: preset.Caps("docker")}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		p, _, err := oci.Read(text, target)
		if err != nil {
			return nil // not a profile for this target
		}
		r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
		if err != nil {
			return nil
		}
		if key := r.String(); !seen[key] {
			seen[key] = true
			sources = append(sources, source{algebra.Source{Policy: p, Meaning: r}, path})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(sources) < 2 {
		t.Fatalf("%s: found %d profiles, expected two at least", dir, len(sources))
	}
	return sources
}

// counts are what pairs of profiles gave.
type counts struct {
	results map[string]int
	reasons map[string]int // of refusals, where nothing is accepted and where everything is
	rules   []int
	times   []time.Duration
}

func (c *counts) combine(t *testing.T, op algebra.Op, abis []arch.ABI, a, b source) {
	t.Helper()
	const all = algebra.ExceptUnassigned | algebra.ExceptData
	start := time.Now()
	exact, err := algebra.Combine(op, algebra.Options{}, a.Source, b.Source)
	c.times = append(c.times, time.Since(start))
	if err != nil {
		t.Fatalf("%s, %s: %v", a.file, b.file, err)
	}
	if exact.Refusal == nil {
		c.results["exact"]++
		c.check(t, exact, a, b)
		return
	}
	c.reasons[exact.Refusal.Reason.String()]++
	some, err := algebra.Combine(op, algebra.Options{Accept: all}, a.Source, b.Source)
	if err != nil {
		t.Fatalf("%s, %s: %v", a.file, b.file, err)
	}
	if some.Refusal != nil {
		c.results["refused"]++
		c.reasons["all accepted: "+some.Refusal.Reason.String()]++
		t.Logf("%v of %s and %s: %v", op, filepath.Base(a.file), filepath.Base(b.file), some.Refusal)
		return
	}
	c.results["but "+some.Except.String()]++
	c.check(t, some, a, b)
}

// check proves again what was written, and that it is what it is said to be.
func (c *counts) check(t *testing.T, r *algebra.Result, a, b source) {
	t.Helper()
	c.rules = append(c.rules, len(r.Profile.Rules))
	written, _, err := policy.Resolve(r.Profile, policy.Options{ABIs: r.Meaning.ABIs()})
	if err != nil {
		t.Fatalf("%s, %s: %v", a.file, b.file, err)
	}
	changes, err := proof.Diff(proof.Policy(r.Meaning), proof.Policy(written), proof.Limits{})
	if err != nil || (r.Except == 0) != (len(changes) == 0) {
		t.Fatalf("%s, %s: except %v, but %d changes; %v", a.file, b.file, r.Except, len(changes), err)
	}
}

func (c *counts) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pairs", len(c.times))
	for _, what := range slices.Sorted(maps.Keys(c.results)) {
		fmt.Fprintf(&b, ", %d %s (%.1f%%)", c.results[what], what, 100*float64(c.results[what])/float64(len(c.times)))
	}
	slices.Sort(c.times)
	slices.Sort(c.rules)
	fmt.Fprintf(&b, "; time median %v, 95%% %v, most %v", middle(c.times, 50).Round(time.Microsecond), middle(c.times, 95).Round(time.Microsecond), middle(c.times, 100).Round(time.Microsecond))
	fmt.Fprintf(&b, "; rules median %d, 95%% %d, most %d", middle(c.rules, 50), middle(c.rules, 95), middle(c.rules, 100))
	for _, reason := range slices.Sorted(maps.Keys(c.reasons)) {
		fmt.Fprintf(&b, "\n    refused: %d %s", c.reasons[reason], reason)
	}
	return b.String()
}

// middle returns the element of a sorted list that so many percent are not above.
func middle[T any](sorted []T, percent int) (x T) {
	if len(sorted) == 0 {
		return x
	}
	return sorted[(len(sorted)-1)*percent/100]
}
