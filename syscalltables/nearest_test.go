package syscalltables

import (
	"strings"
	"testing"
)

func TestNearestIsTheNameThatWasMeant(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"raed", "read"}, {"opennat", "openat"}, {"openatt2", "openat2"}, {"clon3", "clone"}, {"getppid2", "getppid"},
		{"sched_getatributes", ""}, {"sched_setatr", "sched_setattr"}, {"epoll-wait", "epoll_wait"}, {"landlock_restrictself", "landlock_restrict_self"},
		{"newselect", "_newselect"}, {"llseek", "_llseek"}, {"read", "read"},
		{"", ""}, {"x", ""}, {"rd", ""}, {"xyzzy", ""}, {strings.Repeat("read", 100), ""}, {"\xff\xfe\xfd\xfc", ""},
	} {
		if got := Nearest(c.name); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNoNameIsTooLongForNearest(t *testing.T) {
	for c := range every() {
		if n := len(c.Name()); n+3 > maxNearest {
			t.Errorf("%v: enlarge maxNearest", c)
		}
	}
}

func TestDistanceCountsEdits(t *testing.T) {
	for _, c := range []struct {
		s, t string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"read", "read", 0}, {"read", "raed", 1}, {"read", "rea", 1}, {"read", "redd", 1},
		{"read", "write", 4}, {"ab", "ba", 1}, {"abc", "ca", 3}, {"open", "openat2", 3},
	} {
		for _, p := range [][2]string{{c.s, c.t}, {c.t, c.s}} {
			if got := distance(p[0], p[1], 9); got != c.want {
				t.Errorf("distance(%q, %q) = %d, want %d", p[0], p[1], got, c.want)
			}
		}
	}
	if got := distance("a", "abcdef", 2); got <= 2 {
		t.Errorf("a limit of 2 gives %d", got)
	}
}
