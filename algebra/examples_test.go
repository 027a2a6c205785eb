package algebra_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// An example is profiles and what they are together.
type example struct {
	name    string
	op      algebra.Op
	abis    []arch.ABI
	sources [][]string // default action and rules
	accept  algebra.Relation
	want    string // the profile, or the refusal
	except  algebra.Relation
}

const everything = algebra.ExceptUnassigned | algebra.ExceptData

func examples() []example {
	x64 := []arch.ABI{arch.X86_64}
	both := []arch.ABI{arch.X86_64, arch.X86}
	three := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	return []example{
		{"what one denies is denied", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW read write openat2"}, {"ERRNO(1)", "ALLOW read openat2"}}, 0,
			"ERRNO(1)\nALLOW read openat2", 0},
		{"what one allows is allowed", algebra.Union, x64, [][]string{{"ERRNO(1)", "ALLOW read openat2"}, {"ERRNO(1)", "ALLOW write openat2"}}, 0,
			"ERRNO(1)\nALLOW read openat2\nALLOW write", 0},
		{"data of one class: the smaller", algebra.Intersect, x64, [][]string{{"ALLOW", "ERRNO(13) mount"}, {"ALLOW", "ERRNO(1) mount"}}, 0, "ALLOW\nERRNO(1) mount", 0},
		{"data of one class: the larger", algebra.Union, x64, [][]string{{"ALLOW", "ERRNO(13) mount"}, {"ALLOW", "ERRNO(1) mount"}}, 0, "ALLOW\nERRNO(13) mount", 0},
		{"ENOSYS is the strictest error", algebra.Intersect, x64, [][]string{{"ALLOW", "ERRNO(38) mount"}, {"ALLOW", "ERRNO(1) mount"}}, 0, "ALLOW\nERRNO(38) mount", 0},

		{"numbers of no ABI", algebra.Intersect, x64, [][]string{{"ALLOW"}, {"ERRNO(1)", "ALLOW read openat2"}}, 0, "foreign-numbers", 0},
		{"numbers of no ABI, accepted", algebra.Intersect, x64, [][]string{{"ALLOW"}, {"ERRNO(1)", "ALLOW read openat2"}}, algebra.ExceptForeign,
			"ERRNO(1)\nALLOW read openat2", algebra.ExceptForeign},
		{"numbers of no ABI, where there are none", algebra.Intersect, []arch.ABI{arch.AArch64}, [][]string{{"ALLOW"}, {"ERRNO(1)", "ALLOW read openat2"}}, 0,
			"ERRNO(1)\nALLOW read openat2", 0},
		{"holes below the bound", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW exit_group"}, {"ALLOW", "KILL_PROCESS openat2", "LOG exit_group"}}, algebra.ExceptForeign,
			"default ERRNO(38)", algebra.ExceptForeign},
		{"some holes, and not others", algebra.Union, []arch.ABI{arch.X86}, [][]string{{"ERRNO(1)", "ALLOW statx"}, {"ERRNO(38)", "ALLOW openat2"}}, 0, "holes", 0},
		{"some holes, and not others, accepted", algebra.Union, []arch.ABI{arch.X86}, [][]string{{"ERRNO(1)", "ALLOW statx"}, {"ERRNO(38)", "ALLOW openat2"}}, everything,
			"", algebra.ExceptUnassigned},
		{"no bound at all", algebra.Union, x64, [][]string{{"ERRNO(1)", "ALLOW read"}, {"ERRNO(1)", "ALLOW exit_group"}}, algebra.ExceptForeign, "bound", 0},
		{"a bound by calls like the default", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW read exit_group openat2"}, {"ERRNO(1)", "ALLOW read exit_group", "ERRNO(1) openat2"}}, 0,
			"ERRNO(1)\nALLOW read exit_group\nERRNO(1) openat2", 0},
		{"another default, for ENOSYS up to the largest number", algebra.Union, []arch.ABI{arch.X86_64}, [][]string{{"ERRNO(1)", "ALLOW read exit_group"}, {"ERRNO(38)", "ALLOW read openat2"}}, algebra.ExceptForeign,
			"default ERRNO(38)", algebra.ExceptForeign},

		{"one name, two bounds", algebra.Union, three, [][]string{{"ERRNO(1)", "ALLOW readv statx"}, {"ERRNO(38)", "ALLOW read openat2"}}, algebra.ExceptForeign, "abi-bound", 0},
		{"one name, two bounds, but for data", algebra.Union, three, [][]string{{"ERRNO(1)", "ALLOW readv statx"}, {"ERRNO(38)", "ALLOW read openat2"}}, everything,
			"", algebra.ExceptData},

		{"rules that contradict each other in a multiplexer", algebra.Intersect, both, [][]string{
			{"ERRNO(38)", "ALLOW socket a0 NE 40"}, {"ERRNO(1)", "ALLOW socket a0 NE 38"}}, everything, "multiplexer", 0},
		{"a condition that a multiplexer loses", algebra.Intersect, []arch.ABI{arch.X86}, [][]string{
			{"ERRNO(1)", "ALLOW socketcall", "ALLOW socket a0 NE 40"}, {"ALLOW", "ERRNO(1) socket a0 EQ 38"}}, everything, "multiplexer", 0},
		{"a multiplexer that is allowed", algebra.Intersect, both, [][]string{
			{"ERRNO(1)", "ALLOW socketcall", "ALLOW socket a0 NE 40"}, {"ERRNO(1)", "ALLOW socketcall socket"}}, 0,
			"ERRNO(1)\nALLOW socketcall\nALLOW socket a0 NE 40", 0},
		{"a call that is only made through a multiplexer", algebra.Union, []arch.ABI{arch.X86}, [][]string{
			{"ERRNO(1)", "ALLOW openat2 semop"}, {"ERRNO(1)", "ALLOW openat2 read"}}, 0,
			"ERRNO(1)\nALLOW openat2\nALLOW read\nALLOW ipc a0 EQ 1", 0},

		{"two exceptions that are neighbours", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW socket a0 NE 40"}, {"ERRNO(1)", "ALLOW socket a0 NE 38"}}, 0,
			"ERRNO(1)\nALLOW socket a0 LE 37\nALLOW socket a0 EQ 39\nALLOW socket a0 GT 40", 0},
		{"two exceptions that are far apart", algebra.Intersect, both, [][]string{
			{"ERRNO(1)", "ALLOW openat2", "ALLOW personality a0 NE 8"}, {"ERRNO(1)", "ALLOW openat2", "ALLOW personality a0 NE 0xffffffff"}}, 0, "63 rules", 0},
		{"a range", algebra.Intersect, both, [][]string{{"ERRNO(1)", "ALLOW openat2", "ALLOW ioctl a1 GE 3"}, {"ERRNO(1)", "ALLOW openat2", "ALLOW ioctl a1 LE 1000"}}, 0, "14 rules", 0},
		{"the worst range", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW openat2", "ALLOW ioctl a1 GE 1"}, {"ERRNO(1)", "ALLOW openat2", "ALLOW ioctl a1 LE 0xfffffffffffffffe"}}, 0, "126 rules", 0},
		{"two masks of one argument", algebra.Intersect, x64, [][]string{{"ERRNO(1)", "ALLOW clone a0 MASK 0xf0 0x10"}, {"ERRNO(1)", "ALLOW clone a0 MASK 0x0f 0x01"}}, 0,
			"ERRNO(1)\nALLOW clone a0 MASK 255 17", 0},
		{"rules that overlap are kept", algebra.Union, x64, [][]string{
			{"ERRNO(1)", "ALLOW openat2", "ALLOW clone a0 MASK 0x7e020000 0"}, {"ERRNO(1)", "ALLOW openat2", "ALLOW clone a0 EQ 0x10000000"}}, 0,
			"ERRNO(1)\nALLOW openat2\nALLOW clone a0 MASK 2114060288 0\nALLOW clone a0 EQ 268435456", 0},
		{"values that 32 bits do not hold", algebra.Intersect, both, [][]string{
			{"ERRNO(1)", "ALLOW openat2 mmap2", "ALLOW personality a0 GT 0xffffffff"}, {"ALLOW", "ERRNO(1) personality a0 EQ 5"}}, everything,
			"ERRNO(1)\nALLOW openat2 mmap2\nALLOW personality a0 GT 4294967295", algebra.ExceptForeign},
		{"everything but some small values", algebra.Union, both, [][]string{
			{"ALLOW", "ERRNO(1) personality"}, {"ERRNO(1)", "ALLOW openat2", "ALLOW personality a0 EQ 0", "ALLOW personality a0 EQ 8", "ALLOW personality a0 EQ 0x20000", "ALLOW personality a0 EQ 0x20008"}}, algebra.ExceptForeign, "", algebra.ExceptForeign},
		{"different actions by argument", algebra.Intersect, x64, [][]string{
			{"ERRNO(1)", "ALLOW openat2 ioctl"}, {"ERRNO(1)", "ALLOW openat2", "LOG ioctl a1 EQ 7", "ALLOW ioctl a1 NE 7"}}, 0,
			"ERRNO(1)\nALLOW openat2\nLOG ioctl a1 EQ 7\nALLOW ioctl a1 NE 7", 0},

		{"a default that notifies", algebra.Intersect, x64, [][]string{{"ALLOW", "NOTIFY mount"}, {"ALLOW", "LOG mount"}}, 0, "ALLOW\nNOTIFY mount", 0},
		{"a tracer", algebra.Union, x64, [][]string{{"TRACE(7)", "ALLOW read"}, {"TRACE(9)", "ERRNO(1) read"}}, 0, "TRACE(9)\nALLOW read", 0},
		{"a trap", algebra.Intersect, x64, [][]string{{"TRAP", "ALLOW read openat2"}, {"ERRNO(1)", "ALLOW read openat2"}}, 0, "TRAP\nALLOW read openat2", 0},
	}
}

func TestExamples(t *testing.T) {
	for _, x := range examples() {
		t.Run(x.name, func(t *testing.T) {
			var sources []algebra.Source
			for _, s := range x.sources {
				sources = append(sources, source(t, profile(t, s[0], s[1:]...), x.abis...))
			}
			r := combine(t, x.op, algebra.Options{Accept: x.accept}, sources...)
			if r.Refusal != nil {
				if r.Refusal.Reason.String() != x.want {
					t.Errorf("refused: %v: %v, want %s\n%v", r.Refusal.Reason, r.Refusal, x.want, r.Meaning)
				}
				checkRefusal(t, r)
				return
			}
			text := strings.Join(show(r.Profile), "\n")
			switch standard, ok := strings.CutPrefix(x.want, "default "); {
			case ok && show(r.Profile)[0] != standard:
				t.Errorf("got default %s, want %s", show(r.Profile)[0], standard)
			case strings.HasSuffix(x.want, " rules"): // besides the one for openat2
				if got := fmt.Sprint(len(r.Profile.Rules)-1, " rules"); got != x.want {
					t.Errorf("got %s, want %s", got, x.want)
				}
			case !ok && x.want != "" && text != x.want:
				t.Errorf("got\n%s\nwant\n%s", text, x.want)
			}
			if r.Except != x.except {
				t.Errorf("except %v, want %v", r.Except, x.except)
			}
			if same := equal(t, r.Meaning, written(t, r, policy.Options{})); same != (r.Except == 0) {
				t.Errorf("the profile means the same: %v, though except %v", same, r.Except)
			}
		})
	}
}

// checkRefusal checks that what a refusal says is so.
func checkRefusal(t *testing.T, r *algebra.Result) {
	t.Helper()
	f := r.Refusal
	if f.Want == f.Got || r.Meaning.Eval(&f.Witness) != f.Want {
		t.Errorf("%v: the witness gets %v", f, r.Meaning.Eval(&f.Witness))
	}
	if f.Nearest == nil {
		return
	}
	near, _, err := policy.Resolve(f.Nearest, policy.Options{ABIs: r.Meaning.ABIs()})
	if err != nil {
		t.Fatal(err)
	}
	if got := near.Eval(&f.Witness); got != f.Got {
		t.Errorf("%v: the nearest profile gives %v", f, got)
	}
	if !strings.Contains(f.Error(), "-f raw") || len(f.Changes) == 0 {
		t.Errorf("%v: %d changes", f, len(f.Changes))
	}
	for _, c := range f.Changes {
		if c.To.Compare(c.From) > 0 && isCall(r.Meaning.ABIs(), c.Audits, c.First, c.Last) {
			t.Errorf("%v: the nearest profile is weaker: %+v", f, c)
		}
	}
	if same := len(f.Changes) == 0; same != equal(t, r.Meaning, near) {
		t.Errorf("%v: %d changes", f, len(f.Changes))
	}
}

// isCall reports whether a table names a number of some.
func isCall(abis []arch.ABI, audits policy.Intervals, first, last uint32) bool {
	for _, a := range abis {
		for nr := range syscalltables.All(a) {
			if audits.Has(a.Audit()) && first <= nr && nr <= last {
				return true
			}
		}
	}
	return false
}
