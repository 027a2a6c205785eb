package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

const explainLong = `Explain lists the action that each system call gets, and under which arguments: for
each ABI that FILE distinguishes, and for all other ABIs together. FILE is a profile,
a raw filter, assembly text or an artifact. Explain works from the meaning, not from
the text: a profile and a filter that mean the same have the same explanation, and it
is complete and without repetition.

By action, calls that always get the same action are listed together, followed by
those that depend on arguments. By syscall, each call has a line, in the order of the
numbers. Numbers without a call are listed as numbers, large ones in hex (0x). With
-n, each name is followed by its number.

-a chooses the ABIs: those to read a profile for, or those of a filter to show.`

// The explainFlags are the flags of explain.
type explainFlags struct {
	targetFlags
	patience
	by   string
	json bool
}

func (a *app) explainCommand() *cobra.Command {
	var e explainFlags
	var o output
	cmd := &cobra.Command{
		Use:        "explain [flags] [FILE]",
		Short:      "list the action that each system call gets",
		SuggestFor: []string{"describe", "list", "print", "show"},
		Long:       explainLong,
		Example: `  seccompile explain -a x86_64 docker-default
  seccompile explain filter.bpf
  seccompile explain --by syscall -n -a aarch64 profile.json
  seccompile explain --json filter.bpf | jq '.abis[0].runs[0]'`,
		Args:              one("file"),
		ValidArgsFunction: completeOneOfFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			if e.by != "action" && e.by != "syscall" {
				return failure.Usagef("--by: unknown grouping %q (known: action, syscall)", e.by)
			}
			return a.explain(&e, &o, first(args))
		},
	}
	e.addPlace(cmd)
	cmd.Flags().StringVar(&e.by, "by", "action", "group by `KEY`: action or syscall")
	a.addNumeric(cmd)
	o.add(cmd)
	addJSON(cmd, &e.json)
	e.addReading(cmd)
	e.patience.add(cmd)
	completeFlag(cmd, "by", oneOf("action", "syscall"))
	return cmd
}

// explain reads FILE and prints what it does.
func (a *app) explain(e *explainFlags, o *output, arg string) error {
	limits, err := e.limits()
	if err != nil {
		return err
	}
	s, err := a.side(&e.Target, arg)
	if err != nil {
		return err
	}
	if err := e.CheckSettings(s.Policy != nil); err != nil {
		return err
	}
	c := choice{numeric: a.numeric}
	if s.Resolved != nil {
		c.abis = s.Resolved.ABIs()
	} else if c.abis, err = intake.ParseABIs(e.ABIs); err != nil {
		return err
	} else {
		c.only = len(c.abis) > 0
		for _, abi := range c.abis {
			if intake.OrderName(abi.ByteOrder()) != s.order() {
				return failure.Usagef("-a: %v and %s differ in byte order", abi, s.name)
			}
		}
	}
	spaces, err := proof.Explain(s.subject, limits)
	if err != nil {
		return unlimited(err)
	}
	treated := treatments(spaces, &c)
	if e.json {
		return a.putJSON(o, explainDocument(s.name, treated))
	}
	p := a.paint()
	if o.explicit() {
		p = false
	}
	return a.put(o, e.text(p, treated))
}

// text renders an explanation for people.
func (e *explainFlags) text(p painter, treated []treatment) []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	for i := range treated {
		t := &treated[i]
		action, always := t.always()
		switch {
		case always:
			fmt.Fprintf(w, "%s: %s\n", p.text(bold, t.title), p.action(action, intake.ActionText(action, t.abi)))
		case e.by == "syscall":
			t.bySyscall(w, p)
		default:
			t.byAction(w, p)
		}
	}
	w.Flush() // a buffer takes everything
	return b.Bytes()
}

// A treatment is what a side does with the calls of one scope.
type treatment struct {
	scope
	runs []proof.Run // those of the scope
}

// treatments splits an explanation by ABI, in their order.
func treatments(spaces []proof.Space, c *choice) []treatment {
	var list []treatment
	for _, space := range spaces {
		for _, s := range c.scopes(space.Audits) {
			t := treatment{scope: s}
			for _, own := range s.numbers {
				for _, r := range space.Runs {
					if r.First <= own.Last && r.Last >= own.First {
						t.runs = append(t.runs, proof.Run{First: max(r.First, own.First), Last: min(r.Last, own.Last), Tree: r.Tree})
					}
				}
			}
			list = append(list, t)
		}
	}
	sortScopes(list, func(t *treatment) *scope { return &t.scope })
	all := make([]*scope, len(list))
	for i := range list {
		all[i] = &list[i].scope
	}
	nameForeign(all)
	return list
}

// always returns the action of every call, if it is one.
func (t *treatment) always() (cbpf.Action, bool) {
	for _, r := range t.runs {
		if r.Tree != t.runs[0].Tree || len(r.Tree.Arms) > 0 {
			return 0, false
		}
	}
	return t.runs[0].Tree.Action, true
}

// maxRules is how many rules of one call are listed.
const maxRules = 64

// sentence writes what happens with the calls of one number.
func (t *treatment) sentence(p painter, nr uint32, tree *proof.Tree) []cell {
	list, more := tree.Rules(maxRules)
	var out []cell
	for i, r := range list {
		text := intake.ActionText(r.Action, t.abi)
		paint := func(s string) string { return p.action(r.Action, s) }
		end := ";"
		if i == len(list)-1 {
			end = ""
			if more {
				out = append(out, plain("and", "more", "rules,")...)
			}
			if i > 0 {
				out = append(out, plain("else")...)
			}
		}
		if len(r.When) == 0 {
			out = append(out, cell{text + end, paint})
			continue
		}
		out = append(out, cell{text, paint}, cell{text: "if"})
		out = append(out, plain(strings.Fields(t.call(nr).Case(r.When)+end)...)...)
	}
	return out
}

// byAction prints the calls of each action, the most permissive first, and then
// those that depend on arguments.
func (t *treatment) byAction(w *bufio.Writer, p painter) {
	fmt.Fprintln(w, p.text(bold, t.title))
	always := map[cbpf.Action]*list{}
	var depends []conditional
	same := map[string]int{} // by sentence, the index of those that share it
	for _, r := range t.runs {
		parts := t.parts(policy.Interval{First: r.First, Last: r.Last})
		if len(r.Tree.Arms) == 0 {
			if always[r.Tree.Action] == nil {
				always[r.Tree.Action] = new(list)
			}
			always[r.Tree.Action].add(parts...)
			continue
		}
		for _, x := range parts {
			sentence := t.sentence(p, x.First, r.Tree)
			i, ok := same[joined(sentence)]
			if !ok {
				i = len(depends)
				same[joined(sentence)] = i
				depends = append(depends, conditional{sentence: sentence})
			}
			depends[i].add(x)
		}
	}
	for _, action := range slices.SortedFunc(maps.Keys(always), permissive) {
		l := always[action]
		fmt.Fprintf(w, "  %s: %s\n", p.action(action, intake.ActionText(action, t.abi)), l.count())
		fill(w, 4, l.words(t.numeric))
	}
	if len(depends) > 0 {
		fmt.Fprintln(w, "  by arguments")
	}
	for _, d := range depends {
		words := d.words(t.numeric)
		words[len(words)-1].text += ":"
		fill(w, 4, words)
		fill(w, 6, d.sentence)
	}
}

// permissive orders actions, the most permissive first.
func permissive(a, b cbpf.Action) int { return cmp.Or(b.Compare(a), cmp.Compare(a, b)) }

// A conditional is calls that depend on their arguments in the same way.
type conditional struct {
	list
	sentence []cell
}

// joined returns words as one text.
func joined(words []cell) string {
	var texts []string
	for _, c := range words {
		texts = append(texts, c.text)
	}
	return strings.Join(texts, " ")
}

// bySyscall prints a line for each call.
func (t *treatment) bySyscall(w *bufio.Writer, p painter) {
	fmt.Fprintln(w, p.text(bold, t.title))
	var rows table
	for _, r := range t.runs {
		for _, x := range t.parts(policy.Interval{First: r.First, Last: r.Last}) {
			cells := plain("", cmp.Or(x.name, x.String()))
			if t.numeric && x.name != "" {
				cells = plain("", x.String(), x.name)
			} else if t.numeric {
				cells = plain("", "", x.String())
			}
			sentence := t.sentence(p, x.First, r.Tree)
			rows.row(append(cells, cell{joined(sentence), func(string) string { return painted(sentence) }})...)
		}
	}
	rows.print(w)
}

// painted returns words as one text, in their colours.
func painted(words []cell) string {
	out := slices.Clone(words)
	for i, c := range out {
		if c.paint != nil {
			out[i].text = c.paint(c.text)
		}
	}
	return joined(out)
}

// An explanationJSON is the document of explain --json.
type explanationJSON struct {
	Version int         `json:"version"`
	File    string      `json:"file"`
	ABIs    []scopeJSON `json:"abis"`
}

// A scopeJSON is what happens with the calls of one ABI, or, without a name, of
// AUDIT_ARCH values that are treated alike.
type scopeJSON struct {
	ABI  string    `json:"abi,omitempty"`
	Arch []string  `json:"arch"`
	Runs []runJSON `json:"runs"`
}

// A runJSON is neighbouring numbers that are treated alike.
type runJSON struct {
	First uint32     `json:"first"`
	Last  uint32     `json:"last"`
	Calls []string   `json:"calls,omitempty"` // those of them that have a name
	Rules []ruleJSON `json:"rules"`
	More  bool       `json:"more,omitempty"` // there are further rules
}

// A ruleJSON is a verdict and its conditions, which exclude those of other rules.
// The last rule has none: it is for all that remains.
type ruleJSON struct {
	If []conditionJSON `json:"if,omitempty"`
	verdictJSON
}

func explainDocument(file string, list []treatment) *explanationJSON {
	doc := &explanationJSON{Version: jsonVersion, File: file, ABIs: []scopeJSON{}}
	for _, t := range list {
		s := scopeJSON{Arch: archDocument(t.audits)}
		if t.abi.Valid() {
			s.ABI = t.abi.String()
		}
		for _, r := range t.runs {
			parts := t.parts(policy.Interval{First: r.First, Last: r.Last})
			if len(r.Tree.Arms) > 0 { // the names of arguments are each call's own
				for _, x := range parts {
					s.Runs = append(s.Runs, t.runDocument(x.Interval, []part{x}, r.Tree))
				}
				continue
			}
			s.Runs = append(s.Runs, t.runDocument(policy.Interval{First: r.First, Last: r.Last}, parts, r.Tree))
		}
		doc.ABIs = append(doc.ABIs, s)
	}
	return doc
}

func (t *treatment) runDocument(in policy.Interval, parts []part, tree *proof.Tree) runJSON {
	run := runJSON{First: in.First, Last: in.Last, Calls: names(parts)}
	rules, more := tree.Rules(maxRules)
	run.More = more
	for _, r := range rules {
		run.Rules = append(run.Rules, ruleJSON{caseDocument(&t.scope, in.First, r.When), verdictDocument(r.Action, t.abi)})
	}
	return run
}
