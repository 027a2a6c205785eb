package languages

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A snapResult is what snap-seccomp did with a policy.
type snapResult struct {
	Src, Status, Bin2, Error string
	Unrestricted             int
	Allow                    int `json:"allow_instructions"`
	Deny                     int `json:"deny_instructions"`
}

// What snap-seccomp made of each policy means what this project reads in it: each of the two
// filters by itself, and our one program what both do together. Where its filters are not
// given, ours are compiled and proved to mean the policy, as always.
func TestSnap(t *testing.T) {
	dir := corpus(t, "snap")
	l := snap.Language{Users: "daemon:1", Groups: "daemon:1,shadow:42"} // of the machine on which it ran
	var rows []row
	steps := &executedBy{}
	for _, machine := range []struct {
		name string
		abi  arch.ABI
	}{{"amd64", arch.X86_64}, {"arm64", arch.AArch64}} {
		var results []snapResult
		load(t, filepath.Join(dir, "results."+machine.name+".json"), &results)
		for _, set := range []string{"template", "interfaces", "withtemplate", "hand"} {
			r := row{set: "snap " + machine.name + " " + set}
			for i := range results {
				if strings.HasPrefix(results[i].Src, set+"/") {
					r.judgeSnap(t, l, dir, machine.abi, &results[i], steps)
				}
			}
			if r.files == 0 {
				t.Errorf("%s: no policies", r.set)
			}
			rows = append(rows, r)
		}
	}
	table(t, rows)
	t.Logf("executed for every call of x86_64 once, all arguments 0, in %d policies: theirs %d, ours %d", steps.policies, steps.theirs, steps.ours)
	if steps.policies == 0 || steps.ours > steps.theirs {
		t.Error("ours execute more instructions")
	}
}

// An executedBy counts executed instructions of policies whose filters are given.
type executedBy struct{ policies, theirs, ours int }

// judgeSnap compares one policy's filters with those of snap-seccomp.
func (r *row) judgeSnap(t *testing.T, l snap.Language, dir string, a arch.ABI, x *snapResult, steps *executedBy) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, x.Src))
	if errors.Is(err, fs.ErrNotExist) && x.Status != "ok" {
		return // a line of one blank, which the corpus has not: language/snap tests it
	}
	if err != nil {
		t.Fatal(err)
	}
	r.files++
	reading, err := l.Read(language.NewSource(text), policy.Target{ABI: a})
	switch {
	case err != nil && x.Status != "ok":
		r.refused++
		return
	case err != nil || x.Status != "ok":
		r.unlike++
		t.Errorf("%s: %s: ours: %v, theirs: %s %s", r.set, x.Src, err, x.Status, x.Error)
		return
	}
	program := compile(t, reading.Policy)
	if x.Unrestricted == 0 {
		r.theirs += x.Allow + x.Deny
		r.ours += program.Len()
	}
	data, err := os.ReadFile(filepath.Join(dir, x.Bin2))
	if errors.Is(err, fs.ErrNotExist) {
		r.held++
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := snap.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	same := f.Unrestricted == (program.Len() == 1)
	if !f.Unrestricted {
		theirs := proof.Stack(proof.Program(f.Deny), proof.Program(f.Allow))
		if a == arch.AArch64 && x.Src == "hand/18-arg-mask-eq-num.src" {
			same = stricter(t, theirs, proof.Program(program))
		} else {
			parts := subjects(t, reading.Policy)
			same = prove(t, x.Src+": what is denied", parts[0], proof.Program(f.Deny)) && same
			same = prove(t, x.Src+": what is allowed", parts[1], proof.Program(f.Allow)) && same
			same = prove(t, x.Src+": both", proof.Program(program), theirs) && same
		}
		if a == arch.X86_64 {
			steps.policies++
			steps.theirs += executed(f.Deny) + executed(f.Allow)
			steps.ours += executed(program)
		}
	}
	if same {
		r.equal++
	} else {
		r.differ++
	}
}

// stricter checks a difference that is known: theirs denies what a line of the policy
// allows, on one ABI, and is weaker nowhere. It returns false, so that it counts as one.
func stricter(t *testing.T, theirs, ours proof.Subject) bool {
	t.Helper()
	changes, err := proof.Diff(theirs, ours, proof.Limits{})
	if err != nil || len(changes) == 0 {
		t.Errorf("expected the difference that is known, got %v, %v", changes, err)
	}
	for _, c := range changes {
		if c.From != cbpf.Errno(1) || c.To != cbpf.Allow || !c.Audits.Has(arch.AArch64.Audit()) {
			t.Errorf("another difference: %+v", c)
		}
	}
	return false
}
