package algebra_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// profile makes a policy of its default action and rules, as "ALLOW socket a0 NE 40 a1 EQ 2".
func profile(t testing.TB, standard string, rules ...string) *policy.Policy {
	t.Helper()
	p := &policy.Policy{}
	p.Default, p.DefaultErrno = action(t, standard)
	for _, text := range rules {
		var r policy.Rule
		words := strings.Fields(text)
		r.Action, r.Errno = action(t, words[0])
		for words = words[1:]; len(words) > 0; words = words[1:] {
			if !isArg(words[0]) {
				r.Names = append(r.Names, words[0])
				continue
			}
			value, err1 := strconv.ParseUint(words[2], 0, 64)
			arg := policy.Arg{Index: uint(words[0][1] - '0'), Op: ops[words[1]], Value: value}
			if words = words[2:]; arg.Op == policy.MaskedEqual {
				two, err2 := strconv.ParseUint(words[1], 0, 64)
				if arg.ValueTwo = two; err2 != nil {
					t.Fatal(err2)
				}
				words = words[1:]
			}
			if err1 != nil {
				t.Fatal(err1)
			}
			r.Args = append(r.Args, arg)
		}
		p.Rules = append(p.Rules, r)
	}
	return p
}

func isArg(word string) bool {
	return len(word) == 2 && word[0] == 'a' && '0' <= word[1] && word[1] <= '5'
}

var ops = map[string]policy.Op{
	"NE": policy.NotEqual, "LT": policy.Less, "LE": policy.LessEqual, "EQ": policy.Equal, "GE": policy.GreaterEqual, "GT": policy.Greater, "MASK": policy.MaskedEqual,
}

func action(t testing.TB, text string) (class cbpf.Action, data *uint) {
	t.Helper()
	a, err := cbpf.ParseAction(text)
	if err != nil {
		t.Fatal(err)
	}
	if class = a.Class(); class == cbpf.ErrnoClass || class == cbpf.TraceClass {
		n := uint(a.Data())
		return class, &n
	}
	return a, nil
}

// show writes a policy as profile reads it.
func show(p *policy.Policy) (lines []string) {
	word := func(class cbpf.Action, data *uint) string {
		switch {
		case data != nil:
			class |= cbpf.Action(*data)
		case class == cbpf.ErrnoClass || class == cbpf.TraceClass:
			class |= 1
		}
		return class.String()
	}
	lines = append(lines, word(p.Default, p.DefaultErrno))
	for _, r := range p.Rules {
		line := word(r.Action, r.Errno) + " " + strings.Join(r.Names, " ")
		for _, a := range r.Args {
			for name, op := range ops {
				if op == a.Op {
					line += fmt.Sprintf(" a%d %s %d", a.Index, name, a.Value)
				}
			}
			if a.Op == policy.MaskedEqual {
				line += fmt.Sprintf(" %d", a.ValueTwo)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// source resolves a policy as runc does.
func source(t testing.TB, p *policy.Policy, abis ...arch.ABI) algebra.Source {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	return algebra.Source{Policy: p, Meaning: r}
}

func combine(t testing.TB, op algebra.Op, o algebra.Options, sources ...algebra.Source) *algebra.Result {
	t.Helper()
	r, err := algebra.Combine(op, o, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// meaning returns what sources are together.
func meaning(t testing.TB, op algebra.Op, kernel bool, members ...*policy.Resolved) *policy.Resolved {
	t.Helper()
	var sources []algebra.Source
	for _, m := range members {
		sources = append(sources, algebra.Source{Meaning: m})
	}
	return combine(t, op, algebra.Options{KernelData: kernel}, sources...).Meaning
}

// equal proves that two policies mean the same.
func equal(t testing.TB, a, b *policy.Resolved) bool {
	t.Helper()
	r, err := proof.Equal(proof.Policy(a), proof.Policy(b), proof.Limits{})
	if err != nil || r.Verdict == proof.Unknown {
		t.Fatal(r, err)
	}
	return r.Verdict == proof.Same
}

// written resolves the profile of a result for its ABIs.
func written(t testing.TB, r *algebra.Result, reading policy.Options) *policy.Resolved {
	t.Helper()
	if r.Profile == nil {
		t.Fatal(r.Refusal)
	}
	reading.ABIs = r.Profile.ABIs
	w, _, err := policy.Resolve(r.Profile, reading)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
