package vectors

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// What package algebra makes of two profiles gives every call of the table its verdict: the
// meaning, the profile that is written for it, and the filters of the stack.
func TestAlgebraAgrees(t *testing.T) {
	type question struct {
		op     algebra.Op
		kernel bool
		names  [2]string
		target string
	}
	type answer struct {
		*algebra.Result
		written *policy.Resolved // nil if there is no profile
	}
	answers := map[question]*answer{}
	count, written := 0, 0
rows:
	for _, r := range readRows(t) {
		if r.second == "" {
			continue
		}
		op, ok := map[string]algebra.Op{"intersect": algebra.Intersect, "union": algebra.Union}[r.op]
		if !ok || r.data != "kernel" && r.data != "chain" {
			t.Fatalf("operation %q, data %q", r.op, r.data)
		}
		q := question{op, r.data == "kernel", [2]string{r.profile, r.second}, r.targets}
		a := answers[q]
		if a == nil {
			sources := make([]algebra.Source, 2)
			for i, name := range q.names {
				f := compile(t, group{name, r.reading, r.options, r.targets})
				if f == nil { // no targets, and another host than the rows are for
					continue rows
				}
				if f.err != nil {
					t.Fatal(f.err)
				}
				sources[i] = algebra.Source{Policy: f.policy, Meaning: f.meaning}
			}
			result, err := algebra.Combine(op, algebra.Options{KernelData: q.kernel}, sources...)
			if err != nil {
				t.Fatalf("%v: %v", q, err)
			}
			a = &answer{Result: result}
			if result.Profile != nil {
				a.written = reread(t, result.Profile)
				written++
			}
			answers[q] = a
		}
		d := &cbpf.Data{Arch: r.call.arch, NR: r.call.nr, Args: r.call.args}
		agree := func(what string, got cbpf.Action) {
			if got.String() != r.verdict {
				t.Errorf("%v: %s: %v", strings.TrimSpace(r.String()), what, got)
			}
		}
		agree("the meaning", a.Meaning.Eval(d))
		if a.written != nil {
			agree("the profile", a.written.Eval(d))
		}
		if q.kernel && op == algebra.Intersect {
			verdict := a.Stack[0].Meaning.Eval(d)
			for _, s := range a.Stack[1:] { // of equals the newest filter's counts
				if x := s.Meaning.Eval(d); x.Compare(verdict) <= 0 {
					verdict = x
				}
			}
			agree("the stack", verdict)
		}
		count++
	}
	if count == 0 || written == 0 {
		t.Errorf("%d rows, %d profiles", count, written)
	}
	t.Logf("%d rows agree, of %d results, %d with a profile", count, len(answers), written)
}

// reread returns what a profile means to one who has only its text.
func reread(t *testing.T, p *policy.Policy) *policy.Resolved {
	t.Helper()
	text, err := oci.Print(p)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := oci.Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: p.ABIs[0]})
	if err != nil {
		t.Fatal(err)
	}
	meaning, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: reading.Policy.ABIs})
	if err != nil {
		t.Fatal(err)
	}
	return meaning
}
