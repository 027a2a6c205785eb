package policy_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// numbers is a rule that allows calls by number.
func numbers(numbers ...uint32) policy.Rule {
	return policy.Rule{Numbers: numbers, Action: cbpf.Allow}
}

// only is the same rule for some ABIs.
func only(r policy.Rule, abis ...arch.ABI) policy.Rule {
	r.ABIs = abis
	return r
}

func test(index uint, op policy.Op, v ...uint64) policy.Arg {
	return policy.Arg{Index: index, Op: op, Value: v[0], ValueTwo: append(v, 0)[1]}
}

// A shape is a filter that no OCI profile can ask for, and verdicts on calls, in the form
// of TestVerdicts.
type shape struct {
	name  string
	p     *policy.Policy
	o     policy.Options
	calls string
}

func shapes() []shape {
	off := policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: policy.ENOSYS{Off: true}}
	kill := func(rules ...policy.Rule) *policy.Policy { return &policy.Policy{Rules: rules} }
	masked, less, lessEq, more, moreEq, not := policy.MaskedEqual, policy.Less, policy.LessEqual, policy.Greater, policy.GreaterEqual, policy.NotEqual
	return []shape{
		{
			"conditions that begin alike on numbers without a name",
			kill(
				when(numbers(900), is(0, 1), is(1, 2)), when(numbers(900), is(0, 1), is(1, 3), is(2, 4)),
				when(numbers(901), is(0, 1)), when(numbers(901), is(0, 1), is(1, 2)),
				when(numbers(902, 903), is(1, 5)), when(with(numbers(903), cbpf.Log), is(2, 6)),
			), off, `
			x86_64 900 1 2 - - - - ALLOW /syscalls/0
			x86_64 900 1 3 4 - - - ALLOW /syscalls/1
			x86_64 900 1 3 5 - - - KILL_THREAD default
			x86_64 901 1 9 - - - - ALLOW /syscalls/2
			x86_64 901 2 2 - - - - KILL_THREAD default
			x86_64 902 - 5 6 - - - ALLOW /syscalls/4
			x86_64 903 - 5 6 - - - LOG /syscalls/5
			x86_64 903 - 5 7 - - - ALLOW /syscalls/4
			x86_64 904 - 5 6 - - - KILL_THREAD default`,
		},
		{
			"no, one and two conditions, the plain rule first",
			kill(with(numbers(1200), cbpf.Trap), when(numbers(1201), is(0, 0)), when(numbers(1202), is(0, 0), is(1, 1))), off, `
			x86_64 1200 7 7 7 7 7 7 TRAP /syscalls/0
			x86_64 1201 - 7 7 7 7 7 ALLOW /syscalls/1
			x86_64 1201 7 7 7 7 7 7 KILL_THREAD default
			x86_64 1202 - 1 7 7 7 7 ALLOW /syscalls/2
			x86_64 1202 - 7 7 7 7 7 KILL_THREAD default`,
		},
		{
			"two, one and no conditions, the plain rule last",
			kill(when(numbers(1202), is(0, 0), is(1, 1)), when(numbers(1201), is(0, 0)), with(numbers(1200, 1202), cbpf.Trap)), off, `
			x86_64 1200 7 7 7 7 7 7 TRAP /syscalls/2
			x86_64 1201 - 7 7 7 7 7 ALLOW /syscalls/1
			x86_64 1202 - 1 7 7 7 7 TRAP /syscalls/2`,
		},
		{
			"masks on a number without a name",
			kill(when(numbers(2000), test(0, masked, 0xf0, 0x50)), when(with(numbers(2000), cbpf.Log), test(0, masked, 0xff, 0x33)),
				when(numbers(2001), test(2, masked, 0xff00000000, 0x1200000000))), off, `
			x86_64 2000 0x5f - - - - - ALLOW /syscalls/0
			x86_64 2000 0xabc5f - - - - - ALLOW /syscalls/0
			x86_64 2000 0x133 - - - - - LOG /syscalls/1
			x86_64 2000 0x60 - - - - - KILL_THREAD default
			x86_64 2001 - - 0x3412ffffffff - - - ALLOW /syscalls/2
			x86_64 2001 - - 0x12 - - - KILL_THREAD default`,
		},
		{
			"several levels of conditions, on low numbers",
			kill(
				when(numbers(11), is(0, 1), is(1, 2)), when(numbers(11), test(0, more, 5), test(1, lessEq, 9), test(3, not, 0)),
				when(numbers(21), test(0, moreEq, 7), test(5, less, 2))), off, `
			x86_64 11 1 2 - - - - ALLOW /syscalls/0
			x86_64 munmap 6 9 - 1 - - ALLOW /syscalls/1
			x86_64 munmap 5 9 - 1 - - KILL_THREAD default
			x86_64 11 6 10 - 1 - - KILL_THREAD default
			x86_64 11 6 9 - - - - KILL_THREAD default
			x86_64 access 7 - - - - 1 ALLOW /syscalls/2
			x86_64 21 7 - - - - 2 KILL_THREAD default`,
		},
		{
			"a tracer's skip, with and without conditions, on several ABIs",
			kill(numbers(1<<32-1), when(with(numbers(1<<32-2), cbpf.Log), is(0, 3)), allow("read")),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X32, arch.X86, arch.MIPSEL}}, `
			x86_64 0xffffffff 1 2 3 4 5 6 ALLOW /syscalls/0
			x86    0xffffffff - - - - - - ALLOW /syscalls/0
			mipsel 0xffffffff - - - - - - ALLOW /syscalls/0
			x86_64 0xfffffffe 3 - - - - - LOG /syscalls/1
			x86_64 0xfffffffe 0x500000003 - - - - - LOG /syscalls/1
			x86_64 0xfffffffe 4 - - - - - KILL_THREAD default
			x86_64 0xfffffffd 3 - - - - - ERRNO(38) enosys
			x32    read - - - - - - ALLOW /syscalls/2`,
		},
		{
			"several actions on one number, by conditions that overlap",
			kill(
				when(with(numbers(1300), cbpf.Log), is(0, 1)), when(with(numbers(1300), cbpf.Trap), test(0, moreEq, 1), is(1, 2)),
				when(with(numbers(1300), cbpf.ErrnoClass, 5), is(2, 3)), when(with(numbers(1300), cbpf.KillProcess), test(2, not, 3), is(0, 9)),
			), off, `
			x86_64 1300 1 - - - - - LOG /syscalls/0
			x86_64 1300 2 2 - - - - TRAP /syscalls/1
			x86_64 1300 1 2 3 - - - ERRNO(5) /syscalls/2
			x86_64 1300 9 2 3 - - - ERRNO(5) /syscalls/2
			x86_64 1300 9 - - - - - KILL_PROCESS /syscalls/3
			x86_64 1300 - - - - - - KILL_THREAD default`,
		},
		{
			"every operator on one number",
			kill(
				when(numbers(1400), is(0, 40)), when(numbers(1400), test(0, less, 10)), when(numbers(1400), test(0, more, 90)),
				when(numbers(1400), test(1, lessEq, 10), test(2, moreEq, 5)), when(numbers(1400), test(3, not, 0), test(4, masked, 3, 1)),
			), off, `
			x86_64 1400 40 99 - - - - ALLOW /syscalls/0
			x86_64 1400 9 99 - - - - ALLOW /syscalls/1
			x86_64 1400 91 99 - - - - ALLOW /syscalls/2
			x86_64 1400 50 10 5 - - - ALLOW /syscalls/3
			x86_64 1400 50 99 - 1 5 - ALLOW /syscalls/4
			x86_64 1400 50 99 - 1 2 - KILL_THREAD default
			x86_64 1400 50 11 5 - 1 - KILL_THREAD default`,
		},
		{
			"arguments of 32 bits on numbers that two ABIs share",
			kill(when(numbers(1500), is(0, 0xffffffff)), when(numbers(1501), test(0, more, 0x7fffffff)), when(numbers(1502), test(0, lessEq, 0x100000001))),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}, ENOSYS: policy.ENOSYS{Off: true}}, `
			x86_64 1500 0xffffffff - - - - - ALLOW /syscalls/0
			x86_64 1500 -1 - - - - - KILL_THREAD default
			x86    1500 -1 - - - - - ALLOW /syscalls/0
			x86_64 1501 0x100000000 - - - - - ALLOW /syscalls/1
			x86    1501 0x100000000 - - - - - KILL_THREAD default
			x86_64 1502 0x100000001 - - - - - ALLOW /syscalls/2
			x86    1502 2 - - - - - KILL_THREAD default`,
		},
		{
			"comparisons of 64 bits on a number without a name",
			kill(
				when(numbers(1600), test(0, less, 0x1_00000005)), when(with(numbers(1600), cbpf.Log), test(0, moreEq, 0x2_00000000)),
				when(numbers(1601), test(1, not, 0x1_00000000))), off, `
			x86_64 1600 0x100000004 - - - - - ALLOW /syscalls/0
			x86_64 1600 0x100000005 - - - - - KILL_THREAD default
			x86_64 1600 0x200000000 - - - - - LOG /syscalls/1
			x86_64 1600 0x1ffffffff - - - - - KILL_THREAD default
			x86_64 1601 - 0x100000000 - - - - KILL_THREAD default
			x86_64 1601 - 0 - - - - ALLOW /syscalls/2`,
		},
		{
			"many rules on one number that differ in little",
			kill(many(40)...), off, `
			x86_64 1700 3 0x103 - - - - ALLOW /syscalls/3
			x86_64 1700 39 0x127 - - - - ALLOW /syscalls/39
			x86_64 1700 39 0x126 - - - - KILL_THREAD default
			x86_64 1700 40 0x128 - - - - KILL_THREAD default
			x86_64 1701 3 0x103 - - - - KILL_THREAD default`,
		},
		{
			"a filter of two numbers alone, with the largest as the bound",
			&policy.Policy{Default: cbpf.ErrnoClass, Rules: []policy.Rule{numbers(1800, 1801)}}, amd64, `
			x86_64 1800 - - - - - - ALLOW /syscalls/0
			x86_64 1801 - - - - - - ALLOW /syscalls/0
			x86_64 1799 - - - - - - ERRNO(1) default
			x86_64 1802 - - - - - - ERRNO(38) enosys`,
		},
		{
			"a policy that a rule was taken out of again",
			kill(slices.Delete([]policy.Rule{numbers(1900), numbers(1901), with(numbers(1902), cbpf.Trap|77)}, 1, 2)...), off, `
			x86_64 1900 - - - - - - ALLOW /syscalls/0
			x86_64 1901 - - - - - - KILL_THREAD default
			x86_64 1902 - - - - - - TRAP(77) /syscalls/1`,
		},
		{
			"ABIs with rules of their own",
			kill(
				only(allow("read", "close"), arch.X86_64), only(allow("read", "socket"), arch.X86),
				only(numbers(1000), arch.X86), only(with(allow("close"), cbpf.Log), arch.X86), only(allow("getpid"), arch.ARM)),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}, BadArch: cbpf.KillProcess, ENOSYS: policy.ENOSYS{Off: true}}, `
			x86_64 read - - - - - - ALLOW /syscalls/0
			x86_64 close - - - - - - ALLOW /syscalls/0
			x86_64 socket - - - - - - KILL_THREAD default
			x86_64 1000 - - - - - - KILL_THREAD default
			x86_64 getpid - - - - - - KILL_THREAD default
			x86 read - - - - - - ALLOW /syscalls/1
			x86 socket - - - - - - ALLOW /syscalls/1
			x86 socketcall 1 - - - - - ALLOW /syscalls/1
			x86 socketcall 2 - - - - - KILL_THREAD default
			x86 close - - - - - - LOG /syscalls/3
			x86 1000 - - - - - - ALLOW /syscalls/2
			x32 read - - - - - - KILL_PROCESS bad-arch
			arm getpid - - - - - - KILL_PROCESS bad-arch`,
		},
		{
			"x86_64 and x32 with rules of their own in one space",
			kill(only(allow("read"), arch.X86_64), only(allow("close"), arch.X32), only(numbers(1<<32-1), arch.X32)),
			policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X32}}, `
			x86_64 read - - - - - - ALLOW /syscalls/0
			x86_64 close - - - - - - KILL_THREAD default
			x32 close - - - - - - ALLOW /syscalls/1
			x32 read - - - - - - KILL_THREAD default
			x32 4 - - - - - - KILL_THREAD default
			x86_64 0xffffffff - - - - - - ALLOW /syscalls/2
			x86_64 0x40000004 - - - - - - ERRNO(38) enosys`,
		},
	}
}

// many returns rules for one number with two conditions each.
func many(n int) []policy.Rule {
	rules := make([]policy.Rule, n)
	for i := range rules {
		rules[i] = when(numbers(1700), is(0, uint64(i)), is(1, uint64(i)+0x100))
	}
	return rules
}

// The filters are proved equal to the policies.
func TestShapesThatOCICannotSay(t *testing.T) {
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			r := resolve(t, s.p, s.o)
			program, _, err := compiler.Compile(r, compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if result, err := proof.Equal(proof.Policy(r), proof.Program(program), proof.Limits{}); err != nil || result.Verdict != proof.Same {
				t.Errorf("%+v, %v", result, err)
			}
			for line := range strings.Lines(s.calls) {
				if fields := strings.Fields(line); len(fields) > 0 {
					if err := runLine(r, fields); err != nil {
						t.Errorf("%s: %v", strings.TrimSpace(line), err)
					}
				}
			}
			again, _, err := compiler.Compile(resolve(t, s.p, s.o), compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			one, _ := program.AppendBinary(nil)
			two, _ := again.AppendBinary(nil)
			if !bytes.Equal(one, two) {
				t.Error("two filters of one policy differ")
			}
		})
	}
}
