// Package algebra combines profiles: exactly, on what they mean, and proves what it writes.
//
// [Combine] intersects profiles, which gives each call the strictest of its actions, as
// filters that are loaded together do; or unites them, which gives each call the most
// permissive one. [NoWeaker] compares two. What the result means is always exact, a
// [policy.Resolved]. OCI profiles cannot say everything: one is written where it was proved
// to mean the same, or to differ only as the caller accepts. Otherwise a [Refusal] says why,
// and has the nearest profile. docs/ALGEBRA.md has examples.
package algebra

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// An Op says which of the actions that sources give a call it gets.
type Op uint8

// The ways to combine.
const (
	Intersect Op = iota // the strictest one, by [cbpf.Action.Compare]
	Union               // the most permissive one
)

// A Relation is a set of calls that a profile may treat differently. The zero Relation is
// that of profiles that mean exactly the same.
type Relation uint8

// The differences.
const (
	// ExceptForeign are those numbers from 2^30 on that no ABI of the result has, and no
	// call: x32's calls are not among them, whether x32 is an ABI of the result or not.
	ExceptForeign Relation = 1 << 0
	// ExceptUnassigned are numbers that no call of the result's kernels has, as far as the
	// tables of package syscalltables know. They include those of ExceptForeign.
	ExceptUnassigned Relation = 1<<1 | ExceptForeign
	// ExceptData are calls that get an action of the same class with other data, such as
	// another error number.
	ExceptData Relation = 1 << 2
)

// String returns the names of the differences, as "unassigned,data", and "exact" where there
// is none.
func (r Relation) String() string {
	var names []string
	switch {
	case r&ExceptUnassigned == ExceptUnassigned:
		names = append(names, "unassigned")
	case r&ExceptForeign != 0:
		names = append(names, "foreign")
	}
	if r&ExceptData != 0 {
		names = append(names, "data")
	}
	if rest := r &^ (ExceptUnassigned | ExceptData); rest != 0 {
		names = append(names, fmt.Sprintf("%#x", uint8(rest)))
	}
	if names == nil {
		return "exact"
	}
	return strings.Join(names, ",")
}

// A Source is a profile to combine.
type Source struct {
	// Policy is the profile as written. The result keeps its rules where they will do, and
	// takes flags and listener from it. nil says nothing about these.
	Policy *policy.Policy
	// Meaning is what the profile means, however it was resolved: for any ABIs, in any
	// mode, as any runtime reads it. It may be one made by hand, and must be valid.
	Meaning *policy.Resolved
}

// Options say how to combine. The zero value is the safe choice: exact, or refused.
type Options struct {
	// KernelData takes, of actions of one class, the last source's data, as the kernel takes
	// that of the newest filter: an intersection is then equal to the stack of the sources'
	// filters. Otherwise an order of data decides, so that intersections and unions obey the
	// laws of a lattice: of error numbers ENOSYS is the strictest, then the smaller number.
	KernelData bool
	// Accept is what the profile may treat differently.
	Accept Relation
	// MaxRules is how many rules one call may take; zero means 128.
	MaxRules int
	// Limits are those of each proof. Where they do not suffice, there is a Refusal for [Limit].
	Limits proof.Limits
	// Reading says how the written profile will be read. Its ABIs do not count: the
	// profile says its own.
	Reading policy.Options
}

// A Result is what sources are together.
type Result struct {
	// Meaning is what they mean together, always exactly: compile it for one filter. It is
	// for the ABIs of all sources, but for those whose calls all get its BadArch.
	Meaning *policy.Resolved
	// Profile is an OCI profile that was proved to mean the same as Meaning, but for
	// Except. It is nil if there is a Refusal. Do not change it: it may share memory with
	// the sources.
	Profile *policy.Policy
	// Except is how the profile differs from Meaning, as little as possible.
	Except Relation
	// Stack are, for an intersection, sources whose filters do the same if they are loaded
	// in this order, though without KernelData the data may differ. It is nil for a union.
	Stack []Source
	// Refusal says why no profile means that; nil if one does.
	Refusal *Refusal
}

// Combine returns what one source or more are together, with the profile that says so if
// there is one. A source whose meaning lacks an ABI of another one gives all its calls its
// BadArch.
//
// The error is about the sources: there is none, one is not valid, their byte orders differ,
// or no filter could hold them together; or about options that do not exist.
func Combine(op Op, o Options, sources ...Source) (*Result, error) {
	switch {
	case len(sources) == 0:
		return nil, errors.New("algebra: no source (give one profile at least)")
	case op > Union:
		return nil, fmt.Errorf("algebra: operation %d is unknown (use Intersect or Union)", op)
	case o.Accept&^(ExceptUnassigned|ExceptData) != 0:
		return nil, fmt.Errorf("algebra: accept %v: unknown relation (use those that package algebra declares)", o.Accept)
	case o.MaxRules < 0:
		return nil, fmt.Errorf("algebra: %d rules for a call (use a positive number, or 0 for the default)", o.MaxRules)
	case o.MaxRules == 0:
		o.MaxRules = 128
	}
	for i := range sources {
		if err := sources[i].Meaning.Validate(); err != nil {
			return nil, fmt.Errorf("algebra: source %d: %w", i, err)
		}
	}
	meaning, err := together(op, o.KernelData, sources)
	if err != nil {
		return nil, err
	}
	r := &Result{Meaning: meaning}
	if op == Intersect {
		r.Stack = slices.Clone(sources)
	}
	w := newWriter(op, o, sources, meaning)
	r.Profile, r.Except, r.Refusal = w.write()
	return r, nil
}

// NoWeaker answers whether a gives every call an action that is at least as strict as b's, by
// class ([cbpf.Action.Compare], of [cbpf.Action.Effective]). If it does not, the witness is a
// call to which a gives a weaker one. The error is a [*proof.LimitError], or that of a
// subject that is not valid.
func NoWeaker(a, b proof.Subject, l proof.Limits) (bool, *proof.Witness, error) {
	changes, err := proof.Diff(a, b, l)
	if err != nil {
		return false, nil, err
	}
	if i := slices.IndexFunc(changes, weakerFrom); i >= 0 {
		return false, &changes[i].Witness, nil
	}
	return true, nil, nil
}

// weakerFrom reports whether the first subject's action is weaker than the second's.
func weakerFrom(c proof.Change) bool { return weaker(c.From, c.To) }

// weaker reports whether the kernel would take action b if filters returned a and b.
func weaker(a, b cbpf.Action) bool { return a.Effective().Compare(b.Effective()) > 0 }
