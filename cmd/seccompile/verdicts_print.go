package main

import (
	"bufio"
	"strings"
)

// lineWidth is where lists wrap. It is the same everywhere, so that outputs are.
const lineWidth = 80

// fill writes words with spaces between them, wrapped, behind an indent. Words of
// several flags may be wrapped behind each.
func fill(w *bufio.Writer, indent int, words []cell) {
	column := 0
	for _, c := range words {
		space := 1
		for part := range strings.SplitAfterSeq(c.text, "|") {
			switch {
			case column == 0:
				w.WriteString(strings.Repeat(" ", indent))
				column = indent
			case column+space+len(part) > lineWidth:
				w.WriteString("\n" + strings.Repeat(" ", indent))
				column = indent
			default:
				w.WriteString(" "[:space])
				column += space
			}
			space = 0
			column += len(part)
			if c.paint != nil {
				part = c.paint(part)
			}
			w.WriteString(part)
		}
	}
	if column > 0 {
		w.WriteByte('\n')
	}
}
