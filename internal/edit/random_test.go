package edit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// TestRandomEdits: calls in question get what was asked for, and all others what they got,
// whatever the profile and the change, as running both says.
func TestRandomEdits(t *testing.T) {
	done, refused := 0, 0
	for seed := range uint64(gen.Many(600, 2000)) {
		r := gen.New(seed)
		abis := gen.ABIs(r)
		p := gen.Policy(r, gen.Options{ABIs: abis, Dense: seed%3 == 0})
		p.ABIs = abis
		text, err := oci.Print(p)
		if err != nil {
			continue
		}
		c := randomChange(r, p, abis)
		s := language.NewSource([]byte(text))
		before, err := open(s)
		if err != nil {
			continue // a profile that its runtime refuses
		}
		result, err := Edit(s, Request{Changes: []Change{c}})
		if err != nil {
			var problems policy.Errors
			var words *ParseError
			if !errors.As(err, &problems) && !errors.As(err, &words) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			refused++
			continue
		}
		after, err := open(language.NewSource(result.Text))
		if err != nil {
			t.Fatalf("seed %d: the result cannot be read: %v\n%s", seed, err, result.Text)
		}
		done++
		if c.Deny {
			c.Action = (&editor{profile: before}).denial()
		}
		if fault := differs(r, before.contexts[0].resolved, after.contexts[0].resolved, &c); fault != "" {
			t.Fatalf("seed %d: %v %v: %s\n%s\n%s", seed, c.Action, c.Specs, fault, text, result.Text)
		}
	}
	t.Logf("%d edits, %d refused", done, refused)
	if done < refused {
		t.Errorf("%d of %d edits were refused", refused, done+refused)
	}
}

// randomChange draws a change of a call that a policy names, or of any.
func randomChange(r *rand.Rand, p *policy.Policy, abis []arch.ABI) Change {
	var name string
	if n := len(p.Rules); n > 0 && r.IntN(4) > 0 {
		rule := p.Rules[r.IntN(n)]
		if len(rule.Names) > 0 {
			name = rule.Names[r.IntN(len(rule.Names))]
		}
	}
	call, ok := syscalltables.Lookup(name)
	for nr := uint32(0); !ok; nr = r.Uint32N(470) + abis[0].Base() {
		call, ok = syscalltables.ByNumber(abis[0], nr)
	}
	actions := []cbpf.Action{cbpf.Allow, cbpf.Log, cbpf.KillProcess, cbpf.Errno(1), cbpf.Errno(7)}
	c := Change{Specs: []Spec{{Call: call}}, Action: actions[r.IntN(len(actions))], Deny: r.IntN(3) == 0}
	if r.IntN(2) == 0 {
		return c
	}
	arg := r.IntN(6)
	name = symbols.At(abis[0], call, arg).Name()
	texts := []string{"%s == %d", "%s != %d", "%s & 0x10 == 0x10", "%s & 0x6 != 0x2", "%s in {1, %d}", "%s not in {0, %d}", "%s <= %d", "%s > %d", "%s in {3..%d} || %[1]s == 0"}
	text := fmt.Sprintf(texts[r.IntN(len(texts))]+"%.0s", name, 5+r.IntN(4), "")
	if specs, err := Parse(call.Name() + "(" + text + ")"); err == nil {
		c.Specs = specs
	}
	return c
}

// differs runs both policies on calls at the boundaries of both, and says which one gets what
// it should not, by the definition: calls in question the action, all others what they got.
func differs(r *rand.Rand, before, after *policy.Resolved, c *Change) string {
	for _, res := range []*policy.Resolved{before, after, wanted(before, c, true)} {
		for d := range gen.Points(r, res, nil, 4) {
			got, old := after.Eval(d), before.Eval(d)
			abi, _ := arch.ByAudit(d.Arch, d.NR)
			if before.Clauses(d.Arch, d.NR) == nil && after.Clauses(d.Arch, d.NR) == nil && isMux(abi, d.NR) {
				continue
			}
			want := old
			if asked(c, abi, d, before) && !(c.Deny && newer(before, abi, d.NR)) {
				want = c.Action
			}
			if got != want && (want != old || !denied(got, want, before, abi)) && !isMux(abi, d.NR) {
				return fmt.Sprintf("%v: got %v, want %v (was %v)", symbols.Call(abi, d.NR, d.Args), got, want, old)
			}
		}
	}
	return ""
}

func asked(c *Change, a arch.ABI, d *cbpf.Data, r *policy.Resolved) bool {
	s := &c.Specs[0]
	in := false
	for _, target := range r.ABIs() {
		in = in || target == a
	}
	if nr, ok := s.Call.Number(a); !in || !ok || nr != d.NR {
		return false
	}
	lists, _ := s.When.lists(a, s.Call)
	for _, conds := range lists {
		all := true
		for _, cond := range conds {
			all = all && holds(cond, d.Args[cond.Arg])
		}
		if all {
			return true
		}
	}
	return false
}

func holds(c policy.Cond, v uint64) bool {
	v &= c.Mask
	switch c.Op {
	case policy.Equal, policy.MaskedEqual:
		return v == c.Value
	case policy.NotEqual, policy.MaskedNotEqual:
		return v != c.Value
	case policy.Less:
		return v < c.Value
	case policy.LessEqual:
		return v <= c.Value
	case policy.Greater:
		return v > c.Value
	}
	return v >= c.Value
}

// denied reports whether two actions are the default denial and ENOSYS: the slack where calls
// are newer than the profile.
func denied(got, want cbpf.Action, r *policy.Resolved, a arch.ABI) bool {
	n, _ := a.Errno("ENOSYS")
	pair := [2]cbpf.Action{got, want}
	if pair == [2]cbpf.Action{cbpf.Errno(n), r.BadArch} { // x86_64's numbers from 0x80000000 on
		return !r.BadArch.Permits(cbpf.WithSupervisor)
	}
	return !r.Default.Permits(cbpf.WithSupervisor) && (pair == [2]cbpf.Action{cbpf.Errno(n), r.Default} || pair == [2]cbpf.Action{r.Default, cbpf.Errno(n)})
}

// isMux reports whether a number is of socketcall or ipc, where conditions are hidden.
func isMux(a arch.ABI, nr uint32) bool {
	s, ok1 := a.Socketcall()
	i, ok2 := a.IPC()
	return ok1 && nr == s || ok2 && nr == i
}
