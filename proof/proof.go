// Package proof decides whether two seccomp filters, or a filter and a policy,
// mean the same: not on samples but for every call, all 2^512 values of struct
// seccomp_data. The answer is yes, or a call on which they differ.
//
// [Equal] answers that, and [Walk] does for compiled programs in a fraction of the time.
// [Check] also examines how a compiled program does what it should, and [Certify] writes
// the result down. [Diff] lists the calls that two subjects decide differently, [Explain]
// what one does with every call.
//
// It shares nothing with the compiler. For all questions but Walk, programs are executed
// symbolically and policies are translated from their definition; both become sets of
// calls, one for each action, as reduced ordered binary decision diagrams over the bits of
// seccomp_data. Those are canonical, so equal meaning is equal numbers.
package proof

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Limits bound the work of one question. A field that is zero means the default.
// When a limit is hit the answer is [Unknown].
type Limits struct {
	// Nodes is how many diagram nodes may exist, some 50 bytes each; default 1<<20.
	// Docker's default profile for three ABIs takes 40,000.
	Nodes int
	// Steps is how many operations on pairs of nodes may be made, the measure of
	// time: some ten million a second; default 1<<24.
	Steps int
	// States is how many sets of register values are told apart at one
	// instruction before they are merged; default 16. It is a matter of speed and
	// never makes an answer Unknown.
	States int
	// Actions is how many different words a RET A may return before they are no
	// longer listed one by one, which [Equal] does not need; default 256.
	Actions int
	// Rows is how many runs of numbers, or of argument values, a table may have;
	// default 1<<14.
	Rows int
}

func (l Limits) orDefault() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Nodes, 1<<20)
	set(&l.Steps, 1<<24)
	set(&l.States, 16)
	set(&l.Actions, 256)
	set(&l.Rows, 1<<14)
	l.Nodes = min(l.Nodes, 1<<30) // references have 31 bits for the node
	return l
}

// A Verdict answers a question. The zero Verdict is not an answer.
type Verdict uint8

// The answers.
const (
	Unknown   Verdict = iota // not proved: a limit was hit
	Same                     // proved for every call
	Different                // there is a witness
)

// String returns "unknown", "same" or "different".
func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Same:
		return "same"
	case Different:
		return "different"
	}
	return fmt.Sprintf("Verdict(%d)", uint8(v))
}

// A Result is the answer to one question.
type Result struct {
	Verdict Verdict
	Witness *Witness // if Different
	Reason  string   // if Unknown: the limit that was hit
	// Nodes and Steps are what the question used of its [Limits]. [Walk] has other steps
	// and no nodes.
	Nodes, Steps int
}

// A Witness is a call that two subjects treat differently, confirmed by running
// both on it.
type Witness struct {
	Call cbpf.Data
	A, B cbpf.Action // what the first and the second subject do
}

// String returns the call, in numbers, with both actions.
func (w *Witness) String() string {
	who := fmt.Sprintf("arch 0x%08x", w.Call.Arch)
	if a, ok := arch.ByAudit(w.Call.Arch, w.Call.NR); ok {
		who = a.String()
	}
	a := &w.Call.Args
	s := fmt.Sprintf("%s call %d (0x%x, 0x%x, 0x%x, 0x%x, 0x%x, 0x%x)", who, w.Call.NR, a[0], a[1], a[2], a[3], a[4], a[5])
	if w.Call.IP != 0 {
		s += fmt.Sprintf(" at ip 0x%x", w.Call.IP)
	}
	return fmt.Sprintf("%s: %v against %v", s, w.A, w.B)
}

// Equal answers whether a and b decide every call alike, down to the data bits
// of the action. The error is that of a [Policy] that is not valid; or the proof
// contradicts running the subjects, which is a defect of this package.
func Equal(a, b Subject, l Limits) (Result, error) {
	if err := errors.Join(validate(a), validate(b)); err != nil {
		return Result{}, err
	}
	var g groups
	a.groups(&g)
	b.groups(&g)
	u := newUniverse(newOrder(g), l.orDefault())
	return u.compare(a, b, a.lift(u), b.lift(u))
}

// compare answers whether two lifted subjects are equal.
func (u *universe) compare(a, b Subject, oa, ob *outcome) (Result, error) {
	diff := u.differ(oa, ob)
	r := Result{Nodes: len(u.nodes), Steps: u.steps}
	switch {
	case u.over != "":
		r.Reason = u.reason()
		return r, nil
	case diff == none:
		r.Verdict = Same
		return r, nil
	}
	w, err := u.witness(diff, a, b)
	if err != nil {
		return r, err
	}
	r.Verdict, r.Witness = Different, w
	return r, nil
}

func (u *universe) reason() string {
	switch u.over {
	case "Nodes":
		return fmt.Sprintf("more than %d diagram nodes (Limits.Nodes)", u.limits.Nodes)
	case "Steps":
		return fmt.Sprintf("more than %d steps (Limits.Steps)", u.limits.Steps)
	case "Actions":
		return fmt.Sprintf("a computed return has more than %d values (Limits.Actions)", u.limits.Actions)
	default:
		return fmt.Sprintf("more than %d rows (Limits.Rows)", u.limits.Rows)
	}
}

// witness picks a call of diff, on a known ABI if there is one, and runs both
// subjects on it.
func (u *universe) witness(diff set, a, b Subject) (*Witness, error) {
	w := &Witness{Call: u.pick(u.onKnownABI(diff))}
	w.A, w.B = a.Eval(&w.Call), b.Eval(&w.Call)
	if w.A == w.B {
		return nil, fmt.Errorf("proof: BUG: the proof says that the subjects differ, but running them gives: %v", w)
	}
	return w, nil
}

func (u *universe) onKnownABI(s set) set {
	for a := range arch.All() {
		if t := u.and(s, u.wordIs(wordArch, a.Audit())); t != none && u.over == "" {
			return t
		}
	}
	return s
}

// pick returns the smallest call of a set that is not empty.
func (u *universe) pick(s set) cbpf.Data {
	var w [words]uint32
	for s > all {
		level := u.level(s)
		lo, hi := u.at(s, level)
		if s = lo; lo == none {
			s = hi
			b := u.bits[level]
			w[b.word] |= 1 << b.index
		}
	}
	d := cbpf.Data{Arch: w[wordArch], NR: w[wordNR], IP: uint64(w[wordIP])<<32 | uint64(w[wordIP+1])}
	for i := range d.Args {
		d.Args[i] = uint64(w[wordArgs+2*i])<<32 | uint64(w[wordArgs+2*i+1])
	}
	return d
}
