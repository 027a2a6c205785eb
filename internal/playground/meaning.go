package playground

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/proof"
)

// meaning says in words what happens to every call.
func (e *Engine) meaning(of *Subject) ([]ABIMeaning, error) {
	s, err := e.good(*of)
	if err != nil {
		return nil, err
	}
	var only []arch.ABI
	if len(s.Target.ABIs) > 0 {
		only = s.abis
	}
	explained, err := answer.Explain(s.side(), only, false, proof.Limits{})
	if err != nil {
		return nil, err
	}
	list := []ABIMeaning{}
	for i := range explained.Treatments {
		list = append(list, inWords(&explained.Treatments[i]))
	}
	return list, nil
}

// inWords has a sentence for the calls of each verdict, the most permissive first, and for those
// that depend on their arguments in the same way.
func inWords(t *answer.Treatment) ABIMeaning {
	m := ABIMeaning{Title: t.Title, Sentences: []Sentence{}}
	if t.ABI.Valid() {
		m.ABI = t.ABI.String()
	}
	always, depends := t.ByAction()
	for i := range always {
		m.Sentences = append(m.Sentences, Sentence{
			Calls: named(&always[i].CallList), Text: intake.ActionText(always[i].Action, t.ABI), Look: graph.Look(always[i].Action),
		})
	}
	for i := range depends {
		m.Sentences = append(m.Sentences, Sentence{
			Calls: named(&depends[i].CallList), Text: depends[i].Sentence.String(), Look: graph.Look(weakest(depends[i].Sentence)), Conditional: true,
		})
	}
	return m
}

// named lists calls, and numbers without a name.
func named(l *answer.CallList) []NamedCall {
	calls := []NamedCall{}
	for _, p := range l.Named {
		calls = append(calls, NamedCall{Name: p.Name, Number: p.First})
	}
	for _, p := range l.Unnamed {
		calls = append(calls, NamedCall{Number: p.First, Last: p.Last})
	}
	return calls
}

// weakest returns the most permissive verdict of a sentence.
func weakest(s answer.Sentence) cbpf.Action {
	action, first := cbpf.Action(0), true
	for _, w := range s {
		if w.Verdict && (first || w.Action.Compare(action) > 0) {
			action, first = w.Action, false
		}
	}
	return action
}
