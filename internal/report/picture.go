package report

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// A picture is the decisions on the calls of one number space.
type picture struct {
	Title string
	SVG   markup
	Text  string // the same in words
	None  string // why there is no picture
}

const (
	// maxBoxes is how many boxes are drawn: nobody looks through more, and placing
	// them takes long.
	maxBoxes = 400
	// boxLines is how many lines of calls a box has: the table has them all.
	boxLines = 6
)

// pictures draws what a side decides, a picture for each number space.
func (b *builder) pictures(s *subject) []picture {
	if s.Filter != nil {
		return b.filterPictures(s)
	}
	var list []picture
	for i := range s.Resolved.Spaces {
		space := &s.Resolved.Spaces[i]
		p := picture{Title: listed(space.ABIs)}
		alone := &policy.Resolved{Default: s.Resolved.Default, BadArch: s.Resolved.BadArch, Spaces: s.Resolved.Spaces[i : i+1]}
		o := graph.Options{ABIs: space.ABIs, Title: "Decisions on calls of " + p.Title, Words: symbols.Names(), ID: fmt.Sprintf("g%s%d", s.Letter, i)}
		if result, err := proved.Compile(alone, b.options.Compiler); err != nil {
			p.None = reason(err)
		} else {
			p.draw(result.Diagram, o)
		}
		list = append(list, p)
	}
	return list
}

// draw fills in a picture of a diagram.
func (p *picture) draw(d *compile.Diagram, o graph.Options) {
	g, err := graph.Diagram(d, o)
	if err != nil {
		p.None = reason(err)
		return
	}
	if g.Len() > maxBoxes {
		p.None = fmt.Sprintf("%d boxes are too many for a picture (seccompile graph --syscall draws the tests of one call)", g.Len())
		return
	}
	p.Text = strings.TrimSpace(g.Text())
	o.Lines = boxLines
	if g, err = graph.Diagram(d, o); err == nil {
		p.SVG = markup(g.SVG())
	}
}
