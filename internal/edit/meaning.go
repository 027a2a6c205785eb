package edit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Change is what an edit does: the calls of some specs get an action, with its data, and all
// others stay as they are.
type Change struct {
	Specs  []Spec
	Action cbpf.Action
	// Deny asks for the profile's own denial in place of Action: its default action, if that
	// denies, else ERRNO(EPERM). Calls that are newer than the profile keep their ENOSYS.
	Deny bool
}

// wanted returns what a profile should mean after a change. through is whether the change
// is about multiplexers, too, as a rule of a profile is: they hide the conditions on the
// first argument, so that a change of some calls either changes them all there or none.
func wanted(r *policy.Resolved, c *Change, through bool) *policy.Resolved {
	out := &policy.Resolved{Default: r.Default, BadArch: r.BadArch}
	for _, s := range r.Spaces {
		e := editSpace(&s, r.Default)
		for _, a := range s.ABIs {
			for i := range c.Specs {
				call := c.Specs[i].Call
				lists, _ := c.Specs[i].When.lists(a, call)
				if nr, ok := call.Number(a); ok && !(c.Deny && newer(r, a, nr)) {
					e.put(a, nr, lists, c.Action)
				}
				if nr, selector, ok := call.Multiplexed(a); ok && through {
					e.put(a, nr, behind(lists, selector, width(a)), c.Action)
				}
			}
		}
		out.Spaces = append(out.Spaces, e.space)
	}
	return out
}

// behind returns conditions for a multiplexer: its first argument selects the call.
func behind(lists [][]policy.Cond, selector uint32, full uint64) (out [][]policy.Cond) {
	for _, list := range lists {
		conds := []policy.Cond{{Op: policy.Equal, Mask: full, Value: uint64(selector)}}
		for _, c := range list {
			if c.Arg != 0 {
				conds = append(conds, c)
			}
		}
		out = append(out, conds)
	}
	return out
}

// A spaceEdit changes a number space.
type spaceEdit struct {
	space    policy.Space
	standard cbpf.Action
}

func editSpace(s *policy.Space, standard cbpf.Action) spaceEdit {
	return spaceEdit{policy.Space{Audit: s.Audit, ABIs: s.ABIs, Ranges: slices.Clone(s.Ranges), Calls: slices.Clone(s.Calls)}, standard}
}

// put gives a number an action where one of the lists of conditions holds.
func (e *spaceEdit) put(a arch.ABI, nr uint32, lists [][]policy.Cond, action cbpf.Action) {
	if len(lists) == 0 {
		return
	}
	call := e.call(a, nr)
	var all []policy.Clause
	for _, conds := range lists {
		all = append(all, policy.Clause{Conds: conds, Action: action})
		if len(conds) == 0 {
			break
		}
	}
	if last := all[len(all)-1]; len(last.Conds) > 0 {
		all = append(all, call.Clauses...)
	}
	call.Clauses = all
}

// otherwise adds a clause that decides before the default action, and reports whether it can.
func (e *spaceEdit) otherwise(a arch.ABI, nr uint32, clause policy.Clause) bool {
	call := e.call(a, nr)
	last := len(call.Clauses) - 1
	if call.Clauses[last].Action != e.standard || slices.ContainsFunc(call.Clauses, func(c policy.Clause) bool { return slices.Equal(c.Conds, clause.Conds) }) {
		return false
	}
	call.Clauses = slices.Insert(slices.Clone(call.Clauses), last, clause)
	return true
}

// call returns a number's clauses, of which the last one has no conditions.
func (e *spaceEdit) call(a arch.ABI, nr uint32) *policy.Call {
	at, there := slices.BinarySearchFunc(e.space.Calls, nr, func(c policy.Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
	if !there {
		e.space.Calls = slices.Insert(e.space.Calls, at, policy.Call{NR: nr, ABI: a, Clauses: e.cut(nr)})
	}
	call := &e.space.Calls[at]
	if last := call.Clauses[len(call.Clauses)-1]; len(last.Conds) > 0 {
		call.Clauses = append(slices.Clone(call.Clauses), policy.Clause{Action: e.standard})
	}
	return call
}

// cut takes a number out of the ranges, and returns what it gets there or by default.
func (e *spaceEdit) cut(nr uint32) []policy.Clause {
	for i, x := range e.space.Ranges {
		if nr < x.First || x.Last < nr {
			continue
		}
		var parts []policy.Range
		if below := x; nr > x.First {
			below.Last = nr - 1
			parts = append(parts, below)
		}
		if above := x; nr < x.Last {
			above.First = nr + 1
			parts = append(parts, above)
		}
		e.space.Ranges = slices.Replace(e.space.Ranges, i, i+1, parts...)
		return []policy.Clause{{Action: x.Action}}
	}
	return []policy.Clause{{Action: e.standard}}
}

// Changes returns the calls that two meanings treat differently, as [proof.Diff] does, but with
// less work where they have most rules in common.
func Changes(before, after *policy.Resolved) ([]proof.Change, error) {
	return new(comparer).changes(before, after)
}

// A comparer finds the calls that two meanings treat differently. It remembers what it found,
// since contexts mostly differ in other calls than those of an edit.
type comparer struct{ known map[string][]proof.Change }

// changes returns the calls that two meanings treat differently. What both have in common
// by their text is left out, because the proof then has less to do.
func (k *comparer) changes(want, got *policy.Resolved) ([]proof.Change, error) {
	if want.Default != got.Default || want.BadArch != got.BadArch || !slices.EqualFunc(want.Spaces, got.Spaces, func(a, b policy.Space) bool {
		return a.Audit == b.Audit && slices.Equal(a.ABIs, b.ABIs)
	}) {
		return proof.Diff(proof.Policy(want), proof.Policy(got), proof.Limits{})
	}
	a, b := rest(want), rest(got)
	same := true
	for i := range want.Spaces {
		x, y := &a.Spaces[i], &b.Spaces[i]
		x.Calls, y.Calls = unlike(x.Calls, y.Calls), unlike(y.Calls, x.Calls)
		same = same && len(x.Calls)+len(y.Calls) == 0 && slices.EqualFunc(x.Ranges, y.Ranges, func(x, y policy.Range) bool {
			return x.First == y.First && x.Last == y.Last && x.Action == y.Action
		})
	}
	if same {
		return nil, nil
	}
	key := fmt.Sprint(a.Default, a.BadArch, a.Spaces, b.Spaces)
	if found, ok := k.known[key]; ok {
		return found, nil
	}
	found, err := proof.Diff(proof.Policy(a), proof.Policy(b), proof.Limits{})
	if err == nil {
		if k.known == nil {
			k.known = make(map[string][]proof.Change)
		}
		k.known[key] = found
	}
	return found, err
}

// rest returns a copy whose spaces can be changed.
func rest(r *policy.Resolved) *policy.Resolved {
	c := *r
	c.Spaces = slices.Clone(r.Spaces)
	return &c
}

// unlike returns those calls of a space that another one does not have alike.
func unlike(calls, others []policy.Call) (left []policy.Call) {
	for _, c := range calls {
		i, ok := slices.BinarySearchFunc(others, c.NR, func(c policy.Call, nr uint32) int { return cmp.Compare(c.NR, nr) })
		if !ok || !slices.EqualFunc(c.Clauses, others[i].Clauses, func(a, b policy.Clause) bool {
			return a.Action == b.Action && slices.Equal(a.Conds, b.Conds)
		}) {
			left = append(left, c)
		}
	}
	return left
}

// A slack is how a result may differ from what is wanted: calls that are denied either way may
// fail with another error. It collects what did.
type slack struct {
	restated []string // calls with a rule for ENOSYS, which holds on all ABIs
	asked    []string // calls that rules under conditions name, which were newer than the profile on some ABI
	// holes are numbers that no call has, and cannot be named: on the other side of the
	// bound above which runtimes give ENOSYS. renumbered are calls of restated: ENOSYS in
	// place of the default action's error. known are calls of asked: the other way round.
	holes, renumbered, known []string
}

// allowed returns what is wanted if calls of restated get ENOSYS behind multiplexers, too: in
// place of the default action, and where the result has the rule for it.
func (s *slack) allowed(want, got *policy.Resolved) *policy.Resolved {
	if len(s.restated) == 0 || want.Default.Permits(cbpf.WithSupervisor) {
		return want
	}
	out := rest(want)
	for i := range out.Spaces {
		e := editSpace(&out.Spaces[i], want.Default)
		for _, a := range e.space.ABIs {
			n, _ := a.Errno("ENOSYS")
			for _, name := range s.restated {
				call, _ := syscalltables.Lookup(name)
				nr, selector, ok := call.Multiplexed(a)
				if !ok {
					continue
				}
				clause := policy.Clause{Conds: behind([][]policy.Cond{nil}, selector, width(a))[0], Action: cbpf.Errno(n)}
				if has := got.Clauses(a.Audit(), nr); slices.ContainsFunc(has, func(c policy.Clause) bool {
					return c.Action == clause.Action && slices.Equal(c.Conds, clause.Conds)
				}) && e.otherwise(a, nr, clause) {
					mux, _ := syscalltables.ByNumber(a, nr)
					s.renumbered = append(s.renumbered, fmt.Sprintf("%s of %v through %s", name, a, mux.Name()))
				}
			}
		}
		out.Spaces[i] = e.space
	}
	return out
}

// covers reports whether a change is within the slack.
func (s *slack) covers(c *proof.Change, r *policy.Resolved) bool {
	if r.Default.Permits(cbpf.WithSupervisor) {
		return false
	}
	i := slices.IndexFunc(r.Spaces, func(s policy.Space) bool {
		return len(c.Audits) == 1 && c.Audits[0] == policy.Interval{First: s.Audit, Last: s.Audit}
	})
	if i < 0 {
		return false
	}
	var calls, texts []string
	for _, a := range r.Spaces[i].ABIs {
		for nr, call := range syscalltables.All(a) {
			if c.First <= nr && nr <= c.Last {
				calls, texts = append(calls, call.Name()), append(texts, call.Name()+" of "+a.String())
			}
		}
	}
	n, _ := r.Spaces[i].ABIs[0].Errno("ENOSYS")
	enosys, abis := cbpf.Errno(n), listing.Names(r.Spaces[i].ABIs)
	switch {
	case calls == nil && (c.From == enosys && c.To == r.Default || (c.From == r.Default || c.From == r.BadArch) && c.To == enosys):
		s.holes = append(s.holes, fmt.Sprintf("%v of %s, get %v and not %v", policy.Interval{First: c.First, Last: c.Last}, abis, c.To, c.From))
	case calls != nil && c.From == r.Default && c.To == enosys && within(calls, s.restated):
		s.renumbered = append(s.renumbered, texts...)
	case calls != nil && c.From == enosys && c.To == r.Default && within(calls, s.asked):
		s.known = append(s.known, texts...)
	default:
		return false
	}
	return true
}

func within(names, others []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(others, name) })
}

// describe says what a change does to its witness.
func describe(c *proof.Change, ctx *context) string {
	d := &c.Witness.Call
	a, _ := arch.ByAudit(d.Arch, d.NR)
	return fmt.Sprintf("for %s, %s of %v would get %v and not %v", ctx, symbols.Call(a, d.NR, d.Args), a, c.To, c.From)
}
