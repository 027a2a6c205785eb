package syscalltables

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// A Version is a Linux release, such as 6.12. The zero Version is unknown.
type Version struct{ Major, Minor uint8 }

// ParseVersion reads "X.Y".
func ParseVersion(s string) (Version, error) {
	x, y, ok := strings.Cut(s, ".")
	major, err1 := strconv.ParseUint(x, 10, 8)
	minor, err2 := strconv.ParseUint(y, 10, 8)
	if v := (Version{uint8(major), uint8(minor)}); ok && err1 == nil && err2 == nil && v != (Version{}) {
		return v, nil
	}
	return Version{}, fmt.Errorf("syscalltables: %q is not a kernel version (expected X.Y, such as 6.12)", s)
}

// Compare orders versions by age: negative when v is older than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor))
}

// String returns "X.Y".
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }
