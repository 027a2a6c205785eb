package answer

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols/phrase"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Scope is the calls under one heading.
type Scope struct {
	Title   string
	ABI     arch.ABI         // none if zero
	Archs   policy.Intervals // AUDIT_ARCH values
	Numbers []policy.Interval
	Numeric bool // show constants as numbers
}

// call returns how conditions on a number of the scope are written.
func (s *Scope) call(nr uint32) phrase.Call {
	return phrase.Call{ABI: s.ABI, NR: nr, Numeric: s.Numeric}
}

// otherABIs is the title of the ABIs that a side does not know.
const otherABIs = "other ABIs"

// ownNumbers returns the numbers of an ABI: x86_64 and x32 share those of one
// AUDIT_ARCH value.
func ownNumbers(a arch.ABI) []policy.Interval {
	const bit, last = arch.X32Bit, ^uint32(0)
	switch a {
	case arch.X86_64:
		return []policy.Interval{{First: 0, Last: bit - 1}, {First: 2 * bit, Last: 3*bit - 1}, {First: last, Last: last}}
	case arch.X32:
		return []policy.Interval{{First: bit, Last: 2*bit - 1}, {First: 3 * bit, Last: last - 1}}
	}
	return []policy.Interval{{First: 0, Last: last}}
}

// A Choice is the ABIs to tell apart.
type Choice struct {
	ABIs    []arch.ABI // these in any case
	Only    bool       // and no others
	numeric bool       // for the scopes
}

// Scopes splits calls by ABI. AUDIT_ARCH values that are many are those that a
// side does not know: of these only the ABIs that were chosen stand alone.
func (c *Choice) Scopes(audits policy.Intervals) []Scope {
	const many = 1 << 16
	var list []Scope
	for a := range arch.All() {
		audit := policy.Interval{First: a.Audit(), Last: a.Audit()}
		chosen := slices.Contains(c.ABIs, a)
		if !audits.Has(a.Audit()) || !chosen && (Size(audits) >= many || c.Only) {
			continue
		}
		list = append(list, Scope{a.String(), a, []policy.Interval{audit}, ownNumbers(a), c.numeric})
	}
	rest := policy.Interval{First: 0, Last: ^uint32(0)}
	switch {
	case c.Only:
	case Size(audits) >= many:
		title := "arch " + strings.Join(archDocument(audits), ", ")
		if slices.Equal(audits, []policy.Interval{rest}) && len(list) == 0 {
			title = "every ABI"
		} else if Size(audits) > 1<<31 { // most: there is one such set at most
			title = otherABIs
		}
		list = append(list, Scope{title, 0, audits, []policy.Interval{rest}, c.numeric})
	default:
		for _, i := range unnamed(audits) {
			list = append(list, Scope{"arch " + hexRange(i), 0, []policy.Interval{i}, []policy.Interval{rest}, c.numeric})
		}
	}
	return list
}

// unnamed returns those of a few AUDIT_ARCH values that belong to no ABI.
func unnamed(audits policy.Intervals) policy.Intervals {
	var out policy.Intervals
	for _, i := range audits {
		for v := uint64(i.First); v <= uint64(i.Last); v++ {
			audit := uint32(v)
			if _, known := arch.ByAudit(audit, 0); known {
				continue
			}
			if n := len(out); n > 0 && out[n-1].Last == audit-1 {
				out[n-1].Last = audit
			} else {
				out = append(out, policy.Interval{First: audit, Last: audit})
			}
		}
	}
	return out
}

// SortScopes sorts scopes by ABI; those without an ABI come last.
func SortScopes[T any](list []T, of func(*T) *Scope) {
	rank := func(s *Scope) int {
		if s.ABI == 0 {
			return 1 << 8
		}
		return int(s.ABI)
	}
	slices.SortStableFunc(list, func(x, y T) int { return cmp.Compare(rank(of(&x)), rank(of(&y))) })
}

// nameForeign names, in the heading of the ABIs that a side does not know, those
// that the same kernels present.
func nameForeign(all []*Scope) {
	var known []arch.ABI
	for _, s := range all {
		if s.ABI.Valid() && !slices.Contains(known, s.ABI) {
			known = append(known, s.ABI)
		}
	}
	for _, s := range all {
		if s.Title != otherABIs {
			continue
		}
		var foreign []arch.ABI
		for _, k := range known {
			for _, b := range k.Family() {
				if s.Archs.Has(b.Audit()) && !slices.Contains(known, b) && !slices.Contains(foreign, b) {
					foreign = append(foreign, b)
				}
			}
		}
		if len(foreign) > 0 {
			s.Title = strings.Join(intake.ABINames(foreign), ", ") + " and other ABIs"
		}
	}
}

func hexRange(i policy.Interval) string {
	if i.First == i.Last {
		return fmt.Sprintf("0x%08x", i.First)
	}
	return fmt.Sprintf("0x%08x-0x%08x", i.First, i.Last)
}

// Clip returns the parts of a run of numbers that a scope has.
func (s *Scope) Clip(first, last uint32) []policy.Interval {
	var out []policy.Interval
	for _, i := range s.Numbers {
		i.First, i.Last = max(i.First, first), min(i.Last, last)
		if i.First <= i.Last {
			out = append(out, i)
		}
	}
	return out
}

// Size returns how many numbers there are.
func Size(list []policy.Interval) uint64 {
	n := uint64(0)
	for _, i := range list {
		n += uint64(i.Last-i.First) + 1
	}
	return n
}

// A Part is a call of a table, or neighbouring numbers that it has no name for.
type Part struct {
	policy.Interval
	Name string
}

// Parts returns the calls in an interval of numbers and what lies between them.
func (s *Scope) Parts(in policy.Interval) []Part {
	var out []Part
	next, done := in.First, false
	for nr, c := range syscalltables.All(s.ABI) {
		if nr < in.First || nr > in.Last {
			continue
		}
		if nr > next {
			out = append(out, Part{Interval: policy.Interval{First: next, Last: nr - 1}})
		}
		out = append(out, Part{policy.Interval{First: nr, Last: nr}, c.Name()})
		next, done = nr+1, nr == in.Last
	}
	if !done {
		out = append(out, Part{Interval: policy.Interval{First: next, Last: in.Last}})
	}
	return out
}
