package languages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// Each policy that libkafel compiles means the same here, and those that it refuses are
// refused. Comparisons between two arguments are the one thing that is not read.
func TestKafel(t *testing.T) {
	dir := corpus(t, "kafel")
	var files []struct {
		Policy  string
		Results map[string]outcome
	}
	load(t, filepath.Join(dir, "results.json"), &files)
	var rows []row
	for _, set := range []string{"x86_64", "x86", "arm", "aarch64", "riscv64", "x86_64+x86", "x86_64+aarch64+riscv64"} {
		var targets []arch.ABI
		for name := range strings.SplitSeq(set, "+") {
			a, err := arch.Parse(name)
			if err != nil {
				t.Fatal(err)
			}
			targets = append(targets, a)
		}
		r := row{set: "kafel/" + set, guard: shortArguments(t, targets)}
		beyond, steps, ourSteps := 0, 0, 0
		for _, f := range files {
			o, ok := f.Results[set]
			if !ok {
				t.Fatalf("%s: no result for %s", f.Policy, set)
			}
			b, err := buildKafel(t, dir, f.Policy, targets)
			if err != nil && o.Status == "ok" && strings.Contains(err.Error(), "arguments") {
				beyond++
				continue
			}
			v := o.verdict(t, dir)
			var again func(built)
			if v.program == nil && v.length > 0 {
				again = func(b built) { proveOwn(t, f.Policy, b) }
			}
			r.settle(t, f.Policy, b, err, v, again)
			if v.program != nil && b.program != nil {
				steps += executedOn(v.program, targets...)
				ourSteps += executedOn(b.program, targets...)
			}
		}
		t.Logf("%s: %d compare two arguments and are not read; executed instructions, theirs %d, ours %d", set, beyond, steps, ourSteps)
		if beyond > 17 {
			t.Errorf("%s: %d policies are not read", set, beyond)
		}
		if ourSteps > steps {
			t.Errorf("%s: ours execute more instructions", set)
		}
		rows = append(rows, r)
	}
	table(t, rows)
}

// shortArguments returns a filter that kills calls of 32-bit ABIs with arguments that have
// more bits. There are none: libkafel tests the upper halves, and we do not.
func shortArguments(t *testing.T, targets []arch.ABI) *cbpf.Program {
	t.Helper()
	var text strings.Builder
	text.WriteString(".order little\nld arch\n")
	for _, a := range targets {
		if a.Bits() == 32 {
			fmt.Fprintf(&text, "jeq #%#x jt short\n", a.Audit())
		}
	}
	text.WriteString("ret ALLOW\nshort: ld arg0.hi\njeq #0 jf kill\n")
	for i := 1; i < 6; i++ {
		fmt.Fprintf(&text, "ld arg%d.hi\njeq #0 jf kill\n", i)
	}
	text.WriteString("ret ALLOW\nkill: ret KILL_PROCESS\n")
	if !strings.Contains(text.String(), "jt short") {
		return nil
	}
	p, err := cbpf.Assemble([]byte(text.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func buildKafel(t *testing.T, dir, file string, targets []arch.ABI) (b built, err error) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	s := language.NewSource(data).In(os.DirFS(dir), file)
	l := kafel.Language{Targets: targets, Include: []string{"include"}}
	if b.reading, err = l.Read(s, policy.Target{}); err != nil {
		return b, err
	}
	b.resolved, _, err = policy.Resolve(b.reading.Policy, policy.Options{ABIs: targets})
	if err == nil {
		b.program, _, err = compiler.Compile(b.resolved, compiler.Options{})
	}
	if err != nil {
		t.Errorf("%s: %v", file, err)
	}
	return b, err
}

// proveOwn proves a filter whose counterpart is not given equal to its policy.
func proveOwn(t *testing.T, file string, b built) {
	t.Helper()
	answer, err := proof.Equal(proof.Policy(b.resolved), proof.Program(b.program), proof.Limits{})
	if err != nil || answer.Verdict != proof.Same {
		t.Errorf("%s: %v %+v %v", file, answer.Verdict, answer.Witness, err)
	}
}
