package grade

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Scale grades subjects for the same kernels.
type Scale struct {
	abis []arch.ABI
	// denies is a policy that denies every call that gives a power, with the number of its
	// powers in sets as the error, and allows what the kernel does not have.
	denies *policy.Resolved
	sets   []set
	names  [len(powers)][]string // of the calls that can give each power
}

// NewScale returns the scale for the kernels that run programs of some ABIs. Their other
// ABIs count, too: a program can switch to any of them. The error is for no ABI, or ABIs of
// two byte orders.
func NewScale(abis []arch.ABI) (*Scale, error) {
	s := &Scale{denies: &policy.Resolved{Default: cbpf.Allow, BadArch: cbpf.Allow}}
	for _, a := range abis {
		for _, b := range a.Family() {
			if !slices.Contains(s.abis, b) {
				s.abis = append(s.abis, b)
			}
		}
	}
	if len(s.abis) == 0 {
		return nil, errors.New("grade: no ABI (name those of the kernel)")
	}
	for _, a := range s.abis {
		if a.ByteOrder() != s.abis[0].ByteOrder() {
			return nil, fmt.Errorf("grade: %v and %v differ in their byte order (grade for one kernel at a time)", s.abis[0], a)
		}
	}
	byCall := map[string][]row{}
	for _, r := range rows() {
		for name := range strings.FieldsSeq(r.calls) {
			byCall[name] = append(byCall[name], r)
		}
	}
	for _, a := range s.abis {
		i := slices.IndexFunc(s.denies.Spaces, func(x policy.Space) bool { return x.Audit == a.Audit() })
		if i < 0 {
			i = len(s.denies.Spaces)
			s.denies.Spaces = append(s.denies.Spaces, policy.Space{Audit: a.Audit()})
		}
		space := &s.denies.Spaces[i]
		space.ABIs = append(space.ABIs, a)
		for _, b := range numbered(a) {
			s.add(space, a, constantsOf(b), byCall)
		}
	}
	for i := range s.denies.Spaces {
		space := &s.denies.Spaces[i]
		slices.SortFunc(space.Calls, func(x, y policy.Call) int { return cmp.Compare(x.NR, y.NR) })
		slices.SortFunc(space.Ranges, func(x, y policy.Range) int { return cmp.Compare(x.First, y.First) })
	}
	for p := range s.names {
		slices.Sort(s.names[p])
		s.names[p] = slices.Compact(s.names[p])
	}
	return s, s.denies.Validate()
}

// mipsNumbers is how many numbers each ABI of MIPS has (asm/unistd.h: __NR_Linux).
const mipsNumbers = 1000

// numbered returns the ABIs whose numbers the kernel runs in tasks of an ABI. A MIPS kernel
// runs those of all three (arch/mips/kernel/scall64-o32.S).
func numbered(a arch.ABI) []arch.ABI {
	if a.Base() >= 4000 && a.Base() != arch.X32Bit {
		return a.Family()
	}
	return []arch.ABI{a}
}

// owner returns the ABI that a number belongs to in tasks of an ABI.
func owner(task arch.ABI, nr uint32) arch.ABI {
	for _, a := range numbered(task) {
		if nr >= a.Base() && nr-a.Base() < mipsNumbers {
			return a
		}
	}
	return task
}

// add adds the calls that tasks of an ABI can make by the numbers of another, and the
// numbers without a call.
func (s *Scale) add(space *policy.Space, a arch.ABI, k *constants, byCall map[string][]row) {
	var always set
	switch {
	case a == arch.X32:
		always = of(x32)
	case a != a.Main() || k.abi != a:
		always = of(compat)
	}
	next, last := k.abi.Base(), k.abi.Base()|0x3fffffff
	if len(numbered(a)) > 1 {
		last = k.abi.Base() + mipsNumbers - 1
	}
	gap := func(end uint32) { // before end
		if next < end {
			space.Ranges = append(space.Ranges, policy.Range{First: next, Last: end - 1, Action: s.code(always | of(future)), Reason: policy.ByDefault})
		}
	}
	for nr, call := range syscalltables.All(k.abi) {
		gap(nr)
		next = nr + 1
		c := policy.Call{NR: nr, ABI: a}
		for _, r := range slices.Concat(byCall[call.Name()], []row{{}}) {
			gives := cmp.Or(r.gives, of(calls))
			for p := range power(len(powers)) {
				if gives.has(p) {
					s.names[p] = append(s.names[p], call.Name())
				}
			}
			c.Clauses = append(c.Clauses, policy.Clause{Conds: r.on(k, call), Action: s.code(always | gives)})
			if len(c.Clauses[len(c.Clauses)-1].Conds) == 0 {
				break // whatever the arguments are
			}
		}
		space.Calls = append(space.Calls, c)
	}
	gap(last + 1)
}

// code returns the error that stands for some powers.
func (s *Scale) code(p set) cbpf.Action {
	i := slices.Index(s.sets, p)
	if i < 0 {
		i = len(s.sets)
		s.sets = append(s.sets, p)
	}
	return cbpf.Errno(uint16(i + 1))
}
