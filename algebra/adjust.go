package algebra

import (
	"cmp"
	"errors"
	"slices"

	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// contradiction makes other rules for multiplexers if these have contradicting ones. It
// reports whether that is so.
func (d *draft) contradiction(err error) (changed bool) {
	var errs policy.Errors
	errors.As(err, &errs)
	d.reason, d.detail = Unsayable, errs[0].Reason
	switch errs[0].Kind {
	case policy.NotifyDefault, policy.NotifyWrite:
		d.reason = Notify
	case policy.Contradiction:
		for _, c := range d.calls {
			if d.multiplexes(c) && d.contradicts(c) {
				changed = d.retreat(c) || changed
			}
		}
		if d.reason = Multiplexer; changed {
			d.detail = ""
		}
	}
	return changed
}

// contradicts reports whether the rules of the calls that are made through a multiplexer
// contradict each other there.
func (d *draft) contradicts(c *call) bool {
	alone := *d
	alone.chosen = make(map[string]*option)
	for _, other := range d.calls {
		if o := d.chosen[other.name]; o != nil && (other == c || other.through(c)) {
			alone.chosen[other.name] = o
		}
	}
	_, _, err := policy.Resolve(alone.build(), d.options.Reading)
	return err != nil
}

// through reports whether a call is also made through a multiplexer.
func (c *call) through(mux *call) bool {
	return slices.ContainsFunc(c.muxed, func(p place) bool { return slices.Contains(mux.places, p) })
}

// adjust corrects what a profile says about calls that it gets wrong because of its other
// rules. It reports whether anything changed.
func (d *draft) adjust(got *table) (changed bool) {
	if d.bound(got) {
		return true
	}
	for _, c := range d.calls {
		wrong := func(p place) bool { return got.at(p.abi, p.nr) != d.want.at(p.abi, p.nr) }
		switch {
		case !slices.ContainsFunc(c.places, wrong):
		case d.multiplexes(c):
			changed = d.remultiplex(c) || changed
		case d.chosen[c.name] == nil && !d.retired[c.name]:
			d.chosen[c.name] = d.named(c)
			changed = true
		}
	}
	return changed || d.raise(got)
}

// bound names a call that gets the default action, on an ABI on which the rules name none with
// a number above 0, so that later calls get ENOSYS.
func (d *draft) bound(got *table) (changed bool) {
	enosys := d.forms.always(enosysOf(d.meaning))
	for _, a := range d.abis {
		above := func(p place) bool { return p.abi == a && p.nr > 0 }
		named := func(c *call) bool {
			return d.chosen[c.name] != nil && (slices.ContainsFunc(c.places, above) || slices.ContainsFunc(c.muxed, above))
		}
		if slices.ContainsFunc(d.calls, named) {
			continue
		}
		var below *call
		for nr, c := range syscalltables.All(a) {
			want := d.want.at(a, nr)
			if want == enosys && got.at(a, nr) != want && below != nil {
				d.chosen[below.name] = d.named(below)
				changed = true
				break
			}
			if only(want.tree, d.standard) {
				below = d.call(c.Name())
			}
		}
	}
	return changed
}

func (d *draft) call(name string) *call {
	i, _ := slices.BinarySearchFunc(d.calls, name, func(c *call, name string) int { return cmp.Compare(c.name, name) })
	return d.calls[i]
}

// named returns the option for a call that is not named, and should be.
func (d *draft) named(c *call) *option {
	first := d.want.at(c.places[0].abi, c.places[0].nr)
	other := func(p place) bool { return d.want.at(p.abi, p.nr) != first }
	if a, ok := first.constant(); ok && !slices.ContainsFunc(c.places, other) {
		return always(a)
	}
	return d.find(c)
}

// remultiplex finds rules for a multiplexer that the rules of other calls do not do. First it
// takes new ones, then it makes all calls that it makes stricter.
func (d *draft) remultiplex(c *call) bool {
	if d.chosen[c.name] == nil && !d.retried[c.name] {
		d.retried[c.name] = true
		f := d.want.at(c.places[0].abi, c.places[0].nr)
		if rules, ok := rulesOf(f.tree, d.standard, ^uint64(0)>>(64-c.places[0].abi.Bits()), d.options.MaxRules); ok && len(rules) > 0 {
			d.chosen[c.name] = &option{rules: rules}
			return true
		}
	}
	return d.retreat(c)
}

// retreat gives up what a multiplexer makes impossible. First it leaves calls that are made
// through it to the default action, if that is of the right class. Then it gives the
// multiplexer the strictest action that it gets; where that is the default action, which cannot
// be a rule, the calls that are made through it get no weaker one.
func (d *draft) retreat(c *call) bool {
	if d.spare(c) {
		return true
	}
	strictest := d.strictest(c.places)
	if strictest != d.standard {
		if a, ok := d.chosen[c.name].unconditional(); ok && a == strictest {
			return false
		}
		d.chosen[c.name] = always(strictest)
		d.retired[c.name] = true
		return true
	}
	changed := d.chosen[c.name] != nil
	delete(d.chosen, c.name)
	for _, other := range d.calls {
		if d.chosen[other.name] == nil || !other.through(c) {
			continue
		}
		a := d.strictest(append(slices.Clone(other.places), c.places...))
		if old, ok := d.chosen[other.name].unconditional(); ok && old == a {
			continue
		}
		d.chosen[other.name] = always(a)
		d.retired[other.name] = true
		changed = true
	}
	return changed
}

// spare leaves calls that are made through a multiplexer to the default action, if that is of
// the class that they get. It reports whether there were any.
func (d *draft) spare(c *call) (changed bool) {
	class := d.forms.always(d.standard.Class())
	for _, other := range d.calls {
		another := func(p place) bool { return d.classes.at(p.abi, p.nr) != class }
		if d.chosen[other.name] != nil && !d.retired[other.name] && other.through(c) && !slices.ContainsFunc(other.places, another) {
			delete(d.chosen, other.name)
			d.retired[other.name] = true
			changed = true
		}
	}
	return changed
}

// raise names one more call on an ABI whose numbers of no call are above the bound and should
// not be.
func (d *draft) raise(got *table) (changed bool) {
	for _, a := range d.abis {
		var missed bool
		next := a.Base()
		for nr, c := range syscalltables.All(a) {
			if next < nr && got.at(a, next) != d.want.at(a, next) && only(d.want.at(a, next).tree, d.standard) {
				missed = true
			}
			next = nr + 1
			if missed && d.chosen[c.Name()] == nil {
				d.chosen[c.Name()] = d.named(d.call(c.Name()))
				missed, changed = false, true
			}
		}
	}
	return changed
}
