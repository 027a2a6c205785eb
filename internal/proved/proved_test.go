package proved

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// deny returns a policy that denies some calls of x86_64.
func deny(t *testing.T, names ...string) *policy.Resolved {
	t.Helper()
	r, _, err := policy.Resolve(&policy.Policy{
		Default: cbpf.Allow, Rules: []policy.Rule{{Names: names, Action: cbpf.ErrnoClass}},
	}, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// program returns a program with unneeded loads in front, so that it is longer.
func longer(t *testing.T, p *cbpf.Program, by int) *cbpf.Program {
	t.Helper()
	var raw []bpf.RawInstruction
	for range by {
		raw = append(raw, bpf.RawInstruction{Op: 0x20, K: cbpf.OffNR})
	}
	q, err := cbpf.New(append(raw, p.Raw()...), binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// computed returns a program that the walk gives up on, because it multiplies.
func computed(t *testing.T, p *cbpf.Program) *cbpf.Program {
	t.Helper()
	raw := []bpf.RawInstruction{
		{Op: 0x20, K: cbpf.OffArgs}, {Op: 0x24, K: 3}, {Op: 0x15, K: 6}, {Op: 0x20, K: cbpf.OffArgs + 4},
	}
	q, err := cbpf.New(append(raw, p.Raw()...), binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestChoice(t *testing.T) {
	r := deny(t, "mkdir", "ptrace")
	stages, err := compile.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	right := stages.Program
	long := longer(t, right, 9)
	wrong, err := compile.Compile(deny(t, "mkdir"), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hard := computed(t, right)
	tooLong := &compile.TooLongError{Len: 5000}
	tests := []struct {
		rule             string
		optimised, plain *cbpf.Program
		want             Choice
		warning, err     string // parts of the texts
	}{
		{"the optimised program is taken", right, long, Optimised, "", ""},
		{"of equal length, too", right, right, Optimised, "", ""},
		{"a plain one if it is shorter", long, right, PlainShorter, "", ""},
		{"a plain one if no other fits", nil, long, PlainFits, "", ""},
		{"the optimised one if no other fits", long, nil, Optimised, "", ""},
		{"a refuted program is replaced, and a warning says so", wrong.Program, long, PlainRight,
			"BUG: the optimised filter does not mean what the profile says: x86_64 call 101", ""},
		{"a refuted plain one, too", long, wrong.Program, Optimised, "BUG: the plain filter does not mean what the profile says", ""},
		{"a program that is not proved is replaced", hard, longer(t, right, 20), PlainProved, "", ""},
		{"nothing fits", nil, nil, 0, "", "needs 5000 instructions"},
		{"a refuted program is never delivered", wrong.Program, nil, 0, "", "no filter could be proved: BUG"},
		{"nor one of two", wrong.Program, longer(t, wrong.Program, 3), 0, "", "no filter could be proved: BUG"},
		{"nor the shorter one", longer(t, wrong.Program, 3), wrong.Program, 0, "", "no filter could be proved: BUG"},
		{"nor one that alone fits", nil, wrong.Program, 0, "", "no filter could be proved: BUG"},
		{"nor one that is not proved", hard, nil, 0, "", "a shorter one has too many paths to be proved"},
		{"nor two that are not proved", hard, longer(t, hard, 3), 0, "", "no filter could be proved: "},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			var limit error
			if tt.optimised == nil {
				limit = tooLong
			}
			plain := func(most int) (*cbpf.Program, error) {
				if tt.plain == nil || tt.plain.Len() > most {
					return nil, tooLong
				}
				return tt.plain, nil
			}
			got, err := choose(r, tt.optimised, plain, limit)
			if tt.err != "" {
				if got != nil || err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, error %v, want %s", got, err, tt.err)
				}
				tried := 0
				for _, p := range []*cbpf.Program{tt.optimised, tt.plain} {
					if p != nil {
						tried++
					}
				}
				if strings.Count(err.Error(), "BUG") > tried {
					t.Errorf("a program was tried twice: %v", err)
				}
				if tried == 0 && err != error(tooLong) {
					t.Errorf("error %v, want %v alone", err, tooLong)
				}
				if strings.Contains(tt.rule, "not proved") && !errors.As(err, new(*proof.LimitError)) {
					t.Errorf("error %v is not about a limit", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Choice != tt.want || got.Proof.Verdict != proof.Same {
				t.Errorf("%v, %v, want %v", got.Choice, got.Proof.Verdict, tt.want)
			}
			if want := map[bool]*cbpf.Program{true: tt.optimised, false: tt.plain}[tt.want == Optimised]; got.Program != want {
				t.Errorf("another program than the %v one", tt.want)
			}
			var text string
			for _, w := range got.Warnings {
				if text += w.Message; w.Kind != policy.Defect {
					t.Errorf("kind %v", w.Kind)
				}
			}
			if (text == "") != (tt.warning == "") || !strings.Contains(text, tt.warning) {
				t.Errorf("warning %q, want %q", text, tt.warning)
			}
		})
	}
}

// A call whose clauses together allow everything is in the kernel's bitmap only if the
// program does not look at its arguments. That is worth more than a few instructions.
func TestShorterIsNotSlower(t *testing.T) {
	either := func(name string) []policy.Rule {
		var rules []policy.Rule
		for _, op := range []policy.Op{policy.Less, policy.GreaterEqual} {
			rules = append(rules, policy.Rule{Names: []string{name}, Action: cbpf.Allow, Args: []policy.Arg{{Op: op, Value: 5}}})
		}
		return rules
	}
	r, _, err := policy.Resolve(&policy.Policy{
		Default: cbpf.KillProcess, Rules: either("mkdir"),
	}, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := compile.Plain(r, cbpf.MaxInstructions)
	if err != nil {
		t.Fatal(err)
	}
	optimised, err := compile.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	within := func(limit int) (*cbpf.Program, error) { return compile.Plain(r, limit) }
	got, err := choose(r, longer(t, optimised.Program, plain.Len()), within, nil)
	if err != nil || got.Choice != Optimised {
		t.Errorf("%v, %v, want the longer program", got, err)
	}
	if got, err = choose(r, longer(t, plain, 1), within, nil); err != nil || got.Choice != PlainShorter {
		t.Errorf("%v, %v, want the shorter of two slow programs", got, err)
	}
}

func TestCompile(t *testing.T) {
	got, err := Compile(deny(t, "mkdir"), compile.Options{})
	if err != nil || got.Choice != Optimised || got.Diagram == nil || got.Tree == nil || got.Program == nil || len(got.Warnings) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, r := range []*policy.Resolved{nil, {}} {
		if got, err := Compile(r, compile.Options{}); got != nil || err == nil {
			t.Errorf("%v makes %v", r, got)
		}
	}
}
