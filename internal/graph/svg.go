package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// style colours the looks for light and dark surroundings. Colours never say
// anything that the words do not.
const style = `
svg { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.back { fill: #ffffff; }
text { fill: #1f2328; white-space: pre; }
.head { font-weight: bold; }
.label { fill: #57606a; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
.arrow { fill: none; stroke: #8c959f; stroke-width: 1.2; }
#tip path { fill: #8c959f; }
rect { stroke-width: 1.2; }
.test { fill: #f6f8fa; stroke: #8c959f; }
.allow { fill: #dafbe1; stroke: #1a7f37; }
.log { fill: #ddf4ff; stroke: #0969da; }
.ask { fill: #fbefff; stroke: #8250df; }
.errno { fill: #fff8c5; stroke: #9a6700; }
.kill { fill: #ffebe9; stroke: #cf222e; }
@media (prefers-color-scheme: dark) {
  .back { fill: #0d1117; }
  text { fill: #e6edf3; }
  .label { fill: #9198a1; stroke: #0d1117; }
  .arrow { stroke: #6e7681; }
  #tip path { fill: #6e7681; }
  .test { fill: #161b22; stroke: #6e7681; }
  .allow { fill: #12331c; stroke: #3fb950; }
  .log { fill: #0c2d4d; stroke: #58a6ff; }
  .ask { fill: #2d1b4e; stroke: #bc8cff; }
  .errno { fill: #3b2e0a; stroke: #d29922; }
  .kill { fill: #4c1417; stroke: #f85149; }
}
`

// SVG draws the graph as an image that needs nothing else. Tooltips tell where a
// test comes from and what a label had no room for.
func (g *Graph) SVG() string {
	l := newLayout(g)
	last := len(l.columns) - 1
	width := l.x[last] + l.width[last] + margin
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">`+"\n",
		(width+pixel-1)/pixel, (l.height+pixel-1)/pixel)
	if g.title != "" {
		fmt.Fprintf(&b, "<title>%s</title>\n", escapeXML(g.title))
	}
	if g.id == "" {
		fmt.Fprintf(&b, "<style>%s</style>\n", style)
	}
	fmt.Fprintf(&b, `<defs><marker id="%s" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">`+
		`<path d="M0 0.5 8 4 0 7.5z"/></marker></defs>`+"\n", g.tip())
	if g.id == "" {
		b.WriteString(`<rect class="back" width="100%" height="100%"/>` + "\n")
	}
	for i := range g.nodes {
		l.arrows(&b, i)
	}
	for i := range g.nodes {
		l.box(&b, i)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// tip is the id of the head of arrows.
func (g *Graph) tip() string { return escapeXML(g.id) + "tip" }

// box draws a box and its text.
func (l *layout) box(b *strings.Builder, i int) {
	n, p := &l.g.nodes[i], &l.places[i]
	x, y := l.x[p.column], p.y-p.height/2
	if l.g.marks {
		fmt.Fprintf(b, `<g data-node="%d">`, i)
	} else {
		b.WriteString("<g>")
	}
	if n.title != "" {
		fmt.Fprintf(b, "<title>%s</title>", escapeXML(n.title))
	}
	fmt.Fprintf(b, `<rect class="%v" x="%v" y="%v" width="%v" height="%v" rx="5"/>`, n.look, px(x), px(y), px(l.boxWidth(i)), px(p.height))
	at := p.y - len(n.lines)*lineHeight/2 + lineHeight - 4*pixel
	for k, line := range n.lines {
		class := ""
		if k == 0 {
			class = ` class="head"`
		}
		fmt.Fprintf(b, `<text%s x="%v" y="%v">%s</text>`, class, px(x+padding), px(at+k*lineHeight), escapeXML(line))
	}
	b.WriteString("</g>\n")
}

// boxWidth is the width of one box.
func (l *layout) boxWidth(i int) int {
	width := 0
	for _, line := range l.g.nodes[i].lines {
		width = max(width, textWidth(line))
	}
	return width + 2*padding
}

// arrows draws the arrows that leave a box, from top to bottom by where they go.
func (l *layout) arrows(b *strings.Builder, i int) {
	edges, p := l.g.nodes[i].edges, &l.places[i]
	order := make([]int, len(edges))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(j, k int) int {
		return cmp.Compare(l.places[p.to[j]].y, l.places[p.to[k]].y)
	})
	for at, k := range order {
		l.arrow(b, i, k, p.y+at*portGap-(len(edges)-1)*portGap/2)
	}
}

// arrow draws one arrow: straight under its label, then a curve from column to
// column.
func (l *layout) arrow(b *strings.Builder, i, k, y int) {
	e := &l.g.nodes[i].edges[k]
	x := l.x[l.places[i].column] + l.boxWidth(i)
	labelAt := y - 3*pixel
	if l.g.marks {
		fmt.Fprintf(b, `<g data-from="%d" data-to="%d">`, i, e.to)
	} else {
		b.WriteString("<g>")
	}
	if e.title != "" {
		fmt.Fprintf(b, "<title>%s</title>", escapeXML(e.title))
	}
	fmt.Fprintf(b, `<path class="arrow" marker-end="url(#%s)" d="M%v %v`, l.g.tip(), px(x), px(y))
	at := l.places[i].to[k]
	for from := x + textWidth(e.label) + padding; ; at = l.places[at].to[0] {
		p := &l.places[at]
		to := l.x[p.column]
		bend := max(from, to-columnGap)
		middle := px((bend + to) / 2)
		fmt.Fprintf(b, "H%vC%v %v %v %v %v %v", px(bend), middle, px(y), middle, px(p.y), px(to), px(p.y))
		y = p.y
		from = to + l.width[p.column]
		if p.node >= 0 {
			break
		}
	}
	b.WriteString(`"/>`)
	if e.label != "" {
		fmt.Fprintf(b, `<text class="label" x="%v" y="%v">%s</text>`, px(x+padding/2), px(labelAt), escapeXML(e.label))
	}
	b.WriteString("</g>\n")
}

func escapeXML(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' || strings.ContainsRune(`&<>"`, r) }) < 0 {
		return s // as most
	}
	s = strings.Map(func(r rune) rune { // XML has no control characters; a file name may have
		if r < ' ' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}

// A px is a length that prints in pixels, rounded down to tenths.
type px int

// String prints the length.
func (p px) String() string {
	if tenth := p % pixel / 10; tenth != 0 {
		return fmt.Sprintf("%d.%d", p/pixel, tenth)
	}
	return fmt.Sprint(int(p / pixel))
}
