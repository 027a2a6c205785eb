// Measure builds runc with libseccomp and with package oci, as docs/RUNC.md says, and prints
// the table of that page: the size of the programs, the memory that runc init takes at most,
// and how long a container takes to start, with Docker's default profile.
//
// The programs take turns, in random order, so that a busy machine is busy for all of them.
// Numbers are medians, and ratios medians of the ratios within a round. It needs root,
// Debian's libseccomp-dev and busybox-static, and some minutes.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/conformance/internal/runctree"
)

// A build is one of the programs.
type build struct {
	name   string
	ours   bool   // package oci takes libseccomp's place
	target string // of runc's Makefile
	tags   string // RUNC_BUILDTAGS
	path   string // of the program
	size   int64

	memory       []float64 // of runc init, in KiB
	start, plain []cost    // of containers with a profile and without
}

// A cost is what a container took from its start to its end, in seconds: time, and time of
// processors, which a busy machine disturbs less.
type cost struct{ wall, work float64 }

// The builds. The first one is what the others' times are held against.
func builds() []*build {
	const with, without = "-libpathrs", "-libpathrs -seccomp"
	return []*build{
		{name: "libseccomp, dynamic", target: "runc", tags: with},
		{name: "libseccomp, static", target: "static", tags: with},
		{name: "seccompile, dynamic", ours: true, target: "runc", tags: with},
		{name: "seccompile, static", ours: true, target: "static", tags: with},
		{name: "no seccomp, dynamic", ours: true, target: "runc", tags: without},
		{name: "no seccomp, static", ours: true, target: "static", tags: without},
	}
}

func main() {
	rounds := flag.Int("rounds", 40, "how often each program starts a container")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, max(1, *rounds)); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int) error {
	dir, err := os.MkdirTemp("", "runc-measure-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := builds()
	if err := makeAll(ctx, dir, all); err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, all[0].path, "--version").Output()
	if err != nil {
		return err
	}
	b, err := newBundle(dir)
	if err != nil {
		return err
	}
	for range rounds {
		for _, i := range rand.Perm(len(all)) {
			if err := b.measure(ctx, all[i]); err != nil {
				return fmt.Errorf("%s: %w", all[i].name, err)
			}
		}
	}
	fmt.Print(table(all, string(version)))
	return nil
}

// makeAll builds the programs as runc releases them, but for libpathrs.
func makeAll(ctx context.Context, dir string, all []*build) error {
	trees := map[bool]*runctree.Tree{}
	for _, ours := range []bool{false, true} {
		tree, err := runctree.Copy(ctx, filepath.Join(dir, fmt.Sprintf("tree-%v", ours)))
		if err != nil {
			return err
		}
		if ours {
			if _, err := tree.Follow(ctx, runctree.Adopt); err != nil {
				return err
			}
		}
		trees[ours] = tree
	}
	for i, b := range all {
		fmt.Fprintf(os.Stderr, "measure: building %s\n", b.name)
		b.path = filepath.Join(dir, fmt.Sprintf("runc-%d", i))
		commands := fmt.Sprintf("make %s RUNC_BUILDTAGS='%s' EXTRA_LDFLAGS='-w -s -buildid='\nmv runc %s", b.target, b.tags, b.path)
		if _, err := trees[b.ours].Run(ctx, commands); err != nil {
			return err
		}
		info, err := os.Stat(b.path)
		if err != nil {
			return err
		}
		b.size = info.Size()
	}
	return nil
}

// table returns what was measured.
func table(all []*build, version string) string {
	var s strings.Builder
	for line := range strings.Lines(version) {
		if name, _, _ := strings.Cut(line, " "); name == "runc" || name == "go:" || name == "libseccomp:" {
			s.WriteString(line)
		}
	}
	fmt.Fprintf(&s, "\n| build | program, stripped | `runc init` at most | start | without a profile |\n|---|---|---|---|---|\n")
	for _, b := range all {
		profile := "-" // runc refuses one
		if len(b.start) > 0 {
			profile = against(b.start, all[0].start)
		}
		fmt.Fprintf(&s, "| %s | %.2f MB | %.1f MiB | %s | %s |\n", b.name, float64(b.size)/1e6, median(b.memory)/1024, profile, against(b.plain, all[0].start))
	}
	return s.String()
}

// against returns the medians of ratios within a round: of times, and of processors' times.
func against(a, first []cost) string {
	var wall, work []float64
	for i := range a {
		wall, work = append(wall, a[i].wall/first[i].wall), append(work, a[i].work/first[i].work)
	}
	return fmt.Sprintf("%.2f (%.2f)", median(wall), median(work))
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
