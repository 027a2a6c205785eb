package algebra

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// find returns the first option for a call that does what it should on all ABIs; if there is
// none, one that does so but for data; or the strictest action that the call gets.
func (d *draft) find(c *call) *option {
	key := d.key(c)
	f, ok := d.found[key]
	if !ok {
		f.option = d.search(c, &f.tooMany)
		d.found[key] = f
	}
	d.tooMany[c.name] = f.tooMany
	return f.option
}

// A found is what to say about all calls that are alike.
type found struct {
	option  *option
	tooMany bool // there were options with too many rules
}

// key returns what calls are alike by: the rules of sources that name them, and what they get.
func (d *draft) key(c *call) string {
	var key []byte
	for i := range d.entries {
		for j, e := range d.entries[i] {
			if e.names[c.name] {
				key = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(key, uint32(i)), uint32(j))
			}
		}
	}
	for _, p := range c.places {
		key = fmt.Appendf(key, " %d %p", p.abi, d.want.at(p.abi, p.nr))
	}
	return string(key)
}

func (d *draft) search(c *call, tooMany *bool) *option {
	options := d.candidates(c, tooMany)
	for _, want := range []*table{d.want, d.classes} {
		for _, o := range options {
			if d.fitting(c, o, want, tooMany) {
				return o
			}
		}
	}
	return always(d.strictest(c.places))
}

// candidates returns the options for a call: rules of one source, of all, and new ones.
func (d *draft) candidates(c *call, tooMany *bool) (options []*option) {
	var all []int
	for i := range d.entries {
		if slices.ContainsFunc(d.entries[i], func(e entry) bool { return e.names[c.name] }) {
			options = append(options, &option{sources: []int{i}})
			all = append(all, i)
		}
	}
	if len(all) > 1 {
		options = append(options, &option{sources: all})
	}
	at := slices.Clone(c.places) // the widest first
	slices.SortStableFunc(at, func(x, y place) int { return cmp.Compare(y.abi.Bits(), x.abi.Bits()) })
	tried := make(map[*form]bool)
	for _, p := range at {
		f := d.want.at(p.abi, p.nr)
		if tried[f] {
			continue
		}
		tried[f] = true
		if rules, ok := rulesOf(f.tree, d.standard, ^uint64(0)>>(64-p.abi.Bits()), d.options.MaxRules); ok {
			options = append(options, &option{rules: rules})
		} else {
			*tooMany = true
		}
	}
	return options
}

// fitting reports whether an option does what a call should on all ABIs.
func (d *draft) fitting(c *call, o *option, want *table, tooMany *bool) bool {
	p := &policy.Policy{}
	p.Default, p.DefaultErrno = split(d.standard)
	for _, i := range o.sources {
		for _, e := range d.entries[i] {
			if e.names[c.name] {
				rule := *e.Rule
				rule.Names, rule.Pointer = []string{c.name}, ""
				p.Rules = append(p.Rules, rule)
			}
		}
	}
	for _, r := range o.rules {
		p.Rules = append(p.Rules, r.rule([]string{c.name}))
	}
	other := cbpf.Allow
	if d.standard == other {
		other = cbpf.KillProcess
	}
	mux := choice{action: other} // so that rules do not contradict each other there
	p.Rules = append(p.Rules, mux.rule([]string{"socketcall", "ipc"}))
	reading := d.options.Reading
	reading.ENOSYS = policy.ENOSYS{Off: true}
	r, _, err := policy.Resolve(p, reading)
	if err != nil {
		return false
	}
	if want == d.classes {
		r = classed(r)
	}
	got, err := d.forms.table(r)
	if err != nil {
		return false
	}
	for _, at := range c.places {
		if len(got.Clauses(at.abi.Audit(), at.nr)) > d.options.MaxRules {
			*tooMany = true
			return false
		}
		if got.at(at.abi, at.nr) != want.at(at.abi, at.nr) {
			return false
		}
	}
	return true
}

// rule returns a rule for some calls.
func (c *choice) rule(names []string) policy.Rule {
	r := policy.Rule{Names: names, Args: c.args}
	r.Action, r.Errno = split(c.action)
	return r
}
