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
		if n := len(c.Name()); n+3 > 64 {
			t.Errorf("%v: enlarge maxLen of package unknown", c)
		}
	}
}
