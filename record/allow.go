package record

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Fix is how to change a profile so that it allows a call.
type Fix struct {
	// Remove are JSON pointers of names that have to be taken out of rules that deny
	// the call, and of rules that then have none left.
	Remove []string
	// ABIs are to be added to the architectures, Rules to the rules, at the end.
	ABIs  []arch.ABI
	Rules []policy.Rule
	// Policy is the profile with all that done.
	Policy *policy.Policy
}

// OCI returns the rules to be added as values of runtime-spec's type.
func (f *Fix) OCI() []specs.LinuxSyscall {
	return (&policy.Policy{Rules: f.Rules}).OCI().Syscalls
}

// Allow returns the tightest change that makes a profile allow a call: where the
// profile tests arguments of the call, the rule does, too. The error says why no
// change does.
func Allow(p *policy.Policy, o policy.Options, d *cbpf.Data) (*Fix, error) {
	fix := new(Fix)
	o.ABIs = nil
	for {
		r, err := New(Options{Base: p, Reading: o})
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
			return fix, nil
		case len(res.ABIs) > 0: // it decides once the profile is for the ABI
			decider = deciding(res.Policy, o, d)
		}
		var pointer string
		if p, pointer, err = without(p, decider, r.Calls()[0].Name()); err != nil {
			return nil, fmt.Errorf("record: %s: %w", numberText(d), err)
		}
		fix.Remove = append(fix.Remove, pointer)
	}
}

// deciding returns the JSON pointer of the rule that decides a call, "" if none does.
func deciding(p *policy.Policy, o policy.Options, d *cbpf.Data) string {
	r, _, err := policy.Resolve(p, o)
	if err != nil {
		return ""
	}
	return r.Decide(d).Pointer
}

// without returns the profile without a name in the rule at a JSON pointer, and the
// pointer of what is gone: the name, or the rule if it was the last.
func without(p *policy.Policy, pointer, name string) (*policy.Policy, string, error) {
	clone := *p
	clone.Rules = slices.Clone(p.Rules)
	for i := range clone.Rules {
		clone.Rules[i].Pointer = pointerOf(p, i) // before they move
	}
	for i := range clone.Rules {
		rule := &clone.Rules[i]
		j := slices.Index(rule.Names, name)
		if j < 0 || rule.Pointer != pointer {
			continue
		}
		if len(rule.Names) == 1 {
			clone.Rules = slices.Delete(clone.Rules, i, i+1)
			return &clone, pointer, nil
		}
		rule.Names = slices.Delete(slices.Clone(rule.Names), j, j+1)
		return &clone, pointer + "/names/" + strconv.Itoa(j), nil
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
