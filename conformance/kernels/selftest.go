package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
)

// A flaw is a mistake in all filters of a guest, and where it must show: every
// failed check must be one of the given ABIs, and each of them must have one. The
// zero flaw is none.
type flaw struct {
	fault  cases.Fault
	caught []arch.ABI
}

// flawed returns the jobs of the self-test: a compiler that is wrong must be
// caught by the kernel that its mistake is about.
func flawed() ([]job, error) {
	var jobs []job
	for _, t := range []struct {
		guest string
		flaw  flaw
	}{
		{"s390x", flaw{cases.Halves, []arch.ABI{arch.S390X}}},
		{"amd64", flaw{cases.X32Bit, []arch.ABI{arch.X86_64, arch.X32}}},
		{"mips64el", flaw{cases.MIPSBase, []arch.ABI{arch.MIPSEL}}},
	} {
		all := guests()
		i := slices.IndexFunc(all, func(g guest) bool { return g.name == t.guest })
		if i < 0 {
			return nil, fmt.Errorf("no guest %q", t.guest)
		}
		jobs = append(jobs, job{guest: all[i], flaw: t.flaw, only: "verdicts/"})
	}
	return jobs, nil
}

// verify turns the result of a guest with a flaw around: it is good if the flaw
// was caught where it had to be, and only there.
func (f flaw) verify(r *result) {
	failed := map[string]int{}
	for _, line := range r.failures {
		abi, _, _ := strings.Cut(strings.TrimPrefix(line.Name, "verdicts/"), "/")
		failed[abi]++
	}
	for _, abi := range f.caught {
		if failed[abi.String()] == 0 {
			r.broken = append(r.broken, fmt.Sprintf("the fault %q was not caught through %v", f.fault, abi))
		}
		r.caught = append(r.caught, fmt.Sprintf("%v %d", abi, failed[abi.String()]))
		delete(failed, abi.String())
	}
	if len(failed) > 0 {
		r.broken = append(r.broken, fmt.Sprintf("the fault %q should show nowhere else: %v", f.fault, failed))
		return
	}
	r.failures = nil
}
