package beats

import (
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/policy"
)

// Limits on what stands for what go-seccomp-bpf does behind conditions that fail. No filter
// of 4096 instructions has so many paths.
const (
	maxRules = 1 << 12
	maxWork  = 1 << 20 // conditions looked at
)

// decide adds the rules of all entries to a policy.
func (r *reader) decide(p *policy.Policy, doc *document.Document) {
	d := decision{reader: r, policy: p, fallback: p.Elsewhere}
	seen := make(map[uint32]bool)
	for i := range r.entries {
		switch e := &r.entries[i]; {
		case r.AsWritten:
			d.one(i, e, nil)
		case !seen[e.nr]:
			seen[e.nr] = true
			d.call = e
			d.enter(i, nil)
		}
	}
	if d.full() {
		r.Fail(d.call.at, "go-seccomp-bpf's filter has too many paths behind calls with conditions (put calls with conditions last, or read the policy as it is written: setting as-written)")
	}
	places := r.places(doc)
	for i, by := range d.by {
		p.Rules[i].Pointer = places[by]
	}
}

// places returns the places of the entries. Those of one group need not be in the order of
// the document.
func (r *reader) places(doc *document.Document) []string {
	order := make([]int, len(r.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return r.entries[i].at.Compare(r.entries[j].at) })
	values := make([]document.Value, len(order))
	for i, n := range order {
		values[i] = r.entries[n].at
	}
	places := make([]string, len(order))
	for i, at := range doc.Places(values) {
		places[order[i]] = r.source.Place(at.Line, at.Column)
	}
	return places
}

// A decision makes rules. go-seccomp-bpf loads the number of a call once and then compares
// it with those of all entries. Where conditions on arguments fail, the word that failed is
// compared with the numbers of the entries behind.
type decision struct {
	*reader
	policy   *policy.Policy
	fallback cbpf.Action // the default action
	call     *entry      // the first of the call that rules are made for
	by       []int       // the entries of the rules
	work     int         // conditions looked at
}

// full reports whether a limit is reached.
func (d *decision) full() bool {
	return !d.AsWritten && (len(d.policy.Rules) > maxRules+len(d.entries) || d.work > maxWork+len(d.entries))
}

// A word is a half of an argument.
type word struct {
	index uint
	high  bool
}

// is returns the condition that the word is a number.
func (w word) is(n uint32) policy.Arg {
	if w.high {
		return policy.Arg{Index: w.index, Op: policy.MaskedEqual, Value: 1<<64 - 1<<32, ValueTwo: uint64(n) << 32}
	}
	return policy.Arg{Index: w.index, Op: policy.MaskedEqual, Value: 1<<32 - 1, ValueTwo: uint64(n)}
}

// add adds a rule for the call of an entry where conditions hold.
func (d *decision) add(i int, call *entry, conds []policy.Arg) {
	conds, possible := d.fit(conds)
	if !possible || d.full() {
		return
	}
	rule := policy.Rule{Names: []string{call.name}, Args: conds}
	rule.Action, rule.Errno = parts(d.entries[i].action)
	d.policy.Rules = append(d.policy.Rules, rule)
	d.by = append(d.by, i)
}

// one adds the rules of an entry for the call of another one, below conditions.
func (d *decision) one(i int, call *entry, path []policy.Arg) {
	lists := d.entries[i].lists
	for _, list := range lists {
		conds := slices.Clone(path)
		for _, t := range list {
			conds = append(conds, t.arg())
		}
		d.add(i, call, conds)
	}
	if lists == nil {
		d.add(i, call, path)
	}
}

// enter decides the calls that reach an entry on a path and are compared equal there.
func (d *decision) enter(i int, path []policy.Arg) {
	d.one(i, d.call, path)
	e := &d.entries[i]
	if e.lists == nil || !d.matters(i) {
		return
	}
	if path == nil {
		d.Warn(e.at, policy.Ignored, "where its conditions fail, go-seccomp-bpf does not look for the call among those behind it (put calls with conditions last, or read the policy as it is written: setting as-written)")
	}
	before := slices.Clone(path)
	for _, t := range e.lists[len(e.lists)-1] {
		for _, f := range t.fails() {
			d.behind(i+1, f.left, append(slices.Clone(before), f.conds...))
		}
		before = append(before, t.arg())
	}
}

// matters reports whether some entry behind another one does not what the default does.
func (d *decision) matters(i int) bool {
	return slices.ContainsFunc(d.entries[i+1:], func(e entry) bool { return e.action != d.fallback })
}

// behind decides the calls of a path on which the entries from i on are compared with a word.
func (d *decision) behind(i int, w word, path []policy.Arg) {
	seen := make(map[uint32]bool)
	for ; i < len(d.entries) && !d.full(); i++ {
		e := &d.entries[i]
		if seen[e.nr] || e.lists == nil && e.action == d.fallback {
			seen[e.nr] = true
			continue
		}
		seen[e.nr] = true
		conds := append(slices.Clone(path), w.is(e.nr))
		if _, possible := d.fit(conds); possible {
			d.enter(i, conds)
		}
	}
}

// fit returns conditions without those that always hold on the ABI, the upper halves of
// whose arguments are zero if they have 32 bits. It finds most of those that cannot hold
// together.
func (d *decision) fit(conds []policy.Arg) (fit []policy.Arg, possible bool) {
	d.work += len(conds)
	var mask, bits [6]uint64 // known bits of the arguments
	var least, most [6]uint64
	for i := range most {
		most[i] = ^uint64(0) >> (64 - d.abi.Bits())
		mask[i] = ^most[i]
	}
	for _, c := range conds {
		i, v := c.Index, c.Value
		if c.Op == policy.Equal {
			c.Op, c.Value, c.ValueTwo = policy.MaskedEqual, ^uint64(0), v
		}
		always := false
		switch c.Op {
		case policy.MaskedEqual:
			if (bits[i]^c.ValueTwo)&mask[i]&c.Value != 0 {
				return nil, false
			}
			always = c.Value&^mask[i] == 0
			mask[i], bits[i] = mask[i]|c.Value, bits[i]|c.ValueTwo&c.Value
		case policy.Less, policy.LessEqual:
			if c.Op == policy.Less && v == 0 {
				return nil, false
			}
			bound := v
			if c.Op == policy.Less {
				bound--
			}
			always = bound >= most[i]
			most[i] = min(most[i], bound)
		case policy.Greater, policy.GreaterEqual:
			if c.Op == policy.Greater && v == ^uint64(0) {
				return nil, false
			}
			bound := v
			if c.Op == policy.Greater {
				bound++
			}
			always = bound <= least[i]
			least[i] = max(least[i], bound)
		case policy.NotEqual:
			always = v > most[i] || v < least[i]
		case policy.MaskedNotEqual:
			known := c.Value & mask[i]
			if always = (bits[i]^c.ValueTwo)&known != 0; !always && known == c.Value {
				return nil, false
			}
		}
		if least[i] > most[i] || bits[i] > most[i] || bits[i]|^mask[i] < least[i] {
			return nil, false
		}
		if !always {
			fit = append(fit, c)
		}
	}
	return fit, true
}
