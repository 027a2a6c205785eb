package policy_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// warned returns the warnings of one kind.
func warned(t *testing.T, p *policy.Policy, o policy.Options, kind policy.WarningKind) []policy.Warning {
	t.Helper()
	_, warnings, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(warnings, func(w policy.Warning) bool { return w.Kind != kind })
}

// oneOf returns conditions that argument 0 has one of n values: each is a rule.
func oneOf(n uint64) (args []policy.Arg) {
	for i := range n {
		args = append(args, is(0, i))
	}
	return args
}

// Eight pairs of rules are listed for a call, each once: a rule that tests an argument
// again and again meets another one as often.
func TestOverlapsAreOfPairs(t *testing.T) {
	for _, others := range []uint64{1, 7, 8, 9} {
		p := bounded(when(allow("ioctl"), oneOf(20)...))
		for i := range others {
			p.Rules = append(p.Rules, when(with(allow("ioctl"), cbpf.Log), is(1, i)))
		}
		listed, more := 0, 0
		for _, w := range warned(t, p, amd64, policy.Overlap) {
			if w.Example.ABI == 0 {
				more++
			} else {
				listed++
			}
		}
		wantListed, wantMore := min(int(others), 8), max(int(others), 8)-8
		if listed != wantListed || more != wantMore {
			t.Errorf("%d pairs: %d listed, and %d say that there are more", others, listed, more)
		}
	}
}

// What is found about rules that several calls share is counted once.
func TestOverlapsOfSharedRulesCountOnce(t *testing.T) {
	var names []string
	for _, c := range syscalltables.All(arch.X86_64) {
		names = append(names, c.Name())
	}
	const pairs, each, limit = 150, 8, 1000
	p := deny()
	for i := range pairs {
		shared := names[2*i : 2*i+2]
		p.Rules = append(p.Rules, when(allow(shared...), is(0, 1)))
		for v := range uint64(each) {
			p.Rules = append(p.Rules, when(with(allow(shared...), cbpf.Log), is(1, v)))
		}
	}
	list := warned(t, p, amd64, policy.Overlap)
	if last := list[len(list)-1]; len(list) != limit+1 || last.More != pairs*each-limit {
		t.Errorf("%d warnings, the last %+v", len(list), last)
	}
}

// Which errors and warnings a rule gets at the ends of what an errno may be.
func TestErrnoAtItsLimits(t *testing.T) {
	strict := policy.Options{ABIs: amd64.ABIs, Mode: policy.Strict}
	for _, tt := range []struct {
		class cbpf.Action
		errno uint
		want  cbpf.Action
		says  string
		fails string
	}{
		{cbpf.ErrnoClass, 0, cbpf.Errno(0), "", ""},
		{cbpf.ErrnoClass, 4095, cbpf.Errno(4095), "", ""},
		{cbpf.ErrnoClass, 4096, cbpf.Errno(4096), "4096 is cut by the kernel: programs see 4095", "4096: the largest errno is 4095"},
		{cbpf.ErrnoClass, 65535, cbpf.Errno(65535), "65535 is cut by the kernel: programs see 4095", "65535: the largest errno is 4095"},
		{cbpf.ErrnoClass, 65536, cbpf.Errno(0), "65536 is truncated to 16 bits: 0", "65536: the largest errno is 4095"},
		{cbpf.TraceClass, 65535, cbpf.TraceClass | 65535, "", ""},
		{cbpf.TraceClass, 65537, cbpf.TraceClass | 1, "65537 is truncated to 16 bits: 1", ""},
	} {
		p := &policy.Policy{Rules: []policy.Rule{with(allow("read"), tt.class, tt.errno), allow("rseq")}}
		said := ""
		for _, w := range warned(t, p, amd64, policy.Truncated) {
			said += w.Message
		}
		if got := resolve(t, p, amd64).Eval(&cbpf.Data{Arch: arch.X86_64.Audit()}); got != tt.want || said != tt.says {
			t.Errorf("%v %d: %v, %q", tt.class, tt.errno, got, said)
		}
		if tt.class != cbpf.ErrnoClass {
			continue
		}
		want := []string{"policy: /syscalls/0/errnoRet: " + tt.fails}
		if tt.fails == "" {
			want = nil
		}
		if diff := cmp.Diff(want, problemsOf(t, p, strict)); diff != "" {
			t.Errorf("%v %d in strict mode: %s", tt.class, tt.errno, diff)
		}
	}
}

// A policy without targets, made by hand, has the byte order of most machines.
func TestOrderWithoutTargets(t *testing.T) {
	for _, r := range []*policy.Resolved{nil, {}, {Spaces: []policy.Space{{}}}} {
		if got, want := r.Order(), arch.X86_64.ByteOrder(); got != want {
			t.Errorf("%+v: %v, want %v", r, got, want)
		}
	}
}

// One finding more than are listed is counted like any number of them.
func TestOneFindingMoreIsCounted(t *testing.T) {
	const limit = 1000
	empty := deny(allow(make([]string, limit+1)...))
	_, _, err := policy.Resolve(empty, amd64)
	var errs policy.Errors
	if !errors.As(err, &errs) || len(errs) != limit+1 || errs[limit].More != 1 || errs[limit].Kind != policy.Invalid || errs[0].More != 0 {
		t.Errorf("%d errors", len(errs))
	}
	p := deny(allow("rseq"))
	for range limit + 1 {
		p.Rules = append(p.Rules, with(allow("read"), cbpf.ErrnoClass))
	}
	list := warned(t, p, amd64, policy.Redundant)
	if len(list) != limit+1 || list[limit].More != 1 {
		t.Errorf("%d warnings", len(list))
	}
}

// What an invalid rule or name would do is not warned about.
func TestInvalidRulesGetNoWarnings(t *testing.T) {
	for name, p := range map[string]*policy.Policy{
		"an empty name": bounded(allow(""), with(allow(""), cbpf.Log)),
		"an operator":   bounded(when(with(allow("read"), cbpf.ErrnoClass), policy.Arg{})),
		"an index":      bounded(when(with(allow("read"), cbpf.ErrnoClass), policy.Arg{Index: 6, Op: policy.Equal})),
		"an action":     bounded(with(allow("read"), cbpf.Errno(1)), allow("read")),
	} {
		if _, warnings, err := policy.Resolve(p, amd64); err == nil || len(warnings) > 0 {
			t.Errorf("%s: error %v, warnings %v", name, err, warnings)
		}
	}
	strict := policy.Options{ABIs: amd64.ABIs, Mode: policy.Strict}
	for name, rule := range map[string]policy.Rule{
		"an errno":            with(allow("read"), cbpf.Allow, 0),
		"an errno too large":  with(allow("read"), cbpf.ErrnoClass, 4096),
		"a name and an errno": with(allow("read", "opne"), cbpf.Allow, 0),
	} {
		if _, warnings, err := policy.Resolve(bounded(rule, allow("read")), strict); err == nil || len(warnings) > 0 {
			t.Errorf("%s: error %v, warnings %v", name, err, warnings)
		}
	}
}

// Where the strictest rule decides, rules behind an unconditional one have no effect, and
// those before it are no overlaps of it.
func TestStrictestRulesBeatOthers(t *testing.T) {
	o := amd64
	o.StrictestWins = true
	p := bounded(allow("ioctl"), when(with(allow("ioctl"), cbpf.Log), is(0, 1)), with(allow("ioctl"), cbpf.Trap), when(with(allow("ioctl"), cbpf.KillThread), is(1, 1)))
	want := []string{"/syscalls/0/names/0", "/syscalls/1/names/0"}
	var got []string
	for _, w := range warned(t, p, o, policy.Unreachable) {
		got = append(got, w.Pointer)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if list := warned(t, p, o, policy.Overlap); len(list) > 0 {
		t.Errorf("%v", list)
	}
	clauses := resolve(t, p, o).Clauses(arch.X86_64.Audit(), 16)
	if len(clauses) != 2 || clauses[0].String() != "KILL_THREAD if a1 == 0x1 (/syscalls/3)" || clauses[1].String() != cbpf.Trap.String()+" (/syscalls/2)" {
		t.Errorf("%v", clauses)
	}
}

// What stands behind a condition that always holds is left out.
func TestNothingFollowsWhatAlwaysHolds(t *testing.T) {
	o := amd64
	o.StrictestWins = true
	always := policy.Arg{Op: policy.MaskedEqual} // no bit is looked at
	p := bounded(when(allow("ioctl"), is(0, 3), always, is(0, 4)), when(with(allow("ioctl"), cbpf.KillThread), is(1, 1)))
	r := resolve(t, p, o)
	got := ""
	for _, c := range r.Clauses(arch.X86_64.Audit(), 16) {
		got += c.String() + "\n"
	}
	want := "KILL_THREAD if a1 == 0x1 (/syscalls/1)\nALLOW if a0 == 0x3 (/syscalls/0)\nALLOW (/syscalls/0)\n"
	if err := r.Validate(); err != nil || got != want {
		t.Errorf("got\n%serror %v", got, err)
	}
}

// A dropped rule that tests an argument twice stands for two, of which either may meet
// another rule.
func TestEachTestOfADroppedRuleCounts(t *testing.T) {
	for _, values := range [][2]uint64{{4, 6}, {6, 4}} {
		p := bounded(when(with(allow("ioctl"), cbpf.ErrnoClass), is(1, values[0]), is(1, values[1])), when(allow("ioctl"), is(0, 3), is(1, 6)))
		if list := warned(t, p, amd64, policy.Dropped); len(list) != 1 || list[0].Example.Text != "ioctl(a0 = 0x3, a1 = 0x6)" {
			t.Errorf("%v: %v", values, list)
		}
	}
}
