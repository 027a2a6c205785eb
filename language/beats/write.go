package beats

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

// Write returns a policy for the one ABI of a resolved policy. It means what r does as far as
// go-seccomp-bpf can say that: the error, [policy.Errors], has the place and the reason of each
// rule that has no words. What a policy means for numbers that are not calls, for other ABIs,
// and for calls behind one whose conditions fail, cannot be chosen: compare the two with package
// proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	if abis := r.ABIs(); len(abis) > 1 || !slices.Contains(known(), abis[0]) {
		return nil, policy.Errors{listing.Fails("", "the policy is for %s: go-seccomp-bpf has policies for one of x86_64, x86, arm and aarch64 (name one with -a)", listing.Names(abis))}
	}
	w := &writer{Language: l, standard: r.Default, width: ^uint64(0) >> (64 - r.ABIs()[0].Bits())}
	if wordOf(r.Default) == "" {
		w.fail(listing.Fails("", "calls get %v by default, for which go-seccomp-bpf has no word (convert to another language)", r.Default))
	}
	named, errs := listing.Named(r, false)
	w.errs = append(w.errs, errs...)
	for _, name := range slices.Sorted(maps.Keys(named)) {
		w.call(&named[name][0])
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(w.text(r.ABIs()[0])), nil
}

// known returns the ABIs that go-seccomp-bpf has calls of.
func known() []arch.ABI { return []arch.ABI{arch.X86_64, arch.X86, arch.ARM, arch.AArch64} }

// A writer makes the groups of a policy.
type writer struct {
	Language
	standard cbpf.Action
	width    uint64 // the mask of an argument
	groups   []group
	errs     policy.Errors
}

// A group is calls with one action. Those with the same step are tried together.
type group struct {
	step   int // 0 for calls without conditions
	action cbpf.Action
	names  []string
	tests  []string // calls with conditions
}

func (w *writer) fail(err *policy.Error) { w.errs = append(w.errs, err) }

// call adds a call to the groups that its clauses belong to.
func (w *writer) call(c *listing.Call) {
	clauses := c.Clauses
	if n := len(clauses); clauses[n-1].Action == w.standard {
		clauses = clauses[:n-1]
	}
	if c.Denies(w.standard) && len(clauses) > 0 && wordOf(clauses[0].Action) == "" {
		return // in another way
	}
	step := 0
	for i := range clauses {
		clause := &clauses[i]
		again := i > 0 && clause.Action != clauses[i-1].Action
		place := cmp.Or(clause.Pointer, c.Pointer())
		switch {
		case wordOf(clause.Action) == "":
			w.fail(listing.Fails(place, "%s: go-seccomp-bpf has no word for %v: its errors are EPERM, and its other actions have no data (convert to another language)", c.Name, clause.Action))
			return
		case again && !w.AsWritten:
			w.fail(listing.Fails(place, "%s: %v where conditions fail: go-seccomp-bpf does not look for a call again then (convert to another language)", c.Name, clause.Action))
			return
		}
		if again || i == 0 && (len(clauses) > 1 || len(clause.Conds) > 0) {
			step++
		}
		w.add(step, c.Name, clause)
	}
}

func (w *writer) add(step int, name string, clause *policy.Clause) {
	i := slices.IndexFunc(w.groups, func(g group) bool { return g.step == step && g.action == clause.Action })
	if i < 0 {
		i = len(w.groups)
		w.groups = append(w.groups, group{step: step, action: clause.Action})
	}
	g := &w.groups[i]
	if len(clause.Conds) == 0 {
		g.names = append(g.names, name)
		return
	}
	for _, list := range w.lists(clause.Conds) {
		g.tests = append(g.tests, "        - name: "+name+"\n          arguments:\n"+list)
	}
}

// lists returns lists of conditions, of which one holds where all conditions of a clause do.
func (w *writer) lists(conds []policy.Cond) (lists []string) {
	lists = []string{""}
	for _, c := range conds {
		var next []string
		for _, before := range lists {
			for _, more := range w.alternatives(c) {
				next = append(next, before+more)
			}
		}
		lists = next
	}
	return lists
}

// alternatives returns conditions of which one holds where another does.
func (w *writer) alternatives(c policy.Cond) (any []string) {
	text := func(op string, v uint64) string {
		value := strconv.FormatUint(v, 10)
		if v > 9 {
			value = "0x" + strconv.FormatUint(v, 16)
		}
		return fmt.Sprintf("            - argument: %d\n              operation: %s\n              value: %s\n", c.Arg, op, value)
	}
	masked := func(c policy.Cond) (all string) {
		if zeros := c.Mask &^ c.Value; zeros != 0 || c.Mask == 0 {
			all = text("BitsNotSet", zeros)
		}
		for rest := c.Value; rest != 0; rest &= rest - 1 {
			all += text("BitsSet", rest&-rest)
		}
		return all
	}
	switch {
	case c.Op == policy.MaskedEqual || c.Op == policy.Equal && c.Mask != w.width:
		return []string{masked(c)}
	case c.Op == policy.MaskedNotEqual || c.Op == policy.NotEqual && c.Mask != w.width:
		if ones := c.Mask &^ c.Value; ones != 0 {
			any = append(any, text("BitsSet", ones))
		}
		for rest := c.Value; rest != 0; rest &= rest - 1 {
			any = append(any, text("BitsNotSet", rest&-rest))
		}
		return any
	case c.Mask != w.width:
		for _, prefix := range listing.Prefixes(c) {
			any = append(any, masked(prefix))
		}
		return any
	}
	for _, o := range operations() {
		if o.op == c.Op {
			return []string{text(o.name, c.Value)}
		}
	}
	return nil
}

// wordOf returns the word for an action, "" if there is none.
func wordOf(a cbpf.Action) string {
	return map[cbpf.Action]string{
		cbpf.KillThread: "kill_thread", cbpf.KillProcess: "kill_process", cbpf.Trap: "trap", cbpf.Errno(1): "errno",
		cbpf.Trace(0): "trace", cbpf.Log: "log", cbpf.Allow: "allow",
	}[a]
}

// text returns the policy. A group is needed, even if no call is in it.
func (w *writer) text(a arch.ABI) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# For %v.\nseccomp:\n  default_action: %s\n  syscalls:\n", a, wordOf(w.standard))
	slices.SortStableFunc(w.groups, func(x, y group) int { return cmp.Or(cmp.Compare(x.step, y.step), -x.action.Compare(y.action)) })
	if w.groups == nil {
		b.WriteString("    - action: " + wordOf(w.standard) + "\n      names: []\n")
	}
	for _, g := range w.groups {
		b.WriteString("    - action: " + wordOf(g.action) + "\n")
		if g.names != nil {
			b.WriteString("      names:\n        - " + strings.Join(g.names, "\n        - ") + "\n")
		}
		if g.tests != nil {
			b.WriteString("      names_with_args:\n" + strings.Join(g.tests, ""))
		}
	}
	return b.String()
}
