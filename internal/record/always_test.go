package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/runtimes"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func onX86(t *testing.T) {
	t.Helper()
	if arch.Native() != arch.X86_64 {
		t.Skip("about x86_64")
	}
}

// Every rule that does not come from what was seen says why it is there.
func TestRulesOfEveryProfile(t *testing.T) {
	onX86(t)
	res := profile(t, record.Options{})
	wantRules(t, res.Policy.Rules,
		"exit exit_group restart_syscall rt_sigreturn",
		"getpid gettid rt_sigaction rt_sigprocmask tgkill tkill write writev",
		"clock_getres clock_gettime getcpu getrandom gettimeofday time",
		"clone3 ERRNO(0)")
	res = profile(t, record.Options{For: podman(t)}, call(t, "clone", 17))
	for _, rule := range res.Policy.Rules[1:] {
		if rule.Comment == "" {
			t.Errorf("no comment: %q", rule.Names)
		}
	}
}

func podman(t *testing.T) []runtimes.Runtime {
	t.Helper()
	list, ok := runtimes.For("podman")
	if !ok || len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	return list
}

// Comments survive in a file, and the rules with them stay what they are.
func TestCommentsAreKept(t *testing.T) {
	first := profile(t, record.Options{For: podman(t)}, call(t, "read"), call(t, "clone", 17))
	text := printed(t, first.Policy)
	base, warnings, err := oci.Read([]byte(text), policy.Target{})
	if err != nil || warnings != nil {
		t.Fatal(err, warnings)
	}
	if again := profile(t, record.Options{Base: base, For: podman(t)}, call(t, "read"), call(t, "clone", 17)); again.Added != nil || printed(t, again.Policy) != text {
		t.Errorf("added %q", rules(again.Added))
	}
	more := profile(t, record.Options{Base: base}, call(t, "umask"))
	if got, want := printed(t, more.Policy), strings.Replace(text, `"read"`, "\"read\",\n\t\t\t\t\"umask\"", 1); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

// What is in a profile unseen, Docker's default allows, and so does Podman.
func TestUnseenCallsAreHarmless(t *testing.T) {
	res := profile(t, record.Options{For: podman(t)}, call(t, "clone", 17), call(t, "socket", 1))
	base, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.Native(), Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	docker, _, err := policy.Resolve(base, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range res.Policy.Rules {
		if rule.Action != cbpf.Allow {
			continue
		}
		for _, name := range rule.Names {
			d := call(t, name)
			for _, a := range rule.Args {
				d.Args[a.Index] = a.Value
				if a.Op == policy.MaskedEqual {
					d.Args[a.Index] = ^a.Value & (1<<32 - 1) // all that the rule lets pass
				}
			}
			if a := docker.Eval(d); a != cbpf.Allow {
				t.Errorf("%s%v gets %s", name, d.Args, a)
			}
		}
	}
}

func TestNamespacesAndPersonalitiesAreTested(t *testing.T) {
	onX86(t)
	for _, o := range []record.Options{{}, {Args: true}} {
		res := profile(t, o,
			call(t, "clone", 1<<28|17), call(t, "clone", 17), call(t, "unshare", 1<<29), call(t, "unshare", 1<<9),
			call(t, "personality", 8), call(t, "personality", 1<<32-1))
		r, _, err := policy.Resolve(res.Policy, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			d    *cbpf.Data
			want bool
		}{
			{call(t, "clone", 1<<28|17), true},
			{call(t, "clone", 17), true},
			{call(t, "clone", 1<<17|17), false},
			{call(t, "clone", 1<<29|17), false},
			{call(t, "unshare", 1<<29), true},
			{call(t, "unshare", 0x80), false},
			{call(t, "unshare", 1<<28), false},
			{call(t, "personality", 8), true},
			{call(t, "personality", 1<<32-1), true},
			{call(t, "personality", 0), false},
			{call(t, "clone3"), false},
		} {
			if got := r.Eval(tt.d).Permits(cbpf.Alone); got != tt.want {
				t.Errorf("%+v: %+v: allowed is %v", o, tt.d, got)
			}
		}
	}
}

func TestFamiliesOfSockets(t *testing.T) {
	onX86(t)
	const inet, netlink, route, audit, packet, vsock, alg = 2, 16, 0, 9, 17, 40, 38
	together := []string{"socket 0=0x1", "socket 0=0x2", "socket 0=0xa", "socket 0=0x10 2=0x0"}
	slices.Sort(together)
	for _, tt := range []struct {
		calls []*cbpf.Data
		want  []string
	}{
		{[]*cbpf.Data{call(t, "socket", inet, 1, 6)}, together},
		{[]*cbpf.Data{call(t, "socket", netlink, 3, route)}, together},
		{[]*cbpf.Data{call(t, "socket", packet, 3, 768)}, []string{"socket 0=0x11"}},
		{[]*cbpf.Data{call(t, "socket", netlink, 3, audit), call(t, "socket", alg, 5, 7)},
			append([]string{"socket 0=0x10 2=0x9", "socket 0=0x26"}, together...)},
	} {
		res := profile(t, record.Options{}, tt.calls...)
		got := rules(res.Added)
		slices.Sort(got)
		slices.Sort(tt.want)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Error(diff)
		}
		r, _, err := policy.Resolve(res.Policy, policy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Eval(call(t, "socket", vsock, 1, 0)).Permits(cbpf.Alone) {
			t.Error("AF_VSOCK is allowed")
		}
	}
	// The profile to start from decides what it has rules for.
	base := eperm(allow("socket", equal(0, 1)))
	wantRules(t, profile(t, record.Options{Base: base}, call(t, "socket", packet, 3, 768)).Added, "socket 0=0x11")
	// It need not be from scratch.
	base = profile(t, record.Options{}, call(t, "socket", inet)).Policy
	wantRules(t, profile(t, record.Options{Base: base}, call(t, "socket", packet, 3, 768)).Added, "socket 0=0x11")
	base = eperm(allow("socket", equal(0, 1), equal(2, 0)))
	wantRules(t, profile(t, record.Options{Base: base}, call(t, "socket", packet, 3, 768)).Added, "socket 0=0x11 2=0x300")
	// Allow tests only what the profile does.
	fix, err := record.Allow(eperm(), policy.Options{}, call(t, "socket", inet))
	if err != nil {
		t.Fatal(err)
	}
	wantRules(t, fix.Rules, "socket")
}

// Which operation a program asks of futex is a matter of luck.
func TestFutexIsNotNarrowed(t *testing.T) {
	res := profile(t, record.Options{Args: true}, call(t, "futex", 0, 0x81))
	wantRules(t, res.Added, "futex")
}

// clone brings what threads call, but with --args not what has constants.
func TestThreads(t *testing.T) {
	onX86(t)
	clone, seen := "clone 0&0x7e020000=0x0", call(t, "mmap", 0, 1, 3, 0x22)
	const all = "brk clock_nanosleep futex madvise mmap mprotect mremap munmap nanosleep rseq sched_yield set_robust_list"
	wantRules(t, profile(t, record.Options{}, call(t, "clone", 17)).Added, clone, all)
	if got := rules(profile(t, record.Options{}, seen, call(t, "clone", 17)).Policy.Rules); slices.Contains(got, "mmap") || !slices.Contains(got, all) {
		t.Errorf("rules %q", got)
	}
	got := rules(profile(t, record.Options{Args: true}, seen, call(t, "clone", 17)).Added)
	if want := "brk futex munmap nanosleep sched_yield set_robust_list"; !slices.Contains(got, want) {
		t.Errorf("rules %q", got)
	}
	wantRules(t, profile(t, record.Options{Base: eperm(allow("read"))}, call(t, "clone", 17)).Added, clone, all)
	wantRules(t, profile(t, record.Options{Base: eperm(deny("ptrace"))}, call(t, "clone", 17)).Added, clone) // not a recording
}

func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		base    *policy.Policy
		d       *cbpf.Data
		action  cbpf.Action
		refused bool
	}{
		{"clone3", nil, call(t, "clone3"), cbpf.Errno(38), true},
		{"unseen", nil, call(t, "read"), 0, false},
		{"allowed", nil, call(t, "write"), 0, false},
		{"by the base's rule", eperm(deny("read")), call(t, "read"), cbpf.Errno(38), true},
		{"clone3 that the base allows", eperm(allow("clone3")), call(t, "clone3"), 0, false},
		{"clone3 without a rule", eperm(), call(t, "clone3"), cbpf.Errno(38), true},
	} {
		r, err := record.New(record.Options{Base: tt.base})
		if err != nil {
			t.Fatal(err)
		}
		if a, refused := r.Refuses(tt.d); refused != tt.refused || refused && a != tt.action {
			t.Errorf("%s: %s, %v", tt.name, a, refused)
		}
		res, err := r.Profile()
		if err != nil {
			t.Fatal(err)
		}
		if tt.name == "clone3 without a rule" {
			wantRules(t, res.Added, "clone3 ERRNO(0)")
		} else if res.Added != nil {
			t.Errorf("%s: added %q", tt.name, rules(res.Added))
		}
	}
}

func TestRuntimes(t *testing.T) {
	res := profile(t, record.Options{For: podman(t)}, call(t, "close"))
	r, _, err := policy.Resolve(res.Policy, policy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	times := make(map[string]int)
	for _, rule := range res.Policy.Rules {
		for _, name := range rule.Names {
			times[name]++
		}
	}
	for name, n := range times {
		if n != 1 {
			t.Errorf("%s is in %d rules", name, n)
		}
	}
	for _, runtime := range podman(t) {
		for _, name := range runtime.Names() {
			if times[name] > 0 && !r.Eval(call(t, name)).Permits(cbpf.Alone) {
				t.Errorf("%s is denied", name)
			}
		}
	}
	if times["futex"] == 0 || times["setresuid"] == 0 {
		t.Errorf("rules %q", rules(res.Policy.Rules))
	}
	if r.Eval(call(t, "clone", 1<<28)).Permits(cbpf.Alone) {
		t.Error("clone makes namespaces")
	}
	// What the base allows or denies by a rule stays.
	base := eperm(allow("futex execve"), deny("capset"))
	res = profile(t, record.Options{Base: base, For: podman(t)})
	for _, rule := range res.Added {
		if slices.Contains(rule.Names, "futex") || slices.Contains(rule.Names, "capset") {
			t.Errorf("added %q", rule.Names)
		}
	}
	if !slices.Equal(res.Needed, []string{"capset"}) {
		t.Errorf("needed %q", res.Needed)
	}
}
