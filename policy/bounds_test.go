package policy

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// littleEndian returns the ABIs that one filter can be for.
func littleEndian() (abis []arch.ABI) {
	for a := range arch.All() {
		if a.ByteOrder() != binary.BigEndian {
			abis = append(abis, a)
		}
	}
	return abis
}

// tests returns conditions that argument 0 has one of n values.
func tests(n int) (args []Arg) {
	for i := range n {
		args = append(args, Arg{Op: Equal, Value: uint64(3 * i)})
	}
	return args
}

// An entry whose names and tests multiply costs what they add up to, whether it has the
// same names again and again or all that there are.
func TestNamesTimesTests(t *testing.T) {
	var all []string
	for _, c := range syscalltables.All(arch.X86_64) {
		all = append(all, c.Name())
	}
	for name, names := range map[string][]string{
		"same": strings.Fields(strings.Repeat("read write ioctl ", 330)),
		"all":  all,
	} {
		p := &Policy{Default: cbpf.ErrnoClass, Rules: []Rule{{Names: names, Args: tests(1040), Action: cbpf.Allow}}}
		for _, abis := range [][]arch.ABI{{arch.X86_64}, littleEndian()} {
			var r *Resolved
			var err error
			bytes := allocated(func() { r, _, err = Resolve(p, Options{ABIs: abis}) })
			if err != nil {
				t.Fatal(err)
			}
			if most := uint64(32 << 20); bytes > most {
				t.Errorf("%s, %d ABIs: %d bytes, want at most %d", name, len(abis), bytes, most)
			}
			lists := map[*Clause]bool{}
			for _, s := range r.Spaces {
				for _, c := range s.Calls {
					lists[&c.Clauses[0]] = true
				}
			}
			if most := 2 + 2*len(abis); len(lists) > most { // by width, and of multiplexers
				t.Errorf("%s, %d ABIs: %d lists of clauses, want at most %d", name, len(abis), len(lists), most)
			}
		}
	}
}

// A rule with very many numbers, all of them wrong, costs what it says.
func TestNumbersAreCounted(t *testing.T) {
	const n = 200_000
	numbers := make([]uint32, n)
	for i := range numbers {
		numbers[i] = 1<<31 + uint32(i)%(n/2) // each twice
	}
	p := &Policy{Default: cbpf.ErrnoClass, Rules: []Rule{{Numbers: numbers, Action: cbpf.Allow}}}
	var r *Resolved
	var warnings []Warning
	var err error
	bytes := allocated(func() { r, warnings, err = Resolve(p, Options{ABIs: []arch.ABI{arch.AArch64, arch.ARM}}) })
	if err != nil || len(r.Spaces[1].Calls) != n/2 {
		t.Fatal(err)
	}
	if most := uint64(480 * n); bytes > most {
		t.Errorf("%d bytes, want at most %d", bytes, most)
	}
	last := warnings[len(warnings)-1]
	if want := "/syscalls: 199000 more of the kind foreign-number are not listed (foreign-number)"; last.String() != want {
		t.Errorf("%v, want %s", last, want)
	}
	bytes = allocated(func() { _, _, err = Resolve(p, Options{ABIs: []arch.ABI{arch.AArch64, arch.ARM}, Exact: true}) })
	if most := uint64(480 * n); bytes > most {
		t.Errorf("%d bytes for errors, want at most %d", bytes, most)
	}
	if errs, _ := err.(Errors); len(errs) != maxFindings+1 || errs[maxFindings].More != n-maxFindings {
		t.Errorf("%d problems", len(errs))
	}
	for i := range numbers {
		numbers[i] = 59 // not one call
	}
	bytes = allocated(func() {
		_, warnings, err = Resolve(p, Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}, ENOSYS: ENOSYS{Off: true}})
	})
	if most := uint64(240 * n); err != nil || bytes > most {
		t.Errorf("%d bytes for one number, want at most %d; %v", bytes, most, err)
	}
	if last := warnings[len(warnings)-1]; len(warnings) != maxFindings+1 || last.Kind != AmbiguousNumber || last.More != n-maxFindings {
		t.Errorf("%d warnings, the last %v", len(warnings), last)
	}
}

// However many names no ABI has, what is said of them is short, and says how many.
func TestUnknownNamesAreCounted(t *testing.T) {
	const n = 200_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("zz%d", i)
	}
	p := &Policy{Rules: []Rule{{Names: names, Action: cbpf.Allow}}}
	var warnings []Warning
	var err error
	bytes := allocated(func() {
		_, warnings, err = Resolve(p, Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: ENOSYS{Off: true}})
	})
	if err != nil || len(warnings) != maxFindings+1 {
		t.Fatalf("%d warnings, error %v", len(warnings), err)
	}
	if most := uint64(2 << 20); bytes > most {
		t.Errorf("%d bytes, want at most %d", bytes, most)
	}
	last := warnings[maxFindings]
	if want := "/syscalls: 199000 more of the kind unknown-name are not listed (unknown-name)"; last.String() != want || last.More != n-maxFindings {
		t.Errorf("%+v, want %s", last, want)
	}
	if first := warnings[maxFindings-1]; first.Pointer != "/syscalls/0/names/999" || first.More != 0 {
		t.Errorf("%+v", first)
	}
	_, _, err = Resolve(p, Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: ENOSYS{Off: true}, Mode: Strict})
	errs, _ := err.(Errors)
	if len(errs) != maxFindings+1 || errs[maxFindings].More != n-maxFindings {
		t.Errorf("%d problems", len(errs))
	}
}

// What is found on several ABIs may be the same: then what is certain is the number on
// one of them.
func TestFindingsOnABIsAreCounted(t *testing.T) {
	const n = 3 * maxFindings
	p := &Policy{Default: cbpf.ErrnoClass, Rules: []Rule{{Names: []string{"read"}, Action: cbpf.Allow}}}
	for range n {
		p.Rules = append(p.Rules, Rule{Names: []string{"read"}, Args: tests(1), Action: cbpf.Log})
	}
	for _, tt := range []struct {
		abis []arch.ABI
		want string
	}{
		{[]arch.ABI{arch.X86_64}, "2000 more of the kind unreachable are not listed"},
		{[]arch.ABI{arch.X86_64, arch.X86}, "at least 2000 more of the kind unreachable are not listed"},
	} {
		_, warnings, err := Resolve(p, Options{ABIs: tt.abis, ENOSYS: ENOSYS{Off: true}})
		if last := warnings[len(warnings)-1]; err != nil || len(warnings) != maxFindings+1 || last.Message != tt.want || last.More != n-maxFindings {
			t.Errorf("%d warnings, last %+v, error %v", len(warnings), last, err)
		}
	}
}

// Names with the same rules share their clauses, and with others they do not.
func TestListsAreShared(t *testing.T) {
	p := &Policy{Default: cbpf.ErrnoClass, Rules: []Rule{
		{Names: []string{"read", "write", "ioctl"}, Args: tests(2), Action: cbpf.Allow},
		{Names: []string{"write"}, Args: []Arg{{Index: 1, Op: Equal, Value: 5}}, Action: cbpf.Log},
	}}
	r, warnings, err := Resolve(p, Options{ABIs: []arch.ABI{arch.X86_64, arch.AArch64}})
	if err != nil {
		t.Fatal(err)
	}
	clauses := func(a arch.ABI, name string) []Clause {
		call, _ := syscalltables.Lookup(name)
		nr, _ := call.Number(a)
		return r.space(a.Audit()).call(nr).Clauses
	}
	read, write := clauses(arch.X86_64, "read"), clauses(arch.X86_64, "write")
	if len(read) != 2 || len(write) != 3 || &read[0] != &clauses(arch.AArch64, "ioctl")[0] || &write[0] != &clauses(arch.AArch64, "write")[0] {
		t.Errorf("read %v\nwrite %v", read, write)
	}
	if len(warnings) != 1 || warnings[0].Kind != Overlap || warnings[0].Example.ABI != arch.X86_64 || strings.Contains(warnings[0].Message, " (on ") {
		t.Errorf("warnings %v", warnings)
	}
}
