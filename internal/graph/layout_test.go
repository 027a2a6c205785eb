package graph

import (
	"math/rand/v2"
	"testing"
)

// random makes a graph of n boxes in which each leads to later ones.
func random(rnd *rand.Rand, n int) *Graph {
	g := &Graph{nodes: make([]node, n)}
	for i := range n {
		g.nodes[i].lines = make([]string, 1+rnd.IntN(4))
		if i > 0 {
			from := &g.nodes[rnd.IntN(i)]
			from.edges = append(from.edges, edge{to: i})
		}
	}
	for range n / 4 {
		from := rnd.IntN(n - 1)
		g.nodes[from].edges = append(g.nodes[from].edges, edge{to: from + 1 + rnd.IntN(n-from-1)})
	}
	return g
}

func TestBoxesDoNotOverlapAndArrowsGoRight(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		g := random(rnd, 2+rnd.IntN(60))
		l := newLayout(g)
		for _, column := range l.columns {
			bottom := -1
			for _, i := range column {
				p := &l.places[i]
				if top := p.y - p.height/2; top <= bottom {
					t.Fatalf("a box begins at %d, the one above ends at %d", top, bottom)
				}
				bottom = p.y + (p.height-1)/2
			}
			if bottom > l.height {
				t.Fatalf("a box ends at %d, the image at %d", bottom, l.height)
			}
		}
		for i := range g.nodes {
			if len(l.places[i].to) != len(g.nodes[i].edges) {
				t.Fatalf("box %d has %d arrows, want %d", i, len(l.places[i].to), len(g.nodes[i].edges))
			}
			for k, e := range g.nodes[i].edges {
				at := l.places[i].to[k]
				for column := l.places[i].column + 1; ; at, column = l.places[at].to[0], column+1 {
					if l.places[at].column != column {
						t.Fatalf("an arrow is in column %d, want %d", l.places[at].column, column)
					}
					if l.places[at].node >= 0 {
						break
					}
				}
				if at != e.to {
					t.Fatalf("an arrow ends at %d, want %d", at, e.to)
				}
			}
		}
	}
}

// The order of a tree needs no crossing.
func TestTreesAreDrawnWithoutCrossings(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		g := &Graph{nodes: make([]node, 2+rnd.IntN(60))}
		for i := 1; i < len(g.nodes); i++ {
			from := &g.nodes[rnd.IntN(i)]
			from.edges = append(from.edges, edge{to: i})
		}
		if n := newLayout(g).crossings(); n != 0 {
			t.Fatalf("%d crossings", n)
		}
	}
}

func TestCrossings(t *testing.T) {
	// Two arrows from above go below the target of one from below, and one does not.
	g := &Graph{nodes: []node{
		{edges: []edge{{to: 1}, {to: 2}}}, {edges: []edge{{to: 4}, {to: 5}, {to: 3}}}, {edges: []edge{{to: 3}}}, {}, {}, {},
	}}
	l := &layout{g: g}
	l.rank()
	l.route()
	if got := l.crossings(); got != 0 { // 4, 5, 3 is the order of the walk
		t.Errorf("%d crossings, want 0", got)
	}
	l.columns[2] = []int{3, 4, 5}
	l.number(l.columns[2])
	if got := l.crossings(); got != 2 {
		t.Errorf("%d crossings, want 2", got)
	}
}

func TestEscapes(t *testing.T) {
	const s = `a "b" <c> & #1 \l`
	if got, want := escapeXML(s), `a &quot;b&quot; &lt;c&gt; &amp; #1 \l`; got != want {
		t.Errorf("XML: %s, want %s", got, want)
	}
	if got, want := quoteDOT(s), `"a \"b\" <c> & #1 \\l"`; got != want {
		t.Errorf("DOT: %s, want %s", got, want)
	}
	if got, want := escapeMermaid(s), `a #quot;b#quot; #lt;c#gt; #amp; #35;1 \l`; got != want {
		t.Errorf("Mermaid: %s, want %s", got, want)
	}
}

func TestShort(t *testing.T) {
	words := []string{"one", "two", "three", "four"}
	tests := []struct {
		width int
		want  string
	}{
		{30, "one, two, three, four"},
		{20, "one, two, … (+2)"},
		{5, "one, … (+3)"},
	}
	for _, tt := range tests {
		if got := short(words, tt.width); got != tt.want {
			t.Errorf("%d: %s, want %s", tt.width, got, tt.want)
		}
	}
}
