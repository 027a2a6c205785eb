package policy

import (
	"strconv"
	"strings"
)

// quote quotes text from a profile for a message, cut to a readable length.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// unknown says that no such thing has the given name, which one is near, and
// which ones there are.
func unknown(what, name string, known []string) string {
	return unknownNear(what, name, nearest(name, known), known)
}

func unknownNear(what, name, near string, known []string) string {
	s := quote(name) + ": unknown " + what + " ("
	if near != "" {
		s += "did you mean " + near + "? "
	}
	return s + "known: " + strings.Join(known, ", ") + ")"
}

// nearest returns the known name that is most like name, or "" if none is near.
// Letter case and the prefixes of the vocabularies around seccomp do not count.
func nearest(name string, known []string) string {
	word := stem(name)
	if len(word) > 64 {
		return ""
	}
	best, least := "", len(word)/3+1
	for _, k := range known {
		other := stem(k)
		if n := len(word) - len(other); n >= least || -n >= least {
			continue // as many edits at least
		}
		if d := distance(word, other); d < least {
			best, least = k, d
		}
	}
	return best
}

func stem(name string) string {
	name = strings.ToUpper(name)
	for _, prefix := range [...]string{
		"SCMP_ACT_", "SCMP_CMP_", "SCMP_ARCH_", "SCMP_FLTATR_CTL_", "SECCOMP_RET_", "SECCOMP_FILTER_FLAG_", "AUDIT_ARCH_", "CAP_",
	} {
		if s, ok := strings.CutPrefix(name, prefix); ok {
			return s
		}
	}
	return name
}

// distance returns how many bytes must be inserted, deleted or replaced to turn
// a into b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
