package graph

import (
	"fmt"
	"strings"
)

// Text prints the graph: each test with its arrows, each verdict where an arrow
// goes to it.
func (g *Graph) Text() string {
	var b strings.Builder
	for i := range g.nodes {
		n := &g.nodes[i]
		if n.look != test && i > 0 {
			continue
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d: %s", i, strings.ReplaceAll(strings.Join(n.lines, "; "), "|; ", "|"))
		if n.title != "" {
			fmt.Fprintf(&b, "  (%s)", n.title)
		}
		b.WriteByte('\n')
		for _, e := range n.edges {
			label := e.label
			if label != "" {
				label += " "
			}
			to := &g.nodes[e.to]
			if to.look == test {
				fmt.Fprintf(&b, "    %s→ %d: %s\n", label, e.to, to.lines[0])
				continue
			}
			fmt.Fprintf(&b, "    %s→ %s\n", label, to.lines[0])
			for _, line := range to.lines[1:] {
				fmt.Fprintf(&b, "        %s\n", line)
			}
		}
	}
	return b.String()
}

// colours of the looks in formats without style sheets: fill and line.
var colours = [looks][2]string{
	test:  {"#f6f8fa", "#8c959f"},
	allow: {"#dafbe1", "#1a7f37"},
	note:  {"#ddf4ff", "#0969da"},
	ask:   {"#fbefff", "#8250df"},
	fail:  {"#fff8c5", "#9a6700"},
	kill:  {"#ffebe9", "#cf222e"},
}

// DOT writes the graph in the language of Graphviz.
func (g *Graph) DOT() string {
	var b strings.Builder
	b.WriteString("digraph seccompile {\n")
	if g.title != "" {
		fmt.Fprintf(&b, "\ttooltip=%s\n", quoteDOT(g.title))
	}
	b.WriteString("\trankdir=LR\n")
	b.WriteString("\tnode [shape=box style=\"rounded,filled\" fontname=monospace fontsize=10]\n")
	b.WriteString("\tedge [fontname=monospace fontsize=9 color=\"#8c959f\"]\n")
	for i := range g.nodes {
		n := &g.nodes[i]
		c := colours[n.look]
		fmt.Fprintf(&b, "\tn%d [label=%s fillcolor=%q color=%q", i, quoteDOT(strings.Join(n.lines, "\n")+"\n"), c[0], c[1])
		if n.title != "" {
			fmt.Fprintf(&b, " tooltip=%s", quoteDOT(n.title))
		}
		b.WriteString("]\n")
	}
	for i := range g.nodes {
		for _, e := range g.nodes[i].edges {
			fmt.Fprintf(&b, "\tn%d -> n%d", i, e.to)
			if e.label != "" {
				fmt.Fprintf(&b, " [label=%s", quoteDOT(e.label))
				if e.title != "" {
					fmt.Fprintf(&b, " tooltip=%s", quoteDOT(e.title))
				}
				b.WriteString("]")
			}
			b.WriteByte('\n')
		}
	}
	b.WriteString("}\n")
	return b.String()
}

// quoteDOT quotes a string for Graphviz; \l ends a line that begins at the left.
func quoteDOT(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\l`).Replace(s) + `"`
}

// Mermaid writes the graph in the language of Mermaid, which Markdown viewers
// draw. It has no tooltips: where tests come from stands in comments.
func (g *Graph) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for i := range g.nodes {
		n := &g.nodes[i]
		if n.title != "" {
			fmt.Fprintf(&b, "    %%%% n%d: %s\n", i, strings.ReplaceAll(n.title, "\n", " "))
		}
		fmt.Fprintf(&b, "    n%d[\"%s\"]:::%v\n", i, escapeMermaid(strings.Join(n.lines, "\n")), n.look)
	}
	for i := range g.nodes {
		for _, e := range g.nodes[i].edges {
			if e.label == "" {
				fmt.Fprintf(&b, "    n%d --> n%d\n", i, e.to)
				continue
			}
			fmt.Fprintf(&b, "    n%d -->|\"%s\"| n%d\n", i, escapeMermaid(e.label), e.to)
		}
	}
	for l := range looks {
		fmt.Fprintf(&b, "    classDef %v fill:%s,stroke:%s,color:#1f2328,text-align:left\n", l, colours[l][0], colours[l][1])
	}
	return b.String()
}

// escapeMermaid writes what has a meaning in labels as entities, in Mermaid's form.
func escapeMermaid(s string) string {
	return strings.NewReplacer("&", "#amp;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "#", "#35;", "\n", "<br/>").Replace(s)
}
