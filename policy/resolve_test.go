package policy_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

var amd64 = policy.Options{ABIs: []arch.ABI{arch.X86_64}}

// allow is a rule on names.
func allow(names ...string) policy.Rule {
	return policy.Rule{Names: names, Action: cbpf.Allow}
}

// when is the same rule under conditions.
func when(r policy.Rule, args ...policy.Arg) policy.Rule {
	r.Args = args
	return r
}

// with is the same rule with another action.
func with(r policy.Rule, class cbpf.Action, errno ...uint) policy.Rule {
	r.Action = class
	if len(errno) > 0 {
		r.Errno = &errno[0]
	}
	return r
}

func is(index uint, v uint64) policy.Arg { return policy.Arg{Index: index, Op: policy.Equal, Value: v} }

// deny is a policy that fails calls with EPERM but for its rules.
func deny(rules ...policy.Rule) *policy.Policy {
	return &policy.Policy{Default: cbpf.ErrnoClass, Rules: rules}
}

// bounded is the same with a call that every ABI has, so that each has a bound.
func bounded(rules ...policy.Rule) *policy.Policy { return deny(append(rules, allow("rseq"))...) }

func resolve(t *testing.T, p *policy.Policy, o policy.Options) *policy.Resolved {
	t.Helper()
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func abisOf(r *policy.Resolved) (abis []arch.ABI) {
	for _, s := range r.Spaces {
		abis = append(abis, s.ABIs...)
	}
	return abis
}

func TestTargetABIs(t *testing.T) {
	native := arch.Native()
	for _, test := range []struct {
		name          string
		profile, asks []arch.ABI
		want          []arch.ABI
	}{
		{"the profile's are not asked for when targets are named", []arch.ABI{arch.S390X}, []arch.ABI{arch.AArch64}, []arch.ABI{arch.AArch64}},
		{"none named: the native one", nil, nil, []arch.ABI{native}},
		{"none named: the profile's and the native one", native.Family(), nil, native.Family()},
		{"duplicates are one", nil, []arch.ABI{arch.ARM, arch.ARM, arch.AArch64, arch.ARM}, []arch.ABI{arch.AArch64, arch.ARM}},
		{
			"order does not depend on the listing", nil,
			[]arch.ABI{arch.RISCV64, arch.ARM, arch.X86, arch.X32, arch.AArch64, arch.X86_64},
			[]arch.ABI{arch.X86_64, arch.X32, arch.X86, arch.AArch64, arch.ARM, arch.RISCV64},
		},
		{"the main ABI of a family comes first", nil, []arch.ABI{arch.MIPS, arch.MIPS64N32, arch.MIPS64}, []arch.ABI{arch.MIPS64, arch.MIPS, arch.MIPS64N32}},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked := slices.Clone(test.asks)
			r := resolve(t, &policy.Policy{ABIs: test.profile}, policy.Options{ABIs: test.asks})
			if diff := cmp.Diff(test.want, abisOf(r)); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(asked, test.asks) {
				t.Error("the caller's list has changed")
			}
		})
	}
}

func TestX86_64AndX32ShareASpace(t *testing.T) {
	r := resolve(t, deny(allow("read")), policy.Options{ABIs: []arch.ABI{arch.X32, arch.X86, arch.X86_64}})
	if len(r.Spaces) != 2 || !slices.Equal(r.Spaces[0].ABIs, []arch.ABI{arch.X86_64, arch.X32}) || r.Spaces[0].Audit != 0xc000003e {
		t.Errorf("spaces %+v", r.Spaces)
	}
}

func TestOutputDoesNotDependOnTheOrderOfABIs(t *testing.T) {
	abis := []arch.ABI{arch.X86, arch.X86_64, arch.AArch64, arch.X32}
	p := deny(allow("read", "socket"), when(allow("clone"), is(0, 1<<32+1)))
	want, warned := "", []policy.Warning(nil)
	permutations(len(abis), func(order []int) {
		var o policy.Options
		for _, i := range order {
			o.ABIs = append(o.ABIs, abis[i])
		}
		r, warnings, err := policy.Resolve(p, o)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want, warned = r.String(), warnings
		}
		if diff := cmp.Diff(want, r.String()) + cmp.Diff(warned, warnings); diff != "" {
			t.Errorf("%v: %s", o.ABIs, diff)
		}
	})
}

func TestBadArchKillsTheThreadUnlessAnotherActionIsSet(t *testing.T) {
	call := &cbpf.Data{Arch: arch.AArch64.Audit()}
	if got := resolve(t, deny(), amd64).Eval(call); got != cbpf.KillThread {
		t.Errorf("got %v", got)
	}
	o := amd64
	o.BadArch = cbpf.KillProcess
	if got := resolve(t, deny(), o).Eval(call); got != cbpf.KillProcess {
		t.Errorf("got %v", got)
	}
}

func TestZeroPolicyKillsEveryCall(t *testing.T) {
	o := amd64
	o.ENOSYS.Off = true
	if got := resolve(t, &policy.Policy{}, o).Eval(&cbpf.Data{Arch: arch.X86_64.Audit()}); got != cbpf.KillThread {
		t.Errorf("got %v", got)
	}
}

func TestByteOrderIsTheTargets(t *testing.T) {
	for _, a := range []arch.ABI{arch.X86_64, arch.S390X} {
		if got := resolve(t, deny(), policy.Options{ABIs: []arch.ABI{a}}).Order(); got != a.ByteOrder() {
			t.Errorf("%v: %v", a, got)
		}
	}
}

// problemsOf returns the problems of a policy as text.
func problemsOf(t *testing.T, p *policy.Policy, o policy.Options) []string {
	t.Helper()
	r, _, err := policy.Resolve(p, o)
	if err == nil {
		return nil
	}
	if r != nil {
		t.Errorf("a Resolved beside an error: %v", err)
	}
	var errs policy.Errors
	if !errors.As(err, &errs) {
		t.Errorf("error of type %T", err)
	}
	return strings.Split(err.Error(), "\n")
}

func TestProblems(t *testing.T) {
	strict := policy.Options{ABIs: amd64.ABIs, Mode: policy.Strict}
	big := uint(4096)
	for _, test := range []struct {
		name string
		p    *policy.Policy
		o    policy.Options
		want []string
	}{
		{
			"mixed byte order names both sides",
			deny(), policy.Options{ABIs: []arch.ABI{arch.S390X, arch.X86_64, arch.ARM}},
			[]string{"policy: mixed byte order: x86_64, arm little-endian, s390x big-endian: a filter has one (compile one for each side, naming its ABIs)"},
		},
		{
			"an ABI that is none",
			&policy.Policy{ABIs: []arch.ABI{arch.X86_64, 0}, Pointer: "/linux/seccomp"}, policy.Options{ABIs: []arch.ABI{200}},
			[]string{
				"policy: /linux/seccomp/architectures/1: ABI(0): unknown ABI (use one that package arch declares)",
				"policy: target ABI(200): unknown ABI (use one that package arch declares)",
				"policy: no target ABI (name the ABIs to compile for)",
			},
		},
		{
			"unknown names in strict mode",
			deny(allow("read", "opne", "qqqqqqqqqq")), strict,
			[]string{
				`policy: /syscalls/0/names/1: "opne": Linux has no such call on any ABI (did you mean open?)`,
				`policy: /syscalls/0/names/2: "qqqqqqqqqq": Linux has no such call on any ABI`,
			},
		},
		{
			"notify as default action", &policy.Policy{Default: cbpf.Notify}, amd64,
			[]string{"policy: /defaultAction: SCMP_ACT_NOTIFY cannot be used as default action"},
		},
		{"notify as default action in strict mode", &policy.Policy{Default: cbpf.Notify}, strict, nil},
		{
			"notify for write, under conditions too",
			deny(with(allow("read", "write"), cbpf.Notify), when(with(allow("write"), cbpf.Notify), is(0, 1)), with(allow("writev"), cbpf.Notify)), amd64,
			[]string{
				"policy: /syscalls/0/names/1: SCMP_ACT_NOTIFY cannot be used for the write syscall",
				"policy: /syscalls/1/names/0: SCMP_ACT_NOTIFY cannot be used for the write syscall",
			},
		},
		{"notify for write in strict mode", deny(with(allow("write"), cbpf.Notify)), strict, nil},
		{
			"errno values that the specification refuses, in strict mode",
			&policy.Policy{Default: cbpf.Allow, DefaultErrno: &big, Rules: []policy.Rule{
				with(allow("read"), cbpf.ErrnoClass, 4096), with(allow("read"), cbpf.ErrnoClass, 4095), with(allow("read"), cbpf.KillThread, 0),
				with(allow("read"), cbpf.TraceClass, 65536), with(allow("read"), cbpf.TraceClass, 65535), with(allow("read"), cbpf.Trap, 1),
			}}, strict,
			[]string{
				"policy: /defaultErrnoRet: ALLOW carries no errno (remove it)",
				"policy: /syscalls/0/errnoRet: 4096: the largest errno is 4095",
				"policy: /syscalls/2/errnoRet: KILL_THREAD carries no errno (remove it)",
				"policy: /syscalls/3/errnoRet: 65536: the largest data of TRACE is 65535",
				"policy: /syscalls/5/errnoRet: TRAP carries no errno (remove it)",
			},
		},
		{
			"hand-made nonsense",
			&policy.Policy{
				Default: 0x12340000, Elsewhere: cbpf.Log | 1, Order: 2, Flags: []cbpf.Flag{cbpf.LogFlag, 0x40}, ListenerMetadata: "x",
				Rules: []policy.Rule{
					{Action: cbpf.Errno(5), Names: []string{"read"}},
					{Action: cbpf.Allow},
					{Action: cbpf.Allow, Names: []string{""}, Args: []policy.Arg{{Index: 6, Op: policy.Equal}, {Op: 9}, {}}},
				},
			},
			policy.Options{ABIs: amd64.ABIs, Mode: 2, BadArch: cbpf.Allow | 1},
			[]string{
				"policy: /defaultAction: 0x12340000: not an action class (leave out the data, which has a field of its own)",
				"policy: /flags/1: 0x40: profiles cannot ask for this flag (use one of cbpf.ProfileFlags)",
				"policy: /listenerMetadata: needs a listenerPath to be sent to (add one or remove listenerMetadata)",
				"policy: bad-arch action ALLOW(1): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)",
				"policy: action for other ABIs LOG(1): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)",
				"policy: 2: unknown order of rules (use one that package policy declares)",
				"policy: Mode(2): unknown mode (use Runc or Strict)",
				"policy: /syscalls/0/action: 0x00050005: not an action class (leave out the data, which has a field of its own)",
				"policy: /syscalls/1/names: no names: a rule without names has no effect (name a system call or remove the rule)",
				"policy: /syscalls/2/args/0/index: 6: a syscall has only 6 arguments (use 0 to 5)",
				"policy: /syscalls/2/args/1/op: Op(9): unknown operator (use one that package policy declares)",
				"policy: /syscalls/2/args/2/op: Op(0): unknown operator (use one that package policy declares)",
				"policy: /syscalls/2/names/0: the name is empty (name a system call or remove it)",
			},
		},
		{
			"the same conditions with different actions",
			deny(
				when(allow("read", "ioctl"), is(1, 5), is(0, 3)),
				when(with(allow("ioctl"), cbpf.Log), is(0, 3)),
				when(with(allow("write", "ioctl", "read"), cbpf.ErrnoClass, 2), is(0, 3), is(1, 5)),
			), amd64,
			[]string{"policy: /syscalls/2: contradicts /syscalls/0: read under the same conditions gets ERRNO(2) here and ALLOW there (remove one)"},
		},
		{
			"conditions that are the same on one ABI",
			deny(when(allow("ioctl"), is(0, 1)), when(with(allow("ioctl"), cbpf.Log), is(0, 1<<32+1))),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.X32}},
			[]string{"policy: /syscalls/1: contradicts /syscalls/0: ioctl under the same conditions gets LOG here and ALLOW there (remove one) (on x32, x86)"},
		},
		{
			"conditions that are the same behind a multiplexer",
			deny(when(allow("socket"), is(0, 1)), when(with(allow("socket"), cbpf.Log), is(0, 2))),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}},
			[]string{"policy: /syscalls/1: contradicts /syscalls/0: socketcall under the same conditions gets LOG here and ALLOW there (remove one) (on x86)"},
		},
		{
			"no contradiction where a rule without conditions decides",
			deny(when(allow("ioctl"), is(0, 1)), when(with(allow("ioctl"), cbpf.Log), is(0, 1)), with(allow("ioctl"), cbpf.Trap)), amd64, nil,
		},
		{
			"no contradiction behind a multiplexer where a rule without conditions decides",
			deny(when(allow("socket"), is(1, 1)), when(with(allow("socket"), cbpf.Log), is(1, 1)), with(allow("socket"), cbpf.Trap)),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}}, nil,
		},
		{"no contradiction between rules that do the same", deny(when(allow("ioctl"), is(0, 1)), when(allow("ioctl"), is(0, 1))), amd64, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, problemsOf(t, test.p, test.o)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPointersOfRulesAreKept(t *testing.T) {
	p := deny(allow("read"), allow("write"), when(allow("ioctl")))
	p.Pointer = "/linux/seccomp"
	p.Rules[1].Pointer = "/somewhere/else/7"
	p.Rules[2].Names = nil
	want := []string{"policy: /linux/seccomp/syscalls/2/names: no names: a rule without names has no effect (name a system call or remove the rule)"}
	strict := amd64
	strict.Mode = policy.Strict
	if diff := cmp.Diff(want, problemsOf(t, p, strict)); diff != "" {
		t.Error(diff)
	}
	p.Rules = p.Rules[:2]
	r := resolve(t, p, amd64)
	var got []string
	for _, c := range r.Spaces[0].Calls {
		got = append(got, c.Clauses[0].Pointer)
	}
	if diff := cmp.Diff([]string{"/linux/seccomp/syscalls/0", "/somewhere/else/7"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWarnings(t *testing.T) {
	x86s := policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}}
	masked := func(index uint, mask, datum uint64) policy.Arg {
		return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: mask, ValueTwo: datum}
	}
	for _, test := range []struct {
		name string
		p    *policy.Policy
		o    policy.Options
		want []string
	}{
		{"a name of another ABI", bounded(allow("read", "mmap2", "_newselect")), amd64, nil},
		{
			"a name that no ABI has", bounded(allow("read", "opne")), x86s,
			[]string{`/syscalls/0/names/1: "opne": Linux has no such call on any ABI (did you mean open?) (unknown-name)`},
		},
		{
			"a rule that does what the default does", bounded(with(allow("read"), cbpf.ErrnoClass), with(allow("write"), cbpf.ErrnoClass, 1)), x86s,
			[]string{
				"/syscalls/0: does the same as the default action, so it has no effect (redundant)",
				"/syscalls/1: does the same as the default action, so it has no effect (redundant)",
			},
		},
		{
			"errno values in runc's way",
			bounded(with(allow("read"), cbpf.ErrnoClass, 65538), with(allow("read"), cbpf.Allow, 0), with(allow("write"), cbpf.ErrnoClass, 4096), with(allow("open"), cbpf.TraceClass, 4096)), amd64,
			[]string{
				"/syscalls/0/errnoRet: 65538 is truncated to 16 bits: 2 (truncated)",
				"/syscalls/1/errnoRet: ALLOW carries no errno: this one is ignored (ignored-errno)",
				"/syscalls/1/names/0: has no effect on read: /syscalls/0 decides it under all conditions (unreachable)",
				"/syscalls/2/errnoRet: 4096 is cut by the kernel: programs see 4095 (truncated)",
			},
		},
		{
			"values that 32-bit ABIs cut, once for each",
			bounded(when(allow("read", "write"), is(0, 1<<32), is(1, 1<<33+5), masked(2, 0xff, 1<<32), masked(3, 1<<32+1, 1<<32))),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.X32, arch.ARM}},
			[]string{
				"/syscalls/0/args/0/value: 0x100000000 is truncated to 32 bits: 0x0 (on x32, x86, arm) (truncated)",
				"/syscalls/0/args/1/value: 0x200000005 is truncated to 32 bits: 0x5 (on x32, x86, arm) (truncated)",
				"/syscalls/0/args/3/value: 0x100000001 is truncated to 32 bits: 0x1 (on x32, x86, arm) (truncated)",
			},
		},
		{
			"the datum of a mask",
			bounded(when(allow("read"), masked(0, 1<<64-1, 7<<32))), policy.Options{ABIs: []arch.ABI{arch.X86}},
			[]string{"/syscalls/0/args/0/valueTwo: 0x700000000 is truncated to 32 bits: 0x0 (truncated)"},
		},
		{"sign extensions are not cut", bounded(when(allow("read"), is(0, 1<<64-1), masked(1, 1<<64-1, 1<<64-1<<31))), x86s, nil},
		{
			"an upper half of ones that is no sign extension", bounded(when(allow("read"), is(0, 1<<64-1<<32+1))), x86s,
			[]string{"/syscalls/0/args/0/value: 0xffffffff00000001 is truncated to 32 bits: 0x1 (on x86) (truncated)"},
		},
		{"nothing is cut on 64-bit ABIs", bounded(when(allow("read"), is(0, 1<<32))), amd64, nil},
		{"nothing is cut where the call does not exist", bounded(when(allow("arch_prctl"), is(0, 1<<32))), policy.Options{ABIs: []arch.ABI{arch.AArch64, arch.ARM}, ENOSYS: policy.ENOSYS{Off: true}}, nil},
		{
			"rules beside one without conditions",
			bounded(when(allow("read", "write"), is(0, 1)), with(allow("write"), cbpf.Log), with(allow("write"), cbpf.Trap), with(allow("write"), cbpf.Log)), x86s,
			[]string{
				"/syscalls/0/names/1: has no effect on write: /syscalls/1 decides it under all conditions (unreachable)",
				"/syscalls/2/names/0: has no effect on write: /syscalls/1 decides it under all conditions (unreachable)",
			},
		},
		{
			"rules that overlap",
			bounded(when(allow("ioctl"), is(0, 3)), when(with(allow("ioctl"), cbpf.Log), is(1, 5)), when(with(allow("ioctl"), cbpf.ErrnoClass), is(1, 5))), x86s,
			[]string{
				"/syscalls/0: overlaps /syscalls/1, which comes first: where both hold, as for ioctl(a0 = 0x3, a1 = 0x5), LOG beats ALLOW (overlap)",
				"/syscalls/2: does the same as the default action, so it has no effect (redundant)",
				"/syscalls/2/names/0: does the same as the default action and is dropped, so /syscalls/1 decides: " +
					"ioctl(a1 = 0x5) gets LOG, not ERRNO(1) (narrow /syscalls/1) (dropped)",
			},
		},
		{
			"rules that overlap on some ABIs",
			bounded(when(allow("ioctl"), is(0, 3)), when(with(allow("ioctl"), cbpf.Log), policy.Arg{Index: 0, Op: policy.Greater, Value: 1 << 32})), x86s,
			[]string{
				"/syscalls/1: overlaps /syscalls/0, which comes first: where both hold, as for ioctl(a0 = 0x3), ALLOW beats LOG (on x86) (overlap)",
				// The value is the one that is cut.
				"/syscalls/1/args/0/value: 0x100000000 is truncated to 32 bits: 0x0 (on x86) (truncated)",
			},
		},
		{"rules that do not overlap", bounded(when(allow("ioctl"), is(0, 3)), when(with(allow("ioctl"), cbpf.Log), is(0, 4), is(1, 5))), x86s, nil},
		{"overlapping rules with one action", bounded(when(allow("ioctl"), is(0, 3)), when(allow("ioctl"), is(1, 5))), x86s, nil},
		{
			"conditions that a multiplexer hides",
			bounded(when(allow("socket"), is(0, 2)), when(allow("socket"), is(0, 1)), when(allow("shmget"), is(1, 2))),
			policy.Options{ABIs: []arch.ABI{arch.PPC64, arch.PPC}},
			[]string{
				"/syscalls/0/names/0: socket can also be called through socketcall, which hides its arguments from filters: conditions on them do not apply there (on ppc, ppc64) (lost-condition)",
				"/syscalls/2/names/0: shmget can also be called through ipc, which hides its arguments from filters: conditions on them do not apply there (on ppc, ppc64) (lost-condition)",
			},
		},
		{"nothing is hidden where the multiplexer is denied", bounded(when(allow("socket"), is(0, 2)), with(allow("socketcall"), cbpf.ErrnoClass, 38)), x86s, nil},
		{
			"all is hidden where the multiplexer is allowed", bounded(when(allow("socket"), is(0, 2)), allow("socketcall")), x86s,
			[]string{"/syscalls/0/names/0: socket can also be called through socketcall, which hides its arguments from filters: conditions on them do not apply there (on x86) (lost-condition)"},
		},
		{"nothing is hidden where there is no condition", bounded(allow("socket", "shmget")), x86s, nil},
		{"nothing is hidden where there is no multiplexer", bounded(when(allow("socket"), is(0, 2))), policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.ARM}}, nil},
		{
			"MIPS numbers of other ABIs under a permissive default", &policy.Policy{Default: cbpf.Log}, policy.Options{ABIs: []arch.ABI{arch.MIPS, arch.MIPS64}},
			[]string{"/defaultAction: LOG also decides the numbers of the other MIPS ABIs, which run in any task: a denied call can be made by its other numbers (use strict mode) (open-mips)"},
		},
		{"MIPS numbers in strict mode", &policy.Policy{Default: cbpf.Log}, policy.Options{ABIs: []arch.ABI{arch.MIPS}, Mode: policy.Strict}, nil},
		{"MIPS numbers under a default that denies", bounded(allow("read")), policy.Options{ABIs: []arch.ABI{arch.MIPS}}, nil},
		{
			"an ABI for which nothing is named", deny(allow("arch_prctl")), policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.AArch64}},
			[]string{"/syscalls: the profile names no call on this ABI, so newer calls get the default action, not ENOSYS (on aarch64) (no-bound)"},
		},
		{
			"number 0 is no bound", deny(allow("read")), amd64,
			[]string{"/syscalls: the profile names no number above 0 on this ABI, so newer calls get the default action, not ENOSYS (no-bound)"},
		},
		{"no bound is asked for", deny(), policy.Options{ABIs: amd64.ABIs, ENOSYS: policy.ENOSYS{Off: true}}, nil},
		{"no bound is needed", deny(), policy.Options{ABIs: amd64.ABIs, ENOSYS: policy.ENOSYS{Kernel: syscalltables.Version{Major: 6, Minor: 1}}}, nil},
		{"a default that permits has no bound", &policy.Policy{Default: cbpf.TraceClass}, amd64, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, warnings, err := policy.Resolve(test.p, test.o)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRedundantRulesCountWhereTheStrictestWins(t *testing.T) {
	o := amd64
	o.StrictestWins = true
	p := deny(with(allow("read"), cbpf.ErrnoClass), allow("read", "rseq"))
	r, warnings, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Decide(&cbpf.Data{Arch: arch.X86_64.Audit()}); got.Action != cbpf.Errno(1) || got.Pointer != "/syscalls/0" {
		t.Errorf("got %+v", got)
	}
	for _, w := range warnings {
		if w.Kind == policy.Redundant {
			t.Errorf("warning %v", w)
		}
	}
}

// A call with very many overlaps tells of a few and says so.
func TestOverlapsAreToldInBounds(t *testing.T) {
	p := deny()
	for i := range uint64(100) {
		for index, class := range []cbpf.Action{cbpf.Allow, cbpf.Log} {
			p.Rules = append(p.Rules, when(with(allow("ioctl"), class), is(uint(index), i)))
		}
	}
	_, warnings, err := policy.Resolve(p, amd64)
	if err != nil {
		t.Fatal(err)
	}
	last := warnings[0]
	if want := "not all overlaps of the 200 rules on ioctl are listed"; len(warnings) != 9 || last.Message != want || last.Pointer != "/syscalls" {
		t.Errorf("%d warnings, the first %v", len(warnings), last)
	}
}

func TestUnknownNamesHaveHintsInBounds(t *testing.T) {
	var names []string
	for range 100 {
		names = append(names, "opne")
	}
	_, warnings, err := policy.Resolve(deny(allow(names...)), amd64)
	if err != nil {
		t.Fatal(err)
	}
	hints := 0
	for _, w := range warnings {
		if strings.Contains(w.Message, "did you mean open?") {
			hints++
		}
	}
	if hints != 32 {
		t.Errorf("%d hints", hints)
	}
}

func TestPolicyIsNotChanged(t *testing.T) {
	p := deny(allow("write", "read"), when(allow("ioctl"), is(2, 1), is(0, 1)))
	p.ABIs = arch.Native().Family()
	before := printed(t, p)
	resolve(t, p, policy.Options{})
	if diff := cmp.Diff(before, printed(t, p)); diff != "" {
		t.Error(diff)
	}
}

func TestModeAndENOSYSNames(t *testing.T) {
	for _, name := range []string{"runc", "strict"} {
		if m, err := policy.ParseMode(name); err != nil || m.String() != name {
			t.Errorf("%s: %v %v", name, m, err)
		}
	}
	for _, name := range []string{"profile", "off", "kernel:6.1", "kernel:6.10"} {
		if e, err := policy.ParseENOSYS(name); err != nil || e.String() != name {
			t.Errorf("%s: %v %v", name, e, err)
		}
	}
	for _, name := range []string{"", "Runc", "kernel:6.1"} {
		if m, err := policy.ParseMode(name); err == nil {
			t.Errorf("%s: %v", name, m)
		}
	}
	for _, name := range []string{"", "runc", "kernel", "kernel:", "kernel:6", "kernel:0.0", "kernel:6.1.2", "Off"} {
		if e, err := policy.ParseENOSYS(name); err == nil {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// An entry stands for as many rules as it has names times tests of one argument:
// a short profile must not ask for more memory than there is. Here every call has
// another rule as well, so that they have no list in common.
func TestRulesAreBounded(t *testing.T) {
	var names []string
	var rules []policy.Rule
	for _, c := range syscalltables.All(arch.X86_64) {
		names = append(names, c.Name())
		rules = append(rules, when(allow(c.Name()), is(1, uint64(len(names)))))
	}
	var args []policy.Arg
	for i := range uint64(1<<20/len(names) + 1) {
		args = append(args, is(0, i))
	}
	last := strconv.Itoa(len(names) - 1)
	want := []string{"policy: /syscalls/" + strconv.Itoa(len(names)) + "/names/" + last + ": " + names[len(names)-1] + ": more than 1048576 rules, names times tests: no filter holds them (name fewer calls or test fewer values)"}
	if diff := cmp.Diff(want, problemsOf(t, deny(append(rules, when(allow(names...), args...))...), amd64)); diff != "" {
		t.Error(diff)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	want := []string{"bad-arch", "enosys", "rule", "default", "Reason(4)"}
	for r, name := range want {
		if got := policy.Reason(r).String(); got != name {
			t.Errorf("%d: %s, want %s", r, got, name)
		}
	}
}

// A Resolved made by hand prints and evaluates without a table at its side.
func TestHandMadeResolved(t *testing.T) {
	r := &policy.Resolved{
		Default: cbpf.Allow,
		BadArch: cbpf.Trap | 5,
		Spaces: []policy.Space{{
			Audit: 1, Calls: []policy.Call{{NR: 7, Clauses: []policy.Clause{{Conds: []policy.Cond{{Arg: 5, Mask: 1, Value: 1}}}}}},
		}},
	}
	want := "default ALLOW\nbad-arch TRAP(5)\n\n0x00000001\n  7: KILL_THREAD if a5 Op(0) 0x1\n"
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
	if got := r.Eval(&cbpf.Data{Arch: 1, NR: 7, Args: [6]uint64{5: 1}}); got != cbpf.KillProcess {
		t.Errorf("a condition without operator: %v", got)
	}
}

func printed(t *testing.T, p *policy.Policy) string {
	t.Helper()
	text, err := oci.Print(p)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
