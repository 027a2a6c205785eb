package intake

import (
	"cmp"
	"maps"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/policy"
)

// A Compiled is a profile after all stages, or as many as were asked for. Program and Result are
// nil if it was not compiled.
type Compiled struct {
	Policy   *policy.Policy
	Options  policy.Options
	Resolved *policy.Resolved
	Program  *cbpf.Program
	Warnings []policy.Warning
	Result   *proved.Result
	// frequencies are those that the profile states.
	frequencies []stats.Weight
}

// Meaning reads and resolves an input.
func (t *Target) Meaning(in *Input) (*Compiled, error) {
	lang, place, err1 := t.Place(in)
	options, err2 := t.Options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	reading, err := in.Read(lang, place)
	if err != nil {
		return nil, err
	}
	p := reading.Policy
	passes := func(p *policy.Policy) bool { return p.Elsewhere != cbpf.KillThread }
	if t.BadArch != "" && options.BadArch == cbpf.KillThread && (passes(p) || slices.ContainsFunc(p.Older, passes)) {
		return nil, failure.Usagef("--bad-arch %s: %s says itself what calls through other ABIs get", t.BadArch, in.Name).Hintf("kill-process overrides it")
	}
	resolved, more, err := policy.Resolve(p, options)
	if err != nil {
		return nil, in.No(err)
	}
	c := &Compiled{Policy: p, Options: options, Resolved: resolved, Warnings: append(reading.Warnings, more...)}
	for _, call := range slices.Sorted(maps.Keys(reading.Frequencies)) {
		c.frequencies = append(c.frequencies, stats.Weight{Call: call, Weight: float64(reading.Frequencies[call])})
	}
	return c, nil
}

// Compile reads, resolves and compiles an input.
func (t *Target) Compile(in *Input) (*Compiled, error) {
	tuning, err := t.Tuning()
	if err != nil {
		return nil, err
	}
	c, err := t.Meaning(in)
	if err != nil {
		return nil, err
	}
	if t.Host.Accept != nil {
		if err := t.Host.Accept(c.Resolved); err != nil {
			return nil, err
		}
	}
	if t.Weights == (Weights{}) && len(c.frequencies) > 0 {
		tuning.Weights = stats.Frequencies(c.frequencies)
	}
	if c.Result, err = proved.Compile(c.Resolved, tuning); err != nil {
		return nil, in.No(err)
	}
	c.Program, c.Warnings = c.Result.Program, append(c.Warnings, c.Result.Warnings...)
	return c, nil
}
