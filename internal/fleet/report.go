package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A report puts assumptions, sizes and traffic together.
type report struct {
	*fleet
	sizes   []artifactSizes
	traffic traffic
}

func (r *report) print(w io.Writer, flags *flag.FlagSet, measured bool) {
	times := []string{"compile", "store", "hit", "decode", "prove"}
	fmt.Fprint(w, "ASSUMED, each by a flag\n")
	flags.VisitAll(func(f *flag.Flag) {
		if f.Name != "measure" && !(measured && slices.Contains(times, f.Name)) {
			row(w, "-"+f.Name+": "+f.Usage, f.Value.String())
		}
	})
	fmt.Fprintf(w, "\nMEASURED by making %d artifacts for amd64, arm64 and s390x: mean (least to most)\n", len(r.sizes))
	for _, size := range []struct {
		what string
		of   func(artifactSizes) int
	}{
		{"a profile as a runtime gets it, for amd64, bytes", func(g artifactSizes) int { return g.profile }},
		{"a filter for amd64, x86 and x32, bytes", func(g artifactSizes) int { return g.raw }},
		{"an artifact for the three kernels, proved, bytes", func(g artifactSizes) int { return g.artifact }},
		{"its manifest, bytes", func(g artifactSizes) int { return g.manifest }},
		{"an artifact for amd64, manifest and index, bytes", func(g artifactSizes) int { return g.single }},
	} {
		least, mean, most := r.spread(size.of)
		row(w, size.what, fmt.Sprintf("%d (%d to %d)", mean, least, most))
	}
	if measured {
		flags.VisitAll(func(f *flag.Flag) {
			if slices.Contains(times, f.Name) {
				row(w, f.Usage+", median", f.Value.String())
			}
		})
	}
	r.printCPU(w)
	r.printTraffic(w)
	r.printUpdate(w)
	r.printKernels(w)
}

// row prints a line of a table: a text and right-aligned columns.
func row(w io.Writer, text string, columns ...string) {
	fmt.Fprintf(w, "  %-58s", text)
	for _, c := range columns {
		fmt.Fprintf(w, " %15s", c)
	}
	fmt.Fprintln(w)
}

func (r *report) spread(of func(artifactSizes) int) (least, mean, most int) {
	least, sum := of(r.sizes[0]), 0
	for _, g := range r.sizes {
		n := of(g)
		least, most, sum = min(least, n), max(most, n), sum+n
	}
	return least, (sum + len(r.sizes)/2) / len(r.sizes), most
}

// later returns the mean of the days after the first.
func (r *report) later() day {
	var sum day
	rest := r.traffic.days[1:]
	for _, d := range rest {
		sum.first, sum.misses, sum.evicted = sum.first+d.first, sum.misses+d.misses, sum.evicted+d.evicted
	}
	return day{sum.first / len(rest), sum.misses / len(rest), sum.evicted / len(rest)}
}

// printCPU prints what filters cost on the nodes, in a fleet that has settled.
func (r *report) printCPU(w io.Writer) {
	churn := []int{max(r.services, r.starts/10), r.starts, r.starts * 10}
	misses := r.later().misses
	fmt.Fprint(w, "\nCPU HOURS of the fleet's nodes in a day, by container starts and execs of a node in a day\n")
	line := func(text string, cost func(starts int) time.Duration) {
		var columns []string
		for _, c := range churn {
			columns = append(columns, hours(cost(c*r.nodes)))
		}
		row(w, text, columns...)
	}
	var heads []string
	for _, c := range churn {
		heads = append(heads, count(c))
	}
	row(w, "", heads...)
	libseccomp := func(n int) time.Duration { return scale(n, r.libseccomp) }
	cached := func(n int) time.Duration { return scale(n-misses, r.hit) + scale(misses, r.compile+r.store) }
	line("libseccomp, at each start", libseccomp)
	line("this compiler, at each start", func(n int) time.Duration { return scale(n, r.compile) })
	line("this compiler with a cache on the node", cached)
	line("artifacts: verified at each start", func(n int) time.Duration { return scale(n, r.decode) })
	line("saved by the compiler", func(n int) time.Duration { return scale(n, r.libseccomp-r.compile) })
	line("saved by the cache beyond that", func(n int) time.Duration { return scale(n, r.compile) - cached(n) })
}

// printTraffic prints what caches and nodes do when the fleet is new and when it has
// settled.
func (r *report) printTraffic(w io.Writer) {
	days := [2]day{r.traffic.days[0], r.later()}
	starts := r.nodes * r.starts
	fmt.Fprint(w, "\nTRAFFIC of the whole fleet\n")
	line := func(text string, of func(day) string) { row(w, text, of(days[0]), of(days[1])) }
	row(w, "", "first day", "each day after")
	line("starts", func(day) string { return count(starts) })
	line("starts that compile, with a cache", func(d day) string { return count(d.misses) })
	line("cache hits, percent of the starts", func(d day) string { return percent(starts-d.misses, starts) })
	line("filters evicted", func(d day) string { return count(d.evicted) })
	line("artifacts fetched", func(d day) string { return count(d.first) })
	line("bytes moved", func(d day) string { return volume(r.fetched(d.first)) })
	line("minutes of the registry", func(d day) string { return minutes(r.shipping(d.first)) })
	line("bytes, were there an index and a file for each kernel", func(d day) string { return volume(r.apart(d.first)) })
	line("minutes, likewise", func(d day) string { return minutes(r.registry(d.first, requestsMore, r.apart(d.first))) })
	row(w, "filters in a node's cache at the end, mean", "", count(r.traffic.kept/r.nodes))
}

// fetched returns the bytes of so many artifacts with all that belongs to them.
func (r *report) fetched(n int) int64 {
	_, mean, _ := r.spread(func(g artifactSizes) int { return g.artifact + g.manifest })
	return int64(n) * int64(mean+r.signature)
}

// apart returns the same if each kernel had a file of its own.
func (r *report) apart(n int) int64 {
	_, mean, _ := r.spread(func(g artifactSizes) int { return g.single })
	return int64(n) * int64(mean+r.signature)
}

// The requests for an artifact: its manifest, the file, the signature's manifest and
// the signature. With an index there is one more.
const (
	requests     = 4
	requestsMore = requests + 1
)

// registry returns how long the registry is busy with so many artifacts: as long as the
// bytes take or the requests.
func (r *report) registry(artifacts, each int, volume int64) time.Duration {
	return max(r.sending(volume), scale(artifacts*each, time.Second)/time.Duration(r.requests))
}

// shipping returns how long the registry is busy with so many artifacts as they are.
func (r *report) shipping(artifacts int) time.Duration {
	return r.registry(artifacts, requests, r.fetched(artifacts))
}

// sending returns how long so many bytes take.
func (r *report) sending(volume int64) time.Duration {
	return time.Duration(volume) * 8 * time.Nanosecond / time.Duration(r.gigabits)
}

// printUpdate prints what new tables or a new compiler cost.
func (r *report) printUpdate(w io.Writer) {
	// Those that change are spread over popular and rare profiles alike.
	some := 0
	changed := r.profiles * r.changed / 100
	for i := range changed {
		some += r.traffic.users[i*r.profiles/changed]
	}
	all := r.nodes * r.services
	columns := func(of func(artifacts, fetches int) string) []string {
		return []string{of(changed, some), of(r.profiles, all)}
	}
	fmt.Fprint(w, "\nA NEW RELEASE of tables or compiler, with artifacts\n")
	row(w, "it changes the filters of", strconv.Itoa(r.changed)+" percent", "all profiles")
	made := r.profiles * len(kernels())
	row(w, "filters compiled and proved by the build", count(made), count(made))
	work := seconds(scale(made, r.compile+r.prove))
	row(w, "CPU seconds of that", work, work)
	row(w, "artifacts published", columns(func(n, _ int) string { return count(n) })...)
	row(w, "artifacts fetched by the nodes that use them", columns(func(_, n int) string { return count(n) })...)
	row(w, "bytes moved", columns(func(_, n int) string { return volume(r.fetched(n)) })...)
	row(w, "minutes of the registry", columns(func(_, n int) string { return minutes(r.shipping(n)) })...)

	fmt.Fprint(w, "\nTHE SAME RELEASE inside of a runtime that compiles on the nodes\n")
	packages := int64(r.nodes) * int64(r.runtime)
	row(w, "bytes moved", "", volume(packages))
	row(w, "minutes of the registry", "", minutes(r.sending(packages)))
	row(w, "filters compiled again, with a cache", "", count(all))
	row(w, "CPU hours of that", "", hours(scale(all, r.compile+r.store)))
}

// printKernels prints what it costs to boot a third of the nodes into another kernel.
func (r *report) printKernels(w io.Writer) {
	nodes := r.nodes / 3
	fetches := nodes * r.services
	fmt.Fprint(w, "\nANOTHER KERNEL on a third of the nodes, by how unknown calls get ENOSYS\n")
	row(w, "", "--enosys profile", "kernel:X.Y")
	row(w, "filters compiled and proved by the build", "0", count(r.profiles*len(kernels())))
	row(w, "artifacts fetched", "0", count(fetches))
	row(w, "bytes moved", "0", volume(r.fetched(fetches)))
	row(w, "minutes of the registry", "0", minutes(r.shipping(fetches)))
}

func scale(n int, d time.Duration) time.Duration { return time.Duration(n) * d }

func hours(d time.Duration) string   { return fmt.Sprintf("%.1f", d.Hours()) }
func minutes(d time.Duration) string { return fmt.Sprintf("%.1f", d.Minutes()) }
func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

func percent(part, whole int) string {
	return fmt.Sprintf("%.2f", 100*float64(part)/float64(whole))
}

// count returns a number with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// volume returns a number of bytes with a decimal unit.
func volume(n int64) string {
	units := strings.Fields("B kB MB GB TB")
	size := float64(n)
	for size >= 1000 && len(units) > 1 {
		size /= 1000
		units = units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, units[0])
}
