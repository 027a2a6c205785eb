package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// ENOSYS chooses the numbers that get ERRNO(ENOSYS) instead of a default action
// that denies: programs probe for new calls and understand no other refusal. The
// zero value is runc's rule: every number above the largest that the profile
// names.
type ENOSYS struct {
	// Off gives no number ENOSYS.
	Off bool
	// Kernel, when set, gives ENOSYS to the numbers that this release does not
	// have and no rule names. Off has precedence.
	Kernel syscalltables.Version
}

const kernelPrefix = "kernel:"

// ParseENOSYS reads "profile", "off" or "kernel:X.Y".
func ParseENOSYS(s string) (ENOSYS, error) {
	switch s {
	case "profile":
		return ENOSYS{}, nil
	case "off":
		return ENOSYS{Off: true}, nil
	}
	if release, ok := strings.CutPrefix(s, kernelPrefix); ok {
		v, err := syscalltables.ParseVersion(release)
		if err != nil {
			return ENOSYS{}, fmt.Errorf("policy: ENOSYS mode %q: %w", s, err)
		}
		return ENOSYS{Kernel: v}, nil
	}
	return ENOSYS{}, fmt.Errorf("policy: ENOSYS mode %q is unknown (known: profile, off, kernel:X.Y)", s)
}

// String returns "profile", "off" or "kernel:X.Y".
func (e ENOSYS) String() string {
	switch {
	case e.Off:
		return "off"
	case e.Kernel != syscalltables.Version{}:
		return kernelPrefix + e.Kernel.String()
	}
	return "profile"
}

// UsedNumbers are the numbers that rules name on one ABI.
type usedNumbers struct {
	some    bool
	largest uint32 // that is not negative
	listed  bool   // in list
	list    []uint32
}

func (u *usedNumbers) reset() { u.some, u.largest, u.list = false, 0, u.list[:0] }

func (u *usedNumbers) add(nr uint32) {
	u.some = true
	if !negative(nr) {
		u.largest = max(u.largest, nr)
	}
	if u.listed {
		u.list = append(u.list, nr)
	}
}

// addAll adds the numbers of calls, which are sorted.
func (u *usedNumbers) addAll(calls []numbered) {
	if n := len(calls); n > 0 && !u.listed {
		calls = calls[n-1:]
	}
	for _, c := range calls {
		u.add(c.nr)
	}
}

// needsList reports whether unknown needs a list of the numbers that are used.
func (e ENOSYS) needsList() bool { return !e.Off && e.Kernel != syscalltables.Version{} }

// unknown returns the numbers that get ENOSYS on one ABI, of which rules use some. bounded is
// false where there should be some but the profile names nothing to compare with.
func (e ENOSYS) unknown(a arch.ABI, used *usedNumbers) (set []Interval, bounded bool) {
	switch {
	case e.Off:
		return nil, true
	case e.needsList():
		known := slices.Clone(used.list)
		for nr, call := range syscalltables.All(a) {
			if !newer(call.Since(a), e.Kernel) {
				known = append(known, nr)
			}
		}
		slices.Sort(known)
		return without(realm(a), known), true
	case used.largest == 0:
		return nil, false
	}
	if a == arch.S390 || a == arch.S390X {
		// What a number that the kernel does not know turns into when it is passed
		// in a register.
		set = append(set, Interval{0, 0})
	}
	for _, half := range realm(a) {
		if used.largest < half.Last {
			set = append(set, Interval{max(half.First, used.largest+1), half.Last})
		}
	}
	return set, true
}

// newer reports whether it is established that a call came after a release.
func newer(s syscalltables.Since, release syscalltables.Version) bool {
	if s.Exact {
		return s.By.Compare(release) > 0
	}
	return s.After.Compare(release) >= 0 // zero, where nobody knows, is before every release
}

// realm returns the numbers that are one ABI's to bound. Where two ABIs share an
// AUDIT_ARCH value, bit 30 tells whose a number is.
func realm(a arch.ABI) []Interval {
	const bit = arch.X32Bit
	switch a {
	case arch.X86_64:
		return []Interval{{0, bit - 1}, {sign, sign + bit - 1}}
	case arch.X32:
		return []Interval{{bit, sign - 1}, {sign + bit, 1<<32 - 1}}
	}
	return []Interval{{0, 1<<32 - 1}}
}

// foreign returns the numbers that belong to none of the ABIs of one AUDIT_ARCH
// value.
func foreign(abis []arch.ABI, m Mode) []Interval {
	if len(abis) > 1 {
		return nil
	}
	switch a := abis[0]; {
	case a == arch.X86_64:
		return []Interval{{arch.X32Bit, skip - 1}}
	case a == arch.X32:
		return []Interval{{0, arch.X32Bit - 1}}
	case isMIPS(a) && m == Strict:
		return []Interval{{0, a.Base() - 1}, {a.Base() + 1000, 1<<32 - 1}}
	}
	return nil
}

// isMIPS reports whether the ABI's kernel runs the numbers of three ABIs in any task.
func isMIPS(a arch.ABI) bool { return a.Main() == arch.MIPS64 || a.Main() == arch.MIPSEL64 }

// without returns the numbers of sorted intervals that are not in a sorted list.
func without(set []Interval, numbers []uint32) []Interval {
	var rest []Interval
	for _, i := range set {
		first := uint64(i.First) // 64 bits: it may become one more than the last number
		for _, nr := range numbers {
			n := uint64(nr)
			if n < first || n > uint64(i.Last) {
				continue
			}
			if first < n {
				rest = append(rest, Interval{uint32(first), nr - 1})
			}
			first = n + 1
		}
		if first <= uint64(i.Last) {
			rest = append(rest, Interval{uint32(first), i.Last})
		}
	}
	return rest
}

// outside returns the numbers of a set that are not in another one. Both are sorted and
// disjoint.
func outside(set, other []Interval) []Interval {
	var rest []Interval
	for _, i := range set {
		first := uint64(i.First) // 64 bits: it may become one more than the last number
		for _, o := range other {
			if o.Last < i.First || o.First > i.Last {
				continue
			}
			if first < uint64(o.First) {
				rest = append(rest, Interval{uint32(first), o.First - 1})
			}
			first = uint64(o.Last) + 1
		}
		if first <= uint64(i.Last) {
			rest = append(rest, Interval{uint32(first), i.Last})
		}
	}
	return rest
}

// merged returns the union of intervals, sorted, disjoint and not adjacent.
func merged(set []Interval) []Interval {
	slices.SortFunc(set, func(a, b Interval) int { return cmp.Compare(a.First, b.First) })
	var union []Interval
	for _, i := range set {
		if n := len(union); n > 0 && uint64(i.First) <= uint64(union[n-1].Last)+1 {
			union[n-1].Last = max(union[n-1].Last, i.Last)
			continue
		}
		union = append(union, i)
	}
	return union
}
