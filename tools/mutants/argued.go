package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// An entry says of a mutant of which function it is and how its line reads before and
// after, together with the lines before it if the function has that line twice. Lines are
// known by their text, so that entries outlive changes elsewhere.
type entry struct {
	pkg, function string
	before, after string
	argument      string // why no test can kill it, "" if nobody says so
}

// String returns the entry as equivalent.txt has it.
func (e entry) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s %s\n- %s\n+ %s\n%s", e.pkg, e.function, e.before, e.after, e.argument), "\n")
}

// readArgued reads a file of entries, with blank lines between them. Paragraphs that
// begin with # are comments.
func readArgued(file string) ([]entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []entry
	for paragraph := range strings.SplitSeq(string(text), "\n\n") {
		paragraph = strings.Trim(paragraph, "\n")
		if paragraph == "" || paragraph[0] == '#' {
			continue
		}
		lines := strings.SplitN(paragraph, "\n", 4)
		if len(lines) < 4 || !strings.Contains(lines[0], " ") || !strings.HasPrefix(lines[1], "- ") || !strings.HasPrefix(lines[2], "+") {
			return nil, fmt.Errorf("%s: expected PACKAGE FUNCTION, - and the line, + and the changed line, and an argument, got\n%s", file, paragraph)
		}
		pkg, function, _ := strings.Cut(lines[0], " ")
		list = append(list, entry{pkg, function, lines[1][2:], strings.TrimPrefix(lines[2][1:], " "), lines[3]})
	}
	return list, nil
}

// argue gives mutants their arguments, and returns the entries about packages that fit
// none of them.
func argue(entries []entry, all []*mutant, packages []string) (stale []entry) {
	for _, e := range entries {
		fits := !slices.Contains(packages, e.pkg)
		for _, m := range all {
			argument := m.argument
			if m.argument = e.argument; m.entry == e {
				fits = true
			} else {
				m.argument = argument
			}
		}
		if !fits {
			stale = append(stale, e)
		}
	}
	return stale
}
