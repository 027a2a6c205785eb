package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// A release is a Linux release X.Y. The whole 2.6 series counts as one.
type release struct{ major, minor int }

// lastMinor gives the last release of each series that has ended, so that
// neighbouring releases can be told.
var lastMinor = map[int]int{2: 6, 3: 19, 4: 20, 5: 19, 6: 19}

// parseRelease reads X.Y or X.Y.Z.
func parseRelease(s string) (release, error) {
	p := strings.Split(s, ".")
	if len(p) != 2 && len(p) != 3 {
		return release{}, fmt.Errorf("%q: want a kernel release X.Y", s)
	}
	major, err1 := strconv.ParseUint(p[0], 10, 8)
	minor, err2 := strconv.ParseUint(p[1], 10, 8)
	r := release{int(major), int(minor)}
	last, ended := lastMinor[r.major]
	if err1 != nil || err2 != nil || r.major == 0 || ended && r.minor > last {
		return release{}, fmt.Errorf("%q: want a kernel release X.Y", s)
	}
	return r, nil
}

func (r release) String() string { return fmt.Sprintf("%d.%d", r.major, r.minor) }

func (r release) compare(s release) int {
	return cmp.Or(cmp.Compare(r.major, s.major), cmp.Compare(r.minor, s.minor))
}

// prev returns the release before r; stable series before 3.0 were 1.0, 1.2,
// 2.0, 2.2, 2.4 and 2.6. It is the zero release before 1.0 and the zero release.
func (r release) prev() release {
	switch {
	case r == release{} || r == release{1, 0}:
		return release{}
	case r.major < 3 && r.minor > 0:
		return release{r.major, r.minor - 2}
	case r == release{2, 0}:
		return release{1, 2}
	case r.minor > 0:
		return release{r.major, r.minor - 1}
	default:
		return release{r.major - 1, lastMinor[r.major-1]}
	}
}

// next returns the release after r.
func (r release) next() release {
	switch last, ended := lastMinor[r.major]; {
	case r == release{1, 2}:
		return release{2, 0}
	case ended && r.minor == last:
		return release{r.major + 1, 0}
	case r.major < 3:
		return release{r.major, r.minor + 2}
	default:
		return release{r.major, r.minor + 1}
	}
}
