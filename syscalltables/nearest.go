package syscalltables

// Nearest returns the known name that is most like name, or "" if none is near:
// at most one edit in three letters of name, and three in all. Of equally near
// names the first in order is taken.
func Nearest(name string) string {
	if len(name) > maxNearest {
		return ""
	}
	best, limit := "", min(len(name)/3, 3)
	for c := Call(1); c <= calls; c++ {
		if d := distance(name, c.Name(), limit); d <= limit {
			best, limit = c.Name(), d-1
		}
	}
	return best
}

// maxNearest is longer than any name with its edits, and bounds the work of
// Nearest on hostile input.
const maxNearest = 64

// distance returns the number of edits - a letter added, dropped, changed, or
// swapped with the next one - that turn s into t, or any number above limit if it
// is above limit. (The optimal string alignment distance.)
func distance(s, t string, limit int) int {
	if len(s)-len(t) > limit || len(t)-len(s) > limit || len(t) > maxNearest {
		return limit + 1
	}
	var rows [3][maxNearest + 1]int // of the edit matrix: two before, one before, this
	before, last, this := &rows[0], &rows[1], &rows[2]
	for j := range len(t) + 1 {
		this[j] = j
	}
	for i := range len(s) {
		before, last, this = last, this, before
		this[0] = i + 1
		for j := range len(t) {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			this[j+1] = min(last[j]+cost, last[j+1]+1, this[j]+1)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				this[j+1] = min(this[j+1], before[j-1]+1)
			}
		}
	}
	return this[len(t)]
}
