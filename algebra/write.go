package algebra

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A writer finds the profile that says what sources mean together.
type writer struct {
	op      Op
	options Options
	sources []Source
	entries [][]entry // of each source's policy, those that a profile can have
	flags   []cbpf.Flag

	path, metadata string // of the listener

	meaning *policy.Resolved
	abis    []arch.ABI
	forms   *forms
	want    *table
	classes *table // of meaning, without data
	calls   []*call
}

// A call is a name that calls of the result have.
type call struct {
	name   string
	places []place
	muxed  []place // multiplexers through which it is also made
}

// A place is where a name has a number.
type place struct {
	abi arch.ABI
	nr  uint32
}

func newWriter(op Op, o Options, sources []Source, meaning *policy.Resolved) *writer {
	w := &writer{op: op, options: o, sources: sources, meaning: meaning, abis: meaning.ABIs(), forms: newForms(o.Limits)}
	w.options.Reading.ABIs = w.abis
	byName := make(map[string]*call)
	for _, a := range w.abis {
		for nr, c := range syscalltables.All(a) {
			named := byName[c.Name()]
			if named == nil {
				named = &call{name: c.Name()}
				byName[c.Name()] = named
				w.calls = append(w.calls, named)
				for _, b := range w.abis {
					if mux, _, ok := c.Multiplexed(b); ok {
						named.muxed = append(named.muxed, place{b, mux})
					}
				}
			}
			named.places = append(named.places, place{a, nr})
		}
	}
	slices.SortFunc(w.calls, func(x, y *call) int { return cmp.Compare(x.name, y.name) })
	for i := range sources {
		w.entries = append(w.entries, entriesOf(sources[i].Policy))
	}
	return w
}

// write returns the profile, and how it differs; or why there is none.
func (w *writer) write() (*policy.Policy, Relation, *Refusal) {
	if refusal := w.chooseFlags(); refusal != nil {
		return nil, 0, refusal
	}
	var err error
	if w.want, err = w.forms.table(w.meaning); err == nil {
		w.classes, err = w.forms.table(classed(w.meaning))
	}
	if err != nil {
		return nil, 0, &Refusal{Reason: Limit, detail: err.Error()}
	}
	if p := w.whole(); p != nil {
		return p, 0, nil
	}
	var best *draft
	for _, standard := range w.standards() {
		d := w.draft(standard)
		if best == nil || d.better(best) {
			best = d
		}
		if best.fits && best.except == 0 {
			break
		}
	}
	if best.accepted() {
		return best.profile, best.except, nil
	}
	return nil, 0, w.refused(best)
}

// standards returns the default actions to try: first what sources have together.
func (w *writer) standards() []cbpf.Action {
	list := []cbpf.Action{w.meaning.Default}
	add := func(a cbpf.Action) {
		if !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	for i := range w.sources {
		add(w.sources[i].Meaning.Default)
	}
	add(enosysOf(w.meaning))
	return list
}

// whole returns the profile of a source that means the same, nil if none does.
func (w *writer) whole() *policy.Policy {
	for i := range w.sources {
		p := w.sources[i].Policy
		if p == nil || !plain(p) || len(w.entries[i]) != len(p.Rules) {
			continue
		}
		q := *p
		q.Flags, q.ListenerPath, q.ListenerMetadata = w.flags, w.path, w.metadata
		abis := w.sources[i].Meaning.ABIs()
		another := func(a arch.ABI) bool { return !slices.Contains(abis, a) }
		if len(q.ABIs) < len(abis) || slices.ContainsFunc(q.ABIs, another) {
			q.ABIs = abis
		}
		reading := w.options.Reading
		reading.ABIs = abis
		if r, _, err := policy.Resolve(&q, reading); err == nil && w.same(r) {
			return &q
		}
	}
	return nil
}

// same reports whether a policy is proved to mean what the sources do together.
func (w *writer) same(r *policy.Resolved) bool {
	got, err := w.forms.table(r)
	if err != nil {
		return false
	}
	for _, c := range w.calls { // which is fast, and mostly enough
		for _, at := range c.places {
			if got.at(at.abi, at.nr) != w.want.at(at.abi, at.nr) {
				return false
			}
		}
	}
	result, err := proof.Equal(proof.Policy(w.meaning), proof.Policy(r), w.options.Limits)
	return err == nil && result.Verdict == proof.Same
}

// classed returns a policy without the data of its actions.
func classed(r *policy.Resolved) *policy.Resolved {
	out := &policy.Resolved{Default: r.Default.Class(), BadArch: r.BadArch.Class(), Spaces: slices.Clone(r.Spaces)}
	lists := make(map[*policy.Clause][]policy.Clause)
	for i := range out.Spaces {
		s := &out.Spaces[i]
		s.Ranges, s.Calls = slices.Clone(s.Ranges), slices.Clone(s.Calls)
		for j := range s.Ranges {
			s.Ranges[j].Action = s.Ranges[j].Action.Class()
		}
		for j := range s.Calls {
			first := &s.Calls[j].Clauses[0]
			if lists[first] == nil {
				list := slices.Clone(s.Calls[j].Clauses)
				for k := range list {
					list[k].Action = list[k].Action.Class()
				}
				lists[first] = list
			}
			s.Calls[j].Clauses = lists[first]
		}
	}
	return out
}

// judge finds out how a draft's profile differs from what the sources mean.
func (d *draft) judge(r *policy.Resolved) {
	changes, err := proof.Diff(proof.Policy(d.meaning), proof.Policy(r), d.options.Limits)
	if err != nil {
		d.reason, d.detail = Limit, err.Error()
		return
	}
	d.known, d.changes = true, changes
	for _, except := range []Relation{0, ExceptForeign, ExceptUnassigned, ExceptData, ExceptData | ExceptForeign, ExceptData | ExceptUnassigned} {
		more := func(c proof.Change) bool { return !d.spares(except, &c) }
		if slices.ContainsFunc(changes, more) {
			continue
		}
		if !d.fits || !d.accepted() && except&^d.options.Accept == 0 {
			d.fits, d.except = true, except
		}
	}
	d.weak = slices.ContainsFunc(changes, func(c proof.Change) bool { return weaker(c.To, c.From) && !d.unassigned(&c) })
}

// accepted reports whether a draft may be the result.
func (d *draft) accepted() bool { return d.fits && d.except&^d.options.Accept == 0 }

// spares reports whether a relation lets a change be.
func (w *writer) spares(r Relation, c *proof.Change) bool {
	return r&ExceptData != 0 && sameClass(c) ||
		r&ExceptForeign != 0 && w.foreign(c) ||
		r&ExceptUnassigned == ExceptUnassigned && w.unassigned(c)
}

func sameClass(c *proof.Change) bool { return c.From.Class() == c.To.Class() }

// foreign reports whether all numbers of a change are above those of the result's ABIs.
func (w *writer) foreign(c *proof.Change) bool {
	if !w.unassigned(c) || c.First < arch.X32Bit {
		return false
	}
	x32 := slices.Contains(w.abis, arch.X32) && c.Audits.Has(arch.X32.Audit())
	return !x32 || c.First >= 1<<31
}

// unassigned reports whether no number of a change is that of a call. A kernel of MIPS, or of
// x86_64 with x32, has the calls of ABIs that the result is not for, too.
func (w *writer) unassigned(c *proof.Change) bool {
	for _, i := range c.Audits {
		ours := func(a arch.ABI) bool { return a.Audit() == i.First }
		if i.First != i.Last || !slices.ContainsFunc(w.abis, ours) {
			return false
		}
	}
	for a := range arch.All() {
		here := func(b arch.ABI) bool { return c.Audits.Has(b.Audit()) }
		if !here(a) && (a.Base() == 0 || !slices.ContainsFunc(a.Family(), here)) {
			continue
		}
		for nr := range syscalltables.All(a) {
			if c.First <= nr && nr <= c.Last {
				return false
			}
		}
	}
	return true
}
