package record_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

func TestMain(m *testing.M) {
	if arch.Native() == 0 {
		os.Exit(0) // no profile can be made for this host
	}
	os.Exit(m.Run())
}

// call returns a call of the native ABI.
func call(t testing.TB, name string, args ...uint64) *cbpf.Data {
	t.Helper()
	return callOn(t, arch.Native(), name, args...)
}

func callOn(t testing.TB, a arch.ABI, name string, args ...uint64) *cbpf.Data {
	t.Helper()
	c, _ := syscalltables.Lookup(name)
	nr, ok := c.Number(a)
	if !ok {
		t.Skipf("%s has no %s", a, name)
	}
	d := &cbpf.Data{NR: nr, Arch: a.Audit()}
	copy(d.Args[:], args)
	return d
}

// profile records calls and returns what the profile is.
func profile(t testing.TB, o record.Options, calls ...*cbpf.Data) *record.Result {
	t.Helper()
	r, err := record.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range calls {
		r.Add(d)
	}
	res, err := r.Profile()
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// rules writes rules one a line: "read write", "clone 0&0x7e020000=0x0".
func rules(list []policy.Rule) []string {
	var lines []string
	for _, r := range list {
		line := strings.Join(r.Names, " ")
		for _, a := range r.Args {
			line += " " + argText(a)
		}
		if r.Action != cbpf.Allow {
			line += " " + r.Action.String()
		}
		lines = append(lines, line)
	}
	return lines
}

// argText writes a condition: "0&0x7e020000=0x0".
func argText(a policy.Arg) string {
	switch a.Op {
	case policy.Equal:
		return fmt.Sprintf("%d=%#x", a.Index, a.Value)
	case policy.MaskedEqual:
		return fmt.Sprintf("%d&%#x=%#x", a.Index, a.Value, a.ValueTwo)
	default:
		return fmt.Sprintf("%d %s %#x", a.Index, a.Op, a.Value)
	}
}

func wantRules(t *testing.T, got []policy.Rule, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, rules(got)); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

// eperm is the profile that allows what rules say and denies the rest.
func eperm(rules ...policy.Rule) *policy.Policy {
	return &policy.Policy{Default: cbpf.ErrnoClass, Rules: rules}
}

func allow(names string, args ...policy.Arg) policy.Rule {
	return policy.Rule{Names: strings.Fields(names), Args: args, Action: cbpf.Allow}
}

func deny(names string, args ...policy.Arg) policy.Rule {
	errno := uint(38)
	return policy.Rule{Names: strings.Fields(names), Args: args, Action: cbpf.ErrnoClass, Errno: &errno}
}

func equal(index uint, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.Equal, Value: value}
}

func masked(index uint, mask, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: mask, ValueTwo: value}
}

func TestProfileFromNothing(t *testing.T) {
	res := profile(t, record.Options{}, call(t, "read"), call(t, "close"), call(t, "read", 7))
	wantRules(t, res.Policy.Rules, append([]string{"close read"}, always(t)...)...)
	wantRules(t, res.Added, "close read")
	p := res.Policy
	if p.Default != cbpf.ErrnoClass || *p.DefaultErrno != 1 || !slices.Equal(p.ABIs, []arch.ABI{arch.Native()}) {
		t.Errorf("default %s, architectures %v", p.Default, p.ABIs)
	}
	if res.Unnamed != nil || res.Denied != nil || res.Open != nil {
		t.Errorf("%+v", res)
	}
}

// always are the rules that a profile made from scratch has.
func always(t *testing.T) []string {
	t.Helper()
	return rules(profile(t, record.Options{}).Policy.Rules)
}

func TestNoRulesWithoutArgsOption(t *testing.T) {
	res := profile(t, record.Options{}, call(t, "fcntl", 0, 3), call(t, "prctl", 1))
	wantRules(t, res.Added, "fcntl prctl")
}

func TestConstantsAndFlags(t *testing.T) {
	res := profile(t, record.Options{Args: true},
		call(t, "fcntl", 5, 3, 0xdead), call(t, "fcntl", 6, 1), call(t, "fcntl", 7, 3), // F_GETFL, F_GETFD
		call(t, "close", 5),
		call(t, "mprotect", 0x1000, 0x2000, 1), call(t, "mprotect", 0x3000, 0x1000, 4), // PROT_READ, PROT_EXEC
		call(t, "memfd_create", 0x1000, 1),
	)
	wantRules(t, res.Added,
		"close",
		"fcntl 1=0x1",
		"fcntl 1=0x3",
		"memfd_create 1&0xfffffffe=0x0",
		"mprotect 2&0xfffffffa=0x0",
	)
}

func TestCombinationsStayTogether(t *testing.T) {
	native := arch.Native()
	if native.Bits() != 64 {
		t.Skip("on ABIs with socketcall there are no direct calls to see")
	}
	res := profile(t, record.Options{Args: true},
		call(t, "socket", 1, 1, 0), call(t, "socket", 10, 2, 17), call(t, "socket", 1, 1, 0))
	got := rules(res.Added)
	if len(got) != 2 || !strings.HasPrefix(got[0], "socket 0=0x1 ") || !strings.HasPrefix(got[1], "socket 0=0xa ") {
		t.Errorf("rules %q", got)
	}
}

func TestTooManyValuesAreLeftOpen(t *testing.T) {
	var calls []*cbpf.Data
	for i := range uint64(17) {
		calls = append(calls, call(t, "prctl", i))
	}
	res := profile(t, record.Options{Args: true}, calls...)
	wantRules(t, res.Added, "prctl")
	if len(res.Open) != 1 || res.Open[0].Name() != "prctl" || res.Open[0].Count != 17 {
		t.Errorf("open %+v", res.Open)
	}
	res = profile(t, record.Options{Args: true}, calls[:16]...)
	if len(res.Added) != 16 || res.Open != nil {
		t.Errorf("%d rules, open %+v", len(res.Added), res.Open)
	}
}

// So it is if they come in several recordings.
func TestTooManyValuesInAllAreLeftOpen(t *testing.T) {
	var p *policy.Policy
	for i := range uint64(17) {
		res := profile(t, record.Options{Base: p, Args: true}, call(t, "prctl", i))
		p = res.Policy
		if open := len(res.Open) > 0; open != (i == 16) {
			t.Errorf("recording %d: open %+v", i, res.Open)
		}
	}
	wantRules(t, p.Rules, append([]string{"prctl"}, always(t)...)...)
}

// Of several arguments the one with the most values is left open.
func TestOnlyTheBusiestArgumentIsLeftOpen(t *testing.T) {
	base := eperm(allow("sendto", equal(0, 99), equal(3, 99)))
	var calls []*cbpf.Data
	for i := range uint64(20) {
		calls = append(calls, call(t, "sendto", i, 0, 0, i%2))
	}
	res := profile(t, record.Options{Base: base}, calls...)
	wantRules(t, res.Added, "sendto 3=0x0", "sendto 3=0x1")
	if len(res.Open) != 1 {
		t.Errorf("open %+v", res.Open)
	}
}

func TestOrderOfCallsDoesNotMatter(t *testing.T) {
	calls := sample(t)
	want := printed(t, profile(t, record.Options{Args: true}, calls...).Policy)
	r := gen.New(1)
	for range 20 {
		r.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
		if got := printed(t, profile(t, record.Options{Args: true}, calls...).Policy); got != want {
			t.Fatal(cmp.Diff(want, got))
		}
	}
}

// sample returns calls with few values for each argument.
func sample(t testing.TB) []*cbpf.Data {
	r := gen.New(2)
	var calls []*cbpf.Data
	for _, name := range []string{"read", "fcntl", "mprotect", "openat", "prctl", "clone", "getpid", "mmap", "waitid", "futex", "socket", "unshare", "personality"} {
		for range 10 {
			d := call(t, name)
			for i := range d.Args {
				d.Args[i] = 1 << r.IntN(3) >> 1
			}
			calls = append(calls, d)
		}
	}
	return calls
}

// Recording in parts gives the profile that recording at once does. A part sees only
// the calls that the profile so far denies.
func TestRecordingsMerge(t *testing.T) {
	calls := sample(t)
	r := gen.New(3)
	for _, args := range []bool{false, true} {
		want := printed(t, profile(t, record.Options{Args: args}, calls...).Policy)
		for range 20 {
			r.Shuffle(len(calls), func(i, j int) { calls[i], calls[j] = calls[j], calls[i] })
			var p *policy.Policy
			for part := range slices.Chunk(calls, 1+r.IntN(len(calls))) {
				p = extend(t, p, args, part)
			}
			if got := printed(t, p); got != want {
				t.Fatal(cmp.Diff(want, got))
			}
		}
	}
}

// extend records the calls that a profile denies, and reads the result back.
func extend(t *testing.T, p *policy.Policy, args bool, calls []*cbpf.Data) *policy.Policy {
	rec, err := record.New(record.Options{Base: p, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range calls {
		if !rec.Base().Eval(d).Permits(cbpf.Alone) {
			rec.Add(d)
		}
	}
	res, err := rec.Profile()
	if err != nil {
		t.Fatal(err)
	}
	p, _, err = oci.Read([]byte(printed(t, res.Policy)), policy.Target{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBaseIsKept(t *testing.T) {
	base, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	before := printed(t, base)
	res := profile(t, record.Options{Base: base}, call(t, "unshare", 1<<28), call(t, "clone", 1<<28|17))
	if printed(t, base) != before {
		t.Error("the base has changed")
	}
	if n := len(base.Rules); !cmp.Equal(res.Policy.Rules[:n], base.Rules) {
		t.Error("a rule of the base has changed")
	} else if diff := cmp.Diff(res.Added, res.Policy.Rules[n:]); diff != "" {
		t.Error(diff)
	}
	// As in Docker's rule, but for the flag that was seen.
	wantRules(t, res.Added, "clone 0&0x6e020000=0x0", "unshare 0&0x6e020080=0x0")
}

func TestNothingIsAddedThatTheBaseAllows(t *testing.T) {
	base := eperm(allow("read"), allow("prctl", equal(0, 1)))
	res := profile(t, record.Options{Base: base}, call(t, "read"), call(t, "prctl", 1))
	if res.Added != nil || res.ABIs != nil || printed(t, res.Policy) != printed(t, base) {
		t.Errorf("added %q: %s", rules(res.Added), printed(t, res.Policy))
	}
}

func TestRulesHaveTheFormOfTheBase(t *testing.T) {
	for _, tt := range []struct {
		base policy.Rule
		args []uint64
		want string
	}{
		{allow("prctl", equal(0, 1)), []uint64{7, 9}, "prctl 0=0x7"},
		{allow("prctl", policy.Arg{Index: 0, Op: policy.LessEqual, Value: 1}), []uint64{7, 9}, "prctl 0=0x7"},
		{allow("prctl", equal(0, 1), equal(1, 1)), []uint64{1, 9}, "prctl 0=0x1 1=0x9"},
		{allow("prctl", masked(0, 0xf0, 0)), []uint64{0x31}, "prctl 0&0xc0=0x0"},
		{allow("prctl", masked(0, 0xf0, 0x10)), []uint64{0x31}, "prctl 0&0xf0=0x30"},
		{allow("prctl", masked(0, 0xf0, 0)), []uint64{0xff}, "prctl"},
	} {
		res := profile(t, record.Options{Base: eperm(tt.base)}, call(t, "prctl", tt.args...))
		wantRules(t, res.Added, tt.want)
	}
}

// A rule that lets calls pass must not take the effect of one that denies others.
func TestDenialsOfTheBaseStay(t *testing.T) {
	base := eperm(deny("prctl", equal(0, 1000)), allow("prctl", masked(0, 0xf0, 0)), allow("read"))
	var calls []*cbpf.Data
	for i := range uint64(50) {
		calls = append(calls, call(t, "prctl", i))
	}
	res := profile(t, record.Options{Base: base}, calls...)
	if res.Denied != nil || res.Open != nil {
		t.Errorf("denied %+v, open %+v", res.Denied, res.Open)
	}
	r, _, err := policy.Resolve(res.Policy, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Decide(call(t, "prctl", 1000)); v.Action != cbpf.Errno(38) {
		t.Errorf("now %s by %s", v.Action, v.Pointer)
	}
	res = profile(t, record.Options{Base: eperm(deny("prctl"))}, call(t, "prctl", 1))
	if len(res.Denied) != 1 || res.Denied[0].Name() != "prctl" {
		t.Errorf("denied %+v", res.Denied)
	}
}

func TestUnknownNumbersCannotBeNamed(t *testing.T) {
	unknown := call(t, "read")
	unknown.NR = arch.Native().Base() + 3999
	foreign := &cbpf.Data{NR: 1, Arch: 0x1234}
	res := profile(t, record.Options{}, unknown, foreign, call(t, "read"))
	wantRules(t, res.Added, "read")
	if len(res.Unnamed) != 2 || res.Unnamed[0].First != *foreign || res.Unnamed[1].First != *unknown || res.Unnamed[1].Name() != "" {
		t.Errorf("unnamed %+v", res.Unnamed)
	}
}

func TestArchitecturesOfTheCallsAreAdded(t *testing.T) {
	if arch.Native() != arch.X86_64 {
		t.Skip("about x86")
	}
	x86 := callOn(t, arch.X86, "waitpid")
	res := profile(t, record.Options{}, x86, call(t, "read"))
	wantRules(t, res.Policy.Rules[:2], "read waitpid", "exit exit_group restart_syscall rt_sigreturn sigreturn")
	if diff := cmp.Diff([]arch.ABI{arch.X86_64, arch.X86}, res.Policy.ABIs); diff != "" {
		t.Error(diff)
	}
	base := eperm(allow("read waitpid"))
	res = profile(t, record.Options{Base: base}, x86)
	if res.Added != nil || !slices.Equal(res.ABIs, []arch.ABI{arch.X86}) || len(base.ABIs) != 0 {
		t.Errorf("added %q and %v", rules(res.Added), res.ABIs)
	}
}

// Whatever the base: what was recorded passes or is said to be denied, and calls with
// other names are decided as before.
func TestRandomBases(t *testing.T) {
	recorded, denied := 0, 0
	for seed := range uint64(300) {
		r := gen.New(seed)
		base := gen.Policy(r, gen.Options{ABIs: []arch.ABI{arch.Native()}, Beyond: seed%3 == 0})
		base.ABIs = nil
		o := record.Options{Base: base, Reading: policy.Options{ENOSYS: policy.ENOSYS{Off: true}}, Args: seed%2 == 0}
		rec, err := record.New(o)
		if err != nil {
			continue
		}
		var others, mine []*cbpf.Data
		names := make(map[string]bool)
		for d := range gen.Points(r, rec.Base(), nil, 4) {
			name := policy.Names().Syscall(d.Arch, d.NR)
			abi, _ := arch.ByAudit(d.Arch, d.NR)
			v := rec.Base().Decide(d)
			switch {
			case abi != arch.Native() || name == "":
			case len(name)%2 == 0:
				others = append(others, clone(d))
			case !v.Action.Permits(cbpf.Alone) && v.Reason != policy.ByRule:
				rec.Add(d)
				mine = append(mine, clone(d))
			}
		}
		res, err := rec.Profile()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		after, _, err := policy.Resolve(res.Policy, o.Reading)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, c := range res.Denied {
			names[c.Name()] = true
			denied++
		}
		for _, d := range mine {
			recorded++
			if a := after.Eval(d); !a.Permits(cbpf.Alone) && !names[policy.Names().Syscall(d.Arch, d.NR)] {
				t.Fatalf("seed %d: %+v: still %s\n%+v", seed, d, a, res.Policy)
			}
		}
		for _, d := range others {
			if was, is := rec.Base().Eval(d), after.Eval(d); was != is {
				t.Fatalf("seed %d: %+v: was %s, is %s\n%+v", seed, d, was, is, res.Policy)
			}
		}
	}
	t.Logf("%d calls recorded, %d names denied", recorded, denied)
	if recorded < 1000 {
		t.Errorf("only %d calls recorded", recorded)
	}
}

func clone(d *cbpf.Data) *cbpf.Data { c := *d; return &c }

func TestBadBaseIsRefused(t *testing.T) {
	if _, err := record.New(record.Options{Base: eperm(allow("read", equal(9, 1)))}); err == nil {
		t.Error("no error")
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, args := range []bool{false, true} {
		b.Run(map[bool]string{false: "names", true: "args"}[args], func(b *testing.B) {
			r, err := record.New(record.Options{Args: args})
			if err != nil {
				b.Fatal(err)
			}
			d := call(b, "fcntl", 1, 3)
			for b.Loop() {
				r.Add(d)
			}
		})
	}
}

// printed returns a policy as an OCI profile.
func printed(t *testing.T, p *policy.Policy) string {
	t.Helper()
	text, err := oci.Print(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
