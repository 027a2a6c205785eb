package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Building a program takes longer than running most of its tests. So all mutants are
// parts of one program at first: each function has the bodies of all its mutants beside
// its own, and an environment variable says which mutant is meant.

const (
	chosen   = "MUTANT" // the environment variable
	selector = `package %s

import (
	"os"
	"strconv"
)

var chosenMutant, _ = strconv.Atoi(os.Getenv("` + chosen + `"))
`
)

// combine builds the program of some mutants. It numbers those that are parts of it, from
// 1 on, and gives those that do not compile their fate.
func (s *subject) combine(ctx context.Context, list []*mutant) error {
	originals := make(map[string]string)
	for _, m := range list {
		if originals[m.file] != "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.root, m.file))
		if err != nil {
			return err
		}
		originals[m.file] = string(text)
	}
	number := 0
	for _, m := range list {
		if m.body.from < m.body.to {
			number++
			m.number = number
		}
	}
	for {
		texts := map[string]string{s.pkg + "/chosen_mutant.go": fmt.Sprintf(selector, filepath.Base(s.pkg))}
		for file, text := range originals {
			texts[file] = combined(text, slices.DeleteFunc(slices.Clone(list), func(m *mutant) bool {
				return m.file != file || m.number == 0 || m.fate == notCompiled
			}))
		}
		msg, err := s.build(ctx, s.combined, texts)
		if err == nil {
			return s.measure(ctx)
		}
		faults := regexp.MustCompile(`mutant(\d+)\.go:`).FindAllSubmatch(msg, -1)
		if len(faults) == 0 || ctx.Err() != nil {
			return fmt.Errorf("%s: %w\n%s", s.pkg, err, msg)
		}
		for _, fault := range faults {
			number, _ := strconv.Atoi(string(fault[1]))
			list[slices.IndexFunc(list, func(m *mutant) bool { return m.number == number })].fate = notCompiled
		}
	}
}

// combined returns a file with all mutants in it. The compiler calls the file of mutant
// number 7 mutant7.go.
func combined(text string, list []*mutant) string {
	slices.SortStableFunc(list, func(a, b *mutant) int { return b.body.from - a.body.from })
	for len(list) > 0 { // functions from the last one on
		body := list[0].body
		original := text[body.from:body.to]
		var b strings.Builder
		b.WriteString("\nswitch chosenMutant {")
		for len(list) > 0 && list[0].body == body {
			m := list[0]
			list = list[1:]
			changed := original[:m.from-body.from] + m.text + original[m.to-body.from:]
			fmt.Fprintf(&b, "\ncase %d:\n//line mutant%d.go:1\n", m.number, m.number)
			if body.results != "" { // a function of its own, so that a lacking return is its own, too
				b.WriteString("return ")
			}
			fmt.Fprintf(&b, "func() %s {%s}()", body.results, changed)
		}
		b.WriteString("\n//line original.go:1\ndefault:" + original + "\n}\n")
		text = text[:body.from] + b.String() + text[body.to:]
	}
	return text
}
