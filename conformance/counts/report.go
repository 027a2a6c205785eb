package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// ours returns the instructions from names to a proved program.
func (t *table) ours(in string) int64 {
	return t.counts[key{in, "resolve"}].instructions + t.counts[key{in, "compile"}].instructions
}

// theirs returns the instructions of the cheaper of libseccomp's levels, or 0 if it cannot
// express the input.
func (t *table) theirs(in string) int64 {
	list, tree := t.counts[key{in, "list"}].instructions, t.counts[key{in, "tree"}].instructions
	if list == 0 || tree == 0 {
		return max(list, tree)
	}
	return min(list, tree)
}

// report prints what was counted, in thousands, with the change from what is committed.
func report(w io.Writer, chosen []input, got, want *table) {
	fmt.Fprintf(w, "thousands of instructions, with %v; beside what has changed by more than 0.5 %%, by how much\n", &got.tools)
	fmt.Fprintf(w, "list, tree: libseccomp %s from names to a program; ratio: the cheaper one to our resolve and compile, which proves;\nallocations: of resolve and compile\n", got.tools.libseccomp)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, work := range works {
		fmt.Fprintf(t, "\t%s", work)
	}
	fmt.Fprint(t, "\tlist\ttree\tratio\tallocations\t\n")
	for _, in := range chosen {
		fmt.Fprint(t, in.name)
		for _, work := range append(works[:len(works):len(works)], "list", "tree") {
			fmt.Fprintf(t, "\t%s", cell(key{in.name, work}, got, want))
		}
		ratio := "-"
		if theirs := got.theirs(in.name); theirs > 0 {
			ratio = fmt.Sprintf("%.2f", float64(theirs)/float64(got.ours(in.name)))
		}
		fmt.Fprintf(t, "\t%s\t%d\t\n", ratio, got.counts[key{in.name, "resolve"}].allocations+got.counts[key{in.name, "compile"}].allocations)
	}
	t.Flush()
	goals(w, chosen, got)
}

func cell(k key, got, want *table) string {
	g, ok := got.counts[k]
	if !ok {
		return "-"
	}
	s := fmt.Sprintf("%.1f", float64(g.instructions)/1000)
	if want == nil {
		return s
	}
	old := want.counts[k].instructions
	if moved := max(g.instructions-old, old-g.instructions); old > 0 && moved > max(floor/2, old/200) {
		s += " (" + change(g.instructions, old) + ")"
	}
	return s
}

// goals prints how far the counts are from what this project wants them to be: Docker's
// profile in two million instructions, and no filter dearer than libseccomp's.
func goals(w io.Writer, chosen []input, got *table) {
	fmt.Fprintln(w, "\ngoals, in thousands of instructions:")
	goal := func(name, what string, got, goal int64) {
		if !slices.ContainsFunc(chosen, func(in input) bool { return in.name == name }) {
			return
		}
		verdict := "met"
		if got > goal {
			verdict = fmt.Sprintf("missed, %.2f times that", float64(got)/float64(goal))
		}
		fmt.Fprintf(w, "  %s, %s: %.1f, at most %d: %s\n", name, what, float64(got)/1000, goal/1000, verdict)
	}
	for _, docker := range []string{"docker-3", "docker-3-oci"} {
		ours := got.ours(docker)
		goal(docker, "resolve and compile", ours, 1_500_000)
		goal(docker, "read, resolve and compile", ours+got.counts[key{docker, "read"}].instructions, 2_000_000)
	}
	goal("libseccomp-08", "resolve and compile", got.ours("libseccomp-08"), 430_000)
	notAbove(w, "of libseccomp's tests", got, chosen, func(in *input) bool { return strings.HasPrefix(in.name, "libseccomp-") })
	notAbove(w, "of the other inputs", got, chosen, func(in *input) bool { return !strings.HasPrefix(in.name, "libseccomp-") })
}

// notAbove prints how many inputs take us no more than they take libseccomp, and which take
// more, the farthest first.
func notAbove(w io.Writer, what string, got *table, chosen []input, counts func(*input) bool) {
	type miss struct {
		name  string
		times float64
	}
	var misses []miss
	all := 0
	for _, in := range chosen {
		if theirs := got.theirs(in.name); theirs > 0 && counts(&in) {
			all++
			if ours := got.ours(in.name); ours > theirs {
				misses = append(misses, miss{strings.TrimPrefix(in.name, "libseccomp-"), float64(ours) / float64(theirs)})
			}
		}
	}
	if all == 0 {
		return
	}
	slices.SortFunc(misses, func(a, b miss) int { return cmp.Compare(b.times, a.times) })
	fmt.Fprintf(w, "  %s, resolve and compile not above libseccomp: %d of %d", what, all-len(misses), all)
	for i, m := range misses {
		separator := ","
		if i%6 == 0 {
			separator = "\n   "
		}
		fmt.Fprintf(w, "%s %s x %.2f", separator, m.name, m.times)
	}
	fmt.Fprintln(w)
}
