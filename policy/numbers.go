package policy

import (
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

const (
	sign = 1 << 31   // the kernel's numbers are int
	skip = 1<<32 - 1 // -1, which a tracer sets to skip a call
)

// negative reports whether no kernel can have a call with the number.
func negative(nr uint32) bool { return nr >= sign }

// readNumber checks a number of a rule.
func (r *resolver) readNumber(rule, index int, nr uint32, targets []arch.ABI) {
	pointer := func() string { return sub(r.rules[rule].pointer+"/numbers", index) }
	if negative(nr) && nr != skip && !r.full(string(ForeignNumber), r.options.Exact, 0) {
		text := strconv.Itoa(int(int32(nr))) + ": no call has a negative number, and libseccomp's pseudo numbers stand for nothing (use the name)"
		if r.options.Exact {
			r.fail(StrictNumber, rule, pointer(), text)
		} else {
			r.warn(ForeignNumber, rule, pointer(), text)
		}
	}
	var first syscalltables.Call
	var of arch.ABI
	ambiguous := false
	for _, a := range targets {
		call, ok := syscalltables.ByNumber(a, nr)
		if !ok || !r.rules[rule].abis.has(a) {
			continue
		}
		switch {
		case call.Name() == "write" && r.policy.Rules[rule].Action == cbpf.Notify && r.likeRunc():
			r.fail(NotifyWrite, rule, pointer(), notifyWrite)
			return
		case !first.Valid():
			first, of = call, a
		case call != first && !ambiguous:
			if ambiguous = true; !r.full(string(AmbiguousNumber), false, 0) {
				r.warn(AmbiguousNumber, rule, pointer(), numberString(nr)+" is "+first.Name()+" on "+of.String()+" and "+call.Name()+" on "+a.String()+
					" (use names, or limit the rule to one of them)")
			}
		}
	}
}

// owner returns the ABI of the space at work whose number it is, 0 if it is foreign. Where two
// share an AUDIT_ARCH value, bit 30 tells, and a tracer's skip counts as the first one's.
func (r *resolver) owner(s *Space, nr uint32) arch.ABI {
	switch {
	case r.foreign.Has(nr):
		return 0
	case len(s.ABIs) > 1 && nr&arch.X32Bit != 0 && nr != skip:
		return s.ABIs[1]
	}
	return s.ABIs[0]
}

// holds reports whether a rule's number is to be decided as one of the ABI, and checks
// that it is one of the rule's ABIs.
func (r *resolver) holds(s *Space, a arch.ABI, n *named) bool {
	abis := r.rules[n.rule].abis
	owner := r.owner(s, n.nr)
	ok := owner != 0 && (abis.has(owner) || n.nr == skip && abis&setOf(s.ABIs) != 0)
	if !ok && abis.has(a) {
		r.found(findingKey{string(ForeignNumber), n.rule, n.name, none, r.options.Exact}, a, func() (place, string) {
			_, at := r.name(n.rule, n.name)
			return at, numberString(n.nr) + ": not a number of this ABI, so the rule has no effect on it (remove it, or add the ABI that has it to the targets and to the rule)"
		})
	}
	return ok && owner == a
}
