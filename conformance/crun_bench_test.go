package conformance

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// BenchmarkContainerStart runs the same container again and again without a
// filter, with Docker's profile for crun's libseccomp to compile, and with the
// same profile compiled by us, in turns. It reports the medians: of a run without
// a filter, and of what a filter adds to it.
func BenchmarkContainerStart(b *testing.B) {
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		b.Fatal(err)
	}
	bare, theirs, ours := newContainer(b, nil), newContainer(b, nil), newContainer(b, compile(b, "docker-default"))
	theirs.spec.Linux.Seccomp = spec(b, p)
	contenders := []*crunContainer{bare, theirs, ours}
	took := map[*crunContainer][]time.Duration{}
	random := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		for _, i := range random.Perm(len(contenders)) {
			c := contenders[i]
			cmd := c.command("run", "--bundle", c.dir, c.id)
			time.Sleep(30 * time.Millisecond) // the kernel is still at work on the last one's end
			start := time.Now()
			if err := cmd.Run(); err != nil {
				b.Fatal(err)
			}
			took[c] = append(took[c], time.Since(start))
		}
	}
	median := func(c *crunContainer) float64 {
		slices.Sort(took[c])
		return took[c][len(took[c])/2].Seconds() * 1e3
	}
	b.ReportMetric(0, "ns/op") // a round means nothing
	b.ReportMetric(median(bare), "ms/bare")
	b.ReportMetric(median(theirs)-median(bare), "ms/libseccomp-adds")
	b.ReportMetric(median(ours)-median(bare), "ms/ours-adds")
}
