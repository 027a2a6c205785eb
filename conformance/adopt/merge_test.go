package adopt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// docker returns the profile that a node has by default.
func docker(t *testing.T) *specs.LinuxSeccomp {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := oci.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profile(t *testing.T, text string) *specs.LinuxSeccomp {
	t.Helper()
	s := new(specs.LinuxSeccomp)
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// meaning returns what a profile means, whatever its type lets it forget.
func meaning(t *testing.T, s *specs.LinuxSeccomp) proof.Subject {
	t.Helper()
	source, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	return proof.Policy(source.Meaning)
}

// What a merged profile allows, each of its sources does, except for numbers of no call.
func TestMergeOnlyTightens(t *testing.T) {
	node := docker(t)
	files, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d profiles, %v", len(files), err)
	}
	merged, exact := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pulled := profile(t, string(text))
		if pulled.DefaultAction == "" {
			continue // a whole config.json
		}
		together, err := MergeSeccomp(pulled, node, nil)
		if err != nil {
			if errors.As(err, new(*algebra.Refusal)) {
				t.Errorf("%s: %v", filepath.Base(file), err)
			}
			continue // for machines that this one's filters are not for
		}
		merged++
		if combine(t, node, pulled).Refusal == nil {
			exact++
		}
		for _, source := range []*specs.LinuxSeccomp{node, pulled} {
			changes, err := proof.Diff(meaning(t, source), meaning(t, together), proof.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				call := c.Witness.Call
				abi, _ := arch.ByAudit(call.Arch, call.NR)
				if name, named := syscalltables.ByNumber(abi, call.NR); named && c.To.Compare(c.From) > 0 {
					t.Errorf("%s: %v: %+v", filepath.Base(file), name, c)
				}
			}
		}
	}
	text, err := os.ReadFile("../../docs/ADOPT.md")
	if err != nil {
		t.Fatal(err)
	}
	if said := fmt.Sprintf("exactly with %d of the %d", exact, merged); !bytes.Contains(text, []byte(said)) {
		t.Errorf("docs/ADOPT.md does not say %q", said)
	}
}

// combine intersects two profiles without accepting anything.
func combine(t *testing.T, a, b *specs.LinuxSeccomp) *algebra.Result {
	t.Helper()
	var sources []algebra.Source
	for _, s := range []*specs.LinuxSeccomp{a, b} {
		source, err := read(s)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	result, err := algebra.Combine(algebra.Intersect, algebra.Options{}, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// Without a source nothing is restricted, and one source alone stays as it is.
func TestMergeOfOne(t *testing.T) {
	if got, err := MergeSeccomp(nil, nil, nil); got != nil || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	node := docker(t)
	for _, got := range []func() (*specs.LinuxSeccomp, error){
		func() (*specs.LinuxSeccomp, error) { return MergeSeccomp(nil, node, nil) },
		func() (*specs.LinuxSeccomp, error) { return MergeSeccomp(node, node, node) },
	} {
		together, err := got()
		if err != nil {
			t.Fatal(err)
		}
		same, err := proof.Equal(meaning(t, node), meaning(t, together), proof.Limits{})
		if err != nil || same.Verdict != proof.Same {
			t.Errorf("%+v, %v", same, err)
		}
	}
}

// What is not a profile is refused, with its place.
func TestMergeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"defaultAction": "SCMP_ACT_X"}`: "/defaultAction: ",
		`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_KILL", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}`: "/syscalls/0/args/0",
	} {
		if got, err := MergeSeccomp(profile(t, text), docker(t), nil); got != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// A profile that is weaker than the baseline is found, with a call.
func TestNoWeaker(t *testing.T) {
	node := docker(t)
	for text, want := range map[string]bool{
		`{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}`: true,
		`{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["read", "kexec_load"], "action": "SCMP_ACT_ALLOW"}]}`:          false,
	} {
		ok, witness, err := NoWeaker(profile(t, text), node)
		if ok != want || err != nil || (witness == nil) != want {
			t.Errorf("%s: %v, %v, %v", text, ok, witness, err)
		}
		if !want && witness != nil && witness.A.Compare(witness.B) <= 0 {
			t.Errorf("%s: %v shows nothing", text, witness)
		}
	}
}
