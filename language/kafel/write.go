package kafel

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/listing"
	"github.com/seccompile/seccompile/policy"
)

// Write returns a policy for the ABIs of a resolved policy, which have to be the targets of
// whoever compiles it. It means what r does as far as Kafel can say that: the error,
// [policy.Errors], has the place and the reason of each rule that has no words. What a policy
// means for numbers that are not calls, and for other ABIs, cannot be chosen: compare the two
// with package proof.
func (l Language) Write(_ *policy.Policy, r *policy.Resolved) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	w := &writer{resolved: r, abis: r.ABIs(), on: make(map[line][]arch.ABI)}
	for _, a := range w.abis {
		if !slices.Contains(known[:], a) {
			w.errs = append(w.errs, listing.Fails("", "%v: the calls that kafel has on it are not known here (leave it out: -a)", a))
			continue
		}
		w.list(a)
	}
	if len(w.errs) > 0 {
		return nil, listing.Grouped(w.errs)
	}
	return []byte(w.text()), nil
}

// A writer writes the lines of a policy.
type writer struct {
	resolved *policy.Resolved
	abis     []arch.ABI
	plain    []line // without conditions, each once
	tests    []line // with conditions, or behind such, in the order in which they are tried
	on       map[line][]arch.ABI
	errs     policy.Errors
}

// A line is a call with its conditions, and what it gets.
type line struct {
	call   string // with the arguments that conditions name
	conds  string // "" if there are none
	action cbpf.Action
}

// list adds the calls of an ABI.
func (w *writer) list(a arch.ABI) {
	names := make(map[string]string) // kafel's, by Linux's
	for name, c := range readCalls([]arch.ABI{a})[a] {
		names[c.name] = name
	}
	calls, _ := listing.Calls(w.resolved, a, false) // the others are numbers
	for i := range calls {
		c := &calls[i]
		name, ok := names[c.Name]
		if !ok {
			name = numbered(c.NR)
		}
		w.call(a, name, c)
	}
	for _, c := range listing.Unnamed(w.resolved, a) {
		w.call(a, numbered(c.NR), &c)
	}
}

func numbered(nr uint32) string { return "SYSCALL[" + strconv.FormatUint(uint64(nr), 10) + "]" }

// call adds a call by the name that kafel has for it.
func (w *writer) call(a arch.ABI, name string, c *listing.Call) {
	clauses := c.Clauses
	if n := len(clauses); clauses[n-1].Action == w.resolved.Default {
		clauses = clauses[:n-1]
	}
	for i := range clauses {
		clause := &clauses[i]
		if word(clause.Action) == "" {
			w.errs = append(w.errs, listing.Fails(cmp.Or(clause.Pointer, c.Pointer()), "%s: kafel has no word for %v (convert to another language)", c.Name, clause.Action))
			return
		}
		args, conds := conditions(clause.Conds, a)
		x := line{name + args, conds, clause.Action}
		list := &w.tests
		if len(clauses) == 1 && x.conds == "" {
			list = &w.plain
		}
		if w.on[x] == nil {
			*list = append(*list, x)
		}
		w.on[x] = append(w.on[x], a)
	}
}

// word returns the word for an action, "" if there is none.
func word(a cbpf.Action) string {
	n := "(" + strconv.Itoa(int(a.Data())) + ")"
	switch a.Class() {
	case cbpf.KillThread:
		return "KILL"
	case cbpf.ErrnoClass:
		return "ERRNO" + n
	case cbpf.Trap:
		return "TRAP" + n
	case cbpf.TraceClass:
		return "TRACE" + n
	}
	return map[cbpf.Action]string{cbpf.KillProcess: "KILL_PROCESS", cbpf.Allow: "ALLOW", cbpf.Log: "LOG", cbpf.Notify: "USER_NOTIF"}[a]
}

// conditions returns the arguments that a call needs, and its conditions. The policy names the
// arguments itself: so all bits of them are compared.
func conditions(conds []policy.Cond, a arch.ABI) (args, all string) {
	if len(conds) == 0 {
		return "", ""
	}
	last := uint8(0)
	for _, c := range conds {
		last = max(last, c.Arg)
		all += " && " + test(c, ^uint64(0)>>(64-a.Bits()))
	}
	for i := range last + 1 {
		args += ", a" + strconv.Itoa(int(i))
	}
	return "(" + args[2:] + ")", " { " + all[4:] + " }"
}

// test returns a condition.
func test(c policy.Cond, width uint64) string {
	op := map[policy.Op]string{
		policy.Equal: "==", policy.NotEqual: "!=", policy.Less: "<", policy.LessEqual: "<=", policy.Greater: ">", policy.GreaterEqual: ">=",
		policy.MaskedEqual: "==", policy.MaskedNotEqual: "!=",
	}[c.Op]
	arg := "a" + strconv.Itoa(int(c.Arg))
	if c.Mask != width {
		arg = "(" + arg + " & " + hex(c.Mask) + ")"
	}
	return arg + " " + op + " " + hex(c.Value)
}

func hex(v uint64) string {
	if v < 10 {
		return strconv.FormatUint(v, 10)
	}
	return "0x" + strconv.FormatUint(v, 16)
}

// text returns the policy: calls without conditions by their actions, those that pass first.
func (w *writer) text() string {
	var b strings.Builder
	b.WriteString("// For " + listing.Names(w.abis) + ".\n")
	slices.SortStableFunc(w.plain, func(x, y line) int { return -x.action.Compare(y.action) })
	lines := append(w.plain, w.tests...)
	if len(lines) > 0 {
		b.WriteString("POLICY converted {\n")
		for i, x := range lines {
			switch {
			case i > 0 && lines[i-1].action == x.action:
				b.WriteString(",\n")
			case i > 0:
				b.WriteString("\n\t},\n")
				fallthrough
			default:
				b.WriteString("\t" + word(x.action) + " {\n")
			}
			b.WriteString("\t\t" + w.line(x))
		}
		b.WriteString("\n\t}\n}\nUSE converted ")
	}
	b.WriteString("DEFAULT " + word(w.resolved.Default) + "\n")
	return b.String()
}

// line returns a call with the ABIs on which the line counts.
func (w *writer) line(x line) string {
	on := ""
	if abis := w.on[x]; len(abis) < len(w.abis) {
		on = " ON { " + listing.Names(abis) + " }"
	}
	return x.call + on + x.conds
}
