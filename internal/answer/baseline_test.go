package answer

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// onX86 is the target of profiles for x86_64 and its other ABIs.
func onX86() *intake.Target { return &intake.Target{ABIs: []string{"x86_64", "x86", "x32"}} }

// profilesOf reads all profiles of testdata that are for a target.
func profilesOf(t *testing.T, target *intake.Target) (list []*Side) {
	t.Helper()
	paths, err := filepath.Glob("../../testdata/profiles/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := NewSide(target, intake.New(path, filepath.Base(path), data)); err == nil {
			list = append(list, s)
		}
	}
	if len(list) < 10 {
		t.Fatalf("%d profiles", len(list))
	}
	if testing.Short() {
		return list[:len(list)/3]
	}
	return list
}

// Of all pairs of profiles, a profile is weaker than a baseline if calls that are tried one by
// one are weaker.
func TestBaselineMissesNothing(t *testing.T) {
	c := &comparer{Target: onX86()}
	abis, err := intake.ParseABIs(c.ABIs)
	if err != nil {
		t.Fatal(err)
	}
	sides := profilesOf(t, c.Target)
	for _, s := range sides { // what beyond compares
		o := s.Options
		o.ENOSYS.Off = true
		r, _, err := policy.Resolve(s.Policy, o)
		if err != nil {
			t.Fatal(err)
		}
		s.Resolved = r
	}
	weaker := func(a, b *Side) string {
		for _, abi := range abis {
			for nr := range syscalltables.All(abi) {
				for _, v := range []uint64{0, 1, 40, 1 << 32} {
					d := cbpf.Data{Arch: abi.Audit(), NR: nr, Args: [6]uint64{v, v, v, v, v, v}}
					if b.Resolved.Eval(&d).Compare(a.Resolved.Eval(&d)) > 0 {
						return intake.Describe(&d, 0, false)
					}
				}
			}
		}
		return ""
	}
	found := 0
	for i, a := range sides {
		base := intake.New(a.Name, a.Name, nil)
		for _, b := range sides[:i] {
			list, openings, err := c.compare(b.Policy, a.Policy, base, base, arch.X86_64)
			if err != nil || len(list) > 0 {
				t.Fatalf("%v, %v", list, err)
			}
			if call := weaker(a, b); call != "" && len(openings) == 0 {
				t.Errorf("%s is weaker than %s at %s", b.Name, a.Name, call)
			}
			found += len(openings)
		}
	}
	if found == 0 {
		t.Error("no profile is weaker than another")
	}
}

// What is too large for the proof is not passed.
func TestBaselineBeyondTheLimits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	large := func(name string) *intake.Input {
		type condition struct {
			Index    int    `json:"index"`
			Op       string `json:"op"`
			Value    uint64 `json:"value"`
			ValueTwo uint64 `json:"valueTwo"`
		}
		type entry struct {
			Names  []string    `json:"names"`
			Action string      `json:"action"`
			Args   []condition `json:"args"`
		}
		p := struct {
			DefaultAction string  `json:"defaultAction"`
			Syscalls      []entry `json:"syscalls"`
		}{DefaultAction: "SCMP_ACT_ERRNO"}
		for range 100 {
			e := entry{Names: []string{"ioctl"}, Action: "SCMP_ACT_ALLOW"}
			for _, i := range random.Perm(6)[:3] {
				mask := random.Uint64()
				e.Args = append(e.Args, condition{i, "SCMP_CMP_MASKED_EQ", mask, mask & random.Uint64()})
			}
			p.Syscalls = append(p.Syscalls, e)
		}
		text, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return intake.New(name, name, text)
	}
	p, err := Check(onX86(), large("profile.json"), CheckOptions{For: lint.KEP6061.String(), Baselines: []*intake.Input{large("base.json")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Report.Findings {
		if f.ID == "baseline" && f.Severity == lint.Error && strings.HasPrefix(f.Reason, "it is not proved that the profile is at least as strict as base.json: ") {
			return
		}
	}
	t.Errorf("%+v", p.Report.Findings)
}
