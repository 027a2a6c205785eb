// Package convert turns a policy into another language, and proves that the result means
// the same. Start with [Convert].
package convert

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Language is one that policies can be converted to.
type Language interface {
	language.Language
	// Write returns the text of a policy, which was resolved from another one. The error,
	// [policy.Errors], has the place and the reason of each rule that has no words. A text
	// that does not mean what the policy does is found here.
	Write(*policy.Policy, *policy.Resolved) ([]byte, error)
}

// What a result may treat in another way than the policy.
const (
	// OtherABIs are calls through ABIs that the policy is not for.
	OtherABIs = "other-abis"
	// UnknownNumbers are numbers that no rule names and no call has.
	UnknownNumbers = "unknown-numbers"
	// UnnamedCalls are calls that no rule names, as far as both deny them.
	UnnamedCalls = "unnamed-calls"
)

// Exceptions returns what a result may treat in another way, if asked to.
func Exceptions() []string { return []string{OtherABIs, UnknownNumbers, UnnamedCalls} }

// A Request is a policy to convert.
type Request struct {
	Policy   *policy.Policy
	Resolved *policy.Resolved // from Policy
	To       Language
	Name     string // of To, for messages
	// Comment, of one line or several, is put in front of the first comment of the text, in the
	// same way.
	Comment string
	// ButFor lists what the result may treat in another way.
	ButFor []string
}

// A Result is a policy in another language.
type Result struct {
	Text []byte
	// Changes are what the text treats in another way, of what the request lets it.
	Changes []proof.Change
}

// Convert writes a policy in another language, reads the text, and proves that it means the
// same for every call. The error is [policy.Errors], with the places of rules in the policy
// that was read, if the language has no words for it; the text is empty then.
func Convert(q *Request) (*Result, error) {
	text, err := q.To.Write(q.Policy, q.Resolved)
	if err != nil {
		return nil, err
	}
	text = commented(text, q.Comment)
	abis := q.Resolved.ABIs()
	reading, err := reader(q.To, abis).Read(language.NewSource(text), policy.Target{ABI: mainOf(abis)})
	if err != nil {
		return nil, q.refused(err)
	}
	if errs := q.unsaid(reading.Policy); errs != nil {
		return nil, errs
	}
	if own := reading.Policy; len(own.ABIs) > 0 {
		abis = own.ABIs // of which the tool makes filters, though the policy may be for fewer
	}
	got, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: abis})
	if err != nil {
		return nil, q.refused(err)
	}
	return q.prove(text, got)
}

// commented puts lines in front of the first comment, whatever it starts with.
func commented(text []byte, comment string) []byte {
	for _, sign := range []string{"# ", "// "} {
		i := bytes.Index(append([]byte("\n"), text...), []byte("\n"+sign))
		if comment != "" && i >= 0 {
			return slices.Insert(text, i, []byte(sign+strings.ReplaceAll(comment, "\n", "\n"+sign)+"\n")...)
		}
	}
	return text
}

// reader returns what reads a text for some ABIs, if these are not in the text.
func reader(l Language, abis []arch.ABI) language.Language {
	if k, ok := l.(kafel.Language); ok && len(k.Targets) == 0 {
		k.Targets = abis
		return k
	}
	return l
}

// mainOf returns the ABI of the machine that a filter for some ABIs runs on.
func mainOf(abis []arch.ABI) arch.ABI {
	if i := slices.IndexFunc(abis, func(a arch.ABI) bool { return a.Main() == a }); i >= 0 {
		return abis[i]
	}
	return abis[0]
}

// refused says that the reader of the result refuses it.
func (q *Request) refused(err error) policy.Errors {
	return policy.Errors{{Kind: policy.Invalid, Reason: q.Name + " refuses the policy: " + strings.ReplaceAll(err.Error(), "\n", "; ")}}
}

// unsaid returns errors for what is not about calls and got lost.
func (q *Request) unsaid(got *policy.Policy) (errs policy.Errors) {
	was := q.Policy
	lost := func(key, what string) {
		errs = append(errs, &policy.Error{Kind: policy.Invalid, Pointer: was.Pointer + key, Reason: q.Name + " cannot say " + what + " (convert a policy without)"})
	}
	if !slices.Equal(was.Flags, got.Flags) || (was.Flags == nil) != (got.Flags == nil) {
		lost("/flags", "which flags the filter has")
	}
	if was.ListenerPath != got.ListenerPath || was.ListenerMetadata != got.ListenerMetadata {
		lost("/listenerPath", "where the listener is")
	}
	return errs
}

// prove compares what was read with the policy.
func (q *Request) prove(text []byte, got *policy.Resolved) (*Result, error) {
	c := comparison{Request: q, got: got}
	want, have, spared := proof.Policy(q.Resolved), proof.Policy(got), proof.Policy(c.spared(q.ButFor))
	result, err := proof.Equal(proof.Stack(want, spared), proof.Stack(have, spared), proof.Limits{})
	switch {
	case err != nil:
		return nil, err
	case result.Verdict == proof.Unknown:
		return nil, policy.Errors{{Kind: policy.Invalid, Reason: "the result is not proved equal: " + result.Reason}}
	case result.Verdict == proof.Different:
		return nil, c.differences(result.Witness)
	}
	r := &Result{Text: text}
	if len(q.ButFor) > 0 {
		if r.Changes, err = proof.Diff(want, have, proof.Limits{}); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// A comparison is one of a policy and what was read.
type comparison struct {
	*Request
	got *policy.Resolved
}

// spared returns a policy that kills for what a result may treat in another way, and
// allows the rest: on top of both, it makes them equal there.
func (q *comparison) spared(butFor []string) *policy.Resolved {
	all := &policy.Resolved{Default: cbpf.Allow, BadArch: cbpf.Allow}
	if slices.Contains(butFor, OtherABIs) {
		all.BadArch = cbpf.KillProcess
	}
	for i := range q.Resolved.Spaces {
		s := &q.Resolved.Spaces[i]
		space := policy.Space{Audit: s.Audit, ABIs: s.ABIs}
		cuts := []uint32{0, arch.X32Bit, 1 << 31, 1<<31 + arch.X32Bit, skip}
		for _, a := range s.ABIs[0].Family() {
			for nr := range syscalltables.All(a) {
				cuts = append(cuts, nr, nr+1)
			}
		}
		for _, c := range s.Calls {
			cuts = append(cuts, c.NR, c.NR+1)
		}
		for _, x := range s.Ranges {
			cuts = append(cuts, x.First, x.Last+1)
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		for i, first := range cuts {
			last := uint32(skip)
			if i+1 < len(cuts) {
				last = cuts[i+1] - 1
			}
			if class := q.class(s.Audit, first); class != "" && slices.Contains(butFor, class) {
				space.Ranges = append(space.Ranges, policy.Range{First: first, Last: last, Action: cbpf.KillProcess, Reason: policy.ByDefault})
			}
		}
		all.Spaces = append(all.Spaces, space)
	}
	return all
}

const skip = 1<<32 - 1 // -1, which a tracer sets to skip a call

// class returns what a number is of that a result may treat in another way, "" if nothing.
func (q *comparison) class(audit, nr uint32) string {
	i := slices.IndexFunc(q.Resolved.Spaces, func(s policy.Space) bool { return s.Audit == audit })
	if i < 0 {
		return OtherABIs
	}
	abi, ok := arch.ByAudit(audit, nr)
	_, named := syscalltables.ByNumber(abi, nr)
	switch {
	case q.Resolved.Clauses(audit, nr) != nil:
		return ""
	case nr == skip:
		return UnknownNumbers
	case ok && !slices.Contains(q.Resolved.Spaces[i].ABIs, abi), q.Resolved.Decide(&cbpf.Data{Arch: audit, NR: nr}).Reason == policy.ByBadArch:
		return OtherABIs
	case !named:
		return UnknownNumbers
	case q.denies(q.Resolved, audit, nr) && q.denies(q.got, audit, nr):
		return UnnamedCalls
	}
	return ""
}

// denies reports whether a policy denies a call whatever its arguments are.
func (q *comparison) denies(r *policy.Resolved, audit, nr uint32) bool {
	clauses := r.Clauses(audit, nr)
	return (clauses == nil || len(clauses[0].Conds) == 0) && !r.Decide(&cbpf.Data{Arch: audit, NR: nr}).Action.Permits(cbpf.WithSupervisor)
}

// differences returns errors about what the result would treat in another way: each rule's
// calls, and what may be spared once. The witness is of one of them.
func (q *comparison) differences(witness *proof.Witness) policy.Errors {
	want, have := proof.Policy(q.Resolved), proof.Policy(q.got)
	diff := func(butFor ...string) []proof.Change {
		spared := proof.Policy(q.spared(butFor))
		changes, err := proof.Diff(proof.Stack(want, spared), proof.Stack(have, spared), proof.Limits{})
		if err != nil { // too many: the one that is known
			changes = []proof.Change{{From: witness.A, To: witness.B, Witness: *witness}}
		}
		return changes
	}
	var errs policy.Errors
	changes := diff(Exceptions()...)
	for i := range changes {
		if errs = append(errs, q.difference(&changes[i])); len(errs) == maxDifferences {
			return errs
		}
	}
	for _, class := range Exceptions() {
		if slices.Contains(q.ButFor, class) {
			continue
		}
		changes := diff(slices.DeleteFunc(Exceptions(), func(s string) bool { return s == class })...)
		i := slices.IndexFunc(changes, func(c proof.Change) bool { return q.class(c.Witness.Call.Arch, c.Witness.Call.NR) == class })
		if i >= 0 {
			errs = append(errs, q.difference(&changes[i]))
		}
	}
	return errs
}

// maxDifferences is how many differences are listed.
const maxDifferences = 20

// difference returns the error about one difference.
func (q *comparison) difference(c *proof.Change) *policy.Error {
	call := &c.Witness.Call
	class := q.class(call.Arch, call.NR)
	what, cure := policy.Names().Syscall(call.Arch, call.NR), ""
	abi, ok := arch.ByAudit(call.Arch, call.NR)
	if ok && len(q.Resolved.ABIs()) > 1 {
		what += " on " + abi.String()
	}
	switch class {
	case OtherABIs:
		through := "other ABIs"
		if ok && slices.ContainsFunc(q.Resolved.Spaces, func(s policy.Space) bool { return s.Audit == call.Arch }) {
			through = abi.String() // x32, which some policies have among x86_64's numbers
		}
		what, cure = "calls through "+through+": they get", " (--but-for "+class+" lets these differ)"
	case UnknownNumbers:
		what, cure = "numbers of no call, as "+policy.Interval{First: call.NR, Last: call.NR}.String()+": they get", " (--but-for "+class+" lets these differ)"
	case UnnamedCalls:
		what, cure = "calls that no rule names, as "+what+": they get", " (--but-for "+class+" lets these differ where both deny them)"
	default:
		what += ": it gets"
		cure = when(c)
	}
	return &policy.Error{Kind: policy.Invalid, Pointer: q.Resolved.Decide(call).Pointer,
		Reason: fmt.Sprintf("%s %v, and %v in %s%s", what, c.From, c.To, q.Name, cure)}
}

// when says for which arguments a difference is.
func when(c *proof.Change) string {
	if len(c.When) == 0 || len(c.When[0]) == 0 {
		return ""
	}
	var texts []string
	for _, w := range c.When[0] {
		texts = append(texts, fmt.Sprintf("a%d %s", w.Arg, w.Values.String()))
	}
	return ", if " + strings.Join(texts, " && ")
}
