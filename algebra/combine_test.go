package algebra_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// An ABI that a source lacks gets that source's action for other ABIs.
func TestABIsOfOneSource(t *testing.T) {
	three := []arch.ABI{arch.X86_64, arch.X32, arch.X86}
	tests := []struct {
		name string
		op   algebra.Op
		a, b []arch.ABI
		want []arch.ABI
	}{
		{"an intersection is for what both have", algebra.Intersect, []arch.ABI{arch.X86_64}, three, []arch.ABI{arch.X86_64}},
		{"in any order", algebra.Intersect, three, []arch.ABI{arch.X86_64}, []arch.ABI{arch.X86_64}},
		{"x32 alone is left out", algebra.Intersect, []arch.ABI{arch.X86_64, arch.X86}, three, []arch.ABI{arch.X86_64, arch.X86}},
		{"a union is for what one has", algebra.Union, []arch.ABI{arch.X86_64}, three, three},
		{"of two families", algebra.Union, []arch.ABI{arch.X86_64}, []arch.ABI{arch.AArch64}, []arch.ABI{arch.X86_64, arch.AArch64}},
		{"nothing in common", algebra.Intersect, []arch.ABI{arch.X86_64}, []arch.ABI{arch.AArch64}, []arch.ABI{arch.X86_64}},
		{"x32 alone", algebra.Intersect, []arch.ABI{arch.X32}, three, []arch.ABI{arch.X32}},
	}
	for _, tt := range tests {
		p, q := profile(t, "ERRNO(1)", "ALLOW read write openat2"), profile(t, "ERRNO(1)", "ALLOW read mount openat2")
		r := combine(t, tt.op, algebra.Options{Accept: algebra.ExceptForeign}, source(t, p, tt.a...), source(t, q, tt.b...))
		if got := r.Meaning.ABIs(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: ABIs %v, want %v", tt.name, got, tt.want)
		}
		if r.Profile != nil && !slices.Equal(r.Profile.ABIs, tt.want) {
			t.Errorf("%s: the profile's ABIs are %v, want %v", tt.name, r.Profile.ABIs, tt.want)
		}
		if tt.op == algebra.Intersect && tt.name != "nothing in common" && r.Profile == nil {
			t.Errorf("%s: %v", tt.name, r.Refusal)
		}
		for _, a := range []arch.ABI{arch.X86_64, arch.X32, arch.X86, arch.AArch64} {
			read, _ := syscalltables.Lookup("read")
			nr, _ := read.Number(a)
			want := cbpf.KillThread
			if in, also := slices.Contains(tt.a, a), slices.Contains(tt.b, a); in && also || tt.op == algebra.Union && (in || also) {
				want = cbpf.Allow
			}
			if got := r.Meaning.Eval(&cbpf.Data{Arch: a.Audit(), NR: nr}); got != want {
				t.Errorf("%s: read on %v: %v, want %v", tt.name, a, got, want)
			}
		}
	}
}

func TestFlags(t *testing.T) {
	none, log, spec := []cbpf.Flag{}, []cbpf.Flag{cbpf.LogFlag}, []cbpf.Flag{cbpf.SpecAllow}
	wait := []cbpf.Flag{cbpf.SpecAllow, cbpf.WaitKillableRecv}
	tests := []struct {
		name             string
		a, b             []cbpf.Flag
		intersect, union []cbpf.Flag
	}{
		{"nothing said", nil, nil, nil, nil},
		{"none", none, none, none, none},
		{"none and nothing said", none, nil, none, nil},
		{"SPEC_ALLOW and nothing said", spec, nil, nil, nil},
		{"SPEC_ALLOW twice", spec, spec, spec, spec},
		{"LOG and nothing said", log, nil, log, []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}},
		{"LOG and SPEC_ALLOW", log, spec, log, []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow}},
		{"notifications", wait, wait, wait, wait},
	}
	for _, tt := range tests {
		for op, want := range map[algebra.Op][]cbpf.Flag{algebra.Intersect: tt.intersect, algebra.Union: tt.union} {
			a, b := profile(t, "ALLOW", "NOTIFY mount"), profile(t, "ALLOW", "NOTIFY mount")
			a.Flags, b.Flags = tt.a, tt.b
			for _, sources := range [][]*policy.Policy{{a, b}, {b, a}} {
				r := combine(t, op, algebra.Options{}, source(t, sources[0], arch.X86_64), source(t, sources[1], arch.X86_64))
				if r.Refusal != nil || !slices.Equal(r.Profile.Flags, want) || (r.Profile.Flags == nil) != (want == nil) {
					t.Errorf("%s: %v: %v, want %v", tt.name, op, r.Profile.Flags, want)
				}
			}
		}
	}
	a, b := profile(t, "ALLOW", "NOTIFY mount"), profile(t, "ALLOW", "NOTIFY mount umount2")
	a.Flags = wait
	if r := combine(t, algebra.Intersect, algebra.Options{}, source(t, a, arch.X86_64), source(t, b, arch.X86_64)); r.Refusal == nil || r.Refusal.Reason != algebra.Flags {
		t.Errorf("one waits killably: %v", r.Refusal)
	}
}

func TestListener(t *testing.T) {
	const none = ""
	tests := []struct {
		name      string
		a, b      string // listeners
		rule      string
		want      string
		wantError bool
	}{
		{"of one", "/a", none, "NOTIFY mount", "/a", false},
		{"of both", "/a", "/a", "NOTIFY mount", "/a", false},
		{"two", "/a", "/b", "NOTIFY mount", none, true},
		{"two that nothing notifies", "/a", "/b", "LOG mount", none, false},
		{"one that nothing notifies", "/a", none, "LOG mount", none, false},
		{"the same, though nothing notifies", "/a", "/a", "LOG mount", "/a", false},
	}
	for _, tt := range tests {
		a, b := profile(t, "ALLOW", tt.rule), profile(t, "ALLOW", "LOG mount")
		a.ListenerPath, b.ListenerPath = tt.a, tt.b
		if tt.a != none {
			a.ListenerMetadata = "of " + tt.a
		}
		if tt.b != none {
			b.ListenerMetadata = "of " + tt.b
		}
		r := combine(t, algebra.Intersect, algebra.Options{}, source(t, a, arch.X86_64), source(t, b, arch.X86_64))
		switch {
		case tt.wantError:
			if r.Refusal == nil || r.Refusal.Reason != algebra.Listener {
				t.Errorf("%s: %v", tt.name, r.Refusal)
			}
		case r.Refusal != nil || r.Profile.ListenerPath != tt.want || (tt.want != none) != (r.Profile.ListenerMetadata == "of "+tt.want):
			t.Errorf("%s: %v, listener %+v", tt.name, r.Refusal, r.Profile)
		}
	}
}

// Sources may be read in any way, and so may the result.
func TestReadings(t *testing.T) {
	read := func(p *policy.Policy, o policy.Options) algebra.Source {
		if o.ABIs == nil {
			o.ABIs = []arch.ABI{arch.X86_64}
		}
		r, _, err := policy.Resolve(p, o)
		if err != nil {
			t.Fatal(err)
		}
		return algebra.Source{Policy: p, Meaning: r}
	}
	a, b := profile(t, "ERRNO(1)", "ALLOW read write openat2"), profile(t, "ERRNO(1)", "ALLOW read mount openat2")
	unbounded := *a
	unbounded.NoBound = true // as crun and youki read it
	first := *b
	first.Order = policy.FirstMatch
	stacked := *a
	stacked.Older = []*policy.Policy{profile(t, "ERRNO(1)", "ALLOW read write mount", "ERRNO(1) openat2")}
	off := policy.Options{ENOSYS: policy.ENOSYS{Off: true}}
	kernel := policy.Options{ENOSYS: policy.ENOSYS{Kernel: syscalltables.Version{Major: 5, Minor: 10}}}
	tests := []struct {
		name    string
		a, b    algebra.Source
		reading policy.Options
		want    string // of the intersection
	}{
		{"without a bound", read(a, off), read(b, off), off, "ERRNO(1)\nALLOW read openat2"},
		{"as crun reads it", read(&unbounded, policy.Options{}), read(b, off), off, "ERRNO(1)\nALLOW read openat2"},
		{"for a kernel", read(a, kernel), read(b, kernel), kernel, "ERRNO(1)\nALLOW read openat2"},
		{"with a bound, for readers without", read(a, policy.Options{}), read(b, policy.Options{}), off, "bound"},
		{"without a bound, for readers with one", read(a, off), read(b, off), policy.Options{}, "bound"},
		{"the first rule decides", read(&first, off), read(a, off), off, "ERRNO(1)\nALLOW read openat2"},
		{"a stack", read(&stacked, policy.Options{}), read(b, policy.Options{}), policy.Options{}, "ERRNO(1)\nALLOW read\nERRNO(1) openat2"},
		{"the strictest rule", read(profile(t, "ALLOW", "LOG mount", "ERRNO(1) mount"), policy.Options{StrictestWins: true}), read(profile(t, "ALLOW"), policy.Options{}), policy.Options{}, "ALLOW\nERRNO(1) mount"},
		{"strictly", read(a, policy.Options{Mode: policy.Strict}), read(b, policy.Options{Mode: policy.Strict}), policy.Options{Mode: policy.Strict}, "ERRNO(1)\nALLOW read openat2"},
	}
	for _, tt := range tests {
		r := combine(t, algebra.Intersect, algebra.Options{Reading: tt.reading}, tt.a, tt.b)
		switch {
		case r.Profile != nil:
			if got := strings.Join(show(r.Profile), "\n"); got != tt.want {
				t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
			}
			if !equal(t, r.Meaning, written(t, r, tt.reading)) {
				t.Errorf("%s: the profile means something else", tt.name)
			}
		case !strings.Contains(r.Refusal.Reason.String(), tt.want):
			t.Errorf("%s: refused: %v, want %s", tt.name, r.Refusal, tt.want)
		}
	}
}

// What profiles have no words for is refused with the reason.
func TestRefusals(t *testing.T) {
	x64 := []arch.ABI{arch.X86_64}
	resolve := func(p *policy.Policy) algebra.Source { return source(t, p, x64...) }
	trap := profile(t, "ALLOW")
	trap.Rules = []policy.Rule{{Names: []string{"mount"}, Action: cbpf.Trap | 7}}
	number := profile(t, "ALLOW")
	number.Rules = []policy.Rule{{Numbers: []uint32{400}, Action: cbpf.ErrnoClass}}
	elsewhere := profile(t, "ALLOW", "ERRNO(1) mount")
	elsewhere.Elsewhere = cbpf.Allow
	x32 := profile(t, "ALLOW", "ERRNO(1) mount")
	killed := cbpf.KillProcess
	x32.X32 = &killed
	notify := profile(t, "NOTIFY", "ALLOW read")
	notify.NoBound = true
	tests := []struct {
		name    string
		op      algebra.Op
		o       algebra.Options
		sources []algebra.Source
		want    algebra.Reason
	}{
		{"TRAP with data", algebra.Intersect, algebra.Options{}, []algebra.Source{resolve(trap), resolve(profile(t, "ALLOW"))}, algebra.Unsayable},
		{"a number of no call", algebra.Intersect, algebra.Options{}, []algebra.Source{resolve(number), resolve(profile(t, "ALLOW"))}, algebra.Holes},
		{"other ABIs allowed", algebra.Union, algebra.Options{}, []algebra.Source{resolve(elsewhere), resolve(profile(t, "ALLOW"))}, algebra.Unsayable},
		{"calls of x32, where it is no ABI", algebra.Intersect, algebra.Options{Accept: everything}, []algebra.Source{resolve(x32), resolve(profile(t, "ALLOW"))}, algebra.Unsayable},
		{"NOTIFY by default", algebra.Intersect, algebra.Options{}, []algebra.Source{resolve(notify)}, algebra.Notify},
		{"too many rules", algebra.Intersect, algebra.Options{MaxRules: 2, Accept: everything}, []algebra.Source{
			resolve(profile(t, "ERRNO(1)", "ALLOW openat2", "ALLOW socket a0 NE 40")), resolve(profile(t, "ERRNO(1)", "ALLOW openat2", "ALLOW socket a0 NE 38"))}, algebra.TooManyRules},
		{"a proof beyond its limits", algebra.Intersect, algebra.Options{Limits: proof.Limits{Nodes: 10}}, []algebra.Source{
			resolve(profile(t, "ERRNO(1)", "ALLOW openat2", "ALLOW socket a0 NE 40")), resolve(profile(t, "ERRNO(1)", "ALLOW openat2", "ALLOW socket a0 NE 38"))}, algebra.Limit},
	}
	for _, tt := range tests {
		r := combine(t, tt.op, tt.o, tt.sources...)
		if r.Refusal == nil || r.Profile != nil || r.Refusal.Reason != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, r.Refusal, tt.want)
			continue
		}
		if text := r.Refusal.Error(); !strings.HasPrefix(text, "algebra: ") || strings.Contains(text, "\n") {
			t.Errorf("%s: %q", tt.name, text)
		}
		if r.Meaning == nil || (r.Stack == nil) == (tt.op == algebra.Intersect) {
			t.Errorf("%s: meaning %v, stack of %d", tt.name, r.Meaning, len(r.Stack))
		}
	}
	one := resolve(profile(t, "ALLOW"))
	for name, f := range map[string]func() (*algebra.Result, error){
		"no source": func() (*algebra.Result, error) { return algebra.Combine(algebra.Intersect, algebra.Options{}) },
		"no meaning": func() (*algebra.Result, error) {
			return algebra.Combine(algebra.Union, algebra.Options{}, algebra.Source{})
		},
		"unknown operation": func() (*algebra.Result, error) { return algebra.Combine(2, algebra.Options{}, one) },
		"unknown relation":  func() (*algebra.Result, error) { return algebra.Combine(0, algebra.Options{Accept: 1 << 7}, one) },
		"negative rules":    func() (*algebra.Result, error) { return algebra.Combine(0, algebra.Options{MaxRules: -1}, one) },
		"mixed byte order": func() (*algebra.Result, error) {
			return algebra.Combine(algebra.Intersect, algebra.Options{}, one, source(t, profile(t, "ALLOW"), arch.S390X))
		},
	} {
		if r, err := f(); err == nil || r != nil {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
}

// The same sources give the same bytes, and stay as they are.
func TestDeterministic(t *testing.T) {
	caps := preset.Caps("docker")
	var first string
	for range 3 {
		a, b := docker(t, caps), docker(t, nil)
		before := a.Meaning.String() + b.Meaning.String()
		for _, op := range []algebra.Op{algebra.Intersect, algebra.Union} {
			r := combine(t, op, algebra.Options{Accept: everything}, a, b)
			text, err := oci.Print(r.Profile)
			if err != nil {
				t.Fatal(err)
			}
			if op == algebra.Union {
				continue
			}
			if first == "" {
				first = text
			}
			if text != first {
				t.Errorf("got %s\nthen %s", first, text)
			}
		}
		if before != a.Meaning.String()+b.Meaning.String() {
			t.Error("the sources changed")
		}
	}
}

// However many conditions sources have, the answer comes soon and takes bounded memory.
func TestHostile(t *testing.T) {
	var all []string
	for _, c := range syscalltables.All(arch.X86_64) {
		all = append(all, c.Name())
	}
	hostile := func(n int, step uint64, names []string, standard cbpf.Action) algebra.Source {
		p := &policy.Policy{Default: standard, Rules: []policy.Rule{{Names: names, Action: cbpf.Allow}}}
		for i := range n {
			p.Rules[0].Args = append(p.Rules[0].Args, policy.Arg{Op: policy.Equal, Value: uint64(i) * step})
		}
		return source(t, p, arch.X86_64, arch.X86, arch.X32)
	}
	tests := []struct {
		name  string
		n     int
		names []string
		fails bool
	}{
		{"10,000 conditions on one call", 10000, []string{"ioctl"}, true},
		{"300 on one call", 300, []string{"ioctl"}, false},
		{"100 on all calls", 100, all, false},
	}
	for _, tt := range tests {
		for _, op := range []algebra.Op{algebra.Intersect, algebra.Union} {
			a, b := hostile(tt.n, 3, tt.names, cbpf.ErrnoClass), hostile(tt.n, 5, tt.names, cbpf.Trap)
			watchdog := time.AfterFunc(2*time.Minute, func() { panic(tt.name + ": no answer") })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := algebra.Combine(op, algebra.Options{}, a, b)
			runtime.ReadMemStats(&after)
			watchdog.Stop()
			if bytes, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<30); bytes > most {
				t.Errorf("%s: %v: %d bytes, want at most %d", tt.name, op, bytes, most)
			}
			if (err != nil) != tt.fails {
				t.Errorf("%s: %v: %v", tt.name, op, err)
			}
			if err == nil && r.Refusal != nil {
				t.Logf("%s: %v: %v", tt.name, op, r.Refusal)
			}
		}
	}
}

// A rule for the -1 with which a tracer skips a call keeps x86_64, though nothing else of it is
// left.
func TestSkipIsOfItsABI(t *testing.T) {
	x32 := source(t, profile(t, "ERRNO(1)", "ALLOW read"), arch.X32)
	shut := &policy.Resolved{Default: cbpf.KillThread, Spaces: []policy.Space{{
		Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64, arch.X32},
		Calls: []policy.Call{{NR: 1<<32 - 1, ABI: arch.X86_64, Clauses: []policy.Clause{
			{Action: cbpf.Log, Conds: []policy.Cond{{Arg: 0, Op: policy.Equal, Mask: 1<<64 - 1, Value: 7}}},
		}}},
	}}}
	r := combine(t, algebra.Union, algebra.Options{}, x32, algebra.Source{Meaning: shut})
	if err := r.Meaning.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := r.Meaning.Eval(&cbpf.Data{Arch: arch.X86_64.Audit(), NR: 1<<32 - 1, Args: [6]uint64{7}}); got != cbpf.Log {
		t.Errorf("-1: %v", got)
	}
}
