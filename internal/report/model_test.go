package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

func numberOf(t testing.TB, name string, abi arch.ABI) uint32 {
	t.Helper()
	c, _ := syscalltables.Lookup(name)
	nr, ok := c.Number(abi)
	if !ok {
		t.Fatalf("%v has no %s", abi, name)
	}
	return nr
}

// rule writes one rule of a profile.
func rule(call, action string, args ...string) string {
	return fmt.Sprintf(`{"names": ["%s"], "action": "SCMP_ACT_%s", "args": [%s]}`, call, action, strings.Join(args, ","))
}

func arg(index int, op string, values ...uint64) string {
	s := fmt.Sprintf(`{"index": %d, "op": "SCMP_CMP_%s", "value": %d`, index, op, values[0])
	if len(values) > 1 {
		s += fmt.Sprintf(`, "valueTwo": %d`, values[1])
	}
	return s + "}"
}

func TestVerdicts(t *testing.T) {
	list := []string{
		rule("read", "ALLOW"),
		rule("ptrace", "NOTIFY"),
		rule("reboot", "KILL_PROCESS"),
		rule("personality", "ALLOW", arg(0, "LT", 8)),
		rule("personality", "ALLOW", arg(0, "GE", 8)),
		rule("clone", "ALLOW", arg(0, "MASKED_EQ", 0x10000000, 0)),
	}
	s := mustSubject(t, read(t, "p", strings.Join(list, ","), x86...), proof.Limits{})
	pointer := func(i int) string { return fmt.Sprintf("/syscalls/%d", i) }
	tests := []struct {
		call string
		abi  arch.ABI
		want verdict
	}{
		{"read", arch.X32, verdict{chip: chip{allowed, "allow"}, Pointer: pointer(0)}},
		{"ptrace", arch.X86, verdict{chip: chip{asked, "ask the listener"}, Pointer: pointer(1)}},
		{"reboot", arch.X86_64, verdict{chip: chip{killed, "kill the process"}, Pointer: pointer(2)}},
		{"mount", arch.X86_64, verdict{chip: chip{failed, "EPERM"}, Why: "default"}},
		{"mseal", arch.X86_64, verdict{chip: chip{unknown, "ENOSYS"}, Why: "newer than the profile"}},
		{"read", arch.AArch64, verdict{chip: chip{noTarget, "kill the thread"}, Why: "not an ABI of the profile"}},
		{"personality", arch.X86_64, verdict{chip: chip{allowed, "allow"}, Why: "all its rules combined"}},
		{"clone", arch.X86_64, verdict{chip: chip{args, "by arguments"}, Rules: []ruling{
			{chip{allowed, "allow"}, "flags & CLONE_NEWUSER == 0", pointer(5)},
			{chip{failed, "EPERM"}, "otherwise", ""},
		}}},
	}
	for _, tt := range tests {
		got := s.verdict(tt.abi, numberOf(t, tt.call, tt.abi))
		if diff := gocmp.Diff(tt.want, got, gocmp.AllowUnexported(verdict{}, ruling{})); diff != "" {
			t.Errorf("%v %s: want -, got +\n%s", tt.abi, tt.call, diff)
		}
	}
}

// The last rule of a call may have no condition.
func TestVerdictOtherwise(t *testing.T) {
	p, _, err := oci.Read([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`+
		rule("ioctl", "TRAP", arg(1, "EQ", 0x5401))+","+rule("ioctl", "ALLOW")+`]}`), policy.Target{})
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}, StrictestWins: true})
	if err != nil {
		t.Fatal(err)
	}
	s := mustSubject(t, Profile{Name: "p", Report: &lint.Report{Policy: p, Resolved: r}}, proof.Limits{})
	want := verdict{chip: chip{args, "by arguments"}, Rules: []ruling{
		{chip{killed, "signal SIGSYS"}, "request == TCGETS", "/syscalls/0"},
		{chip{allowed, "allow"}, "otherwise", "/syscalls/1"},
	}}
	got := s.verdict(arch.X86_64, numberOf(t, "ioctl", arch.X86_64))
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(verdict{}, ruling{})); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

// Where the rules are too many to combine, conditions count as such.
func TestVerdictsBeyondTheLimits(t *testing.T) {
	rules := rule("personality", "ALLOW", arg(0, "LT", 8)) + "," + rule("personality", "ALLOW", arg(0, "GE", 8))
	p := read(t, "p", rules, arch.X86_64)
	s := mustSubject(t, p, proof.Limits{Nodes: 10})
	if s.limit == nil {
		t.Fatal("10 nodes are enough")
	}
	if v := s.verdict(arch.X86_64, numberOf(t, "personality", arch.X86_64)); v.Kind != args {
		t.Errorf("verdict %v", v)
	}
	page, err := Review(p, Options{Limits: proof.Limits{Nodes: 10}})
	if err != nil || strings.Count(string(page), "too many rules to combine") != 2 || strings.Contains(string(page), "No verdict depends") {
		t.Errorf("the page does not say that it is beyond the limits (%v)", err)
	}
	if _, _, err := Compare(p, p, Options{Limits: proof.Limits{Nodes: 10}}); err == nil {
		t.Error("a difference beyond the limits is no error")
	}
}

func TestPrivileges(t *testing.T) {
	list := []string{rule("setns", "ALLOW"), rule("socket", "ALLOW", arg(0, "NE", 40)), rule("socketcall", "ALLOW"), rule("unshare", "ALLOW", arg(0, "MASKED_EQ", 0x10000000, 0))}
	a := read(t, "a", strings.Join(list, ","), x86...)
	b := read(t, "b", rule("read", "ALLOW"), arch.X86_64)
	answers := map[string][]answer{}
	for _, q := range mustBuild(t, Options{}, a, b).privileges() {
		answers[q.Name] = q.Answers
	}
	no := answer{}
	for name, want := range map[string][]answer{
		"load and unload kernel modules":                {no, no},
		"create user namespaces":                        {no, no},
		"create or enter other namespaces":              {{Can: true, By: []way{{Call: "setns"}, {Call: "unshare"}}}, no},
		"open sockets to the hypervisor (AF_VSOCK)":     {{Can: true, By: []way{{"socket", "x86_64", "family"}, {"socketcall", "x86", ""}}}, no},
		"make calls through a second ABI of the kernel": {{Can: true, By: []way{{On: "x86"}}}, no},
		"make calls that are yet to come":               {no, no},
	} {
		if diff := gocmp.Diff(want, answers[name]); diff != "" {
			t.Errorf("%s: want -, got +\n%s", name, diff)
		}
	}
	if _, ok := answers["make other calls"]; ok {
		t.Error("other calls are a privilege")
	}
	for _, q := range mustBuild(t, Options{}, read(t, "s390x", rule("read", "ALLOW"), arch.S390X)).privileges() {
		if strings.Contains(q.Name, "x32") {
			t.Error("s390x has x32")
		}
	}
}

func TestUndecidedPrivileges(t *testing.T) {
	p := read(t, "p", rule("unshare", "ALLOW", arg(0, "MASKED_EQ", 0x10000000, 0)), arch.X86_64)
	for _, q := range mustBuild(t, Options{Limits: proof.Limits{Nodes: 10}}, p).privileges() {
		if a := q.Answers[0]; !a.Undecided || a.Can {
			t.Errorf("%s: %+v, want an answer that is none", q.Name, a)
		}
	}
}

func TestDifference(t *testing.T) {
	a := read(t, "a", strings.Join([]string{
		rule("read", "ALLOW"), rule("ptrace", "ALLOW"), rule("mseal", "ALLOW"),
		rule("socket", "ALLOW", arg(0, "EQ", 1)), rule("unshare", "ALLOW", arg(0, "EQ", 0x20000)),
	}, ","), arch.X86_64, arch.X86)
	b := read(t, "b", strings.Join([]string{
		rule("read", "ALLOW"), rule("mount", "LOG"), rule("open_by_handle_at", "ALLOW"), rule("fsopen", "ALLOW"),
		rule("socket", "ALLOW", arg(0, "EQ", 2)), rule("unshare", "KILL_PROCESS"),
	}, ","), arch.X86_64)
	d := mustBuild(t, Options{}, a, b).difference(changes(t, a, b))
	find := func(direction, from, to, call string) *changed {
		for _, g := range d.Groups {
			for _, x := range slices.Concat(g.Always, g.Partly) {
				if g.Direction.String() == direction && g.From.Text == from && g.To.Text == to && x.Name == call {
					return x
				}
			}
		}
		return nil
	}
	tests := []struct {
		direction, from, to, call, on, when string
	}{
		{"weaker", "EPERM", "log", "mount", "x86_64", ""},
		{"weaker", "EPERM", "allow", "open_by_handle_at", "x86_64", ""},
		{"weaker", "EPERM", "allow", "socket", "x86_64", "family == AF_INET"},
		{"stricter", "allow", "EPERM", "socket", "x86_64", "family == AF_UNIX"},
		{"stricter", "allow", "EPERM", "ptrace", "x86_64", ""},
		{"stricter", "allow", "ENOSYS", "mseal", "x86_64", ""},
		{"stricter", "allow", "kill the process", "unshare", "x86_64", "flags == CLONE_NEWNS"},
		{"stricter", "allow", "kill the thread", "read", "x86", ""},
		{"changed", "EPERM", "ENOSYS", "clone3", "x86_64", ""},
	}
	for _, tt := range tests {
		x := find(tt.direction, tt.from, tt.to, tt.call)
		if x == nil {
			t.Errorf("%s is not %s, from %s to %s", tt.call, tt.direction, tt.from, tt.to)
			continue
		}
		if got := strings.Join(x.When, " or "); got != tt.when || x.On != tt.on {
			t.Errorf("%s: on %q when %q, want on %q when %q", tt.call, x.On, got, tt.on, tt.when)
		}
		if !strings.HasPrefix(x.Witness, tt.call+"(") {
			t.Errorf("%s: such as %s", tt.call, x.Witness)
		}
	}
	if d.of(arch.X86_64, numberOf(t, "read", arch.X86_64)) != 0 {
		t.Error("read has changed")
	}
	if got := d.of(arch.X86_64, numberOf(t, "socket", arch.X86_64)).Title(); got != "weaker and stricter" {
		t.Errorf("socket is %s", got)
	}
	for i, g := range d.Groups {
		if i > 0 && g.Direction < d.Groups[i-1].Direction {
			t.Errorf("%v stands behind %v", g.Direction, d.Groups[i-1].Direction)
		}
	}
}

func changes(t *testing.T, a, b Profile) []proof.Change {
	t.Helper()
	list, err := proof.Diff(proof.Policy(a.Resolved), proof.Policy(b.Resolved), proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Numbers without a call, and ABIs that no side has, are part of the difference.
func TestDifferenceBeyondCalls(t *testing.T) {
	p := &policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{{Names: []string{"mount"}, Action: cbpf.KillProcess}}}
	q := &policy.Policy{Default: cbpf.ErrnoClass, Rules: p.Rules}
	a, b := profile(t, "a", p, arch.AArch64), profile(t, "b", q, arch.AArch64)
	r, _, err := policy.Resolve(q, policy.Options{ABIs: []arch.ABI{arch.AArch64}, BadArch: cbpf.Allow})
	if err != nil {
		t.Fatal(err)
	}
	c := Profile{Name: "c", Report: &lint.Report{Policy: q, Resolved: r}}
	page := string(compare(t, a, b))
	if !strings.Contains(page, "Numbers without a call: aarch64 244-259,") {
		t.Error("the page does not name the numbers without a call")
	}
	if !strings.Contains(string(compare(t, b, c)), "Calls through any other ABI.") {
		t.Error("the page does not say that other ABIs became weaker")
	}
	if page := string(compare(t, a, a)); !strings.Contains(page, "Both profiles treat every call alike") {
		t.Error("the page does not say that there is no difference")
	}
}

// A picture with more boxes than anybody looks at is replaced by a word on it.
func TestPictures(t *testing.T) {
	few, many := profile(t, "few", many("values", 20), arch.X86_64), profile(t, "many", many("values", 1000), arch.X86_64)
	p := mustBuild(t, Options{}, few).page(nil).Sides[0].Pictures[0]
	if p.None != "" || !strings.Contains(string(p.SVG), "</svg>") || !strings.Contains(p.Text, "arch") {
		t.Errorf("no picture of few conditions: %q", p.None)
	}
	p = mustBuild(t, Options{}, many).page(nil).Sides[0].Pictures[0]
	if !strings.Contains(p.None, "too many for a picture") || p.SVG != "" {
		t.Errorf("many conditions have a picture of %d bytes: %q", len(p.SVG), p.None)
	}
}

// What the page says of a call is what the policy does with it, and a difference is
// one: random policies, run on calls at their boundaries.
func TestModelAgreesWithTheMeaning(t *testing.T) {
	for seed := range uint64(60) {
		rnd := gen.New(seed)
		abis := gen.ABIs(rnd)
		var sides []Profile
		for range 2 {
			p := gen.Policy(rnd, gen.Options{ABIs: abis, Entries: 8})
			o := gen.ResolveOptions(rnd)
			o.ABIs = abis
			if r, _, err := policy.Resolve(p, o); err == nil {
				sides = append(sides, Profile{Name: fmt.Sprint(seed), Report: &lint.Report{Policy: p, Resolved: r}})
			}
		}
		if len(sides) == 2 {
			agree(t, rnd, mustBuild(t, Options{}, sides...), changes(t, sides[0], sides[1]))
		}
	}
}

func agree(t *testing.T, rnd *rand.Rand, b *builder, list []proof.Change) {
	t.Helper()
	d := b.difference(list)
	for _, s := range b.subjects {
		for call := range gen.Points(rnd, s.Resolved, nil, 2) {
			abi, _ := arch.ByAudit(call.Arch, call.NR)
			if _, ok := syscalltables.ByNumber(abi, call.NR); !ok || !slices.Contains(b.abis, abi) {
				continue
			}
			does := s.Resolved.Eval(call)
			v := s.verdict(abi, call.NR)
			if v.Kind == args {
				if !slices.ContainsFunc(v.Rules, func(r ruling) bool { return r.chip == chipOf(abi, does) }) {
					t.Fatalf("%s: %v: no rule of %v gives %v", s.Name, call, v.Rules, does)
				}
			} else if v.Text != chipOf(abi, does).Text {
				t.Fatalf("%s: %v: %v, want %v", s.Name, call, v.Text, does)
			}
			x, y := b.subjects[0].Resolved.Eval(call), b.subjects[1].Resolved.Eval(call)
			dir := d.of(abi, call.NR)
			switch {
			case x == y:
			case y.Compare(x) > 0 && dir&weaker == 0, y.Compare(x) < 0 && dir&stricter == 0, dir == 0:
				t.Fatalf("%s: %v: from %v to %v is %q", s.Name, call, x, y, dir)
			}
		}
	}
}

// What is the same on several ABIs is said once, and nothing else is.
func TestNumbersOfSeveralABIs(t *testing.T) {
	s := mustSubject(t, read(t, "p", rule("read", "ALLOW"), x86...), proof.Limits{})
	var got []string
	for _, r := range s.rests() {
		got = append(got, r.ABIs+": "+r.Text+": "+r.Why)
	}
	want := []string{
		"x86_64 and x32: ENOSYS: newer than the profile",
		"x86: ENOSYS: newer than the profile",
		"x86_64, x32 and x86: EPERM: default",
		"other ABIs: kill the thread: not an ABI of the profile",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	a, b := []policy.Interval{{First: 1, Last: 2}}, []policy.Interval{{First: 1, Last: 3}}
	var of []string
	for _, n := range folded([]numbers{{[]arch.ABI{arch.X86_64}, a}, {[]arch.ABI{arch.X86}, b}, {[]arch.ABI{arch.ARM}, a}}) {
		of = append(of, n.On()+" "+n.Text())
	}
	if want := []string{"x86_64 and arm 1-2", "x86 1-3"}; !slices.Equal(of, want) {
		t.Errorf("%q, want %q", of, want)
	}
}
