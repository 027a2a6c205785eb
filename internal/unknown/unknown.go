// Package unknown words the errors about names that do not exist, with a guess at the
// name that was meant.
package unknown

import (
	"slices"
	"strconv"
	"strings"
)

// A Word is a name that does not exist.
type Word struct {
	What  string // what it should be a name of, as in "unknown action"
	Name  string
	Near  string   // the name that was probably meant, if any
	Known []string // the names that there are
}

// New returns a word with the nearest name found among the known ones.
func New(what, name string, known []string) *Word {
	return &Word{what, name, Nearest(name, known), known}
}

// Lists remembers which lists of names a report has given: each is long, and given once.
// The zero value has given none.
type Lists struct{ given []string }

// Text returns the error text for the next word of a report: which name is near, or else
// which ones there are.
func (l *Lists) Text(w *Word) string {
	s := Quote(w.Name) + ": unknown " + w.What + DidYouMean(w.Near)
	if w.Near == "" && len(w.Known) > 0 && !slices.Contains(l.given, w.What) {
		l.given = append(l.given, w.What)
		s += " (known: " + strings.Join(w.Known, ", ") + ")"
	}
	return s
}

// DidYouMean returns a hint for the end of a message, "" if no name is near.
func DidYouMean(near string) string {
	if near == "" {
		return ""
	}
	return " (did you mean " + near + "?)"
}

// Quote quotes text from a profile for a message, cut to a readable length.
func Quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// Nearest returns the known name that is most like name, or "" if none is near: at
// most one edit in three letters, and three in all. It ignores letter case and the
// prefixes that names around seccomp have. Of equally near names it returns the first.
func Nearest(name string, known []string) string {
	return NearestOf(name, len(known), func(i int) string { return known[i] })
}

// NearestOf is [Nearest] for n names that are not in a slice.
func NearestOf(name string, n int, known func(i int) string) string {
	word := stem(name)
	if len(word) > maxLen {
		return ""
	}
	best, limit := "", min((len(word)+1)/3, 3)
	for i := range n {
		k := known(i)
		if d := distance(word, stem(k), limit); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
}

func stem(name string) string {
	for _, prefix := range [...]string{
		"SCMP_ACT_", "SCMP_CMP_", "SCMP_ARCH_", "SCMP_FLTATR_CTL_", "SECCOMP_RET_", "SECCOMP_FILTER_FLAG_", "AUDIT_ARCH_", "CAP_",
	} {
		if n := len(prefix); len(name) >= n && strings.EqualFold(name[:n], prefix) {
			return name[n:]
		}
	}
	return name
}

// maxLen is longer than any known name with its edits, and bounds the work on hostile
// input.
const maxLen = 64

// distance returns the number of edits that turn s into t whatever their case, where an
// edit adds, drops or changes a letter or swaps it with the next one (the optimal string
// alignment distance). If the number is above limit, it returns any number above limit.
func distance(s, t string, limit int) int {
	if limit < 0 || len(s)-len(t) > limit || len(t)-len(s) > limit || len(t) > maxLen {
		return limit + 1
	}
	var rows [3][maxLen + 1]int // of the edit matrix: two before, one before, this
	before, last, this := &rows[0], &rows[1], &rows[2]
	for j := range len(t) + 1 {
		this[j] = j
	}
	for i := range len(s) {
		before, last, this = last, this, before
		this[0] = i + 1
		for j := range len(t) {
			cost := 1
			if upper(s[i]) == upper(t[j]) {
				cost = 0
			}
			this[j+1] = min(last[j]+cost, last[j+1]+1, this[j]+1)
			if i > 0 && j > 0 && upper(s[i]) == upper(t[j-1]) && upper(s[i-1]) == upper(t[j]) {
				this[j+1] = min(this[j+1], before[j-1]+1)
			}
		}
	}
	return this[len(t)]
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}
