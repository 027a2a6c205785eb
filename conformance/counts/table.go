package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// A key names a piece of work on an input.
type key struct{ input, work string }

// works are ours, in the order of the report; libseccomp's are "list" and "tree".
var works = []string{"first", "read", "resolve", "compile", "proof", "install"}

// A count is what a piece of work takes.
type count struct{ instructions, allocations int64 }

// A table has the counts of one set of tools.
type table struct {
	tools  versions
	counts map[key]count
}

// Numbers are allowed to change by a part, and small ones by so many instructions: what a
// span of memory takes, or a turn of Go's scheduler, comes now in one piece of work and
// now in another.
const (
	tolerance = 0.03
	floor     = 1000
)

// within reports whether a number is as good as a committed one.
func within(got, want int64) bool {
	return float64(max(got-want, want-got)) <= max(floor, tolerance*float64(want))
}

// judge returns an error for each of our numbers that is not within what may change, that
// is not committed, or that is and was not counted.
func judge(chosen []input, got, want *table) error {
	var errs []error
	for _, in := range chosen {
		for _, work := range works {
			k := key{in.name, work}
			g, counted := got.counts[k]
			w, known := want.counts[k]
			switch {
			case counted && !known:
				errs = append(errs, fmt.Errorf("%s: %s: %d instructions, which are not committed", in.name, work, g.instructions))
			case known && !counted:
				errs = append(errs, fmt.Errorf("%s: %s: committed, and not counted", in.name, work))
			case !within(g.instructions, w.instructions):
				errs = append(errs, fmt.Errorf("%s: %s: %d instructions, %s; committed are %d",
					in.name, work, g.instructions, change(g.instructions, w.instructions), w.instructions))
			}
		}
	}
	if len(errs) > 0 {
		errs = append(errs, errors.New("more than 3 % from what is committed: if that is meant, rewrite it (make counts UPDATE=1)"))
	}
	return errors.Join(errs...)
}

// change says how far a number is from another one.
func change(got, want int64) string {
	return fmt.Sprintf("%+.1f %%", 100*(float64(got)/float64(want)-1))
}

const header = `# Instructions and allocations of one time, from callgrind: see package counts.
# The works list and tree are libseccomp's, from names to a program; the others are ours.
# Another toolchain has other numbers, which these do not judge.
`

// write writes the table, inputs in this order.
func (t *table) write(file string, order []input) error {
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, "# GOAMD64=v1\ntoolchain: %s\nvalgrind: %s\nmemory: %s\nlibseccomp: %s\n\n", t.tools.toolchain, t.tools.valgrind, t.tools.memory, t.tools.libseccomp)
	for _, in := range order {
		for _, work := range append(works[:len(works):len(works)], "list", "tree") {
			if c, ok := t.counts[key{in.name, work}]; ok {
				fmt.Fprintf(&b, "%s %s %d %d\n", in.name, work, c.instructions, c.allocations)
			}
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o666)
}

// readTable reads what write has written.
func readTable(file string) (*table, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := &table{counts: map[key]count{}}
	versions := map[string]*string{
		"toolchain": &t.tools.toolchain, "valgrind": &t.tools.valgrind, "memory": &t.tools.memory, "libseccomp": &t.tools.libseccomp,
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if name, version, ok := strings.Cut(line, ": "); ok && versions[name] != nil {
			*versions[name] = version
			continue
		}
		var k key
		var c count
		if n, err := fmt.Sscanf(line, "%s %s %d %d", &k.input, &k.work, &c.instructions, &c.allocations); n != 4 {
			return nil, fmt.Errorf("%s:%d: expected an input, a piece of work, instructions and allocations: %w", file, i+1, err)
		}
		t.counts[k] = c
	}
	return t, nil
}
