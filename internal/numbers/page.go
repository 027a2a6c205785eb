package main

import (
	"fmt"
	"io/fs"
	"strings"
)

// A row is a number, what it is of, and the command that makes it.
type row struct{ what, number, command string }

// A section is a table of the page, or of cells that are not numbers alone.
type section struct {
	title, text string
	heads       []string
	rows        [][]string
}

// numbers are the heads of most tables.
func numbers() []string { return []string{"", "", "made by"} }

// add adds rows to a table of numbers.
func (s *section) add(rows ...row) {
	for _, r := range rows {
		s.rows = append(s.rows, []string{r.what, r.number, "`" + r.command + "`"})
	}
}

const intro = `# Numbers

What this project says of itself in numbers, each with the command that makes it. ` + "`make numbers`" + `
writes this page. All numbers but those of the last section are the same on every machine, and
come from files that tests compare with what the code does now.
`

// page returns the page of a repository.
func page(root fs.FS, m *measurement) (string, error) {
	var b strings.Builder
	b.WriteString(intro)
	for _, make := range []func(fs.FS) (*section, error){filters, peers, counts, proofs, kernels, names, abis} {
		s, err := make(root)
		if err != nil {
			return "", err
		}
		s.write(&b)
	}
	m.section().write(&b)
	return b.String(), nil
}

func (s *section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n", s.title)
	if s.text != "" {
		b.WriteString(s.text + "\n\n")
	}
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(s.heads)
	b.WriteString(strings.Repeat("|---", len(s.heads)) + "|\n")
	for _, r := range s.rows {
		line(r)
	}
}

// thousands writes a number with commas, as 1,269.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
