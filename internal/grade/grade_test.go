package grade

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

func mustScale(t testing.TB, abis ...arch.ABI) *Scale {
	t.Helper()
	s, err := NewScale(abis)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustGrade(t testing.TB, s *Scale, subject proof.Subject) *Grade {
	t.Helper()
	g, err := s.Of(subject, proof.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustResolve(t testing.TB, p *policy.Policy, abis ...arch.ABI) *policy.Resolved {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// docker returns Docker's default profile for a kernel.
func docker(t testing.TB, a arch.ABI) *policy.Policy {
	t.Helper()
	reading, err := oci.Language{}.Read(language.NewSource(preset.Docker()), policy.Target{ABI: a, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	return reading.Policy
}

func mustProgram(t testing.TB, raw ...bpf.RawInstruction) *cbpf.Program {
	t.Helper()
	p, err := cbpf.New(raw, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// kernels are the main ABIs that tests go through: all kinds of number spaces, of argument
// orders and of byte orders.
func kernels() []arch.ABI {
	return []arch.ABI{arch.X86_64, arch.AArch64, arch.RISCV64, arch.S390X, arch.MIPS64, arch.PPC64LE}
}

func TestWeightsAddUp(t *testing.T) {
	sum, ids := 0, map[string]bool{}
	for _, p := range powers {
		sum += p.Points
		if ids[p.ID] || p.ID == "" || p.Points < 1 || p.Title == "" || !strings.HasSuffix(p.Why, ".") {
			t.Errorf("%+v: the ID is not unique, or something is missing", p)
		}
		ids[p.ID] = true
	}
	if sum != 100 {
		t.Errorf("the points add up to %d, want 100", sum)
	}
}

// What a class of actions counts as is monotone in the kernel's order of them.
func TestActions(t *testing.T) {
	s := mustScale(t, arch.X86_64)
	for action, want := range map[cbpf.Action]int{
		cbpf.KillProcess: 100, cbpf.KillThread: 100, cbpf.Trap: 100, cbpf.Errno(0): 100, cbpf.Errno(38): 100, cbpf.Errno(0xffff): 100,
		cbpf.Notify: 0, cbpf.Trace(7): 0, cbpf.Log: 0, cbpf.Allow: 0,
		0x7ffe0000: 0,                    // of a kernel to come; this one kills
		0x00040000: 100, 0xc0000000: 100, // stricter than ERRNO
	} {
		g := mustGrade(t, s, proof.Program(mustProgram(t, bpf.RawInstruction{Op: 0x06, K: uint32(action)})))
		if g.Points != want {
			t.Errorf("%v: %d points, want %d", action, g.Points, want)
		}
	}
}

// Each call of the table costs the points of its powers by its name alone, and where some
// argument that does not matter has a condition.
func TestEachCallCosts(t *testing.T) {
	byName := []policy.Arg(nil)
	byArgument := []policy.Arg{{Index: 5, Op: policy.Greater, Value: 7}}
	for _, tt := range []struct {
		main arch.ABI
		args []policy.Arg
	}{{arch.X86_64, byName}, {arch.RISCV64, byArgument}, {arch.S390X, byArgument}, {arch.MIPS64, byName}} {
		s := mustScale(t, tt.main)
		for p := range calls {
			for _, name := range s.names[p] {
				r := policy.Rule{Names: []string{name}, Args: tt.args, Action: cbpf.Allow}
				open := &policy.Policy{Default: cbpf.KillProcess, Rules: []policy.Rule{r}}
				g := mustGrade(t, s, proof.Policy(mustResolve(t, open, s.abis...)))
				if l := g.Lines[p]; l.Lost != l.Points || g.Points > 100-l.Points {
					t.Errorf("%v: %s(%v): %s costs %d of %d, %d are left", tt.main, name, tt.args, l.ID, l.Lost, l.Points, g.Points)
				}
			}
		}
	}
}

// A case is rules on the arguments of calls and the powers that they leave, apart from
// those of other ABIs.
type argCase struct {
	rules  []policy.Rule
	leaves string
}

func rule(action cbpf.Action, name string, args ...policy.Arg) policy.Rule {
	return policy.Rule{Names: []string{name}, Args: args, Action: action}
}

func masked(index uint, mask, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.MaskedEqual, Value: mask, ValueTwo: value}
}

func equal(index uint, value uint64) policy.Arg {
	return policy.Arg{Index: index, Op: policy.Equal, Value: value}
}

func argCases() []argCase {
	const allow, deny, high = cbpf.Allow, cbpf.Trap, 1 << 40
	return []argCase{
		{[]policy.Rule{rule(allow, "clone", masked(0, 0x7e020000, 0))}, ""},
		{[]policy.Rule{rule(allow, "clone", equal(0, 0x10000000))}, "user-namespaces"},
		{[]policy.Rule{rule(allow, "clone", equal(0, 0x00020011))}, "namespaces"},
		{[]policy.Rule{rule(allow, "clone", equal(0, 0x50000000))}, "user-namespaces namespaces"},
		{[]policy.Rule{rule(allow, "clone", equal(0, 0x80))}, ""}, // a part of the signal
		{[]policy.Rule{rule(allow, "unshare", equal(0, 0x80))}, "namespaces"},
		{[]policy.Rule{rule(allow, "unshare", equal(0, 0x400))}, ""},
		{[]policy.Rule{rule(allow, "setns", equal(1, 0))}, "namespaces"},
		{[]policy.Rule{rule(allow, "ioctl", equal(1, 0x5401))}, ""},
		{[]policy.Rule{rule(allow, "ioctl", equal(1, 0x5412))}, "terminal"},
		{[]policy.Rule{rule(allow, "ioctl", equal(1, 0x541c|high))}, "terminal"}, // the kernel ignores the upper half
		{[]policy.Rule{rule(deny, "ioctl", equal(1, 0x5412)), rule(deny, "ioctl", equal(1, 0x541c)), rule(allow, "ioctl")}, "terminal"},
		{[]policy.Rule{rule(deny, "ioctl", masked(1, 0xffffffff, 0x5412)), rule(deny, "ioctl", masked(1, 0xffffffff, 0x541c)), rule(allow, "ioctl")}, ""},
		{[]policy.Rule{rule(allow, "personality", equal(0, 0xffffffff)), rule(allow, "personality", equal(0, 8))}, ""},
		{[]policy.Rule{rule(allow, "personality", equal(0, 0x0040000))}, "personality"},
		{[]policy.Rule{rule(allow, "personality", equal(0, 0x0400008))}, "personality"},
		{[]policy.Rule{rule(allow, "mknod", masked(1, 0xf000, 0x8000))}, ""},
		{[]policy.Rule{rule(allow, "mknod", masked(1, 0xf000, 0x6000))}, "devices"},
		{[]policy.Rule{rule(allow, "mknodat", equal(2, 0x2180))}, "devices"},
		{[]policy.Rule{rule(allow, "seccomp", equal(0, 1), equal(1, 0))}, ""},
		{[]policy.Rule{rule(allow, "seccomp", equal(0, 0))}, ""},
		{[]policy.Rule{rule(allow, "seccomp", equal(0, 1), equal(1, 9))}, "listener"},
		{[]policy.Rule{rule(allow, "mmap", masked(2, 4, 0)), rule(allow, "mmap", equal(2, 5))}, ""},
		{[]policy.Rule{rule(allow, "mmap", equal(2, 7))}, "executable-memory"},
		{[]policy.Rule{rule(allow, "mprotect", masked(2, 4, 0)), rule(allow, "pkey_mprotect", equal(2, 3))}, ""},
		{[]policy.Rule{rule(allow, "mprotect", equal(2, 4))}, "executable-memory"},
		{[]policy.Rule{rule(allow, "shmat", equal(2, 0x1000))}, ""},
		{[]policy.Rule{rule(allow, "shmat", equal(2, 0x8000))}, "executable-memory"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 1))}, ""},
		{[]policy.Rule{rule(allow, "socket", equal(0, 0))}, ""},
		{[]policy.Rule{rule(allow, "socket", equal(0, 38))}, "crypto-sockets"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 38|high))}, "crypto-sockets"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 40))}, "vsock"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 17))}, "raw-sockets"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 2), equal(1, 3|0x80000))}, "raw-sockets network"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 10), equal(1, 10))}, "raw-sockets network"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 10), equal(1, 1))}, "network"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 16))}, "netlink"},
		{[]policy.Rule{rule(allow, "socket", equal(0, 31))}, "socket-families"},
		{[]policy.Rule{rule(allow, "socket", policy.Arg{Index: 0, Op: policy.Greater, Value: 40})}, "socket-families crypto-sockets vsock raw-sockets netlink network"}, // through the upper half
		{[]policy.Rule{{Numbers: []uint32{400}, Action: allow}}, "future-calls"},
		{[]policy.Rule{{Numbers: []uint32{900}, Args: []policy.Arg{equal(2, 3)}, Action: allow}}, "future-calls"},
	}
}

func lost(g *Grade) string {
	var ids []string
	for _, l := range g.Lines {
		if l.Lost > 0 {
			ids = append(ids, l.ID)
		}
	}
	return strings.Join(ids, " ")
}

// Arguments decide as the kernel reads them.
func TestArguments(t *testing.T) {
	s := mustScale(t, arch.X86_64)
	covered := map[string]bool{}
	for _, tt := range argCases() {
		p := &policy.Policy{Default: cbpf.Trap, Order: policy.FirstMatch, Rules: tt.rules}
		r := mustResolve(t, p, arch.X86_64)
		g := mustGrade(t, s, proof.Policy(r))
		if got := lost(g); got != tt.leaves {
			t.Errorf("%v: leaves %q, want %q", tt.rules, got, tt.leaves)
		}
		compiled, _, err := compiler.Compile(r, compiler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := lost(mustGrade(t, s, proof.Program(compiled))); got != tt.leaves {
			t.Errorf("%v: the filter leaves %q, want %q", tt.rules, got, tt.leaves)
		}
		if words := strings.Fields(tt.leaves); len(words) == 1 {
			covered[words[0]] = true
		}
	}
	for _, r := range rows() {
		for p := range calls {
			if r.gives == of(p) && len(r.when) > 0 && !covered[powers[p].ID] {
				t.Errorf("%s: no case in which an argument opens it alone", powers[p].ID)
			}
		}
	}
}

// The same, where another ABI's kernel has it elsewhere.
func TestOtherABIs(t *testing.T) {
	tests := []struct {
		abi    arch.ABI
		rule   policy.Rule
		leaves string
	}{
		{arch.X86, rule(cbpf.Allow, "getpid"), "compat"},
		{arch.X32, rule(cbpf.Allow, "getpid"), "x32"},
		{arch.ARM, rule(cbpf.Allow, "getpid", equal(0, 1)), "compat"},
		{arch.X86, rule(cbpf.Allow, "socketcall", equal(0, 1)), "socket-families crypto-sockets vsock raw-sockets netlink network compat"},
		{arch.X86, rule(cbpf.Allow, "socketcall", equal(0, 2)), "compat"},
		{arch.X86, rule(cbpf.Allow, "ipc", equal(0, 0x10015)), "executable-memory compat"},
		{arch.X86, rule(cbpf.Allow, "ipc", equal(0, 22)), "compat"},
		{arch.X86, rule(cbpf.Allow, "mmap", equal(0, 4096)), "executable-memory compat"}, // all in memory
		{arch.S390X, rule(cbpf.Allow, "clone", equal(1, 0x10000000)), "user-namespaces"},
		{arch.S390X, rule(cbpf.Allow, "clone", equal(0, 0x10000000), equal(1, 17)), ""},
		{arch.MIPS64, rule(cbpf.Allow, "ioctl", equal(1, 0x5472)), "terminal"},
		{arch.MIPS64, rule(cbpf.Allow, "ioctl", equal(1, 0x5412)), ""},
	}
	for _, tt := range tests {
		p := &policy.Policy{Default: cbpf.KillProcess, Rules: []policy.Rule{tt.rule}}
		g := mustGrade(t, mustScale(t, tt.abi), proof.Policy(mustResolve(t, p, tt.abi)))
		if got := lost(g); got != tt.leaves {
			t.Errorf("%v: %v: leaves %q, want %q", tt.abi, tt.rule, got, tt.leaves)
		}
	}
}

// A MIPS kernel runs the numbers of all its ABIs in any task.
func TestNumbersOfMIPS(t *testing.T) {
	const o32bpf = 4355
	p := &policy.Policy{Default: cbpf.KillProcess, Rules: []policy.Rule{{Numbers: []uint32{o32bpf}, Action: cbpf.Allow}}}
	g := mustGrade(t, mustScale(t, arch.MIPS64), proof.Policy(mustResolve(t, p, arch.MIPS64)))
	if got := lost(g) + ": " + g.Lines[compat].Reason; got != "bpf compat: by mips" {
		t.Errorf("leaves %q", got)
	}
}

// What is not a target gets the bad-arch action, and counts as far as the kernel has it.
func TestBadArch(t *testing.T) {
	open := &policy.Policy{Default: cbpf.KillProcess}
	for a, want := range map[arch.ABI]int{arch.X86_64: 1, arch.RISCV64: 100} {
		r, _, err := policy.Resolve(open, policy.Options{ABIs: []arch.ABI{a}, BadArch: cbpf.Allow})
		if err != nil {
			t.Fatal(err)
		}
		if g := mustGrade(t, mustScale(t, a), proof.Policy(r)); g.Points != want {
			t.Errorf("%v: %d points, want %d", a, g.Points, want)
		}
	}
}

// All others together cost what they say, and a few of them nothing.
func TestOtherCalls(t *testing.T) {
	s := mustScale(t, arch.RISCV64)
	var list []string
	for _, name := range s.names[calls] {
		if !slices.ContainsFunc(rows(), func(r row) bool { return slices.Contains(strings.Fields(r.calls), name) }) {
			list = append(list, name)
		}
	}
	for n, want := range map[int]int{0: 0, 10: 0, len(list) / 2: 2, len(list): 5} {
		p := &policy.Policy{Default: cbpf.KillProcess, Rules: []policy.Rule{{Names: list[:n], Action: cbpf.Allow}}}
		if n == 0 {
			p.Rules = nil
		}
		g := mustGrade(t, s, proof.Policy(mustResolve(t, p, arch.RISCV64)))
		if g.Points != 100-want || g.Lines[calls].Lost != want {
			t.Errorf("%d of %d: lost %d, want %d (%s)", n, len(s.names[calls]), g.Lines[calls].Lost, want, lost(g))
		}
	}
}

// A filter has the grade of its profile; every way is one, by running the filter.
func TestFiltersAndWays(t *testing.T) {
	for _, main := range kernels() {
		s := mustScale(t, main)
		r := mustResolve(t, docker(t, main), s.abis...)
		compiled, _, err := compiler.Compile(r, compiler.Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, b := mustGrade(t, s, proof.Policy(r)), mustGrade(t, s, proof.Program(compiled))
		if a.Points != b.Points || lost(a) != lost(b) || a.Points < 60 {
			t.Errorf("%v: %d (%s) and %d (%s)", main, a.Points, lost(a), b.Points, lost(b))
		}
		for p, l := range a.Lines {
			for _, w := range l.ways {
				d := w.example
				if action := r.Eval(&d); action.Compare(cbpf.ErrnoClass) <= 0 {
					t.Errorf("%v: %s: %+v gets %v", main, l.ID, w, action)
				}
				if gives := s.sets[s.denies.Eval(&d).Data()-1]; !gives.has(power(p)) {
					t.Errorf("%v: %s: %+v does not give it", main, l.ID, w)
				}
			}
		}
	}
}

// A question without an answer is not a grade.
func TestLimits(t *testing.T) {
	ld := func(word uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: 0x20, K: 4 * word} }
	p := mustProgram(t, ld(4), bpf.RawInstruction{Op: 0x07}, ld(6), bpf.RawInstruction{Op: 0x2c}, bpf.RawInstruction{Op: 0x16})
	var limit *proof.LimitError
	if g, err := mustScale(t, arch.X86_64).Of(proof.Program(p), proof.Limits{Steps: 1 << 18}); !errors.As(err, &limit) {
		t.Errorf("%v, %v", g, err)
	}
	if g, err := mustScale(t, arch.X86_64).Of(proof.Policy(&policy.Resolved{}), proof.Limits{}); err == nil {
		t.Errorf("a policy without ABIs has %d points", g.Points)
	}
	if _, err := NewScale(nil); err == nil {
		t.Error("a scale without ABIs")
	}
	if _, err := NewScale([]arch.ABI{arch.X86_64, arch.S390X}); err == nil {
		t.Error("a scale of two byte orders")
	}
}

// The profiles of the repository are told apart.
func TestDistinctScores(t *testing.T) {
	files, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	scores := map[int]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reading, err := oci.Language{}.Read(language.NewSource(text), policy.Target{ABI: arch.X86_64})
		if err != nil {
			t.Fatal(file, err)
		}
		abis := reading.Policy.ABIs
		if len(abis) == 0 {
			abis = []arch.ABI{arch.X86_64}
		}
		g := mustGrade(t, mustScale(t, abis...), proof.Policy(mustResolve(t, reading.Policy, abis...)))
		scores[g.Points] = true
		t.Logf("%3d %s %s", g.Points, g.Letter(), filepath.Base(file))
	}
	if len(scores) < 15 {
		t.Errorf("%d scores for %d profiles, want at least 15", len(scores), len(files))
	}
}
