package grade

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// Powers returns what calls give a program, in the order of the page: the gravest first, and
// last the calls that give nothing else.
func Powers() []Power { return slices.Clone(powers[:]) }

// Gravest returns the index in [Powers] of the gravest that a call can give, by some
// arguments at least.
func Gravest(call string) int {
	first := calls
	for _, r := range rows() {
		if r.gives != 0 && slices.Contains(strings.Fields(r.calls), call) {
			for p := range first {
				if r.gives.has(p) {
					first = min(first, p)
				}
			}
		}
	}
	return int(first)
}

// A Reach is how a power is reached.
type Reach struct {
	Power
	// Has says that some kernel of the ABIs has what gives the power.
	Has bool
	// Undecided says that the limits of the proof were too low for some calls.
	Undecided bool
	// Ways are what gives the power and is let through: the calls by name, each with the ABIs
	// of its numbers. Other ABIs, and numbers without a call, are one way without a name.
	Ways []Way
}

// A Way is a call that gives a power and is let through.
type Way struct {
	Call string
	ABIs []arch.ABI
	// Above is the argument in whose upper half some bit has to be set, which the filter looks
	// at and the kernel does not; "" if that is not so.
	Above string
}

// Reach returns how each power is reached under a policy, in the order of the page. Unlike
// [Scale.Of] it has an answer for any policy: what is beyond the limits for all calls
// together, it asks for each call alone.
func (s *Scale) Reach(r *policy.Resolved, l proof.Limits) ([]Reach, error) {
	g, err := s.Of(proof.Policy(r), l)
	if err == nil {
		return s.reach(g, proof.Policy(r), l)
	}
	if !limited(err) {
		return nil, err
	}
	return s.byCall(r, l)
}

func limited(err error) bool {
	var limit *proof.LimitError
	return errors.As(err, &limit)
}

// ReachOf is Reach for any subject, which it cannot ask call by call.
func (s *Scale) ReachOf(subject proof.Subject, l proof.Limits) ([]Reach, error) {
	g, err := s.Of(subject, l)
	if err != nil {
		return nil, err
	}
	return s.reach(g, subject, l)
}

// reach groups the ways of a grade by call.
func (s *Scale) reach(g *Grade, subject proof.Subject, l proof.Limits) (list []Reach, err error) {
	narrow, err := s.narrow(g, subject, l)
	if err != nil {
		return nil, err
	}
	for p := range power(len(powers)) {
		r := Reach{Power: powers[p], Has: s.has(p)}
		for _, w := range g.Lines[p].ways {
			above := ""
			if narrow != nil && !w.always && !slices.ContainsFunc(narrow.Lines[p].ways, w.same) {
				above = w.above()
			}
			r.add(p, &w, above)
		}
		list = append(list, r)
	}
	return list, nil
}

// has reports whether a kernel of the ABIs has anything that gives a power.
func (s *Scale) has(p power) bool {
	switch p {
	case compat:
		return slices.ContainsFunc(s.abis, func(a arch.ABI) bool { return a != a.Main() && a != arch.X32 })
	case x32:
		return slices.Contains(s.abis, arch.X32)
	case future:
		return true
	}
	return len(s.names[p]) > 0
}

// add adds a way, to one like it on other ABIs if there is one.
func (r *Reach) add(p power, w *way, above string) {
	name := w.call.Name()
	if p == compat || p == x32 || p == future {
		name = ""
	}
	i := slices.IndexFunc(r.Ways, func(x Way) bool { return x.Call == name && x.Above == above })
	if i < 0 {
		i = len(r.Ways)
		r.Ways = append(r.Ways, Way{Call: name, Above: above})
	}
	if abis := &r.Ways[i].ABIs; !slices.Contains(*abis, w.abi) {
		*abis = append(*abis, w.abi)
	}
}

func (w way) same(x way) bool { return w.abi == x.abi && w.call == x.call }

// narrow grades a subject for calls whose arguments are as programs pass them: an int has
// nothing in its upper half. It returns nil if that makes no difference, or is not known.
func (s *Scale) narrow(g *Grade, subject proof.Subject, l proof.Limits) (*Grade, error) {
	upper := func(w way) bool {
		return !w.always && slices.ContainsFunc(w.example.Args[:], func(v uint64) bool { return v > math.MaxUint32 })
	}
	if !slices.ContainsFunc(g.Lines, func(l Line) bool { return slices.ContainsFunc(l.ways, upper) }) {
		return nil, nil
	}
	t := *s
	t.denies = clone(s.denies)
	for i := range t.denies.Spaces {
		space := &t.denies.Spaces[i]
		for j := range space.Calls {
			space.Calls[j].Clauses = narrowed(space.Calls[j].ABI, space.Calls[j].Clauses)
		}
	}
	found, err := t.Of(subject, l)
	if limited(err) {
		return nil, nil
	}
	return found, err
}

// narrowed returns clauses that hold only where the arguments that must have a value have no
// other bits. What they leave is allowed: it counts for nothing.
func narrowed(abi arch.ABI, clauses []policy.Clause) (list []policy.Clause) {
	if abi.Bits() == 32 {
		return clauses
	}
	for _, c := range clauses {
		for _, x := range c.Conds {
			if x.Op == policy.MaskedEqual && c.Action != cbpf.Allow {
				conds := append(slices.Clone(c.Conds), policy.Cond{Arg: x.Arg, Op: policy.MaskedNotEqual, Mask: math.MaxUint64 - math.MaxUint32})
				slices.SortStableFunc(conds, func(x, y policy.Cond) int { return cmp.Compare(x.Arg, y.Arg) })
				list = append(list, policy.Clause{Conds: conds, Action: cbpf.Allow})
			}
		}
		list = append(list, c)
	}
	return list
}

// above names the argument of the example that has bits in its upper half.
func (w *way) above() string {
	names := w.call.Args(w.abi)
	for i, v := range w.example.Args {
		if v > math.MaxUint32 && i < len(names) {
			return names[i]
		}
	}
	return ""
}

// byCall answers for calls whose arguments decide each by itself, and for all others at once.
func (s *Scale) byCall(r *policy.Resolved, l proof.Limits) ([]Reach, error) {
	denied := []policy.Clause{{Action: cbpf.Errno(1)}}
	certain := clone(r)
	var asked []string
	for i := range certain.Spaces {
		space := &certain.Spaces[i]
		for j := range space.Calls {
			if c := &space.Calls[j]; len(c.Clauses) > 0 && len(c.Clauses[0].Conds) > 0 {
				c.Clauses = denied
				asked = append(asked, s.name(space.Audit, c.NR))
			}
		}
	}
	g, err := s.Of(proof.Policy(certain), l)
	if err != nil {
		return nil, err
	}
	list, err := s.reach(g, proof.Policy(certain), l)
	slices.Sort(asked)
	for _, name := range slices.Compact(asked) {
		err = cmp.Or(err, s.ask(list, s.only(r, name, cbpf.Errno(1)), name, l))
	}
	return list, err
}

// name returns the name of the call with a number, "" if it has none.
func (s *Scale) name(audit, nr uint32) string {
	task, _ := arch.ByAudit(audit, nr)
	call, _ := syscalltables.ByNumber(owner(task, nr), nr)
	return call.Name()
}

// ask adds to the answers what a policy of a call alone says.
func (s *Scale) ask(list []Reach, r *policy.Resolved, name string, l proof.Limits) error {
	one := *s
	one.denies = s.only(s.denies, name, cbpf.Allow)
	g, err := one.Of(proof.Policy(r), l)
	if limited(err) {
		for p := range list {
			list[p].Undecided = list[p].Undecided || slices.Contains(s.names[p], name)
		}
		return nil
	}
	if err != nil {
		return err
	}
	found, err := one.reach(g, proof.Policy(r), l)
	for p := range found {
		list[p].Ways = append(list[p].Ways, found[p].Ways...)
	}
	return err
}

// only returns a policy of the calls with a name alone; all else gets an action.
func (s *Scale) only(r *policy.Resolved, name string, otherwise cbpf.Action) *policy.Resolved {
	one := clone(r)
	one.Default, one.BadArch = otherwise, otherwise
	for i := range one.Spaces {
		space := &one.Spaces[i]
		space.Ranges = nil
		space.Calls = slices.DeleteFunc(space.Calls, func(c policy.Call) bool { return s.name(space.Audit, c.NR) != name })
	}
	return one
}

// clone copies a policy as far as its calls.
func clone(r *policy.Resolved) *policy.Resolved {
	out := *r
	out.Spaces = slices.Clone(r.Spaces)
	for i := range out.Spaces {
		out.Spaces[i].Calls = slices.Clone(out.Spaces[i].Calls)
	}
	return &out
}
