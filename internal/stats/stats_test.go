package stats_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

func assemble(t *testing.T, text string) *cbpf.Program {
	t.Helper()
	p, err := cbpf.Assemble([]byte(text), policy.Names())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// calls is the number of calls in the table of an ABI.
func calls(a arch.ABI) int {
	n := 0
	for range syscalltables.All(a) {
		n++
	}
	return n
}

func TestFiguresOfAFilterWorkedOutByHand(t *testing.T) {
	p := assemble(t, `
		.order little
		      ld   arch                      ; 1
		      jeq  aarch64  jf bad           ; 2
		      ld   nr                        ; 3
		      jeq  aarch64:read  jt yes      ; 4
		      jeq  aarch64:write  jt args    ; 5
		      jeq  aarch64:close  jt lost    ; 6
		      jeq  aarch64:openat2  jt new   ; 7
		      ret  ERRNO(1)                  ; 8
		args: ld   arg0.lo                   ; 6
		      jgt  #2  jt no                 ; 7
		      ja   yes                       ; 8
		lost: tax                            ; 7
		      ja   yes                       ; 8
		new:  ret  ERRNO(38)                 ; 8
		no:   ret  ERRNO(1)                  ; 8
		yes:  ret  ALLOW                     ; 5, 9, 9
		bad:  ret  KILL_PROCESS              ; 3
	`)
	all := calls(arch.AArch64)
	one := func(steps int) stats.Executed { return stats.Executed{Calls: 1, Steps: steps, Max: steps} }
	denied := stats.Executed{Calls: all - 4, Steps: 8 * (all - 4), Max: 8}
	arm := calls(arch.ARM)
	want := &stats.Stats{
		Instructions: 17,
		Kinds:        stats.Kinds{Loads: 3, JEQ: 5, JGT: 1, Trampolines: 2, Returns: 5, Other: 1},
		Longest:      9,
		ABIs: []stats.ABI{{
			ABI:     arch.AArch64,
			Classes: [...]stats.Executed{one(5), one(9), one(9), denied, one(8)},
			Bitmap:  true,
			Allowed: 2,
			// read 3 times, write once, the rest never
			Weighted: &stats.Weighted{Mean: (3*5 + 9) / 4.0, Bitmap: 9 / 4.0},
		}},
		Foreign: stats.Executed{Calls: arm, Steps: 3 * arm, Max: 3},
		// Linux 7.2 has the numbers 0 to 471 on both ABIs. The emulation stops at
		// the load of an argument and at TAX.
		Emulated: 5 + 6 + 7 + 8 + 468*8 + 472*3,
	}
	got := stats.Measure(p, stats.Options{Weights: []stats.Weight{{"nothing", 5}, {"read", 3}, {"write", 1}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	us := 23 + 0.147*17 + 0.0035*float64(want.Emulated)
	if got, want := got.LoadTime(), time.Duration(us*1000); got.Round(10) != want.Round(10) {
		t.Errorf("load time %v, want %v", got, want)
	}
}

func compiled(t *testing.T, p *policy.Policy, o policy.Options) *compile.Result {
	t.Helper()
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := proved.Compile(r, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &res.Result
}

func TestLowerBoundsWorkedOutByHand(t *testing.T) {
	aarch64 := policy.Options{ABIs: []arch.ABI{arch.AArch64}, ENOSYS: policy.ENOSYS{Off: true}}
	allow := func(args []policy.Arg, names ...string) policy.Rule {
		return policy.Rule{Names: names, Action: cbpf.Allow, Args: args}
	}
	masked := func(mask, value uint64) []policy.Arg {
		return []policy.Arg{{Index: 0, Op: policy.MaskedEqual, Value: mask, ValueTwo: value}}
	}
	tests := []struct {
		name  string
		rules []policy.Rule
		o     policy.Options
		want  stats.Bound
	}{
		{"no rule", nil, aarch64, stats.Bound{Arch: 1, Loads: 1, Returns: 2}},
		{
			"a single number is one JEQ",
			[]policy.Rule{allow(nil, "read")}, // 63
			aarch64, stats.Bound{Arch: 1, Numbers: 1, Loads: 2, Returns: 3},
		},
		{
			"two numbers side by side are two tests", []policy.Rule{allow(nil, "read", "write")},
			aarch64, stats.Bound{Arch: 1, Numbers: 2, Loads: 2, Returns: 3},
		},
		{
			"the first numbers of all are one JGE", []policy.Rule{allow(nil, "io_setup", "io_destroy", "io_submit")},
			aarch64, stats.Bound{Arch: 1, Numbers: 1, Loads: 2, Returns: 3},
		},
		{
			"a bit of an argument is one JSET, its upper half nothing",
			[]policy.Rule{allow(masked(4, 4), "read")},
			aarch64, stats.Bound{Arch: 1, Numbers: 1, Arguments: 1, Loads: 3, Returns: 3},
		},
		{
			"two bits are AND and JEQ", []policy.Rule{allow(masked(5, 5), "read")},
			aarch64, stats.Bound{Arch: 1, Numbers: 1, Arguments: 2, Loads: 3, Returns: 3},
		},
		{
			"64 bits are two words",
			[]policy.Rule{allow([]policy.Arg{{Index: 0, Op: policy.Equal, Value: 7}}, "read")},
			aarch64, stats.Bound{Arch: 1, Numbers: 1, Arguments: 2, Loads: 4, Returns: 3},
		},
		{
			// x32 numbers are foreign but for -1, which is nobody's.
			"x86_64 alone", []policy.Rule{allow(nil, "read")},
			policy.Options{ABIs: []arch.ABI{arch.X86_64}, ENOSYS: policy.ENOSYS{Off: true}},
			stats.Bound{Arch: 1, Numbers: 3, Loads: 2, Returns: 3},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := compiled(t, &policy.Policy{Default: cbpf.ErrnoClass, Rules: tt.rules}, tt.o)
			s := stats.Compiled(res, stats.Options{})
			if diff := cmp.Diff(tt.want, *s.Bound); diff != "" {
				t.Errorf("want -, got +\n%s\n%v", diff, res.Diagram)
			}
			if s.Bound.Total() > s.Instructions {
				t.Errorf("bound %d, but %d instructions do", s.Bound.Total(), s.Instructions)
			}
		})
	}
}

func TestKnownABIs(t *testing.T) {
	tests := []struct {
		name, text string
		want       []arch.ABI
	}{
		{"none without a test", ".order little\nret ALLOW\n", nil},
		{"none where all verdicts are the same", ".order little\nld arch\njeq x86_64, jt 2, jf 2\n2: ret ALLOW\n", nil},
		{
			"x32 shares the value of x86_64", ".order little\nld arch\njeq x86_64, jf bad\nret ALLOW\nbad: ret KILL_PROCESS\n",
			[]arch.ABI{arch.X86_64, arch.X32},
		},
		{
			"x32 refused like strangers",
			".order little\nld arch\njeq x86_64, jf bad\nld nr\njset #0x40000000, jt bad\nret ALLOW\nbad: ret KILL_PROCESS\n",
			[]arch.ABI{arch.X86_64},
		},
		{
			"the byte order counts", ".order big\nld arch\njeq s390x, jt yes\njeq x86_64, jf bad\nyes: ret ALLOW\nbad: ret KILL_PROCESS\n",
			[]arch.ABI{arch.S390X},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, stats.Known(assemble(t, tt.text))); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

// A measured filter without ABIs has no calls to count and still a length.
func TestFilterOfNoKnownABI(t *testing.T) {
	got := stats.Measure(assemble(t, ".order little\nld #1\nret ALLOW\n"), stats.Options{})
	want := &stats.Stats{Instructions: 2, Kinds: stats.Kinds{Other: 1, Returns: 1}, Longest: 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	if got := stats.Measure(new(cbpf.Program), stats.Options{}); got.Instructions != 0 || got.Longest != 0 {
		t.Errorf("the zero program: %+v", got)
	}
}

func TestNoBitmapForMIPSAndX32(t *testing.T) {
	for _, a := range []arch.ABI{arch.MIPSEL64, arch.MIPSEL64N32, arch.MIPSEL, arch.X32} {
		res := compiled(t, &policy.Policy{Default: cbpf.Allow}, policy.Options{ABIs: []arch.ABI{a}})
		s := stats.Compiled(res, stats.Options{ABIs: []arch.ABI{a}}).ABIs[0]
		if n := calls(a); s.Bitmap || s.Classes[stats.Cached].Calls != 0 || s.Classes[stats.Uncached].Calls != n || s.Allowed != n {
			t.Errorf("%+v", s)
		}
	}
}

// What goes on through LOG, TRACE and NOTIFY runs the filter each time.
func TestClasses(t *testing.T) {
	tests := []struct {
		action cbpf.Action
		want   stats.Class
	}{
		{cbpf.Allow, stats.Cached},
		{cbpf.Allow | 1, stats.Uncached},
		{cbpf.Log, stats.Uncached},
		{cbpf.Trace(1), stats.Uncached},
		{cbpf.Notify, stats.Uncached},
		{cbpf.Errno(1), stats.Denied},
		{cbpf.Errno(38), stats.ENOSYS},
		{cbpf.Trap, stats.Denied},
		{cbpf.KillProcess, stats.Denied},
	}
	for _, tt := range tests {
		text := strings.ReplaceAll(".order little\nld arch\njeq x86, jf 3\nret ACTION\n3: ret KILL_THREAD\n", "ACTION", tt.action.String())
		s := stats.Measure(assemble(t, text), stats.Options{ABIs: []arch.ABI{arch.X86}})
		for _, c := range stats.Classes() {
			want := 0
			if c == tt.want {
				want = calls(arch.X86)
			}
			if got := s.ABIs[0].Classes[c].Calls; got != want {
				t.Errorf("%v: %d calls are %v, want %d", tt.action, got, c, want)
			}
		}
	}
}

// Counts are those of programs as they run, for any program: nothing executes
// more than the longest path, and a class is what evaluation shows.
func TestFiguresAgreeWithEvaluation(t *testing.T) {
	for seed := range uint64(100) {
		rnd := gen.New(seed)
		p, err := cbpf.New(gen.Program(rnd, 30), arch.X86_64.ByteOrder())
		if err != nil {
			t.Fatal(err)
		}
		s := stats.Measure(p, stats.Options{ABIs: []arch.ABI{arch.X86_64}})
		a := s.ABIs[0]
		most := 0
		for _, c := range stats.Classes() {
			most = max(most, a.Classes[c].Max)
		}
		if most > s.Longest {
			t.Fatalf("seed %d: a call takes %d, the longest path %d\n%v", seed, most, s.Longest, p.Disassemble(nil))
		}
		for nr := range syscalltables.All(arch.X86_64) {
			for range 4 {
				d := gen.Data(rnd, p.Raw())
				d.Arch, d.NR = arch.X86_64.Audit(), nr
				got, steps := p.Trace(&d)
				if len(steps) > most {
					t.Fatalf("seed %d: %+v takes %d, at most %d\n%v", seed, d, len(steps), most, p.Disassemble(nil))
				}
				if a.Classes[stats.Cached].Calls == calls(arch.X86_64) && got != cbpf.Allow {
					t.Fatalf("seed %d: %+v is cached and %v\n%v", seed, d, got, p.Disassemble(nil))
				}
			}
		}
	}
}

// Docker's profile is the yardstick: its figures may get better, not worse.
func TestDockerDefault(t *testing.T) {
	abis := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= len(abis); n++ {
		s := stats.Compiled(compiled(t, p, policy.Options{ABIs: abis[:n], ENOSYS: policy.ENOSYS{Off: true}}), stats.Options{ABIs: abis[:n]})
		for _, a := range s.ABIs {
			if a.Bitmap && a.Classes[stats.Cached].Calls != a.Allowed {
				t.Errorf("%v: %d of %d allowed calls are cached", a.ABI, a.Classes[stats.Cached].Calls, a.Allowed)
			}
		}
		if limit := float64(s.Bound.Total()) * 1.03; float64(s.Instructions) > limit {
			t.Errorf("%v: %d instructions, the bound is %d", abis[:n], s.Instructions, s.Bound.Total())
		}
		if mean := s.ABIs[0].Classes[stats.Cached].Mean(); mean > 9.8 {
			t.Errorf("%v: an allowed call takes %.2f", abis[:n], mean)
		}
		if c := s.ABIs[0].Classes[stats.Conditional]; c.Mean() > 12.4 || c.Max > 16 {
			t.Errorf("%v: a conditional call takes %.2f, at most %d", abis[:n], c.Mean(), c.Max)
		}
	}
}

func TestParseWeights(t *testing.T) {
	got, err := stats.ParseWeights("# a trace\nwrite 2.5\n\nread\t10 # most\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]stats.Weight{{"read", 10}, {"write", 2.5}}, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
	_, err = stats.ParseWeights("read\nwrite much\nopen -1\nclose 1\nclose 2\nstat NaN\n")
	want := `stats: line 1: want a call and its weight, as in "read 12.5"
stats: line 2: "much" is not a weight (expected a number from 0 up)
stats: line 3: "-1" is not a weight (expected a number from 0 up)
stats: line 5: close has a weight already
stats: line 6: "NaN" is not a weight (expected a number from 0 up)`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// What a call executes is among what its number may reach.
func TestReaching(t *testing.T) {
	docker, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	abis := []arch.ABI{arch.X86_64, arch.X32, arch.X86}
	p := compiled(t, docker, policy.Options{ABIs: abis}).Program
	reaching := stats.Reaching(p)
	for _, a := range append(abis, arch.AArch64) {
		most := 0
		for nr := range syscalltables.All(a) {
			pcs := reaching(a.Audit(), nr)
			most = max(most, len(pcs))
			for _, arg := range []uint64{0, 1, 8, 38, 1 << 32, ^uint64(0)} {
				_, steps := p.Trace(&cbpf.Data{Arch: a.Audit(), NR: nr, Args: [6]uint64{arg}})
				for _, s := range steps {
					if !slices.Contains(pcs, s.PC) {
						t.Fatalf("%v %d executes %d, which is not among %v", a, nr, s.PC, pcs)
					}
				}
			}
		}
		if most > p.Len()/4 {
			t.Errorf("%v: a call reaches %d of %d instructions", a, most, p.Len())
		}
	}
}

// Without what is unknown, a call may get something else only where Deciding says so.
func TestDeciding(t *testing.T) {
	docker, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatal(err)
	}
	p := compiled(t, docker, policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86}}).Program
	tests := []struct {
		abi     arch.ABI
		call    string
		args    [6]uint64
		unknown string // indexes
		want    string
	}{
		{arch.X86_64, "openat", [6]uint64{}, "012345", ""},
		{arch.X86_64, "mount", [6]uint64{}, "01", ""},
		{arch.X86_64, "socket", [6]uint64{}, "0", "0"},
		{arch.X86_64, "socket", [6]uint64{38}, "12", ""},
		{arch.X86_64, "socket", [6]uint64{2}, "12", ""},
		{arch.X86, "socket", [6]uint64{}, "012", "0"},
		{arch.X86_64, "clone", [6]uint64{}, "01", "0"},
		{arch.X86_64, "personality", [6]uint64{}, "0", "0"},
		{arch.X86_64, "clone3", [6]uint64{}, "01", ""},
		{arch.AArch64, "clone", [6]uint64{}, "01", ""}, // another ABI's
	}
	for _, tt := range tests {
		call, _ := syscalltables.Lookup(tt.call)
		nr, _ := call.Number(tt.abi)
		var unknown [6]bool
		for _, i := range tt.unknown {
			unknown[i-'0'] = true
		}
		got := ""
		for i, decides := range stats.Deciding(p, &cbpf.Data{Arch: tt.abi.Audit(), NR: nr, Args: tt.args}, unknown) {
			if decides {
				got += string(rune('0' + i))
			}
		}
		if got != tt.want {
			t.Errorf("%v %s%v, unknown %s: %q, want %q", tt.abi, tt.call, tt.args, tt.unknown, got, tt.want)
		}
	}
}

func TestInBitmap(t *testing.T) {
	p, err := cbpf.Assemble([]byte(".order little\nret ALLOW"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		abi  arch.ABI
		nr   uint32
		want bool
	}{
		{arch.X86_64, 0, true},
		{arch.X86_64, 1 << 20, false},
		{arch.X32, arch.X32Bit, false},
		{arch.MIPSEL64, 5000, false},
		{arch.ARM, 0xf0005, false},
	} {
		if got := stats.InBitmap(p, test.abi, test.nr); got != test.want {
			t.Errorf("%v %d: %v, want %v", test.abi, test.nr, got, test.want)
		}
	}
}
