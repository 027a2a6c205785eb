package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/symbols/phrase"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A direction says how B treats calls, compared with A. Directions of several
// changes are joined by or.
type direction uint8

const (
	weaker direction = 1 << iota
	stricter
	otherwise // of the same class, with other data: another error number
)

// String names the direction.
func (d direction) String() string {
	switch d {
	case 0:
		return ""
	case weaker, weaker | otherwise:
		return "weaker"
	case stricter, stricter | otherwise:
		return "stricter"
	case otherwise:
		return "changed"
	}
	return "mixed"
}

// Title names the direction in words.
func (d direction) Title() string {
	if d.String() == "mixed" {
		return "weaker and stricter"
	}
	return d.String()
}

// rank orders directions by how much a reviewer has to look: anything that became weaker
// comes first.
func (d direction) rank() int {
	switch {
	case d&weaker != 0:
		return 0
	case d&stricter != 0:
		return 1
	}
	return 2
}

func directionOf(c *proof.Change) direction {
	return [...]direction{stricter, otherwise, weaker}[c.To.Compare(c.From)+1]
}

// A difference is how two sides differ.
type difference struct {
	Groups []*change
	calls  map[number]direction
	harm   harm
}

// of returns how a call has changed.
func (d *difference) of(abi arch.ABI, nr uint32) direction {
	if d == nil {
		return 0
	}
	return d.calls[number{abi.String(), nr}]
}

// A change is calls that one side gives one verdict and the other another.
type change struct {
	Direction direction
	From, To  chip
	Gain      bool       // B lets through what A does not, be it by a listener or tracer
	Loss      bool       // A does, and B does not
	Always    []*changed // under all arguments
	Partly    []*changed
	Numbers   []numbers // that no call has
	Foreign   bool      // calls through ABIs that neither side has
}

// Numbers are the same on some ABIs.
type numbers struct {
	abis []arch.ABI
	list []policy.Interval
}

// On names the ABIs.
func (n numbers) On() string { return listed(n.abis) }

// Text writes the numbers as a list.
func (n numbers) Text() string { return intervals(n.list) }

// A changed is a call, on some ABIs.
type changed struct {
	Name    string
	On      string   // ABIs, "" if on all that have the call
	When    []string // any one of these; none: always
	More    bool     // there are further cases
	Witness string
	abis    []arch.ABI
}

// sameABIs are calls that have changed on the same ABIs; if On is "", on those of each.
type sameABIs struct {
	On    string
	Calls []*changed
}

// together groups calls by ABIs that several have in common, in the order of each group's first.
func together(list []*changed) (groups []sameABIs) {
	const several = 4
	count := make(map[string]int)
	for _, x := range list {
		count[x.On]++
	}
	common := func(x *changed) string {
		if count[x.On] < several {
			return ""
		}
		return x.On
	}
	for len(list) > 0 {
		g := sameABIs{On: common(list[0])}
		g.Calls, list = parted(list, func(x *changed) bool { return common(x) == g.On })
		groups = append(groups, g)
	}
	return groups
}

// difference sorts changes by what happens to calls, the weaker first.
func (b *builder) difference(list []proof.Change) *difference {
	d := &difference{calls: make(map[number]direction), harm: b.harm}
	for i := range list {
		c := &list[i]
		for _, abi := range b.abis {
			if c.Audits.Has(abi.Audit()) {
				b.changed(d, c, abi)
			}
		}
		b.unnamed(d, c)
	}
	for _, g := range d.Groups {
		for _, x := range slices.Concat(g.Always, g.Partly) {
			x.On = b.on(x.Name, x.abis)
		}
		byHarm := func(x, y *changed) int { return b.harm.compare(x.Name, y.Name) }
		g.Numbers = folded(g.Numbers)
		slices.SortStableFunc(g.Always, byHarm)
		slices.SortStableFunc(g.Partly, byHarm)
	}
	order := kinds()
	slices.SortStableFunc(d.Groups, func(x, y *change) int {
		return cmp.Or(cmp.Compare(x.Direction, y.Direction),
			cmp.Compare(slices.Index(order, x.To.Kind), slices.Index(order, y.To.Kind)),
			cmp.Compare(slices.Index(order, x.From.Kind), slices.Index(order, y.From.Kind)))
	})
	return d
}

// group returns the group that a change belongs to.
func (d *difference) group(abi arch.ABI, c *proof.Change) *change {
	was, is := c.From.Permits(cbpf.WithSupervisor), c.To.Permits(cbpf.WithSupervisor)
	g := &change{Direction: directionOf(c), From: chipOf(abi, c.From), To: chipOf(abi, c.To), Gain: is && !was, Loss: was && !is}
	for _, h := range d.Groups {
		if h.Direction == g.Direction && h.From == g.From && h.To == g.To {
			return h
		}
	}
	d.Groups = append(d.Groups, g)
	return g
}

// changed adds the calls of a change on one ABI.
func (b *builder) changed(d *difference, c *proof.Change, abi arch.ABI) {
	for nr, call := range syscalltables.All(abi) {
		if nr < c.First || nr > c.Last {
			continue
		}
		d.calls[number{abi.String(), nr}] |= directionOf(c)
		g := d.group(abi, c)
		x := &changed{Name: call.Name(), More: c.More}
		list := &g.Always
		if len(c.When) != 1 || len(c.When[0]) > 0 {
			list = &g.Partly
			for _, w := range c.When {
				x.When = append(x.When, phrase.Call{ABI: abi, NR: nr}.Case(w))
			}
		}
		x.Witness = symbols.Call(abi, nr, c.Witness.Call.Args)
		i := slices.IndexFunc(*list, func(y *changed) bool {
			return y.Name == x.Name && y.More == x.More && slices.Equal(y.When, x.When)
		})
		if i < 0 {
			i = len(*list)
			*list = append(*list, x)
		}
		(*list)[i].abis = append((*list)[i].abis, abi)
	}
}

// unnamed adds the numbers of a change that no call has, and the ABIs that no side
// has.
func (b *builder) unnamed(d *difference, c *proof.Change) {
	var audits []uint32
	for _, abi := range b.abis {
		if c.Audits.Has(abi.Audit()) && !slices.Contains(audits, abi.Audit()) {
			audits = append(audits, abi.Audit())
		}
	}
	if size(c.Audits) > uint64(len(audits)) {
		d.group(slices.Concat(b.abis, []arch.ABI{arch.X86_64})[0], c).Foreign = true
	}
	for _, audit := range audits {
		gaps := gaps(b.abis, audit, policy.Interval{First: c.First, Last: c.Last})
		if len(gaps) == 0 {
			continue
		}
		abi, _ := arch.ByAudit(audit, gaps[0].First)
		g := d.group(abi, c)
		i := slices.IndexFunc(g.Numbers, func(n numbers) bool { return n.abis[0] == abi })
		if i < 0 {
			i = len(g.Numbers)
			g.Numbers = append(g.Numbers, numbers{abis: []arch.ABI{abi}})
		}
		g.Numbers[i].list = append(g.Numbers[i].list, gaps...)
	}
}

// folded joins ABIs with the same numbers.
func folded(all []numbers) (list []numbers) {
	for _, n := range all {
		i := slices.IndexFunc(list, func(x numbers) bool { return slices.Equal(x.list, n.list) })
		if i < 0 {
			list = append(list, n)
		} else {
			list[i].abis = append(list[i].abis, n.abis...)
		}
	}
	return list
}

// gaps returns the numbers of an interval that no call has.
func gaps(abis []arch.ABI, audit uint32, in policy.Interval) []policy.Interval {
	next, end := uint64(in.First), uint64(in.Last)+1
	var named []uint32
	for _, abi := range abis {
		if abi.Audit() != audit {
			continue
		}
		for nr := range syscalltables.All(abi) {
			if in.First <= nr && nr <= in.Last {
				named = append(named, nr)
			}
		}
	}
	slices.Sort(named)
	var list []policy.Interval
	for _, nr := range slices.Compact(named) {
		if uint64(nr) > next {
			list = append(list, policy.Interval{First: uint32(next), Last: nr - 1})
		}
		next = uint64(nr) + 1
	}
	if next < end {
		list = append(list, policy.Interval{First: uint32(next), Last: in.Last})
	}
	return list
}

func size(list []policy.Interval) uint64 {
	n := uint64(0)
	for _, i := range list {
		n += uint64(i.Last-i.First) + 1
	}
	return n
}

// intervals writes numbers as a list.
func intervals(list []policy.Interval) string {
	var out []string
	for _, i := range list {
		out = append(out, i.String())
	}
	return strings.Join(out, ", ")
}
