package answer

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// An Explanation is what a profile or filter does with every call.
type Explanation struct {
	name       string
	Treatments []Treatment
}

// Explain explains a side. Of a filter, abis are those to show, all if there are none.
func Explain(s *Side, abis []arch.ABI, numeric bool, limits proof.Limits) (*Explanation, error) {
	c := Choice{ABIs: abis, Only: len(abis) > 0, numeric: numeric}
	if s.Resolved != nil {
		c.ABIs, c.Only = s.Resolved.ABIs(), false
	}
	for _, abi := range c.ABIs {
		if intake.OrderName(abi.ByteOrder()) != s.order() {
			return nil, failure.Usagef("-a: %v and %s differ in byte order", abi, s.Name)
		}
	}
	spaces, err := proof.Explain(s.Subject, limits)
	if err != nil {
		return nil, Unlimited(err)
	}
	return &Explanation{s.Name, treatments(spaces, &c)}, nil
}

// ExplainSpaces explains what filters do together, whatever ABIs they know.
func ExplainSpaces(name string, spaces []proof.Space, numeric bool) *Explanation {
	return &Explanation{name, treatments(spaces, &Choice{numeric: numeric})}
}

// A Treatment is what a side does with the calls of one scope.
type Treatment struct {
	Scope
	runs []proof.Run // those of the scope
}

// treatments splits an explanation by ABI, in their order.
func treatments(spaces []proof.Space, c *Choice) []Treatment {
	var list []Treatment
	for _, space := range spaces {
		for _, s := range c.Scopes(space.Audits) {
			t := Treatment{Scope: s}
			for _, own := range s.Numbers {
				for _, r := range space.Runs {
					if r.First <= own.Last && r.Last >= own.First {
						t.runs = append(t.runs, proof.Run{First: max(r.First, own.First), Last: min(r.Last, own.Last), Tree: r.Tree})
					}
				}
			}
			list = append(list, t)
		}
	}
	SortScopes(list, func(t *Treatment) *Scope { return &t.Scope })
	all := make([]*Scope, len(list))
	for i := range list {
		all[i] = &list[i].Scope
	}
	nameForeign(all)
	return list
}

// Always returns the action of every call, if it is one.
func (t *Treatment) Always() (cbpf.Action, bool) {
	for _, r := range t.runs {
		if r.Tree != t.runs[0].Tree || len(r.Tree.Arms) > 0 {
			return 0, false
		}
	}
	return t.runs[0].Tree.Action, true
}

// maxRules is how many rules of one call are listed.
const maxRules = 64

// A Word is a word of a sentence, or a verdict in it.
type Word struct {
	Text    string
	Verdict bool
	Action  cbpf.Action // of a verdict
}

// A Sentence says what happens with the calls of one number.
type Sentence []Word

// String returns the words with spaces between them.
func (s Sentence) String() string {
	var texts []string
	for _, w := range s {
		texts = append(texts, w.Text)
	}
	return strings.Join(texts, " ")
}

// say adds words that are no verdict.
func (s *Sentence) say(text string) {
	for w := range strings.FieldsSeq(text) {
		*s = append(*s, Word{Text: w})
	}
}

// Sentence says what happens with the calls of one number.
func (t *Treatment) sentence(nr uint32, tree *proof.Tree) (s Sentence) {
	list, more := tree.Rules(maxRules)
	for i, r := range list {
		end := ";"
		if i == len(list)-1 {
			end = ""
			if more {
				s.say("and more rules,")
			}
			if i > 0 {
				s.say("else")
			}
		}
		verdict := Word{intake.ActionText(r.Action, t.ABI), true, r.Action}
		if len(r.When) == 0 {
			verdict.Text += end
		}
		s = append(s, verdict)
		if len(r.When) > 0 {
			s.say("if " + t.call(nr).Case(r.When) + end)
		}
	}
	return s
}

// permissive orders actions, the most permissive first.
func permissive(a, b cbpf.Action) int { return cmp.Or(b.Compare(a), cmp.Compare(a, b)) }

// A Conditional is calls that depend on their arguments in the same way.
type Conditional struct {
	CallList
	Sentence Sentence
}

// An Unconditional is calls that always get the same action.
type Unconditional struct {
	CallList
	Action cbpf.Action
}

// ByAction returns the calls of each action, the most permissive first, and those that depend
// on arguments.
func (t *Treatment) ByAction() (always []Unconditional, depends []Conditional) {
	same := map[string]int{} // by sentence, the index of those that share it
	for _, r := range t.runs {
		parts := t.Parts(policy.Interval{First: r.First, Last: r.Last})
		if len(r.Tree.Arms) == 0 {
			i := slices.IndexFunc(always, func(u Unconditional) bool { return u.Action == r.Tree.Action })
			if i < 0 {
				i = len(always)
				always = append(always, Unconditional{Action: r.Tree.Action})
			}
			always[i].Add(parts...)
			continue
		}
		for _, x := range parts {
			s := t.sentence(x.First, r.Tree)
			i, ok := same[s.String()]
			if !ok {
				i = len(depends)
				same[s.String()] = i
				depends = append(depends, Conditional{Sentence: s})
			}
			depends[i].Add(x)
		}
	}
	slices.SortFunc(always, func(a, b Unconditional) int { return permissive(a.Action, b.Action) })
	return always, depends
}

// A Said is a call, or numbers without one, and what happens with it.
type Said struct {
	Part
	Sentence Sentence
}

// BySyscall returns a sentence for each call, in the order of the numbers.
func (t *Treatment) BySyscall() (list []Said) {
	for _, r := range t.runs {
		for _, x := range t.Parts(policy.Interval{First: r.First, Last: r.Last}) {
			list = append(list, Said{x, t.sentence(x.First, r.Tree)})
		}
	}
	return list
}

// Text says in words what happens with the calls of a number, "" if it is not of the scope.
func (t *Treatment) Text(nr uint32) string {
	for _, r := range t.runs {
		if r.First <= nr && nr <= r.Last {
			return t.sentence(nr, r.Tree).String()
		}
	}
	return ""
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
	If []Condition `json:"if,omitempty"`
	verdictJSON
}

// Document returns the document of explain --json.
func (e *Explanation) Document() any {
	doc := &explanationJSON{Version: Version, File: e.name, ABIs: []scopeJSON{}}
	for _, t := range e.Treatments {
		s := scopeJSON{Arch: archDocument(t.Archs)}
		if t.ABI.Valid() {
			s.ABI = t.ABI.String()
		}
		for _, r := range t.runs {
			parts := t.Parts(policy.Interval{First: r.First, Last: r.Last})
			if len(r.Tree.Arms) > 0 { // the names of arguments are each call's own
				for _, x := range parts {
					s.Runs = append(s.Runs, t.runDocument(x.Interval, []Part{x}, r.Tree))
				}
				continue
			}
			s.Runs = append(s.Runs, t.runDocument(policy.Interval{First: r.First, Last: r.Last}, parts, r.Tree))
		}
		doc.ABIs = append(doc.ABIs, s)
	}
	return doc
}

func (t *Treatment) runDocument(in policy.Interval, parts []Part, tree *proof.Tree) runJSON {
	run := runJSON{First: in.First, Last: in.Last, Calls: Names(parts)}
	rules, more := tree.Rules(maxRules)
	run.More = more
	for _, r := range rules {
		run.Rules = append(run.Rules, ruleJSON{t.Scope.Conditions(in.First, r.When), verdictDocument(r.Action, t.ABI)})
	}
	return run
}
