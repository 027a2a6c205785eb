package syscalltables

import "github.com/seccompile/seccompile/internal/unknown"

// Nearest returns the call's name that is most like name, or "" if none is near: at most
// one edit in three letters of name, and three in all. It ignores letter case. Of equally
// near names it returns the first in order.
func Nearest(name string) string {
	switch name { // functions of the C library, whose nearest names are calls that do something else
	case "pread", "pwrite":
		return name + "64"
	case "initgroups":
		return "setgroups"
	}
	return unknown.NearestOf(name, int(calls), func(i int) string { return Call(i + 1).Name() })
}
