package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

const diffLong = `Diff lists the calls that two profiles or filters, in any mix, treat differently:
for each ABI the calls with the same change, under which arguments, and an
example. The list is complete: what is not in it is treated alike, for every
number and every argument. The exit status is 1 if there is a difference.

A change is weaker where B is less strict than A by the kernel's own order
(kill-process, kill-thread, trap, errno, notify, trace, log, allow), stricter
where B is more so, and other where the class is the same and its data, such as an
error number, is not.

With --weaker only changes that make B weaker count: the exit status is 0 if B
lets nothing through that A stops.`

// A comparison is what the flags of diff say.
type comparison struct {
	target
	patience
	weaker bool
	json   bool
}

func (a *app) diffCommand() *cobra.Command {
	var d comparison
	var o output
	cmd := &cobra.Command{
		Use:   "diff [flags] A B",
		Short: "list the calls that two profiles or filters treat differently",
		Long:  diffLong,
		Example: `  seccompile diff -a x86_64 docker-default profile.json
  seccompile diff --weaker old.bpf new.bpf
  seccompile resolve --cap all docker-default | seccompile diff docker-default -
  seccompile diff --json a.json b.json | jq '.changes[].witness'`,
		ValidArgsFunction: completeFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("diff takes two profiles or filters, not %d", len(args)).hintf("seccompile diff old.json new.json")
			}
			return a.diff(&d, &o, args[0], args[1])
		},
	}
	d.addPlace(cmd)
	d.addReading(cmd)
	cmd.Flags().BoolVar(&d.weaker, "weaker", false, "only changes that make B weaker")
	a.addNumeric(cmd)
	d.patience.add(cmd)
	addJSON(cmd, &d.json)
	o.add(cmd)
	return cmd
}

// diff reads both sides and prints how they differ.
func (a *app) diff(d *comparison, o *output, nameA, nameB string) error {
	limits, err := d.limits()
	if err != nil {
		return err
	}
	sideA, err := a.side(&d.target, nameA)
	if err != nil {
		return err
	}
	sideB, err := a.side(&d.target, nameB)
	if err != nil {
		return err
	}
	if err := sameOrder(sideA, sideB); err != nil {
		return err
	}
	found, err := proof.Diff(sideA.subject, sideB.subject, limits)
	if err != nil {
		return unlimited(err)
	}
	if d.weaker {
		found = slices.DeleteFunc(found, func(c proof.Change) bool { return !c.Weaker() })
	}
	v := &changes{a: sideA, b: sideB, weakerOnly: d.weaker, numeric: a.numeric}
	if err := v.split(found); err != nil {
		return err
	}
	if d.json {
		err = a.putJSON(o, v.document())
	} else {
		p := a.paint()
		if o.explicit() {
			p = false
		}
		err = a.put(o, v.text(p))
	}
	if err == nil && len(found) > 0 {
		return &failure{code: exitNo}
	}
	return err
}

// The changes are how two sides differ.
type changes struct {
	a, b       *side
	weakerOnly bool
	numeric    bool // constants are to be written as numbers
	list       []change
}

// A change is neighbouring calls of one scope with the same change.
type change struct {
	scope
	proof.Change
	in    policy.Interval // numbers
	calls []part
}

// split splits changes by ABI, in their order, those that depend on arguments by
// call, and finds a witness for each.
func (v *changes) split(found []proof.Change) error {
	c := choice{numeric: v.numeric}
	for _, s := range []*side{v.a, v.b} {
		if s.resolved != nil {
			c.abis = append(c.abis, resolvedABIs(s.resolved)...)
		}
	}
	for _, f := range found {
		for _, s := range c.scopes(f.Audits) {
			for _, in := range s.clip(f.First, f.Last) {
				c := change{s, f, in, s.parts(in)}
				if c.always() {
					v.list = append(v.list, c)
					continue
				}
				for _, x := range c.calls {
					v.list = append(v.list, change{s, f, x.Interval, []part{x}})
				}
			}
		}
	}
	sortScopes(v.list, func(c *change) *scope { return &c.scope })
	all := make([]*scope, len(v.list))
	for i := range v.list {
		all[i] = &v.list[i].scope
		if err := v.list[i].example(v.a, v.b); err != nil {
			return err
		}
	}
	nameForeign(all)
	return nil
}

// always reports whether a change is for all arguments.
func (c *change) always() bool { return len(c.When) == 1 && len(c.When[0]) == 0 }

// direction says which side is stricter.
func (c *change) direction() string {
	switch {
	case c.Weaker():
		return "weaker"
	case c.Stricter():
		return "stricter"
	}
	return "other"
}

// example makes sure that the witness is a call of this scope, and no other's of
// the change that it was split from.
func (c *change) example(a, b *side) error {
	d := &c.Witness.Call
	if !among(c.audits, d.Arch) {
		d.Arch = c.audits[0].First
	}
	if d.NR < c.in.First || d.NR > c.in.Last {
		d.NR = c.in.First
	}
	if from, to := a.decide(d).Action, b.decide(d).Action; from != c.From || to != c.To {
		return fmt.Errorf("BUG: the proof says that %s gets %v and %v, but running both gives %v and %v",
			describe(d, 0, true), c.From, c.To, from, to)
	}
	return nil
}

// when writes the conditions of a change.
func (c *change) when() string {
	if c.always() {
		return ""
	}
	var cases []string
	for _, w := range c.When {
		cases = append(cases, c.scope.call(c.in.First).Case(w))
	}
	if c.More {
		cases = append(cases, "in further cases")
	}
	return " if " + strings.Join(cases, ", or if ")
}

// shown returns how many arguments of the witness matter.
func (c *change) shown() int {
	n := 0
	for _, w := range c.When {
		for _, one := range w {
			n = max(n, one.Arg+1)
		}
	}
	return n
}

// text prints the changes of each ABI, the weaker first, by actions.
func (v *changes) text(p painter) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	switch {
	case len(v.list) == 0 && v.weakerOnly:
		fmt.Fprintf(w, "no call is weaker in %s than in %s\n", v.b.name, v.a.name)
	case len(v.list) == 0:
		fmt.Fprintf(w, "same: %s and %s treat every call alike\n", v.a.name, v.b.name)
	default:
		fmt.Fprintf(w, "A: %s\nB: %s\n", v.a.name, v.b.name)
	}
	for rest := v.list; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(c change) bool { return c.title != rest[0].title })
		if n < 0 {
			n = len(rest)
		}
		fmt.Fprintln(w, p.text(bold, rest[0].title))
		for _, g := range groups(rest[:n]) {
			g.print(w, p)
		}
		rest = rest[n:]
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// groups sorts the changes of one scope by actions: the weaker first.
func groups(list []change) []group {
	var out []group
	for i := range list {
		c := &list[i]
		at := slices.IndexFunc(out, func(g group) bool { return g[0].From == c.From && g[0].To == c.To })
		if at < 0 {
			at = len(out)
			out = append(out, nil)
		}
		out[at] = append(out[at], c)
	}
	slices.SortStableFunc(out, func(g, h group) int {
		return cmp.Or(cmp.Compare(g.rank(), h.rank()), permissive(g[0].To, h[0].To), permissive(g[0].From, h[0].From))
	})
	return out
}

// A group is changes of one scope from one action to another.
type group []*change

func (g group) rank() int {
	return slices.Index([]string{"weaker", "stricter", "other"}, g[0].direction())
}

// print prints the calls that always change together, and then the others, each
// with an example.
func (g group) print(w *bufio.Writer, p painter) {
	c := g[0]
	from, to := actionText(c.From, c.abi), actionText(c.To, c.abi)
	fmt.Fprintf(w, "  %s: %s in A, %s in B\n", c.direction(), p.action(c.From, from), p.action(c.To, to))
	always := new(list)
	var numbers []policy.Interval
	var example *change
	for _, c := range g {
		if c.always() {
			always.add(c.calls...)
			numbers = append(numbers, c.in)
			example = cmp.Or(example, c)
		}
	}
	if example != nil {
		words := always.words(false)
		if size(numbers) == size(c.numbers) {
			words = plain("every call")
		}
		fill(w, 4, words)
		fmt.Fprintf(w, "      such as %s\n", describe(&example.Witness.Call, 0, c.numeric))
	}
	for _, c := range g {
		if c.always() {
			continue
		}
		one := new(list)
		one.add(c.calls...)
		fill(w, 4, append(one.words(false), plain(strings.Fields(c.when())...)...))
		fmt.Fprintf(w, "      such as %s\n", describe(&c.Witness.Call, c.shown(), c.numeric))
	}
}

// A diffJSON is the document of diff --json.
type diffJSON struct {
	Version int          `json:"version"`
	Same    bool         `json:"same"` // with --weaker: no change makes B weaker
	A       string       `json:"a"`
	B       string       `json:"b"`
	Changes []changeJSON `json:"changes"`
}

// A changeJSON is neighbouring calls with the same change.
type changeJSON struct {
	ABI     string            `json:"abi,omitempty"`
	Arch    []string          `json:"arch"`
	First   uint32            `json:"first"` // number
	Last    uint32            `json:"last"`
	Calls   []string          `json:"calls,omitempty"` // those of them that have a name
	Change  string            `json:"change"`          // B is "weaker", "stricter" or "other"
	A       verdictJSON       `json:"a"`
	B       verdictJSON       `json:"b"`
	When    [][]conditionJSON `json:"when,omitempty"` // any one of these; absent: always
	More    bool              `json:"more,omitempty"` // there are further cases
	Witness *callWitnessJSON  `json:"witness"`
}

func (v *changes) document() *diffJSON {
	doc := &diffJSON{Version: jsonVersion, Same: len(v.list) == 0, A: v.a.name, B: v.b.name, Changes: []changeJSON{}}
	for i := range v.list {
		c := &v.list[i]
		j := changeJSON{
			Arch: archDocument(c.audits), First: c.in.First, Last: c.in.Last, Calls: names(c.calls),
			Change: c.direction(), A: verdictDocument(c.From, c.abi), B: verdictDocument(c.To, c.abi),
			More: c.More, Witness: witnessDocument(&c.Witness.Call, v.a, v.b),
		}
		if c.abi.Valid() {
			j.ABI = c.abi.String()
		}
		if !c.always() {
			for _, w := range c.When {
				j.When = append(j.When, caseDocument(&c.scope, c.in.First, w))
			}
		}
		doc.Changes = append(doc.Changes, j)
	}
	return doc
}
