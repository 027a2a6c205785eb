// Package kafel reads and writes policies in Kafel, the language of nsjail and of libkafel.
// Start with a [Language].
package kafel

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A Language reads policies as libkafel compiles them. It implements [language.Language].
// The zero value reads for one ABI, and includes nothing, as libkafel does by default.
type Language struct {
	// Targets are the ABIs that the filter is for, of x86_64, x86, arm, aarch64 and riscv64:
	// what kafel_set_target_archs takes. Calls through others kill the thread. Empty means
	// the ABI of the [policy.Target].
	Targets []arch.ABI
	// Include are the directories in which files that a policy includes are looked for, in
	// this order, as kafel_add_include_search_path adds them. They are relative to the
	// directory of the policy, or with a slash in front to the root of its files.
	Include []string
}

// Read reads a policy for the target ABIs. Nothing of the target but its ABI counts. It
// refuses what libkafel refuses, and comparisons between two arguments, which a
// [policy.Policy] cannot say. The error is [policy.Errors]. Warnings are about text without
// effect.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{Language: l, targets: slices.Clone(l.Targets), constants: make(map[string]uint64), policies: make(map[string]*block)}
	if len(r.targets) == 0 {
		r.targets = []arch.ABI{t.ABI}
		if t.ABI == 0 {
			r.targets[0] = arch.Native()
		}
	}
	for _, a := range r.targets {
		if !slices.Contains(known[:], a) {
			return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: "target " + a.String() + ": the calls that kafel has on it are not known here (use x86_64, x86, arm, aarch64 or riscv64)"}}
		}
	}
	r.calls = readCalls(r.targets)
	r.files = []*file{newFile(s)}
	r.spend(s, "")
	r.top = s
	r.program()
	p := r.policy()
	warnings := r.allWarnings()
	if len(r.problems) > 0 {
		return language.Reading{Warnings: warnings}, r.problems
	}
	return language.Reading{Policy: p, Warnings: warnings}, nil
}

// policy makes the policy of what was read.
func (r *reader) policy() *policy.Policy {
	p := &policy.Policy{Order: policy.FirstMatch, ABIs: r.targets}
	p.Default, p.DefaultErrno = parts(r.fallback)
	if r.stopped {
		return p
	}
	for _, b := range append(slices.Clone(r.defined), &r.main) {
		for i := range b.statements {
			for j := range b.statements[i].filters {
				r.resolve(&b.statements[i].filters[j], b.statements[i].action)
			}
		}
	}
	p.Rules = r.paste(nil, &r.main)
	for _, b := range r.defined {
		if !b.used {
			r.warn(policy.Ignored, b.place, b.name+": nothing uses this policy, so it has no effect")
		}
	}
	return p
}

// paste appends the rules of a policy with those that it uses. Of a policy that is used
// twice, only the first use can decide.
func (r *reader) paste(rules []policy.Rule, b *block) []policy.Rule {
	b.used = true
	for i := range b.statements {
		s := &b.statements[i]
		if s.use != nil && !s.use.used {
			rules = r.paste(rules, s.use)
		}
		for j := range s.filters {
			rules = append(rules, s.filters[j].rules...)
		}
	}
	return rules
}

// parts splits an action into its class, which for TRAP has its data, and other data.
func parts(a cbpf.Action) (cbpf.Action, *uint) {
	if a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass {
		n := uint(a.Data())
		return a.Class(), &n
	}
	return a, nil
}
