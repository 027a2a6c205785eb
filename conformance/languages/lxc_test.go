package languages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/lxc"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// readLXC compiles a policy for all the ABIs that it is for. The error is why the reader or
// the resolver refuses it.
func readLXC(t *testing.T, version int, text []byte, o compiler.Options) (b built, err error) {
	t.Helper()
	if b.reading, err = (lxc.Language{Version: version}).Read(language.NewSource(text), policy.Target{ABI: arch.X86_64}); err != nil {
		return b, err
	}
	if b.resolved, _, err = policy.Resolve(b.reading.Policy, policy.Options{}); err != nil {
		return b, err
	}
	if b.program, _, err = compiler.Compile(b.resolved, o); err != nil {
		t.Errorf("%q: %v", text, err)
	}
	return b, err
}

// Each policy of the corpus means what liblxc makes of it, and those that it refuses are
// refused.
func TestLXC(t *testing.T) {
	dir := corpus(t, "lxc")
	var files []struct {
		Policy  string
		Results map[string]struct {
			outcome
			SHA256   string
			Messages []string
		}
	}
	load(t, filepath.Join(dir, "results.json"), &files)
	rows := []row{{set: "lxc/libseccomp-2.5.4"}, {set: "lxc/libseccomp-2.6.1"}}
	executions := make([]int, 2) // theirs, ours
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Policy))
		if err != nil {
			t.Fatal(err)
		}
		// The corpus has one build of liblxc, against libseccomp 2.5.4, whose headers decide
		// which headings it knows.
		b, refusal := readLXC(t, 5, text, compiler.Options{})
		for i := range rows {
			o := f.Results[strings.TrimPrefix(rows[i].set, "lxc/")]
			o.Error = strings.Join(o.Messages, "; ")
			v := o.verdict(t, dir)
			rows[i].settle(t, filepath.Base(f.Policy), b, refusal, v, proveCompiled(t))
			if v.program != nil && refusal == nil {
				executions[0] += executed(v.program)
				executions[1] += executed(b.program)
			}
		}
		if nesting, ok := f.Results["libseccomp-2.6.1.nesting"]; ok && nesting.SHA256 != f.Results["libseccomp-2.6.1"].SHA256 {
			t.Errorf("%s: allow_nesting makes another filter", f.Policy)
		}
	}
	table(t, rows)
	t.Logf("executed, each call of x86_64 once: theirs %d, ours %d", executions[0], executions[1])
	if executions[1] > executions[0] {
		t.Error("ours are slower")
	}
}

// proveCompiled proves filters equal to their policies, which is all that can be said where
// the bytes are held back.
func proveCompiled(t *testing.T) func(built) {
	return func(b built) {
		answer, err := proof.Equal(proof.Policy(b.resolved), proof.Program(b.program), proof.Limits{})
		if err != nil || answer.Verdict != proof.Same {
			t.Error(answer.Verdict, answer.Witness, err)
		}
	}
}
