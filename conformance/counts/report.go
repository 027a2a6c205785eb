package main

import (
	"fmt"
	"io"
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
	fmt.Fprintf(w, "thousands of instructions, with %s and %s; beside what has changed by more than 0.5 %%, by how much\n", got.tools.go_, got.tools.valgrind)
	fmt.Fprintf(w, "list, tree: libseccomp %s from names to a program; ratio: the cheaper one to our resolve and compile, which proves\n", got.tools.libseccomp)
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
		fmt.Fprintf(t, "\t%s\t%d\t\n", ratio, got.counts[key{in.name, "first"}].allocations)
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
	if old := want.counts[k].instructions; old > 0 && max(g.instructions-old, old-g.instructions)*200 > old {
		s += " (" + change(g.instructions, old) + ")"
	}
	return s
}

// goals prints how far the counts are from what this project wants them to be.
func goals(w io.Writer, chosen []input, got *table) {
	fmt.Fprintln(w, "\ngoals:")
	counted := map[string]bool{}
	for _, in := range chosen {
		counted[in.name] = true
	}
	met := func(what string, got, goal int64) {
		verdict := "met"
		if got > goal {
			verdict = fmt.Sprintf("missed by %.2f times", float64(got)/float64(goal))
		}
		fmt.Fprintf(w, "  %s: %.3f M, goal %.3f M: %s\n", what, float64(got)/1e6, float64(goal)/1e6, verdict)
	}
	if counted["docker-3"] {
		ours := got.ours("docker-3")
		met("docker with three ABIs, resolve and compile with its proof", ours, 1_500_000)
		met("the same with reading", ours+got.counts[key{"docker-3", "read"}].instructions, 2_000_000)
	}
	if counted["libseccomp-08"] {
		met("libseccomp's test 08, resolve and compile", got.ours("libseccomp-08"), 430_000)
	}
	below, all := 0, 0
	for _, in := range chosen {
		theirs := got.theirs(in.name)
		if theirs == 0 {
			continue
		}
		all++
		if ours := got.ours(in.name); ours > theirs {
			met(in.name+", not above libseccomp", ours, theirs)
		} else {
			below++
		}
	}
	fmt.Fprintf(w, "  not above libseccomp: %d of %d\n", below, all)
}
