package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
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

// A policy without a bound leaves numbers above those that its rules name to the default.
func TestNoBound(t *testing.T) {
	p := &Policy{Default: cbpf.KillProcess, NoBound: true, Rules: []Rule{{Names: []string{"read", "write"}, Action: cbpf.Allow}}}
	resolve := func(o Options) *Resolved {
		o.ABIs = []arch.ABI{arch.X86_64}
		r, warnings, err := Resolve(p, o)
		if err != nil || len(warnings) > 0 {
			t.Fatal(warnings, err)
		}
		return r
	}
	for _, nr := range []uint32{2, 200, 1<<30 - 1, skip} {
		if v := resolve(Options{}).Decide(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr}); v.Reason != ByDefault || v.Action != cbpf.KillProcess {
			t.Errorf("number %#x: %v", nr, v)
		}
	}
	kernel := resolve(Options{ENOSYS: ENOSYS{Kernel: syscalltables.Version{Major: 5, Minor: 10}}})
	if v := kernel.Decide(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 460}); v.Reason != ByENOSYS {
		t.Errorf("with a kernel named: %v", v)
	}
	p.NoBound = false
	if v := resolve(Options{}).Decide(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 2}); v.Reason != ByENOSYS {
		t.Errorf("with a bound: %v", v)
	}
}

// What runc refuses for its own sake, a policy of another language can have.
func TestNoBoundIsNotRuncs(t *testing.T) {
	p := &Policy{Default: cbpf.Notify, NoBound: true, Rules: []Rule{
		{Names: []string{"read"}, Action: cbpf.Allow}, {Names: []string{"write"}, Numbers: []uint32{1}, Action: cbpf.Notify}, {Names: []string{"close"}, Action: cbpf.Trap},
	}}
	o := Options{ABIs: []arch.ABI{arch.X86_64}}
	r, _, err := Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	for nr, want := range map[uint32]cbpf.Action{0: cbpf.Allow, 1: cbpf.Notify, 2: cbpf.Notify, 3: cbpf.Trap} {
		if got := r.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: nr}); got != want {
			t.Errorf("number %d: %v", nr, got)
		}
	}
	p.NoBound = false
	_, _, err = Resolve(p, o)
	if problems, _ := err.(Errors); len(problems) != 3 || problems[0].Kind != NotifyDefault || problems[1].Kind != NotifyWrite || problems[2].Kind != NotifyWrite {
		t.Error(err)
	}
}
