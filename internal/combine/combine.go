// Package combine makes one profile or filter of several: what all allow, or what any allows. What
// it writes is read back and proved.
package combine

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/emit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// The words that say whose data counts where several actions are equally strict.
const (
	DataChain  = "chain"  // in a fixed order
	DataKernel = "kernel" // that of the last source
)

// A Request says what to combine, and how. Its fields are the flags of intersect and union, in
// their words; the zero request intersects and has their defaults.
type Request struct {
	Op       algebra.Op     // intersect or union
	Target   *intake.Target // how the sources are read, and how the result will be
	Accept   []string       // in what the profile may differ: foreign, unassigned, data
	Nearest  bool           // if no profile says it exactly, the nearest will do
	Data     string         // chain or kernel; "": chain
	MaxRules int            // for one call; 0: as many as algebra allows
	Limits   proof.Limits   // of the proofs
	Sources  []Source       // what Add has read
}

// A Source is one of what is combined.
type Source struct {
	*answer.Side
	in *intake.Input
}

// Relations lists what a profile may treat differently.
func Relations() []algebra.Relation {
	return []algebra.Relation{algebra.ExceptForeign, algebra.ExceptUnassigned, algebra.ExceptData}
}

// Options returns how to combine, and finds mistakes in the request.
func (r *Request) Options() (algebra.Options, error) {
	o := algebra.Options{MaxRules: r.MaxRules, Limits: r.Limits}
	if r.MaxRules < 0 {
		return o, failure.Usagef("--max-rules: expected a number from 1 on, got %d", r.MaxRules)
	}
	for _, word := range r.Accept {
		i := slices.IndexFunc(Relations(), func(r algebra.Relation) bool { return r.String() == word })
		if i < 0 {
			var known []string
			for _, r := range Relations() {
				known = append(known, r.String())
			}
			return o, failure.Usagef("--accept: unknown word %q (known: %s)", word, strings.Join(known, ", ")).HintNearest(word, known, "")
		}
		o.Accept |= Relations()[i]
	}
	switch r.Data {
	case "", DataChain:
	case DataKernel:
		o.KernelData = true
	default:
		return o, failure.Usagef("--data: unknown word %q (known: %s, %s)", r.Data, DataChain, DataKernel)
	}
	var err error
	o.Reading, err = r.Target.Options()
	o.Reading.StrictestWins, o.Reading.Exact = false, false // the profiles may need them, and the result does not
	if r.Target.Runtime() != "" && o.Reading.ENOSYS == (policy.ENOSYS{}) {
		o.Reading.ENOSYS.Off = true // the runtimes other than runc have no such bound
	}
	return o, err
}

// Add reads the next source. The side is there even if the error says that it does not go with
// the others.
func (r *Request) Add(in *intake.Input) (*answer.Side, error) {
	s, err := answer.NewSide(r.Target.Of(len(r.Sources)), in)
	if err != nil {
		return nil, err
	}
	r.Sources = append(r.Sources, Source{s, in})
	return s, answer.SameOrder(r.Sources[0].Side, s)
}

// Name names the sources together.
func (r *Request) Name() string {
	var names []string
	for _, s := range r.Sources {
		names = append(names, s.Name)
	}
	return strings.Join(names, " + ")
}

// FirstFilter returns the first source that is a filter, nil if all are profiles.
func (r *Request) FirstFilter() *intake.Input {
	i := slices.IndexFunc(r.Sources, func(s Source) bool { return s.Resolved == nil })
	if i < 0 {
		return nil
	}
	return r.Sources[i].in
}

// Merge returns the filter that does what filters, and perhaps profiles, do together.
func (r *Request) Merge() (*optimize.Result, error) {
	filter := r.FirstFilter()
	switch {
	case filter != nil && r.Op == algebra.Union:
		return nil, failure.Usagef("union: expected profiles, but %s is %s", filter.Name, filter.Kind).Hintf("give the profile that it was made from")
	case filter != nil && r.Data == DataChain:
		return nil, failure.Usagef("--data chain: %s is %s, and with filters the data is that of the kernel", filter.Name, filter.Kind).Hintf("leave it out")
	}
	var layers []optimize.Layer
	for _, s := range r.Sources {
		f := optimize.Layer{Name: s.Name, Policy: s.Resolved}
		if f.Policy == nil {
			f.Program = s.Program
		}
		layers = append(layers, f)
	}
	result, err := optimize.Merge(layers, r.Limits)
	if err != nil {
		return nil, answer.Unlimited(err)
	}
	return result, nil
}

// A Combined is what profiles mean together.
type Combined struct {
	*algebra.Result
	request *Request
	reading policy.Options // of the profile that is written
}

// Combine finds what the sources, all of them profiles, mean together.
func (r *Request) Combine() (*Combined, error) {
	o, err := r.Options()
	if err != nil {
		return nil, err
	}
	if filter := r.FirstFilter(); filter != nil {
		if r.Op == algebra.Union {
			_, err := r.Merge()
			return nil, err
		}
		return nil, failure.Usagef("intersect: no profile can be made of %s: %s", filter.Kind, filter.Name).
			Hintf("-f raw makes one filter of filters and profiles (formats: %s)", strings.Join(emit.Formats(), ", "))
	}
	var list []algebra.Source
	for _, s := range r.Sources {
		list = append(list, algebra.Source{Policy: s.Policy, Meaning: s.Resolved})
	}
	result, err := algebra.Combine(r.Op, o, list...)
	if err != nil {
		return nil, r.no(err)
	}
	return &Combined{result, r, o.Reading}, nil
}

// Program returns the filter of what profiles mean together, and a policy that asks for its
// flags, nil if there is none.
func (c *Combined) Program() (*cbpf.Program, *policy.Policy, error) {
	p, err := proved.Compile(c.Meaning, compile.Options{})
	if err != nil {
		return nil, nil, c.request.no(err)
	}
	asks := c.Profile
	if c.Refusal != nil {
		asks = c.Refusal.Nearest // which asks for the same flags
	}
	return p.Program, asks, nil
}

// no reports that the sources together are not what was asked for.
func (r *Request) no(err error) *failure.Error {
	return &failure.Error{Status: failure.No, Err: &failure.InFile{Name: r.Name(), Err: err}}
}

// Noun says what the result is.
func (r *Request) Noun() string {
	if r.Op == algebra.Union {
		return "union"
	}
	return "intersection"
}
