package algebra

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A form is what happens to a call, by its arguments: the same one for all lists of clauses
// that mean the same.
type form struct{ tree *proof.Tree }

// constant returns the action of a call whose arguments do not matter.
func (f *form) constant() (a cbpf.Action, ok bool) { return f.tree.Action, len(f.tree.Arms) == 0 }

// leaves calls a function with each action that a tree has.
func leaves(t *proof.Tree, visit func(cbpf.Action)) {
	if len(t.Arms) == 0 {
		visit(t.Action)
	}
	for _, arm := range t.Arms {
		leaves(arm.Then, visit)
	}
}

// forms are the forms met so far.
type forms struct {
	limits   proof.Limits
	constant map[cbpf.Action]*form
	byTree   map[string]*form
	byList   map[string]*form
}

func newForms(l proof.Limits) *forms {
	return &forms{l, make(map[cbpf.Action]*form), make(map[string]*form), make(map[string]*form)}
}

// always returns the form of calls that all get an action.
func (s *forms) always(a cbpf.Action) *form {
	f := s.constant[a]
	if f == nil {
		f = &form{&proof.Tree{Action: a}}
		s.constant[a] = f
	}
	return f
}

func (s *forms) form(t *proof.Tree) *form {
	if len(t.Arms) == 0 {
		return s.always(t.Action)
	}
	var b strings.Builder
	spell(&b, t)
	f := s.byTree[b.String()]
	if f == nil {
		f = &form{t}
		s.byTree[b.String()] = f
	}
	return f
}

// spell writes a tree as a key.
func spell(b *strings.Builder, t *proof.Tree) {
	if len(t.Arms) == 0 {
		fmt.Fprintf(b, "%x;", uint32(t.Action))
		return
	}
	for _, arm := range t.Arms {
		fmt.Fprintf(b, "%d,%v{", t.Arg, arm.Values)
		spell(b, arm.Then)
		b.WriteByte('}')
	}
}

// A table is the forms of a policy's calls.
type table struct {
	*policy.Resolved
	forms *forms
	lists map[*policy.Clause]*form // of lists, by the first clause
}

// table returns the forms of a policy. The error is a [*proof.LimitError].
func (s *forms) table(r *policy.Resolved) (*table, error) {
	t := &table{r, s, make(map[*policy.Clause]*form)}
	keys := make(map[*policy.Clause]string)
	var unknown [][]policy.Clause
	for i := range r.Spaces {
		for _, c := range r.Spaces[i].Calls {
			first := &c.Clauses[0]
			if keys[first] != "" || t.lists[first] != nil {
				continue
			}
			if len(first.Conds) == 0 {
				t.lists[first] = s.always(first.Action)
				continue
			}
			list := c.Clauses
			if last := list[len(list)-1]; len(last.Conds) > 0 {
				list = append(list[:len(list):len(list)], policy.Clause{Action: r.Default})
			}
			key := keyOf(list)
			if keys[first] = key; s.byList[key] == nil {
				unknown = append(unknown, list)
				s.byList[key] = &form{} // to come
			}
		}
	}
	if err := s.learn(unknown); err != nil {
		return nil, err
	}
	for first, key := range keys {
		t.lists[first] = s.byList[key]
	}
	return t, nil
}

func keyOf(list []policy.Clause) string {
	var key []byte
	for _, clause := range list {
		key = binary.LittleEndian.AppendUint32(key, uint32(clause.Action))
		key = append(key, byte(len(clause.Conds)), byte(len(clause.Conds)>>8))
		for _, c := range clause.Conds {
			key = append(key, c.Arg, byte(c.Op))
			key = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(key, c.Mask), c.Value)
		}
	}
	return string(key)
}

// learn finds the forms of lists, each of which ends with a clause without conditions. It
// makes a policy of them that has one call for each: canonical trees are the proof's.
func (s *forms) learn(lists [][]policy.Clause) error {
	if len(lists) == 0 {
		return nil
	}
	space := policy.Space{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}}
	for i, list := range lists {
		space.Calls = append(space.Calls, policy.Call{NR: uint32(i), ABI: arch.X86_64, Clauses: list})
	}
	spaces, err := proof.Explain(proof.Policy(&policy.Resolved{Spaces: []policy.Space{space}}), s.limits)
	if err != nil {
		for _, list := range lists {
			delete(s.byList, keyOf(list))
		}
		return err
	}
	for _, found := range spaces {
		if !found.Audits.Has(space.Audit) {
			continue
		}
		for _, run := range found.Runs {
			for nr := run.First; nr <= run.Last && int(nr) < len(lists); nr++ {
				s.byList[keyOf(lists[nr])] = s.form(run.Tree)
			}
		}
	}
	return nil
}

// at returns the form of a number.
func (t *table) at(a arch.ABI, nr uint32) *form {
	if clauses := t.Clauses(a.Audit(), nr); clauses != nil {
		return t.lists[&clauses[0]]
	}
	return t.forms.always(t.Eval(&cbpf.Data{Arch: a.Audit(), NR: nr}))
}
