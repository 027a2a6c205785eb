package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/syscalltables"
)

const last = 1<<32 - 1

func TestWithout(t *testing.T) {
	for _, test := range []struct {
		name    string
		set     []Interval
		numbers []uint32
		want    []Interval
	}{
		{"nothing", []Interval{{0, last}}, nil, []Interval{{0, last}}},
		{"the ends", []Interval{{0, last}}, []uint32{0, last}, []Interval{{1, last - 1}}},
		{"all but the last", []Interval{{0, last}}, []uint32{0, last - 1}, []Interval{{1, last - 2}, {last, last}}},
		{"neighbours and repetitions", []Interval{{0, 9}}, []uint32{3, 3, 4, 5}, []Interval{{0, 2}, {6, 9}}},
		{"numbers outside", []Interval{{5, 9}, {20, 29}}, []uint32{3, 7, 12, 20, 30}, []Interval{{5, 6}, {8, 9}, {21, 29}}},
		{"everything", []Interval{{5, 6}}, []uint32{5, 6}, nil},
	} {
		if diff := cmp.Diff(test.want, without(test.set, test.numbers)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestMerged(t *testing.T) {
	for _, test := range []struct {
		name      string
		set, want []Interval
	}{
		{"neighbours", []Interval{{5, 9}, {0, 4}}, []Interval{{0, 9}}},
		{"one within another", []Interval{{0, 9}, {2, 3}, {11, 12}}, []Interval{{0, 9}, {11, 12}}},
		{"after the last number", []Interval{{last, last}, {0, last}}, []Interval{{0, last}}},
		{"none", nil, nil},
	} {
		if diff := cmp.Diff(test.want, merged(test.set)); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

// Only a call of which it is established that it came later gets ENOSYS.
func TestNewer(t *testing.T) {
	v := func(minor uint8) syscalltables.Version { return syscalltables.Version{Major: 6, Minor: minor} }
	for _, test := range []struct {
		name  string
		since syscalltables.Since
		want  map[uint8]bool
	}{
		{"in 6.5", syscalltables.Since{By: v(5), Exact: true}, map[uint8]bool{4: true, 5: false, 6: false}},
		{"between 6.2 and 6.5", syscalltables.Since{After: v(2), By: v(5)}, map[uint8]bool{1: true, 2: true, 3: false, 5: false, 6: false}},
		{"in 6.5 at the latest", syscalltables.Since{By: v(5)}, map[uint8]bool{1: false, 5: false, 6: false}},
		{"nobody knows when", syscalltables.Since{}, map[uint8]bool{1: false}},
	} {
		for minor, want := range test.want {
			if got := newer(test.since, v(minor)); got != want {
				t.Errorf("%s, for 6.%d: %v", test.name, minor, got)
			}
		}
	}
}
