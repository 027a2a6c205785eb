package watch

import (
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/policy"
)

// Denied returns the filter that notifies of the calls that a policy does not let
// pass. The others run at full speed.
func Denied(r *policy.Resolved) (*cbpf.Program, error) {
	ask := func(a *cbpf.Action) {
		if class := a.Class(); class != cbpf.Allow && class != cbpf.Log {
			*a = cbpf.Notify
		}
	}
	asking := *r
	ask(&asking.Default)
	ask(&asking.BadArch)
	asking.Spaces = slices.Clone(r.Spaces)
	for i := range asking.Spaces {
		s := &asking.Spaces[i]
		ask(&s.ENOSYS)
		s.Calls = slices.Clone(s.Calls)
		for j := range s.Calls {
			c := &s.Calls[j]
			c.Clauses = slices.Clone(c.Clauses)
			for k := range c.Clauses {
				ask(&c.Clauses[k].Action)
			}
		}
	}
	result, err := compiler.Compile(&asking, compiler.Options{})
	if err != nil {
		return nil, err
	}
	return result.Program, nil
}
