package main

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// onX86 are flags to check profiles for x86_64 and its other ABIs.
func onX86() *checkFlags {
	return &checkFlags{
		targetFlags: targetFlags{Target: intake.Target{ABIs: []string{"x86_64", "x86", "x32"}}},
		patience:    patience{1}, consumer: lint.KEP6061.String(), start: true,
	}
}

// Of all pairs of profiles, a profile is weaker than a baseline if calls that are tried one by
// one are weaker.
func TestBaselineMissesNothing(t *testing.T) {
	c := onX86()
	var abis []arch.ABI
	for _, name := range c.ABIs {
		a, err := arch.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		abis = append(abis, a)
	}
	sides := sidesOf(t, strings.Join(c.ABIs, ","))
	for _, s := range sides { // what beyond compares
		o := s.Options
		o.ENOSYS.Off = true
		r, _, err := policy.Resolve(s.Policy, o)
		if err != nil {
			t.Fatal(err)
		}
		s.Resolved = r
	}
	weaker := func(a, b *side) string {
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
		base := intake.New(a.name, a.name, nil)
		for _, b := range sides[:i] {
			list, openings, err := c.compare(b.Policy, a.Policy, base, base, arch.X86_64)
			if err != nil || len(list) > 0 {
				t.Fatalf("%v, %v", list, err)
			}
			if call := weaker(a, b); call != "" && len(openings) == 0 {
				t.Errorf("%s is weaker than %s at %s", b.name, a.name, call)
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
	c := onX86()
	c.bases = []*intake.Input{large("base.json")}
	p, err := c.look(large("profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.report.Findings {
		if f.ID == "baseline" && f.Severity == lint.Error && strings.HasPrefix(f.Reason, "it is not proved that the profile is at least as strict as base.json: ") {
			return
		}
	}
	t.Errorf("%+v", p.report.Findings)
}
