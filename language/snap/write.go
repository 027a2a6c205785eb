package snap

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Write returns a policy for a snapd that runs on the ABI of a resolved policy. It means what r
// does as far as lines about calls can say that: the error, [policy.Errors], has the place and
// the reason of each rule that has no words. What a policy means for numbers that are not
// calls, and for other ABIs than r's, of which snapd makes filters for some, cannot be chosen:
// compare the two with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	abis := r.ABIs()
	w := &writer{resolved: r}
	w.abi = abis[0].Main()
	if !slices.Contains(abis, w.abi) {
		w.abi = abis[0]
	}
	w.abis, w.calls = abisOf(w.abi), w.release(l.Calls)
	for _, a := range abis {
		if !slices.Contains(w.abis, a) {
			w.unsaid(listing.Fails("", "%v: snapd makes no filter for it on %v (leave it out: -a)", a, w.abi))
		}
	}
	if r.Default == cbpf.Allow && w.unrestricted() {
		return []byte("# No filter.\n@unrestricted\n"), nil
	}
	w.text.WriteString("# For snapd on " + w.abi.String() + ".\n")
	switch r.Default {
	case cbpf.Errno(eperm):
	case cbpf.Log:
		w.text.WriteString("@complain\n")
	default:
		w.unsaid(listing.Fails("", "calls get %v by default: in policies of snaps they fail with EPERM, or are logged (convert to another language)", r.Default))
		return nil, w.problems
	}
	named, errs := listing.Named(r, true)
	w.problems = append(w.problems, errs...)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		w.call(name, named[name])
	}
	if len(w.problems) > 0 {
		return nil, listing.Grouped(w.problems)
	}
	return []byte(w.text.String()), nil
}

// A writer writes the lines of a policy.
type writer struct {
	reader   // for what snapd and its libseccomp know
	resolved *policy.Resolved
	text     strings.Builder
}

func (w *writer) unsaid(err *policy.Error) { w.problems = append(w.problems, err) }

// call writes lines for a call. What they deny they allow as well: what no line allows gets
// the error of the default action.
func (w *writer) call(name string, calls []listing.Call) {
	standard := w.resolved.Default
	known, _ := syscalltables.Lookup(name)
	denied := cbpf.Errno(eacces)
	always := true // allowed or denied
	var reached []listing.Call
	for _, c := range calls {
		action, decided := c.Always()
		byDefault := decided && action == standard || c.Denies(standard)
		for _, clause := range c.Clauses {
			always = always && (clause.Action == cbpf.Allow || clause.Action == denied)
			if a := clause.Action; a != cbpf.Allow && a != denied && a != standard && !byDefault {
				w.unsaid(listing.Fails(cmp.Or(clause.Pointer, c.Pointer()), "%s: policies of snaps have no %v: they allow calls or fail them with EACCES (convert to another language)", name, a))
				return
			}
		}
		switch {
		case !w.tooNew(known, c.ABI):
			reached = append(reached, c)
		case !byDefault:
			w.unsaid(c.Fails("newer than the libseccomp of snap-seccomp, which knows the calls of Linux %v (give the setting calls)", w.calls))
		}
	}
	if len(reached) == 0 || reached[0].Denies(standard) {
		return
	}
	if always {
		standard = cbpf.Allow
	}
	rules, err := listing.Unordered(reached, standard, "a line of a policy of snaps")
	if err != nil {
		w.unsaid(err)
		return
	}
	var allows []string
	if always {
		allows = []string{name}
	}
	for i := range rules {
		words, problem := wordsOf(name, rules[i].Args)
		if problem != "" {
			w.unsaid(listing.Fails(rules[i].Pointer, "%s: %s", name, problem))
			return
		}
		if rules[i].Action == denied {
			w.text.WriteString("~" + name + words + "\n")
		}
		if !always {
			allows = append(allows, name+words)
		}
	}
	for _, line := range allows {
		w.text.WriteString(line + "\n")
	}
}

// unrestricted reports whether no rule does anything.
func (w *writer) unrestricted() bool {
	return !slices.ContainsFunc(w.resolved.Spaces, func(s policy.Space) bool { return len(s.Calls) > 0 })
}

// wordsOf returns the words for conditions, each with a blank in front.
func wordsOf(call string, args []policy.Arg) (words, problem string) {
	var list [6]string
	last := -1
	for _, a := range args {
		word, problem := condition(call, a)
		if problem != "" {
			return "", problem
		}
		list[a.Index] = word
		last = max(last, int(a.Index))
	}
	for _, word := range list[:last+1] {
		if word == "" {
			word = "-"
		}
		words += " " + word
	}
	return words, ""
}

// condition returns the word for a condition, and why there is none.
func condition(call string, a policy.Arg) (word, problem string) {
	if a.Value > lowHalf || a.Op == policy.MaskedEqual && a.ValueTwo > lowHalf {
		return "", "a value of more than 32 bits, which policies of snaps cannot say"
	}
	value := strconv.FormatUint(a.Value, 10)
	datum := strconv.FormatUint(a.ValueTwo, 10)
	narrow := isNarrow(call)
	switch {
	case narrow && a.Op == policy.MaskedEqual && a.Value == lowHalf:
		return datum, ""
	case narrow:
		return "", "snap-seccomp compares only 32 bits of its arguments, for equality"
	case a.Op == policy.MaskedEqual && a.Value == a.ValueTwo:
		return "|" + value, ""
	case a.Op == policy.MaskedEqual:
		return value + "|" + datum, ""
	}
	return map[policy.Op]string{
		policy.NotEqual: "!", policy.Less: "<", policy.LessEqual: "<=", policy.Greater: ">", policy.GreaterEqual: ">=",
	}[a.Op] + value, ""
}
