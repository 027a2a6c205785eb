package lxc

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Write returns a policy of version 2 for a host of the ABIs of a resolved policy, and this
// version of LXC. It means what r does as far as LXC can say that: the error,
// [policy.Errors], has the place and the reason of each rule that has no words. What a policy
// means for numbers that are not calls, and for other ABIs than r's, of which the host may have
// some, cannot be chosen: compare the two with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	release, err := l.release()
	if err != nil {
		return nil, err
	}
	w := &writer{reader: reader{release: release}, resolved: r}
	abis := r.ABIs()
	native := abis[0].Main()
	if !slices.Contains(abis, native) {
		native = abis[0]
	}
	w.host = w.hostOf(native)
	for _, a := range abis {
		if !slices.Contains(w.abis, a) {
			w.errs = append(w.errs, listing.Fails("", "%v: LXC makes no filter for it on a host of %v (leave it out: -a)", a, native))
		}
	}
	w.begin()
	named, errs := listing.Named(r, false)
	w.errs = append(w.errs, errs...)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		w.call(name, named[name])
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(w.text.String()), nil
}

// A writer writes the lines of a policy.
type writer struct {
	reader   // for what LXC and its libseccomp know
	resolved *policy.Resolved
	text     strings.Builder
	errs     policy.Errors
}

// begin writes what calls without a rule get.
func (w *writer) begin() {
	standard := w.resolved.Default
	word := words(standard)
	if word == "" {
		w.errs = append(w.errs, listing.Fails("", "calls get %v by default, for which LXC has no word (convert to another language)", standard))
		return
	}
	style := "allowlist " + word
	switch standard {
	case cbpf.Allow:
		style = "denylist"
	case cbpf.KillThread:
		style = "allowlist"
	}
	fmt.Fprintf(&w.text, "2\n%s\n# For LXC %d on %v.\n[all]\n", style, w.version, w.abis[0])
}

// words returns the words for an action, "" if there are none.
func words(a cbpf.Action) string {
	if a.Class() == cbpf.ErrnoClass && a.Data() < 4095 {
		return "errno " + strconv.Itoa(int(a.Data()))
	}
	return map[cbpf.Action]string{cbpf.KillThread: "kill", cbpf.Trap: "trap", cbpf.Notify: "notify", cbpf.Allow: "allow"}[a]
}

// call writes lines for a call.
func (w *writer) call(name string, calls []listing.Call) {
	standard := w.resolved.Default
	known, _ := syscalltables.Lookup(name)
	abis, hidden, _ := w.holds(known)
	var reached []listing.Call
	for _, c := range calls {
		action, always := c.Always()
		switch {
		case slices.Contains(abis, c.ABI):
			reached = append(reached, c)
		case always && action == standard, c.Denies(standard):
		case slices.Contains(hidden, c.ABI):
			w.errs = append(w.errs, c.Fails("LXC makes no rule for it on %v, where it is a part of socketcall or ipc (convert for other ABIs: -a, or to another language)", c.ABI))
		default:
			w.errs = append(w.errs, c.Fails("newer than the libseccomp of LXC %d on %v, which gives it %v (convert to another language)", w.version, c.ABI, standard))
		}
	}
	if len(reached) == 0 {
		return
	}
	rules, err := listing.Unordered(reached, standard, "a line of LXC")
	if err != nil {
		w.errs = append(w.errs, err)
		return
	}
	for i := range rules {
		word := words(rules[i].Action)
		switch {
		case word == "" && reached[0].Denies(standard):
		case word == "":
			w.errs = append(w.errs, listing.Fails(rules[i].Pointer, "%s: LXC has no word for %v (convert to another language)", name, rules[i].Action))
		case word == "allow" && len(rules[i].Args) == 0:
			w.text.WriteString(name + "\n")
		default:
			w.text.WriteString(name + " " + word + conditions(rules[i].Args) + "\n")
		}
	}
}

// conditions returns conditions, with the space in front of the first.
func conditions(args []policy.Arg) string {
	var b strings.Builder
	for i, a := range args {
		if i == 0 {
			b.WriteByte(' ')
		}
		if a.Op == policy.MaskedEqual {
			fmt.Fprintf(&b, "[%d,%s,%v,%s]", a.Index, number(a.ValueTwo), a.Op, number(a.Value))
		} else {
			fmt.Fprintf(&b, "[%d,%s,%v]", a.Index, number(a.Value), a.Op)
		}
	}
	return b.String()
}

func number(v uint64) string {
	if v < 10 {
		return strconv.FormatUint(v, 10)
	}
	return "0x" + strconv.FormatUint(v, 16)
}
