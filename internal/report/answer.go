package report

import (
	"fmt"
	"slices"
	"strings"
)

// fewNames is how many calls a sentence lists. It names the gravest of more.
const fewNames = 6

// Answer says in sentences what a reader of a comparison asks first: what does B let
// through that A does not? a and b name the profiles.
func (d *difference) Answer(a, b string) []string {
	if len(d.Groups) == 0 {
		return []string{"Both profiles treat every call alike, whatever its arguments."}
	}
	gain := d.called(func(g *change) bool { return g.Gain })
	loss := d.called(func(g *change) bool { return g.Loss })
	milder := d.called(func(g *change) bool { return g.Direction == weaker && !g.Gain })
	harder := d.called(func(g *change) bool { return g.Direction == stricter && !g.Loss })
	other := d.called(func(g *change) bool { return g.Direction == otherwise })
	var list []string
	say := func(c called, format string, args ...any) {
		if c.some() {
			list = append(list, fmt.Sprintf(format, args...)+c.text()+".")
		}
	}
	if gain.some() {
		say(gain, "%s allows %s that %s denies", b, gain.count(), a)
	} else {
		list = append(list, fmt.Sprintf("%s allows nothing that %s denies.", b, a))
	}
	say(loss, "It denies %s that %s allows", loss.count(), a)
	say(milder, "It treats %s less strictly", milder.count())
	say(harder, "It treats %s more strictly", harder.count())
	if other.some() {
		list = append(list, fmt.Sprintf("It answers %s with other data, such as another error.", other.count()))
	}
	return list
}

// Gains reports whether B lets anything through that A does not.
func (d *difference) Gains() bool {
	return slices.ContainsFunc(d.Groups, func(g *change) bool { return g.Gain })
}

// A called is the calls of some changes.
type called struct {
	names   []string        // the gravest first
	always  map[string]bool // whatever the arguments are, on some ABI
	numbers bool            // numbers without a call, too
	foreign bool            // calls through ABIs of no side, too
}

// called collects the calls of the changes that are so.
func (d *difference) called(so func(*change) bool) called {
	c := called{always: make(map[string]bool)}
	for _, g := range d.Groups {
		if !so(g) {
			continue
		}
		for _, x := range g.Always {
			c.always[x.Name] = true
		}
		for _, x := range slices.Concat(g.Always, g.Partly) {
			c.names = append(c.names, x.Name)
		}
		c.numbers, c.foreign = c.numbers || len(g.Numbers) > 0, c.foreign || g.Foreign
	}
	slices.SortFunc(c.names, d.harm.compare)
	c.names = slices.Compact(c.names)
	return c
}

func (c *called) some() bool { return len(c.names) > 0 || c.numbers || c.foreign }

// count is "23 calls", or what else there is.
func (c *called) count() string {
	var parts []string
	if n := len(c.names); n > 0 {
		parts = append(parts, plural(n, "call"))
	}
	if c.numbers {
		parts = append(parts, "numbers without a call")
	}
	if c.foreign {
		parts = append(parts, "calls through other ABIs")
	}
	return series(parts, "and")
}

// text names the gravest calls.
func (c *called) text() string {
	var list []string
	for _, name := range c.names[:min(len(c.names), fewNames)] {
		if !c.always[name] {
			name += " (by its arguments)"
		}
		list = append(list, name)
	}
	switch {
	case len(list) == 0:
		return ""
	case len(list) < len(c.names):
		return ": " + strings.Join(list, ", ") + " first"
	}
	return ": " + series(list, "and")
}
