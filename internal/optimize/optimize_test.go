package optimize

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// small limits keep random programs, some of which are beyond any proof, quick.
var small = proof.Limits{Nodes: 1 << 16, Steps: 1 << 19, Rows: 1 << 10}

// assemble makes a program of text in which a semicolon ends a line.
func assemble(t testing.TB, text string) *cbpf.Program {
	t.Helper()
	p, err := cbpf.Assemble([]byte(strings.ReplaceAll(text, ";", "\n")), policy.Names())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// randomProgram draws any acceptable program of n instructions.
func randomProgram(t testing.TB, seed uint64, n int) *cbpf.Program {
	t.Helper()
	order := binary.ByteOrder(binary.LittleEndian)
	if seed%2 == 1 {
		order = binary.BigEndian
	}
	p, err := cbpf.New(gen.Program(gen.New(seed), n), order)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// randomPolicy draws a policy that resolves, nil if the seed's does not.
func randomPolicy(seed uint64, entries int) *policy.Resolved {
	r := gen.New(seed)
	o := gen.ResolveOptions(r)
	res, _, err := policy.Resolve(gen.Policy(r, gen.Options{ABIs: o.ABIs, Entries: entries, Beyond: seed%2 == 0}), o)
	if err != nil {
		return nil
	}
	return res
}

// optimised optimises p and holds the result against the law: equal for all calls
// and not longer. It returns nil where a limit was hit.
func optimised(t testing.TB, p *cbpf.Program, l proof.Limits) *cbpf.Program {
	t.Helper()
	r, err := Program(p, l)
	var limit *proof.LimitError
	if errors.As(err, &limit) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	equal, err := proof.Equal(proof.Program(p), proof.Program(r.Program), l)
	if err != nil || equal.Verdict == proof.Different {
		t.Fatalf("%v, %v\n%s", err, equal.Witness, p.Disassemble(nil))
	}
	switch {
	case r.Program == p && (r.Points > 0 || r.Proof.Verdict != proof.Unknown):
		t.Errorf("kept, and yet %+v", r)
	case r.Program != p && (r.Points == 0 || r.Proof.Verdict != proof.Same || r.Program.Len() >= p.Len()):
		t.Errorf("%d instructions instead of %d: %+v", r.Program.Len(), p.Len(), r)
	case r.Program.Order() != p.Order():
		t.Error("the byte order has changed")
	}
	return r.Program
}

func TestRandomPrograms(t *testing.T) {
	done, smaller, limited := 0, 0, 0
	for seed := range uint64(gen.Many(80, 400)) {
		p := randomProgram(t, seed, 1+int(seed%90))
		q := optimised(t, p, small)
		if q == nil {
			limited++
			continue
		}
		if done++; q != p {
			smaller++
		}
		r := gen.New(seed)
		for range 50 {
			d := gen.Data(r, p.Raw())
			if a, b := p.Eval(&d), q.Eval(&d); a != b {
				t.Fatalf("seed %d: %+v: %v, was %v", seed, d, b, a)
			}
		}
	}
	t.Logf("%d programs, %d became smaller, %d beyond the limits", done, smaller, limited)
	if smaller < done/2 || limited > done {
		t.Error("want most programs smaller, and few beyond the limits")
	}
}

func TestRandomPolicies(t *testing.T) {
	before, after := 0, 0
	for seed := range uint64(gen.Many(12, 100)) {
		res := randomPolicy(seed, 1+int(seed%8))
		if res == nil {
			continue
		}
		c, err := proved.Compile(res, compile.Options{})
		if err != nil {
			continue // too long for a filter
		}
		if q := optimised(t, c.Program, proof.Limits{}); q != nil {
			before += c.Program.Len()
			after += q.Len()
		}
	}
	t.Logf("%d instructions became %d", before, after)
	if before == 0 || after > before {
		t.Error("want programs of policies, none longer than before")
	}
}

// dockerDefault compiles Docker's default profile.
func dockerDefault(t testing.TB, o policy.Options) *cbpf.Program {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: o.ABIs[0]})
	if err != nil {
		t.Fatal(err)
	}
	res, _, err := policy.Resolve(p, o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := proved.Compile(res, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c.Program
}

func TestDockerDefault(t *testing.T) {
	families := [][]arch.ABI{
		{arch.X86_64, arch.X86, arch.X32}, {arch.S390X, arch.S390}, {arch.X86_64}, {arch.AArch64, arch.ARM}, {arch.MIPS64, arch.MIPS, arch.MIPS64N32},
	}
	for _, abis := range families[:gen.Many(3, len(families))] {
		p := dockerDefault(t, policy.Options{ABIs: abis})
		once := optimised(t, p, proof.Limits{})
		if once == nil {
			t.Fatalf("%v: not proved", abis)
		}
		twice := optimised(t, once, proof.Limits{})
		t.Logf("%v: %d, optimised %d", abis, p.Len(), once.Len())
		if twice != once {
			t.Errorf("%v: %d instructions, again %d", abis, once.Len(), twice.Len())
		}
	}
}

func TestEqualInputsGiveEqualBytes(t *testing.T) {
	p := dockerDefault(t, policy.Options{ABIs: []arch.ABI{arch.X86_64, arch.X86, arch.X32}})
	want := optimised(t, p, proof.Limits{})
	for range gen.Many(2, 5) {
		if got := optimised(t, p, proof.Limits{}); !slices.Equal(got.Raw(), want.Raw()) {
			t.Fatal("two runs differ")
		}
	}
}

func TestProgramByHand(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			"the smallest is kept",
			`ret ALLOW`,
			`ret ALLOW`,
		},
		{
			"dead code, double tests and loads",
			`ld arch; jeq x86_64, jf bad; ld nr; ld nr; jeq #1, jf b; ret ALLOW; b: jeq #1, jf c; ret TRAP; c: ja bad; ret LOG; bad: ret ERRNO(1)`,
			`ld arch; jeq x86_64, jf bad; ld nr; jeq #1, jf bad; ret ALLOW; bad: ret ERRNO(1)`,
		},
		{
			"arithmetic that comes to a constant",
			`ld #6; tax; ld #1; lsh x; st M[0]; ld nr; ldx M[0]; jeq x, jf no; ret ALLOW; no: ret ERRNO(1)`,
			`ld nr; jeq #64, jf no; ret ALLOW; no: ret ERRNO(1)`,
		},
		{
			"a computed return",
			`ld arg0.lo; and #1; or #0x50000; ret a`,
			`ld arg0.lo; jset #1, jf no; ret ERRNO(1); no: ret ERRNO(0)`,
		},
		{
			"bits tested one by one",
			`ld arg0.lo; jset #1, no; jset #4, no; jset #16, no; ret ALLOW; no: ret ERRNO(1)`,
			`ld arg0.lo; jset #21, no; ret ALLOW; no: ret ERRNO(1)`,
		},
		{
			"values tested one by one",
			`ld arg0.lo; jeq #5, yes; jeq #7, yes; jeq #6, yes; jeq #8, yes; ret ERRNO(1); yes: ret ALLOW`,
			`ld arg0.lo; jge #9, no; jge #5, jf no; ret ALLOW; no: ret ERRNO(1)`,
		},
		{
			"the instruction pointer",
			`ld ip.hi; jeq #0, jf no; ld ip.hi; jgt #0, no; ld ip.lo; jge #4096, jf no; ret ALLOW; no: ret KILL_PROCESS`,
			`ld ip.hi; jeq #0, jf no; ld ip.lo; jge #4096, jf no; ret ALLOW; no: ret KILL_PROCESS`,
		},
	}
	for _, tt := range tests {
		for _, order := range []string{"little", "big"} {
			t.Run(tt.name+"/"+order, func(t *testing.T) {
				directive := ".order " + order + "\n"
				got := optimised(t, assemble(t, directive+tt.in), proof.Limits{})
				want := assemble(t, directive+tt.want)
				if got == nil {
					t.Fatal("beyond the limits")
				}
				if got.Len() > want.Len() {
					t.Fatalf("want %d instructions, got\n%s", want.Len(), got.Disassemble(policy.Names()))
				}
				if r, err := proof.Equal(proof.Program(got), proof.Program(want), proof.Limits{}); err != nil || r.Verdict != proof.Same {
					t.Errorf("want the same meaning: %v %v", r.Witness, err)
				}
			})
		}
	}
}

// A call that is always allowed is seen to be by the kernel, even if it was not.
func TestAlwaysAllowedCallsGetIntoTheBitmap(t *testing.T) {
	p := assemble(t, `.order little
		ld arg0.lo; jeq #1, jf other; ld arch; jeq x86_64, jf no; ld nr; jeq #0, yes, no
		other: ld arch; jeq x86_64, jf no; ld nr; jeq #0, yes, no
		yes: ret ALLOW
		no: ret ERRNO(1)`)
	if ok, _ := p.ConstAllow(arch.X86_64.Audit(), 0); ok {
		t.Fatal("the test's program looks at arguments in vain")
	}
	q := optimised(t, p, proof.Limits{})
	if ok, _ := q.ConstAllow(arch.X86_64.Audit(), 0); !ok {
		t.Error("not seen to be always allowed")
	}
	if got := q.Len(); got != 6 {
		t.Errorf("%d instructions", got)
	}
}

// hostile programs have no small account of what they do.
func hostile(t testing.TB) map[string]*cbpf.Program {
	hash := strings.Repeat("mul #0x9e3779b1; xor #0x85ebca6b; tax; rsh #13; xor x\n", 800)
	return map[string]*cbpf.Program{
		"product":  assemble(t, ".order little\nld arg0.lo; tax; ld arg1.lo; mul x; ret a"),
		"equality": assemble(t, ".order little\nld arg0.lo; tax; ld arg5.lo; jeq x, yes, no; yes: ret ALLOW; no: ret TRAP"),
		"hash":     assemble(t, ".order little\nld arg0.lo\n"+hash+"ret a"),
		"values":   assemble(t, ".order little\nld arg0.lo; and #0xffff; ret a"),
	}
}

func TestHostileProgramsEndAtALimit(t *testing.T) {
	for name, p := range hostile(t) {
		for i, l := range []proof.Limits{{Nodes: 1000}, {Steps: 10000}, {}} {
			r, err := Program(p, l)
			var limit *proof.LimitError
			if !errors.As(err, &limit) || limit.Reason == "" || r != nil {
				t.Errorf("%s, %+v: %+v, %v, want an error with the limit", name, l, r, err)
			}
			if i >= gen.Many(2, 3) {
				continue // twice as much work
			}
			r, err = Merge([]Layer{{Name: "one", Program: p}, {Name: "two", Program: p}}, l)
			if !errors.As(err, &limit) || r != nil {
				t.Errorf("%s, %+v: merged: %+v, %v, want an error with the limit", name, l, r, err)
			}
		}
	}
}

// crowded programs are long, and there is an account of what they do.
func crowded(t testing.TB) map[string]*cbpf.Program {
	first := map[string]string{"numbers": "ld nr\n", "arguments": "ld arg1.lo\n", "both halves": "", "masks": "ld arg0.lo\n", "words": ""}
	out := map[string]*cbpf.Program{}
	for name, text := range first {
		r := gen.New(1)
		for i := 0; i < 1000; i++ {
			k := r.Uint32()
			switch name {
			case "numbers", "arguments":
				text += fmt.Sprintf("jeq #%d, jf l%d\nret ERRNO(%d)\nl%d:\n", k, i, i%40, i)
			case "both halves":
				text += fmt.Sprintf("ld arg2.hi\njge #%d, jf l%d\nld arg2.lo\nl%d: jeq #%d, jf m%d\nret ERRNO(%d)\nm%d:\n", k>>20, i, i, k, i, i%3, i)
				i += 1
			case "masks":
				text += fmt.Sprintf("jset #%d, jf l%d\nret ERRNO(%d)\nl%d:\n", 1<<(k%32)|1<<(k>>8%32), i, i%40, i)
				i += 10
			case "words":
				text += fmt.Sprintf("ld arg%d.lo\njeq #%d, jf l%d\nret ERRNO(%d)\nl%d:\n", i%6, k, i, i%40, i)
				i += 7
			}
		}
		out[name] = assemble(t, ".order little\n"+text+"ret ALLOW")
	}
	return out
}

func TestCrowdedProgramsEnd(t *testing.T) {
	most := map[string]int{"numbers": 1334, "arguments": 1454, "both halves": 0, "masks": 184, "words": 376} // 0 is a limit
	for name, p := range crowded(t) {
		n := 0
		if q := optimised(t, p, proof.Limits{}); q != nil {
			n = q.Len()
		}
		if n > most[name] || (n == 0) != (most[name] == 0) {
			t.Errorf("%s: %d instructions became %d, want %d at most", name, p.Len(), n, most[name])
		}
	}
}
