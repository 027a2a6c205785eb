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
// a filter, and of what a filter adds to it, in wall time and in processor time, which
// says more on a busy machine.
func BenchmarkContainerStart(b *testing.B) {
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		b.Fatal(err)
	}
	bare, theirs, ours := newContainer(b, nil), newContainer(b, nil), newContainer(b, compile(b, "docker-default"))
	theirs.spec.Linux.Seccomp = spec(b, p)
	contenders := []*crunContainer{bare, theirs, ours}
	took, worked := map[*crunContainer][]time.Duration{}, map[*crunContainer][]time.Duration{}
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
			worked[c] = append(worked[c], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
	}
	b.ReportMetric(0, "ns/op") // a round means nothing
	for _, t := range []struct {
		unit string
		of   map[*crunContainer][]time.Duration
	}{{"ms", took}, {"processor-ms", worked}} {
		median := func(c *crunContainer) float64 {
			slices.Sort(t.of[c])
			return t.of[c][len(t.of[c])/2].Seconds() * 1e3
		}
		b.ReportMetric(median(bare), t.unit+"/bare")
		b.ReportMetric(median(theirs)-median(bare), t.unit+"/libseccomp-adds")
		b.ReportMetric(median(ours)-median(bare), t.unit+"/ours-adds")
	}
}
