package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

func on(abis ...arch.ABI) policy.Options { return policy.Options{ABIs: abis} }

func exactly(o policy.Options) policy.Options {
	o.Exact = true
	return o
}

func strictly(o policy.Options) policy.Options {
	o.Mode = policy.Strict
	return o
}

// Which numbers a rule decides, which get ENOSYS beside them, and which are another
// ABI's. The calls are in the form of TestVerdicts.
func TestNumbersOfRules(t *testing.T) {
	release := policy.ENOSYS{Kernel: syscalltables.Version{Major: 5, Minor: 4}}
	for _, tt := range []struct {
		name  string
		p     *policy.Policy
		o     policy.Options
		calls string
	}{
		{"a number bounds like the number of a name", deny(numbers(500)), on(arch.X86_64), `
			x86_64 499 - - - - - - ERRNO(1) default
			x86_64 500 - - - - - - ALLOW /syscalls/0
			x86_64 501 - - - - - - ERRNO(38) enosys`},
		{"so does the number of a rule that is dropped", deny(with(numbers(500), cbpf.ErrnoClass)), on(arch.X86_64), `
			x86_64 500 - - - - - - ERRNO(1) default
			x86_64 501 - - - - - - ERRNO(38) enosys`},
		{"the largest number that bounds", deny(numbers(1<<31 - 1)), on(arch.AArch64), `
			aarch64 0x7ffffffe - - - - - - ERRNO(1) default
			aarch64 0x7fffffff - - - - - - ALLOW /syscalls/0
			aarch64 0x80000000 - - - - - - ERRNO(38) enosys`},
		{"a negative number does not bound, and is decided", deny(allow("read"), numbers(1<<31)), on(arch.AArch64), `
			aarch64 read       - - - - - - ALLOW /syscalls/0
			aarch64 64         - - - - - - ERRNO(38) enosys
			aarch64 0x7fffffff - - - - - - ERRNO(38) enosys
			aarch64 0x80000000 - - - - - - ALLOW /syscalls/1
			aarch64 0x80000001 - - - - - - ERRNO(38) enosys
			aarch64 0xffffffff - - - - - - ERRNO(38) enosys`},
		{"a negative number that a dropped rule has is the default's", deny(allow("read"), with(numbers(1<<32-1), cbpf.ErrnoClass)), on(arch.AArch64), `
			aarch64 0xfffffffe - - - - - - ERRNO(38) enosys
			aarch64 0xffffffff - - - - - - ERRNO(1) default`},
		{"a negative number alone is no bound", deny(numbers(1<<32 - 1)), on(arch.AArch64), `
			aarch64 1000       - - - - - - ERRNO(1) default
			aarch64 0xffffffff - - - - - - ALLOW /syscalls/0`},
		{"number 0 on s390 may be named", deny(allow("read"), numbers(0)), on(arch.S390X), `
			s390x 0   - - - - - - ALLOW /syscalls/1
			s390x 1   - - - - - - ERRNO(1) default
			s390x 1000 - - - - - - ERRNO(38) enosys`},
		{"number 0 on s390 otherwise", deny(allow("read"), only(numbers(0), arch.S390)), on(arch.S390X), `
			s390x 0   - - - - - - ERRNO(38) enosys`},
		{"numbers that a release does not have", deny(numbers(439, 600, 1<<32-1)), policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: release}, `
			x86_64 439 - - - - - - ALLOW /syscalls/0
			x86_64 600 - - - - - - ALLOW /syscalls/0
			x86_64 601 - - - - - - ERRNO(38) enosys
			x86_64 434 - - - - - - ERRNO(1) default
			x86_64 438 - - - - - - ERRNO(38) enosys
			x86_64 0xffffffff - - - - - - ALLOW /syscalls/0`},
		{"the last one of two ABIs and a release", deny(numbers(1<<32 - 1)), policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X32}, ENOSYS: release}, `
			x86_64 0xffffffff - - - - - - ALLOW /syscalls/0
			x86_64 0xfffffffe - - - - - - ERRNO(38) enosys`},
		{"bit 30 tells whose a number is", deny(only(numbers(600, 1<<30+700), arch.X86_64, arch.X32)), on(arch.X86_64, arch.X32), `
			x86_64 600 - - - - - - ALLOW /syscalls/0
			x86_64 601 - - - - - - ERRNO(38) enosys
			x32 0x400002bc - - - - - - ALLOW /syscalls/0
			x32 0x400002bd - - - - - - ERRNO(38) enosys
			x32 0x40000258 - - - - - - ERRNO(1) default`},
		{"arguments are as wide as the number's ABI's", deny(when(numbers(600, 1<<30+600, 1<<32-1), is(0, 5))), on(arch.X86_64, arch.X32), `
			x86_64 600 5 - - - - - ALLOW /syscalls/0
			x86_64 600 0x100000005 - - - - - ERRNO(1) default
			x86_64 0x40000258 0x100000005 - - - - - ALLOW /syscalls/0
			x86_64 0xffffffff 5 - - - - - ALLOW /syscalls/0
			x86_64 0xffffffff 0x100000005 - - - - - ERRNO(1) default`},
		{"-1 is a number of x32 alone, too", deny(when(numbers(1<<32-1), is(0, 5))), on(arch.X32), `
			x32 0xffffffff 0x100000005 - - - - - ALLOW /syscalls/0`},
		{"another ABI's numbers", deny(numbers(1<<30-1, 1<<30, 1<<32-2, 1<<32-1), allow("read")), on(arch.X86_64), `
			x86_64 0x3fffffff - - - - - - ALLOW /syscalls/0
			x86_64 0x40000000 - - - - - - KILL_THREAD bad-arch
			x86_64 0xfffffffe - - - - - - KILL_THREAD bad-arch
			x86_64 0xffffffff - - - - - - ALLOW /syscalls/0`},
		{"another ABI's numbers on x32", deny(numbers(1<<30-1, 1<<30)), on(arch.X32), `
			x32 0x3fffffff - - - - - - KILL_THREAD bad-arch
			x32 0x40000000 - - - - - - ALLOW /syscalls/0`},
		{"numbers of other MIPS ABIs", deny(numbers(3999, 4001, 5000)), on(arch.MIPS), `
			mips 3999 - - - - - - ALLOW /syscalls/0
			mips 5000 - - - - - - ALLOW /syscalls/0
			mips 5001 - - - - - - ERRNO(89) enosys`},
		{"and in strict mode", deny(numbers(3999, 4000, 4999, 5000)), strictly(on(arch.MIPS)), `
			mips 3999 - - - - - - KILL_THREAD bad-arch
			mips 4000 - - - - - - ALLOW /syscalls/0
			mips 4999 - - - - - - ALLOW /syscalls/0
			mips 5000 - - - - - - ERRNO(89) enosys`},
		{"a number is not what a multiplexer reaches", deny(when(numbers(359), is(0, 2))), on(arch.X86), `
			x86 socket 2 - - - - - ALLOW /syscalls/0
			x86 socketcall 1 - - - - - ERRNO(1) default`},
		{"a multiplexer by number", deny(when(numbers(102), is(0, 2), is(1, 7))), on(arch.X86), `
			x86 socketcall 2 7 - - - - ALLOW /syscalls/0
			x86 socketcall 2 6 - - - - ERRNO(1) default
			x86 socket 2 7 - - - - ERRNO(38) enosys`},
		{"a multiplexer and a call behind it", deny(when(allow("socketcall", "socket"), is(0, 2), is(1, 7))), on(arch.X86), `
			x86 socketcall 2 7 - - - - ALLOW /syscalls/0
			x86 socketcall 1 7 - - - - ALLOW /syscalls/0
			x86 socketcall 3 7 - - - - ERRNO(1) default`},
		{"a call and by number the multiplexer before it", deny(when(policy.Rule{Names: []string{"socket"}, Numbers: []uint32{102}, Action: cbpf.Allow}, is(0, 2), is(1, 7))), on(arch.X86), `
			x86 socketcall 2 7 - - - - ALLOW /syscalls/0
			x86 socketcall 1 7 - - - - ALLOW /syscalls/0
			x86 socketcall 3 7 - - - - ERRNO(1) default`},
		{"one call by number, name and twice", deny(policy.Rule{Names: []string{"read", "close"}, Numbers: []uint32{3, 0, 3}, Action: cbpf.Allow}), on(arch.X86_64), `
			x86_64 read  - - - - - - ALLOW /syscalls/0
			x86_64 close - - - - - - ALLOW /syscalls/0
			x86_64 open  - - - - - - ERRNO(1) default`},
		{"an ABI that is not a target", deny(allow("write"), only(allow("close", "execve"), arch.ARM), only(numbers(700), arch.ARM)), on(arch.X86_64), `
			x86_64 close - - - - - - ERRNO(38) enosys
			x86_64 700 - - - - - - ERRNO(38) enosys`},
		{"an ABI given twice, and targets by the profile", &policy.Policy{ABIs: []arch.ABI{arch.Native()}, Rules: []policy.Rule{only(allow("read"), arch.Native(), arch.Native())}},
			policy.Options{}, fmt.Sprint(arch.Native(), " read - - - - - - ALLOW /syscalls/0")},
		{"data of TRAP", &policy.Policy{Default: cbpf.Trap | 65535, Rules: []policy.Rule{
			with(allow("read"), cbpf.Trap), with(allow("write"), cbpf.Trap|1), with(allow("open"), cbpf.Trap|65535), with(allow("close"), cbpf.Trap|2, 7),
		}}, on(arch.X86_64), `
			x86_64 read  - - - - - - TRAP /syscalls/0
			x86_64 write - - - - - - TRAP(1) /syscalls/1
			x86_64 open  - - - - - - TRAP(65535) default
			x86_64 2     - - - - - - TRAP(65535) default
			x86_64 close - - - - - - TRAP(2) /syscalls/3`},
		{"data of TRACE in strict mode", deny(with(allow("read"), cbpf.TraceClass, 65535), with(allow("write"), cbpf.TraceClass, 4096)), strictly(on(arch.X86_64)), `
			x86_64 read  - - - - - - TRACE(65535) /syscalls/0
			x86_64 write - - - - - - TRACE(4096) /syscalls/1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := resolve(t, tt.p, tt.o)
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
			for line := range strings.Lines(tt.calls) {
				if fields := strings.Fields(line); len(fields) > 0 {
					if err := runLine(r, fields); err != nil {
						t.Errorf("%s: %v", strings.TrimSpace(line), err)
					}
				}
			}
			for i := range r.Spaces {
				for _, c := range r.Spaces[i].Calls {
					if len(c.Clauses) != len(slices.CompactFunc(slices.Clone(c.Clauses), func(x, y policy.Clause) bool { return cmp.Equal(x, y) })) {
						t.Errorf("%d: a clause twice: %v", c.NR, c.Clauses)
					}
				}
			}
		})
	}
}

// What is said of numbers, ABIs, data and exact policies: places and cures.
func TestFindingsBeyondOCI(t *testing.T) {
	const pseudo = ": no call has a negative number, and libseccomp's pseudo numbers stand for nothing (use the name)"
	const foreign = ": not a number of this ABI, so the rule has no effect on it (remove it, or add the ABI that has it to the targets and to the rule)"
	notify := with(numbers(1), cbpf.Notify)
	both := on(arch.X86_64, arch.X32)
	for _, tt := range []struct {
		name             string
		p                *policy.Policy
		o                policy.Options
		errors, warnings []string
	}{
		{"negative numbers", bounded(numbers(1<<31-1, 1<<31, 1<<32-101, 1<<32-2, 1<<32-1)), on(arch.AArch64), nil, []string{
			"/syscalls/0/numbers/1: -2147483648" + pseudo + " (foreign-number)",
			"/syscalls/0/numbers/2: -101" + pseudo + " (foreign-number)",
			"/syscalls/0/numbers/3: -2" + pseudo + " (foreign-number)",
		}},
		{"negative numbers in an exact policy", bounded(numbers(1<<32-101, 1<<32-1)), exactly(on(arch.AArch64)), []string{
			"policy: /syscalls/0/numbers/0: -101" + pseudo,
		}, nil},
		{"numbers of an ABI that is not a target", bounded(numbers(1<<30-1, 1<<30, 1<<32-1)), on(arch.X86_64, arch.X86), nil, []string{
			"/syscalls/0/numbers/1: 0x40000000" + foreign + " (on x86_64) (foreign-number)",
		}},
		{"and in an exact policy", bounded(numbers(1 << 30)), exactly(on(arch.X86_64)), []string{
			"policy: /syscalls/0/numbers/0: 0x40000000" + foreign + " (on x86_64)",
		}, nil},
		{"numbers below x32", bounded(numbers(1<<30-1, 1<<30)), on(arch.X32), nil, []string{
			"/syscalls/0/numbers/0: 0x3fffffff" + foreign + " (on x32) (foreign-number)",
		}},
		{"numbers of the other ABI of a space", bounded(only(numbers(600, 1<<30+600), arch.X32), only(numbers(600, 1<<30+600), arch.X86_64), numbers(700, 1<<30+700), only(numbers(1<<32-1), arch.X32)), both, nil, []string{
			"/syscalls/0/numbers/0: 600" + foreign + " (on x32) (foreign-number)",
			"/syscalls/1/numbers/1: 0x40000258" + foreign + " (on x86_64) (foreign-number)",
		}},
		{"numbers of other MIPS ABIs", bounded(numbers(3999, 4000, 4999, 5000)), on(arch.MIPS), nil, nil},
		{"and in strict mode", bounded(numbers(3999, 4000, 4999, 5000)), strictly(on(arch.MIPS)), nil, []string{
			"/syscalls/0/numbers/0: 3999" + foreign + " (on mips) (foreign-number)",
			"/syscalls/0/numbers/3: 5000" + foreign + " (on mips) (foreign-number)",
		}},
		{"a number that is two calls", bounded(numbers(59, 600), only(numbers(59), arch.X86_64, arch.AArch64)), on(arch.X86_64, arch.X86, arch.RISCV64), nil, []string{
			"/syscalls/0/numbers/0: 59 is execve on x86_64 and oldolduname on x86 (use names, or limit the rule to one of them) (ambiguous-number)",
		}},
		{"a number that is three calls", bounded(numbers(59)), on(arch.X86_64, arch.X86, arch.RISCV64, arch.PPC64LE), nil, []string{
			"/syscalls/0/numbers/0: 59 is execve on x86_64 and oldolduname on x86 (use names, or limit the rule to one of them) (ambiguous-number)",
		}},
		{"a number that is one call", bounded(numbers(221)), on(arch.AArch64, arch.RISCV64), nil, nil},
		{"notify for write by number", bounded(notify, only(notify, arch.X86), only(with(numbers(4), cbpf.Notify), arch.X86)), on(arch.X86_64, arch.X86), []string{
			"policy: /syscalls/0/numbers/0: SCMP_ACT_NOTIFY cannot be used for the write syscall",
			"policy: /syscalls/2/numbers/0: SCMP_ACT_NOTIFY cannot be used for the write syscall",
		}, nil},
		{"notify for write on the last of several ABIs", bounded(with(numbers(64), cbpf.Notify)), on(arch.X86_64, arch.X86, arch.RISCV64, arch.LoongArch64), []string{
			"policy: /syscalls/0/numbers/0: SCMP_ACT_NOTIFY cannot be used for the write syscall",
		}, nil},
		{"notify for write by number in strict mode", bounded(notify), strictly(on(arch.X86_64)), nil, nil},
		{"ABIs that are none", bounded(only(allow("read"), 0, arch.X86_64, 200)), on(arch.X86_64), []string{
			"policy: /syscalls/0/abis/0: ABI(0): unknown ABI (use one that package arch declares)",
			"policy: /syscalls/0/abis/2: ABI(200): unknown ABI (use one that package arch declares)",
		}, nil},
		{"an ABI that is not a target", bounded(only(allow("read"), arch.ARM)), exactly(on(arch.X86_64)), nil, nil},
		{"names that a target lacks", bounded(allow("open", "read"), only(allow("open"), arch.X86_64), only(allow("mmap2"), arch.ARM, arch.X86_64)), on(arch.X86_64, arch.AArch64, arch.ARM), nil, nil},
		{"and in an exact policy", bounded(allow("open", "read", "semop"), only(allow("open"), arch.X86_64), only(allow("mmap2"), arch.ARM, arch.X86_64), allow("tuxcall")),
			exactly(on(arch.X86_64, arch.X86, arch.AArch64, arch.ARM)), []string{
				"policy: /syscalls/0/names/0: open: the ABI lacks this call (remove the name, or leave out the ABI) (on aarch64)",
				"policy: /syscalls/2/names/0: mmap2: the ABI lacks this call (remove the name, or leave out the ABI) (on x86_64)",
				"policy: /syscalls/3/names/0: tuxcall: the ABI lacks this call (remove the name, or leave out the ABI) (on x86, arm, aarch64)",
			}, nil},
		{"a name that no ABI has in an exact policy", bounded(allow("opne", "tuxcall")), exactly(on(arch.AArch64)), []string{
			`policy: /syscalls/0/names/0: "opne": Linux has no such call on any ABI (did you mean open?)`,
			"policy: /syscalls/0/names/1: tuxcall: the ABI lacks this call (remove the name, or leave out the ABI) (on aarch64)",
		}, nil},
		{"a rule with numbers alone has no names to miss", bounded(numbers(300)), strictly(on(arch.X86_64)), nil, nil},
		{"an errno on TRAP", bounded(with(allow("read"), cbpf.Trap, 5), with(allow("write"), cbpf.Trap|4, 5)), on(arch.X86_64), nil, []string{
			"/syscalls/0/errnoRet: TRAP carries no errno: this one is ignored (ignored-errno)",
			"/syscalls/1/errnoRet: TRAP(4) carries no errno: this one is ignored (ignored-errno)",
		}},
		{"an errno on TRAP in strict mode", bounded(with(allow("read"), cbpf.Trap, 0)), strictly(on(arch.X86_64)), []string{
			"policy: /syscalls/0/errnoRet: TRAP carries no errno (remove it)",
		}, nil},
		{"data on other actions", bounded(with(allow("read"), cbpf.Allow|1), with(allow("read"), cbpf.Trace(1)), with(allow("read"), cbpf.KillThread|1)), on(arch.X86_64), []string{
			"policy: /syscalls/0/action: 0x7fff0001: not an action class (leave out the data, which has a field of its own)",
			"policy: /syscalls/1/action: 0x7ff00001: not an action class (leave out the data, which has a field of its own)",
			"policy: /syscalls/2/action: 0x00000001: not an action class (leave out the data, which has a field of its own)",
		}, nil},
		{"rules that contradict each other on a number", deny(when(numbers(1000), is(0, 1)), when(with(numbers(1000), cbpf.Log), is(0, 1))), on(arch.X86_64), []string{
			"policy: /syscalls/1: contradicts /syscalls/0: call 1000 of x86_64 under the same conditions gets LOG here and ALLOW there (remove one)",
		}, nil},
		{"rules that contradict each other by name and number", deny(when(numbers(17), is(0, 1)), when(with(allow("pread64"), cbpf.Log), is(0, 1))), on(arch.X86_64), []string{
			"policy: /syscalls/1: contradicts /syscalls/0: pread64 under the same conditions gets LOG here and ALLOW there (remove one)",
		}, nil},
		{"rules that overlap on a number", deny(when(numbers(1000), is(0, 1)), when(with(numbers(1000), cbpf.Log), is(1, 1))), on(arch.X86_64), nil, []string{
			"/syscalls/0: overlaps /syscalls/1, which comes first: where both hold, as for call 1000 of x86_64 with a0 = 0x1, a1 = 0x1, LOG beats ALLOW (overlap)",
		}},
		{"a number that another rule decides", deny(numbers(1000), with(numbers(1000, 1000, 1<<32-1), cbpf.Log)), on(arch.X86_64), nil, []string{
			"/syscalls/1/numbers/0: has no effect on call 1000: /syscalls/0 decides it under all conditions (unreachable)",
		}},
		{"a dropped number", deny(with(numbers(1<<32-1), cbpf.ErrnoClass), numbers(1<<32-1), allow("close")), on(arch.X86_64), nil, []string{
			"/syscalls/0: does the same as the default action, so it has no effect (redundant)",
			"/syscalls/0/numbers/0: does the same as the default action and is dropped, so /syscalls/1 decides: " +
				"call 0xffffffff of x86_64 gets ALLOW, not ERRNO(1) (narrow /syscalls/1) (dropped)",
		}},
		{"a rule for some ABIs has no effect on others", bounded(only(when(allow("ioctl"), is(0, 1<<32)), arch.X86_64)), on(arch.X86_64, arch.X86), nil, nil},
		{"nothing is named for an ABI", deny(only(allow("openat"), arch.X86_64)), on(arch.X86_64, arch.X86), nil, []string{
			"/syscalls: the profile names no call on this ABI, so newer calls get the default action, not ENOSYS (on x86) (no-bound)",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, found, err := policy.Resolve(tt.p, tt.o)
			var errs, warnings []string
			if err != nil {
				errs = strings.Split(err.Error(), "\n")
			} else {
				for _, w := range found {
					warnings = append(warnings, w.String())
				}
			}
			if diff := cmp.Diff(tt.errors, errs); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.warnings, warnings); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Errors and warnings of these kinds can be told apart by programs.
func TestKindsBeyondOCI(t *testing.T) {
	p := bounded(allow("tuxcall"), numbers(59, 1<<30))
	_, warnings, err := policy.Resolve(p, on(arch.X86_64, arch.X86))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []policy.WarningKind
	for _, w := range warnings {
		kinds = append(kinds, w.Kind)
	}
	if diff := cmp.Diff([]policy.WarningKind{policy.AmbiguousNumber, policy.ForeignNumber}, kinds); diff != "" {
		t.Error(diff)
	}
	_, _, err = policy.Resolve(p, exactly(on(arch.X86_64, arch.X86)))
	errs, _ := err.(policy.Errors)
	if len(errs) != 2 || errs[0].Kind != policy.Absent || errs[1].Kind != policy.StrictNumber {
		t.Errorf("errors %v", err)
	}
}

// Calls without a name that have very many overlaps are told apart, and those of several
// ABIs are one finding.
func TestOverlapsOfNumbersAreToldInBounds(t *testing.T) {
	p := deny()
	for i := range uint64(100) {
		for index, class := range []cbpf.Action{cbpf.Allow, cbpf.Log} {
			p.Rules = append(p.Rules, when(with(numbers(1000, 1001), class), is(uint(index), i)), when(with(allow("ioctl"), class), is(uint(index), i)))
		}
	}
	_, warnings, err := policy.Resolve(p, on(arch.X86_64, arch.AArch64))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		if w.Pointer == "/syscalls" {
			got = append(got, w.Message)
		}
	}
	slices.Sort(got)
	want := []string{
		"not all overlaps of the 200 rules on call 1000 of x86_64 are listed",
		"not all overlaps of the 200 rules on call 1001 of x86_64 are listed",
		"not all overlaps of the 200 rules on ioctl are listed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// errnoRet on SCMP_ACT_TRAP is not data of TRAP: runc ignores it, strict mode refuses it.
func TestErrnoOfTrapInProfiles(t *testing.T) {
	const profile = `{"defaultAction": "SCMP_ACT_TRAP", "defaultErrnoRet": 7, "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`
	p, _, err := oci.Read([]byte(profile), policy.Target{})
	if err != nil {
		t.Fatal(err)
	}
	r, warnings, err := policy.Resolve(p, on(arch.X86_64))
	if err != nil || r.Default != cbpf.Trap || len(warnings) == 0 || warnings[0].Kind != policy.IgnoredErrno {
		t.Errorf("default %v, %v, %v", r.Default, warnings, err)
	}
	if got := problemsOf(t, p, strictly(on(arch.X86_64))); len(got) != 1 || !strings.HasPrefix(got[0], "policy: /defaultErrnoRet: TRAP carries no errno") {
		t.Errorf("in strict mode: %q", got)
	}
}
