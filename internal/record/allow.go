package record

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// A Fix says how to change a profile so that it allows a call.
type Fix struct {
	// Remove are JSON pointers of names and numbers to remove from rules that deny the
	// call, and of rules to remove because they then have none left.
	Remove []string
	// ABIs are the architectures to add, and Rules the rules to add at the end.
	ABIs  []arch.ABI
	Rules []policy.Rule
	// Row is the row of archMap to whose subArchitectures ABIs go, nil if they go to
	// architectures.
	Row *Row
	// Policy is the profile after all these changes.
	Policy *policy.Policy
}

// OCI returns the rules to add as values of runtime-spec's type.
func (f *Fix) OCI() []specs.LinuxSyscall {
	s, err := oci.Spec(&policy.Policy{Rules: f.Rules})
	if err != nil {
		panic("record: BUG: " + err.Error()) // recordings have names
	}
	return s.Syscalls
}

// errForeign is why a profile gets no fix.
var errForeign = errors.New("record: fixes are known for OCI, Docker and Podman profiles only (allow the call by hand, as the language says it)")

// Allow returns the narrowest change that makes a profile allow a call: if the profile
// tests arguments of the call, the new rule does so, too. The error says why no change
// can do it.
func Allow(p *policy.Policy, o policy.Options, d *cbpf.Data) (*Fix, error) {
	if lint.Foreign(p) {
		return nil, errForeign
	}
	fix := new(Fix)
	for {
		r, err := New(Options{Base: p, Reading: o, single: true})
		if err != nil {
			return nil, err
		}
		r.Add(d)
		decider := r.Base().Decide(d).Pointer
		res, err := r.Profile()
		switch {
		case err != nil && decider == "":
			return nil, err
		case err != nil: // a rule for the same arguments contradicts
		case len(res.Unnamed) > 0:
			return nil, fmt.Errorf("record: no profile can name %s: the tables have no such call", numberText(d))
		case len(res.Denied) == 0:
			fix.ABIs, fix.Rules, fix.Policy = res.ABIs, res.Added, res.Policy
			if len(fix.ABIs) > 0 {
				fix.Row = rowOf(p)
			}
			if err := fix.Row.refuse(fix.ABIs); err != nil {
				return nil, err
			}
			return fix, nil
		case len(res.ABIs) > 0: // it decides once the profile is for the ABI
			decider = deciding(res.Policy, o, d)
		}
		var pointer string
		if p, pointer, err = without(p, decider, r.Calls()[0].Name(), d.NR); err != nil {
			return nil, fmt.Errorf("record: %s: %w", numberText(d), err)
		}
		fix.Remove = append(fix.Remove, pointer)
	}
}

// deciding returns the JSON pointer of the rule that decides a call, "" if none does.
func deciding(p *policy.Policy, o policy.Options, d *cbpf.Data) string {
	r, _, err := policy.Resolve(p, Reading(p, o))
	if err != nil {
		return ""
	}
	return r.Decide(d).Pointer
}

// without returns the profile without a call, by name or else by number, in the rule at a
// JSON pointer, and the pointer of what is gone: the name or number, or the rule if it
// was the last.
func without(p *policy.Policy, pointer, name string, nr uint32) (*policy.Policy, string, error) {
	clone := *p
	clone.Rules = slices.Clone(p.Rules)
	for i := range clone.Rules {
		clone.Rules[i].Pointer = pointerOf(p, i) // before they move
	}
	for i := range clone.Rules {
		rule := &clone.Rules[i]
		j, k := slices.Index(rule.Names, name), slices.Index(rule.Numbers, nr)
		switch {
		case rule.Pointer != pointer || j < 0 && k < 0:
			continue
		case len(rule.Names)+len(rule.Numbers) == 1:
			clone.Rules = slices.Delete(clone.Rules, i, i+1)
			return &clone, pointer, nil
		case j >= 0:
			rule.Names = slices.Delete(slices.Clone(rule.Names), j, j+1)
			return &clone, pointer + "/names/" + strconv.Itoa(j), nil
		}
		rule.Numbers = slices.Delete(slices.Clone(rule.Numbers), k, k+1)
		return &clone, pointer + "/numbers/" + strconv.Itoa(k), nil
	}
	return nil, "", fmt.Errorf("denied by %s, which does not name it", pointer)
}

// pointerOf returns the JSON pointer of a rule.
func pointerOf(p *policy.Policy, i int) string {
	if pointer := p.Rules[i].Pointer; pointer != "" {
		return pointer
	}
	return p.Pointer + "/syscalls/" + strconv.Itoa(i)
}

func numberText(d *cbpf.Data) string {
	abi, ok := arch.ByAudit(d.Arch, d.NR)
	if !ok {
		return fmt.Sprintf("number %d of AUDIT_ARCH %#x", d.NR, d.Arch)
	}
	return fmt.Sprintf("number %d of %s", int32(d.NR), abi)
}
