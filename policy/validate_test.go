package policy

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// validResolved returns a policy with something of everything that Validate looks at.
func validResolved() *Resolved {
	return &Resolved{
		Default: cbpf.Errno(1),
		BadArch: cbpf.KillProcess,
		Spaces: []Space{{
			Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64, arch.X32},
			Ranges: []Range{{500, 600, cbpf.Errno(38), ByENOSYS}, {602, 700, cbpf.Errno(38), ByENOSYS}, {800, 800, cbpf.Log, ByBadArch}, {900, 1<<32 - 1, cbpf.Log, ByBadArch}},
			Calls: []Call{
				{NR: 499, ABI: arch.X86_64, Clauses: []Clause{
					{Conds: []Cond{{0, Equal, 1<<64 - 1, 1<<64 - 1}, {5, MaskedEqual, 6, 4}}, Action: cbpf.Allow},
					{Action: cbpf.Errno(0xffff)}, // the kernel makes 4095 of it
				}},
				{NR: 601, ABI: arch.X86_64, Clauses: []Clause{{Action: cbpf.Log}}},
				{NR: 799, ABI: arch.X32, Clauses: []Clause{{Action: cbpf.Log}}},
			},
		}, {
			Audit: arch.X86.Audit(), ABIs: []arch.ABI{arch.X86},
			Calls: []Call{{NR: 0, ABI: arch.X86, Clauses: []Clause{{Conds: []Cond{{0, Less, 1<<32 - 1, 1<<32 - 1}}}}}},
		}},
	}
}

func TestValidateSaysWhatIsWrongAndWhere(t *testing.T) {
	const width = 1<<64 - 1
	if err := validResolved().Validate(); err != nil {
		t.Fatal(err)
	}
	conds := func(conds ...Cond) func(*Resolved) {
		return func(r *Resolved) { r.Spaces[0].Calls[0].Clauses[0].Conds = conds }
	}
	call := func(nr uint32) func(*Resolved) { return func(r *Resolved) { r.Spaces[0].Calls[1].NR = nr } }
	shared := func(nr uint32) func(*Resolved) { // the clauses of the call before
		return func(r *Resolved) {
			call(nr)(r)
			r.Spaces[0].Calls[1].Clauses = r.Spaces[0].Calls[0].Clauses
		}
	}
	ranges := func(set ...Interval) func(*Resolved) {
		return func(r *Resolved) {
			r.Spaces[0].Ranges = nil
			for _, v := range set {
				r.Spaces[0].Ranges = append(r.Spaces[0].Ranges, Range{First: v.First, Last: v.Last})
			}
		}
	}
	for _, tt := range []struct {
		fault func(*Resolved)
		want  string // "" if it is not one
	}{
		{func(r *Resolved) { *r = Resolved{} }, "no target ABI (use Resolve)"},
		{func(r *Resolved) { r.Default = cbpf.Allow | 1 }, "default action ALLOW(1): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"},
		{func(r *Resolved) { r.Default = cbpf.TraceClass | 9 }, ""},
		{func(r *Resolved) { r.BadArch = 0x12340000 }, "bad-arch action 0x12340000: the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"},
		{func(r *Resolved) {
			r.Spaces[1].Audit = r.Spaces[0].Audit
			r.Spaces[1].ABIs[0] = arch.X86_64
			r.Spaces[1].Calls = nil
		},
			"space x86_64: another space has its AUDIT_ARCH value, too (make one of the two)"},
		{func(r *Resolved) { r.Spaces[1] = Space{Audit: arch.S390X.Audit(), ABIs: []arch.ABI{arch.S390X}} },
			"space s390x: byte order: not that of space x86_64 (make a policy for each)"},
		{func(r *Resolved) { r.Spaces[1] = Space{Audit: arch.AArch64.Audit(), ABIs: []arch.ABI{arch.AArch64}} }, ""},
		{func(r *Resolved) { r.Spaces[1].ABIs = nil }, "space 0x40000003: no ABI (name those with this AUDIT_ARCH value)"},
		{func(r *Resolved) { r.Spaces[1].ABIs[0] = 200 }, "space ABI(200): ABI(200): unknown ABI (use one that package arch declares)"},
		{func(r *Resolved) { r.Spaces[0].ABIs[1] = arch.X86 },
			"space x86_64: the AUDIT_ARCH value of x86 is 0x40000003, not 0xc000003e (make a space of its own)"},
		{func(r *Resolved) { r.Spaces[0].ABIs = append(r.Spaces[0].ABIs, arch.X32) }, "space x86_64: x32 is there twice"},
		{func(r *Resolved) { r.Spaces[0].Ranges[1].Action = cbpf.Log | 2 },
			"space x86_64: range 602-700: action LOG(2): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"},
		{ranges(Interval{600, 599}), "space x86_64: range 600-599: ends before it starts"},
		{ranges(Interval{600, 600}), ""},
		{ranges(Interval{650, 700}, Interval{500, 600}), "space x86_64: range 500-600: comes after 650-700 (sort the ranges, and join those that overlap)"},
		{ranges(Interval{500, 600}, Interval{600, 700}), "space x86_64: range 600-700: comes after 500-600 (sort the ranges, and join those that overlap)"},
		{ranges(Interval{500, 1<<32 - 1}, Interval{0, 4}), "space x86_64: range 0-4: comes after 500-0xffffffff (sort the ranges, and join those that overlap)"},
		{call(499), "space x86_64: call 499: comes after call 499 (sort the calls by number, each once)"},
		{call(498), "space x86_64: call 498: comes after call 499 (sort the calls by number, each once)"},
		{shared(498), "space x86_64: call 498: comes after call 499 (sort the calls by number, each once)"},
		{shared(499), "space x86_64: call 499: comes after call 499 (sort the calls by number, each once)"},
		{shared(601), ""},
		{func(r *Resolved) {
			shared(601)(r)
			r.Spaces[0].Calls[1].Clauses = r.Spaces[0].Calls[1].Clauses[:1] // of what is shared
		}, ""},
		{func(r *Resolved) {
			shared(601)(r)
			r.Spaces[0].Calls[1].ABI = arch.X32
		}, "space x86_64: call 601: clause 0: condition 0: mask 0xffffffffffffffff: an argument of x32 has only 32 bits"},
		{call(500), "space x86_64: call 500: is in range 500-600, too, so that its clauses do not count"},
		{call(600), "space x86_64: call 600: is in range 500-600, too, so that its clauses do not count"},
		{call(602), "space x86_64: call 602: is in range 602-700, too, so that its clauses do not count"},
		{func(r *Resolved) { r.Spaces[0].Calls[2].NR = 800 }, "space x86_64: call 800: is in range 800, too, so that its clauses do not count"},
		{func(r *Resolved) { r.Spaces[0].Calls[2].NR = 801 }, ""},
		{func(r *Resolved) { r.Spaces[0].Calls[2].NR = 1<<32 - 1 }, "space x86_64: call 0xffffffff: is in range 900-0xffffffff, too, so that its clauses do not count"},
		{func(r *Resolved) { r.Spaces[0].Calls[2].ABI = arch.X86 }, "space x86_64: call 799: x86 is not an ABI of the space"},
		{func(r *Resolved) { r.Spaces[0].Calls[1].Clauses = nil },
			"space x86_64: call 601: no clauses (leave the call out: it gets the default action)"},
		{conds(), "space x86_64: call 499: clause 0: always holds, and there is another one after it (leave that out)"},
		{func(r *Resolved) { r.Spaces[0].Calls[0].Clauses[1].Action = cbpf.Allow | 3 },
			"space x86_64: call 499: clause 1: action ALLOW(3): the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)"},
		{conds(Cond{6, Equal, width, 1}), "space x86_64: call 499: clause 0: condition 0: argument 6: a call has only arguments 0 to 5"},
		{conds(Cond{1, Equal, width, 1}, Cond{0, Equal, width, 1}),
			"space x86_64: call 499: clause 0: condition 1: argument 0: comes after argument 1 (sort them)"},
		{conds(Cond{1, Greater, width, 1}, Cond{1, Less, width, 9}), ""},
		{conds(Cond{0, 0, width, 1}), "space x86_64: call 499: clause 0: condition 0: Op(0): unknown operator (use one that package policy declares)"},
		{conds(Cond{0, MaskedNotEqual + 1, width, 1}),
			"space x86_64: call 499: clause 0: condition 0: Op(9): unknown operator (use one that package policy declares)"},
		{conds(Cond{0, Less, width >> 1, 1}), "space x86_64: call 499: clause 0: condition 0: mask 0x7fffffffffffffff: SCMP_CMP_LT compares all 64 bits of the argument or the lower 32 (only SCMP_CMP_MASKED_EQ and MASKED_NE have a mask of their own)"},
		{conds(Cond{0, MaskedEqual, width, width}), ""},
		{conds(Cond{0, MaskedNotEqual, 0, 0}), ""},
		{conds(Cond{0, Less, 1<<32 - 1, 1}), ""},
		{conds(Cond{0, MaskedEqual, 5, 7}), "space x86_64: call 499: clause 0: condition 0: value 0x7 has bits outside of the mask, 0x5"},
		{func(r *Resolved) { r.Spaces[1].Calls[0].Clauses[0].Conds[0] = Cond{0, MaskedEqual, 1 << 32, 0} },
			"space x86: call 0: clause 0: condition 0: mask 0x100000000: an argument of x86 has only 32 bits"},
	} {
		r := validResolved()
		tt.fault(r)
		got, want := "", ""
		if err := r.Validate(); err != nil {
			got = err.Error()
		}
		if tt.want != "" {
			want = "policy: " + tt.want
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	var absent *Resolved
	if err := absent.Validate(); err == nil || err.Error() != "policy: no target ABI (use Resolve)" {
		t.Errorf("nil: %v", err)
	}
}

// Calls that begin with the same clause are looked at each if one has more.
func TestValidateSeesLongerListsOfTheSameClauses(t *testing.T) {
	list := []Clause{{Action: cbpf.Allow}, {Action: cbpf.Log}}
	r := Resolved{Spaces: []Space{{Audit: arch.X86_64.Audit(), ABIs: []arch.ABI{arch.X86_64}, Calls: []Call{
		{NR: 0, ABI: arch.X86_64, Clauses: list[:1]}, {NR: 1, ABI: arch.X86_64, Clauses: list},
	}}}}
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "call 1") {
		t.Errorf("error %v", err)
	}
}
