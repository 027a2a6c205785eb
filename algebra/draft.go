package algebra

import (
	"cmp"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A draft is an attempt with one default action.
type draft struct {
	*writer
	standard cbpf.Action
	chosen   map[string]*option
	found    map[string]found
	tooMany  map[string]bool
	retried  map[string]bool // multiplexers for which new rules were tried
	retired  map[string]bool // calls that do not get what they should, because of multiplexers

	profile *policy.Policy
	known   bool // the differences are known
	changes []proof.Change
	fits    bool // except lets all changes be
	except  Relation
	weak    bool   // it gives some call a weaker action
	reason  Reason // why no profile means that
	detail  string
}

// An option is what a profile says about a call: rules of sources, or new ones.
type option struct {
	sources []int
	rules   []choice
}

// unconditional returns the action of a call that has one rule, without conditions.
func (o *option) unconditional() (a cbpf.Action, ok bool) {
	if o == nil || len(o.rules) != 1 || len(o.rules[0].args) > 0 {
		return 0, false
	}
	return o.rules[0].action, true
}

func always(a cbpf.Action) *option { return &option{rules: []choice{{action: a}}} }

// draft writes the best profile with a default action.
func (w *writer) draft(standard cbpf.Action) *draft {
	d := &draft{writer: w, standard: standard, chosen: make(map[string]*option), found: make(map[string]found),
		tooMany: make(map[string]bool), retried: make(map[string]bool), retired: make(map[string]bool)}
	for _, c := range w.calls {
		d.choose(c)
	}
	var got *policy.Resolved
	for range maxRounds {
		p := d.build()
		r, _, err := policy.Resolve(p, d.options.Reading)
		if err != nil {
			if d.contradiction(err) {
				continue
			}
			return d
		}
		d.profile, got = p, r
		t, err := w.forms.table(r)
		if err != nil {
			d.reason, d.detail = Limit, err.Error()
			return d
		}
		if !d.adjust(t) {
			break
		}
	}
	if got != nil {
		d.judge(got)
	}
	return d
}

// maxRounds bounds how often a draft is corrected.
const maxRounds = 12

// better reports whether a draft is better than another one.
func (d *draft) better(other *draft) bool {
	rank := func(d *draft) int {
		switch {
		case d.accepted():
			return int(d.except)
		case d.fits:
			return 8 + int(d.except)
		case d.known && !d.weak:
			return 16
		case d.known:
			return 17
		}
		return 18
	}
	c := cmp.Compare(rank(d), rank(other))
	if c == 0 && d.known && other.known {
		c = cmp.Or(cmp.Compare(len(d.changes), len(other.changes)), cmp.Compare(len(d.profile.Rules), len(other.profile.Rules)))
	}
	return c < 0
}

// choose finds what to say about a call, as far as that does not depend on other calls.
func (d *draft) choose(c *call) {
	first := d.want.at(c.places[0].abi, c.places[0].nr)
	same, unnamed := true, true // the call may get the default action, or what numbers above the bound get
	enosys := enosysOf(d.meaning)
	for _, p := range c.places {
		f := d.want.at(p.abi, p.nr)
		same = same && f == first
		a, ok := f.constant()
		unnamed = unnamed && ok && (a == d.standard || a == enosys)
	}
	a, ok := first.constant()
	switch {
	case unnamed:
	case ok && same:
		d.chosen[c.name] = always(a)
	case d.multiplexes(c): // what other calls' rules say may do
	default:
		d.chosen[c.name] = d.find(c)
	}
}

// multiplexes reports whether a call is socketcall or ipc.
func (d *draft) multiplexes(c *call) bool { return c.name == "socketcall" || c.name == "ipc" }

// strictest returns the strictest action that a call gets at some places.
func (d *draft) strictest(places []place) cbpf.Action {
	order := chain(enosysOf(d.meaning))
	strictest := cbpf.Allow
	for _, p := range places {
		leaves(d.want.at(p.abi, p.nr).tree, func(a cbpf.Action) {
			if order(a, strictest) < 0 {
				strictest = a
			}
		})
	}
	return strictest
}
