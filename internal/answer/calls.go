package answer

import (
	"fmt"
	"slices"
	"strings"
)

// A CallList is calls, and numbers without a name, to be printed together.
type CallList struct{ Named, Unnamed []Part }

// Add adds calls, and joins neighbours without a name.
func (l *CallList) Add(parts ...Part) {
	for _, x := range parts {
		switch n := len(l.Unnamed); {
		case x.Name != "":
			l.Named = append(l.Named, x)
		case n > 0 && x.First > 0 && l.Unnamed[n-1].Last == x.First-1:
			l.Unnamed[n-1].Last = x.Last
		default:
			l.Unnamed = append(l.Unnamed, x)
		}
	}
}

// Words returns the calls by name and the numbers, with commas between them.
func (l *CallList) Words(numbers bool) []string {
	var out []string
	named := slices.Clone(l.Named)
	slices.SortFunc(named, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	for _, x := range named {
		if numbers {
			x.Name += " (" + x.String() + ")"
		}
		out = append(out, x.Name)
	}
	for i, x := range l.Unnamed {
		word := x.String()
		switch {
		case i > 0:
		case len(l.Unnamed) == 1 && x.First == x.Last:
			word = "number " + word
		default:
			word = "numbers " + word
		}
		out = append(out, word)
	}
	for i := range len(out) - 1 {
		out[i] += ","
	}
	return out
}

// Count says how many calls there are.
func (l *CallList) Count() string {
	s := Plural(len(l.Named), "call")
	switch {
	case len(l.Unnamed) == 0:
		return s
	case len(l.Named) == 0:
		return "numbers without a call"
	}
	return s + ", and numbers without one"
}

// Plural writes a count and what it counts.
func Plural(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
