package algebra

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// together returns what sources mean together.
func together(op Op, kernel bool, sources []Source) (*policy.Resolved, error) {
	members := make([]*policy.Resolved, len(sources))
	for i := range sources {
		members[i] = sources[i].Meaning
	}
	order := chain(enosysOf(members...))
	if kernel { // the newest first, which no action of its class wins against
		slices.Reverse(members)
		order = cbpf.Action.Compare
	}
	all, err := policy.Product(func(later, earlier cbpf.Action) bool {
		c := order(later, earlier)
		return c < 0 && op == Intersect || c > 0 && op == Union
	}, members...)
	if err != nil {
		return nil, err
	}
	return trimmed(all), nil
}

// enosysOf returns the action that says ENOSYS on the first ABI, as they are declared, of
// some policies: MIPS and PA-RISC have numbers of their own.
func enosysOf(members ...*policy.Resolved) cbpf.Action {
	var abis []arch.ABI
	for _, m := range members {
		abis = append(abis, m.ABIs()...)
	}
	n, _ := slices.Min(abis).Errno("ENOSYS")
	return cbpf.Errno(n)
}

// chain returns a total order of actions, the strictest first: by class, then ENOSYS, then
// by data.
func chain(enosys cbpf.Action) func(a, b cbpf.Action) int {
	return func(a, b cbpf.Action) int {
		if c := a.Compare(b); c != 0 || a == b {
			return c
		}
		switch enosys {
		case a:
			return -1
		case b:
			return 1
		}
		return cmp.Compare(a.Data(), b.Data())
	}
}

// trimmed leaves out the ABIs of which all calls get BadArch, as calls through ABIs that are
// not there do. If that is all ABIs, those of the first space are left.
func trimmed(r *policy.Resolved) *policy.Resolved {
	out := *r
	out.Spaces = nil
	for i := range r.Spaces {
		s := trimSpace(r, r.Spaces[i])
		if len(s.ABIs) > 0 {
			out.Spaces = append(out.Spaces, s)
		}
	}
	if len(out.Spaces) == 0 {
		out.Spaces = r.Spaces[:1]
	}
	return &out
}

// trimSpace leaves out the ABIs of a space.
func trimSpace(r *policy.Resolved, s policy.Space) policy.Space {
	if constant(r, &s, policy.Interval{Last: skip}) {
		return policy.Space{}
	}
	for i := range s.ABIs {
		own := policy.Interval{Last: arch.X32Bit - 1} // of x86_64, which comes first; then x32's
		if i > 0 {
			own = policy.Interval{First: arch.X32Bit, Last: 1<<31 - 1}
		}
		beyond := func(c policy.Call) bool { return c.ABI == s.ABIs[i] && (c.NR < own.First || own.Last < c.NR) } // as skip
		if len(s.ABIs) > 1 && constant(r, &s, own) && !slices.ContainsFunc(s.Calls, beyond) {
			s.ABIs = slices.Delete(slices.Clone(s.ABIs), i, i+1)
			return shut(r, s, own)
		}
	}
	return s
}

const skip = 1<<32 - 1 // -1, which a tracer sets to skip a call

// constant reports whether all calls with some numbers get BadArch.
func constant(r *policy.Resolved, s *policy.Space, in policy.Interval) bool {
	next := uint64(in.First) // number from which on nothing is known
	pass := func(first, last uint32, bad bool) bool {
		if last < in.First || in.Last < first {
			return true
		}
		ok := bad && (uint64(first) <= next || r.Default == r.BadArch)
		next = max(next, uint64(last)+1)
		return ok
	}
	calls, ranges := s.Calls, s.Ranges
	for len(calls)+len(ranges) > 0 {
		if len(ranges) == 0 || len(calls) > 0 && calls[0].NR < ranges[0].First {
			other := func(c policy.Clause) bool { return c.Action != r.BadArch }
			last := calls[0].Clauses[len(calls[0].Clauses)-1]
			bad := !slices.ContainsFunc(calls[0].Clauses, other) && (len(last.Conds) == 0 || r.Default == r.BadArch)
			if !pass(calls[0].NR, calls[0].NR, bad) {
				return false
			}
			calls = calls[1:]
		} else {
			if !pass(ranges[0].First, ranges[0].Last, ranges[0].Action == r.BadArch) {
				return false
			}
			ranges = ranges[1:]
		}
	}
	return next > uint64(in.Last) || r.Default == r.BadArch
}

// shut says of numbers, which all get BadArch, that it is because of their ABI.
func shut(r *policy.Resolved, s policy.Space, numbers policy.Interval) policy.Space {
	out := s
	out.Calls = slices.DeleteFunc(slices.Clone(s.Calls), func(c policy.Call) bool { return numbers.First <= c.NR && c.NR <= numbers.Last })
	out.Ranges = []policy.Range{{First: numbers.First, Last: numbers.Last, Action: r.BadArch, Reason: policy.ByBadArch}}
	for _, x := range s.Ranges {
		if x.First < numbers.First {
			y := x
			y.Last = min(x.Last, numbers.First-1)
			out.Ranges = append(out.Ranges, y)
		}
		if x.Last > numbers.Last {
			y := x
			y.First = max(x.First, numbers.Last+1)
			out.Ranges = append(out.Ranges, y)
		}
	}
	slices.SortFunc(out.Ranges, func(x, y policy.Range) int { return cmp.Compare(x.First, y.First) })
	return out
}
