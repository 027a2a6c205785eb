package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/intake"
)

// diffText prints what the ABIs have in common first, and of the same ABIs the weaker first.
func diffText(p painter, v *answer.Difference, weakerOnly bool) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	switch {
	case len(v.Headings) == 0 && weakerOnly:
		fmt.Fprintf(w, "no call is weaker in %s than in %s\n", v.B.Name, v.A.Name)
	case len(v.Headings) == 0:
		fmt.Fprintf(w, "same: %s and %s treat every call alike\n", v.A.Name, v.B.Name)
	default:
		fmt.Fprintf(w, "A: %s\nB: %s\n", v.A.Name, v.B.Name)
	}
	for _, h := range v.Headings {
		fmt.Fprintln(w, p.text(bold, h.Title))
		for _, g := range h.Groups() {
			printGroup(w, p, g)
		}
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// printGroup prints the calls that always change together, and then the others, each
// with an example.
func printGroup(w *bufio.Writer, p painter, g *answer.Group) {
	v := g.Verdicts()
	fmt.Fprintf(w, "  %s: %s in A, %s in B\n", g.Direction(), p.action(g.From, v[0]), p.action(g.To, v[1]))
	if len(g.Always) > 0 {
		fill(w, 4, plain(answer.Subject(g.Always)...))
		c := g.Always[0].Changes[0]
		fmt.Fprintf(w, "      for example %s\n", intake.Describe(&c.Witness.Call, 0, c.Numeric))
	}
	for _, l := range g.Partly {
		c := l.Changes[0]
		fill(w, 4, plain(append(answer.Subject([]*answer.Line{l}), strings.Fields(c.WhenText())...)...))
		fmt.Fprintf(w, "      for example %s\n", intake.Describe(&c.Witness.Call, c.Shown(), c.Numeric))
	}
}
