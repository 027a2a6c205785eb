package proof

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

// Found by comparing random programs: the wanted program's AUDIT_ARCH values, or
// numbers, fall into more parts than Limits.Rows.
func TestCheckOfMorePartsThanRows(t *testing.T) {
	text, err := os.ReadFile("testdata/parts.txt")
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		var pair []*cbpf.Program
		for _, digits := range strings.Fields(line) {
			raw, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatal(err)
			}
			p, err := cbpf.Decode(raw, binary.LittleEndian)
			if err != nil {
				t.Fatal(err)
			}
			pair = append(pair, p)
		}
		pairs++
		check := trial{T: t, a: Program(pair[0]), program: pair[1]}
		check.check()
		if check.verdicts[Same] > 0 {
			t.Errorf("pair %d: proved, and nobody knows which numbers are always allowed", pairs)
		}
	}
	if pairs != 3 {
		t.Errorf("%d pairs", pairs)
	}
}

// A trial asks everything about a and b, where b is program, and holds the answers
// against what running both gives on some calls.
type trial struct {
	*testing.T
	limits   Limits
	a        Subject
	program  *cbpf.Program
	resolved *policy.Resolved // if a is a policy
	calls    []cbpf.Data
	verdicts [3]int
}

func (t *trial) call(d *cbpf.Data) (a, b cbpf.Action) { return t.a.Eval(d), t.program.Eval(d) }

func (t *trial) result(what string, r Result, err error) {
	t.Helper()
	t.verdicts[r.Verdict]++
	differs := slices.IndexFunc(t.calls, func(d cbpf.Data) bool { a, b := t.call(&d); return a != b })
	switch {
	case err != nil:
		t.Errorf("%s, %+v: %v", what, t.limits, err)
	case r.Verdict == Unknown && (!strings.Contains(r.Reason, "Limits.") || r.Witness != nil):
		t.Errorf("%s, %+v: unknown, %q, %v", what, t.limits, r.Reason, r.Witness)
	case r.Verdict == Same && r.Reason != "":
		t.Errorf("%s, %+v: same, %q", what, t.limits, r.Reason)
	case r.Verdict == Same && differs >= 0:
		t.Errorf("%s, %+v: same, but not on %+v", what, t.limits, t.calls[differs])
	case r.Verdict == Different:
		if a, b := t.call(&r.Witness.Call); a == b || a != r.Witness.A || b != r.Witness.B || r.Reason != "" {
			t.Errorf("%s, %+v: witness %v, but running gives %v and %v", what, t.limits, r.Witness, a, b)
		}
	}
}

// limited reports whether an error is a limit; other errors are failures.
func (t *trial) limited(what string, err error) bool {
	t.Helper()
	var limit *LimitError
	if err != nil && (!errors.As(err, &limit) || !strings.Contains(limit.Reason, "Limits.")) {
		t.Errorf("%s, %+v: %v", what, t.limits, err)
	}
	return err != nil
}

func (t *trial) check() {
	t.Helper()
	report, err := Check(t.a, t.program, t.limits)
	t.result("Check", report.Result, err)
	for _, f := range report.Findings {
		always, _ := t.program.ConstAllow(f.Audit, f.NR)
		if allowed := t.a.Eval(&cbpf.Data{Arch: f.Audit, NR: f.NR}) == cbpf.Allow; f.Kind == Slow && (always || !allowed) || f.Kind == TooFast && !always {
			t.Errorf("Check, %+v: %v", t.limits, f)
		}
	}
	for _, b := range report.bitmaps {
		for _, i := range b.allowed {
			for _, nr := range []uint32{i.First, i.Last} {
				if always, _ := t.program.ConstAllow(b.audit, nr); !always {
					t.Errorf("Check, %+v: arch %#x number %d is not always allowed", t.limits, b.audit, nr)
				}
			}
		}
	}
}

func (t *trial) all() {
	t.Helper()
	b := Program(t.program)
	r, err := Equal(t.a, b, t.limits)
	t.result("Equal", r, err)
	r, err = Equal(Stack(t.a), Stack(b), t.limits)
	if r.Verdict == Same { // a stack takes the data off ALLOW
		t.verdicts[Same]++
	} else if r.Verdict == Unknown && r.Reason == "" || err != nil {
		t.Errorf("Equal of stacks, %+v: %q, %v", t.limits, r.Reason, err)
	}
	t.check()
	changes, err := Diff(t.a, b, t.limits)
	if !t.limited("Diff", err) {
		for i := range t.calls {
			d := &t.calls[i]
			more := slices.ContainsFunc(changes, func(c Change) bool { return c.More })
			if x, y := t.call(d); (x != y) != anyCovers(changes, d) && !(more && x != y) {
				t.Errorf("Diff, %+v: %+v: %v and %v", t.limits, *d, x, y)
			}
		}
		for i := range changes {
			if x, y := t.call(&changes[i].Witness.Call); x != changes[i].From || y != changes[i].To {
				t.Errorf("Diff, %+v: %+v: %v and %v", t.limits, changes[i], x, y)
			}
		}
	}
	spaces, err := Explain(b, t.limits)
	if !t.limited("Explain", err) {
		for i := range t.calls {
			if got, want := decide(t.T, spaces, &t.calls[i]), b.Eval(&t.calls[i]); got != want {
				t.Errorf("Explain, %+v: %+v: %v, want %v", t.limits, t.calls[i], got, want)
			}
		}
	}
}

// limitsOf returns limits of which one, or all, are small.
func limitsOf(n int) []Limits {
	one := func(set func(*Limits)) Limits {
		l := Limits{Nodes: 1 << 14, Steps: 1 << 17}
		set(&l)
		return l
	}
	return []Limits{
		one(func(l *Limits) { l.Nodes = n }),
		one(func(l *Limits) { l.Steps = n }),
		one(func(l *Limits) { l.States = n }),
		one(func(l *Limits) { l.Actions = n }),
		one(func(l *Limits) { l.Rows = n }),
		{n, n, n, n, n},
	}
}

// randomPair returns a random policy or program, and a program that is another
// one, means the same, or is the first with a fault.
func randomPair(t *trial, seed uint64) {
	r := gen.New(seed)
	if seed%3 == 0 {
		t.resolved, t.program = randomPolicy(t.T, seed)
		t.a = Policy(t.resolved)
	} else {
		order := []binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[seed%2]
		raw := gen.Program(r, 1+r.IntN(40))
		p := mustProgram(t.T, order, raw...)
		t.a = Program(p)
		t.program = mustProgram(t.T, order, gen.Program(r, 1+r.IntN(40))...)
		if again := gen.Rewrite(r, raw); again != nil && seed%3 == 1 {
			if q, err := cbpf.New(again, order); err == nil {
				t.program = q
			}
		}
	}
	raw := t.program.Raw()
	for range 40 {
		t.calls = append(t.calls, gen.Data(r, raw))
	}
	if t.resolved == nil {
		return
	}
	for d := range gen.Points(r, t.resolved, t.program, 1) {
		if r.IntN(20) == 0 {
			t.calls = append(t.calls, *d)
		}
	}
}

func TestEveryAnswerHoldsWithinEveryLimit(t *testing.T) {
	var verdicts [3]int
	values := []int{0, 1, 2, 3, 7, 50, 400}
	cases := 21 * gen.Many(3, 10) // each value for each kind of pair
	for seed := range uint64(cases) {
		pair := trial{T: t}
		randomPair(&pair, seed)
		for _, pair.limits = range limitsOf(values[seed/3%7]) {
			if pair.limits == (Limits{}) {
				pair.limits.Steps = 1 << 21 // the default takes long on some
			}
			pair.all()
		}
		for i, n := range pair.verdicts {
			verdicts[i] += n
		}
	}
	t.Logf("%d unknown, %d same, %d different", verdicts[Unknown], verdicts[Same], verdicts[Different])
	for _, n := range verdicts {
		if n < cases {
			t.Errorf("%v: hardly any of one verdict", verdicts)
		}
	}
}
