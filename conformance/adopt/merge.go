package adopt

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// MergeSeccomp intersects a profile that was pulled from a registry with the node's baseline
// and the base profile of the Pod. nil restricts nothing.
func MergeSeccomp(pulled, baseline, base *specs.LinuxSeccomp) (*specs.LinuxSeccomp, error) {
	var sources []algebra.Source
	for _, s := range []*specs.LinuxSeccomp{baseline, base, pulled} {
		if s == nil {
			continue
		}
		source, err := read(s)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	if sources == nil {
		return nil, nil
	}
	result, err := algebra.Combine(algebra.Intersect, algebra.Options{Accept: algebra.ExceptUnassigned | algebra.ExceptData}, sources...)
	if err != nil {
		return nil, err
	}
	if result.Refusal != nil {
		return nil, result.Refusal // which has the nearest profile that is stricter
	}
	return oci.Spec(result.Profile)
}

// read returns a profile as runc reads it on this machine.
func read(s *specs.LinuxSeccomp) (algebra.Source, error) {
	p, err := oci.FromSpec(s)
	if err != nil {
		return algebra.Source{}, err
	}
	meaning, _, err := policy.Resolve(p, policy.Options{})
	return algebra.Source{Policy: p, Meaning: meaning}, err
}

// NoWeaker reports whether a profile denies all that the baseline denies. If it does not, the
// witness is a call that shows it.
func NoWeaker(profile, baseline *specs.LinuxSeccomp) (bool, *proof.Witness, error) {
	a, err := read(profile)
	if err != nil {
		return false, nil, err
	}
	b, err := read(baseline)
	if err != nil {
		return false, nil, err
	}
	return algebra.NoWeaker(proof.Policy(a.Meaning), proof.Policy(b.Meaning), proof.Limits{})
}
