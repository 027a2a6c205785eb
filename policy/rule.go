package policy

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A rule is what an entry of the profile means whatever its names and the ABI.
type rule struct {
	action    cbpf.Action // with data
	pointer   string
	redundant bool   // does what the default action does
	cut       bool   // loses bits on 32-bit ABIs
	abis      abiSet // where it holds
	// Its names are the resolver's from firstName on, and its numbers those from firstNumber
	// to end.
	firstName, firstNumber, end int32
	clause                      []Clause // the one without conditions, unless the rule is dropped or always has some
	// What the entry stands for on 32-bit and 64-bit ABIs, and whether it decides a call there
	// alone and under all conditions, by its clause.
	narrow, wide alternatives
	alone        [2]bool
}

// Alternatives are the condition lists that an entry stands for. Each is a rule of its
// own.
type alternatives struct {
	lists         [][]Cond
	always, tests bool // some list is empty; some is not
}

// alternatives returns what the rule stands for on ABIs with arguments of so many bits.
func (r *rule) alternatives(bits int) *alternatives {
	if bits == 32 {
		return &r.narrow
	}
	return &r.wide
}

const (
	eperm    = 1    // the same on every ABI
	maxErrno = 4095 // linux/err.h: MAX_ERRNO
	maxData  = 1<<16 - 1
)

// readProfile reads what is not about single rules.
func (r *resolver) readProfile() {
	p, o := r.policy, &r.options
	r.fallback, _ = r.word(none, p.Default, p.DefaultErrno, p.Pointer, "/defaultAction", "/defaultErrnoRet")
	if r.likeRunc() && p.Default == cbpf.Notify {
		r.fail(NotifyDefault, none, p.Pointer+"/defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action")
	}
	for i, f := range p.Flags {
		if !slices.Contains(cbpf.ProfileFlags(), f) {
			r.fail(Invalid, none, sub(p.Pointer+"/flags", i), f.String()+": profiles cannot ask for this flag (use one of cbpf.ProfileFlags)")
		}
	}
	if p.ListenerMetadata != "" && p.ListenerPath == "" {
		r.tolerate(UnusedMetadata, StrictMetadata, none, p.Pointer+"/listenerMetadata",
			"needs a listenerPath to be sent to (add one or remove listenerMetadata)")
	}
	if o.Mode == Strict {
		for _, pointer := range p.LooseKeys {
			r.fail(StrictCase, none, pointer, "a key in the wrong letter case: runc takes it, crun and youki ignore it (write it as the format does)")
		}
	}
	if o.BadArch.Effective() != o.BadArch {
		r.fail(Invalid, none, "", "bad-arch action "+o.BadArch.String()+": the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)")
	}
	if p.Elsewhere.Effective() != p.Elsewhere {
		r.fail(Invalid, none, "", "action for other ABIs "+p.Elsewhere.String()+": the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)")
	}
	if x := p.X32; x != nil && x.Effective() != *x {
		r.fail(Invalid, none, "", "action for x32 "+x.String()+": the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)")
	}
	if p.Order > FirstMatch {
		r.fail(Invalid, none, "", fmt.Sprintf("%d: unknown order of rules (use one that package policy declares)", p.Order))
	}
	if o.Mode > Strict {
		r.fail(Invalid, none, "", o.Mode.String()+": unknown mode (use Runc or Strict)")
	}
}

// word returns the action word of a class with the data that the profile gives.
// The keys say where in the object at pointer the two are.
func (r *resolver) word(rule int, class cbpf.Action, errno *uint, pointer, classKey, errnoKey string) (a cbpf.Action, ok bool) {
	carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass
	strict := r.options.Mode == Strict
	switch {
	case class.Effective() != class || class.Data() != 0 && class.Class() != cbpf.Trap:
		r.fail(Invalid, rule, pointer+classKey, fmt.Sprintf("%#08x: not an action class (leave out the data, which has a field of its own)", uint32(class)))
		return 0, false
	case errno == nil && carries:
		return class | eperm, true
	case errno == nil:
		return class, true
	case !carries && strict:
		r.fail(StrictErrno, rule, pointer+errnoKey, class.String()+" carries no errno (remove it)")
		return 0, false
	case !carries:
		r.warn(IgnoredErrno, rule, pointer+errnoKey, class.String()+" carries no errno: this one is ignored")
		return class, true
	case *errno > maxErrno && strict && class == cbpf.ErrnoClass:
		r.fail(StrictRange, rule, pointer+errnoKey, fmt.Sprintf("%d: the largest errno is %d", *errno, maxErrno))
		return 0, false
	case *errno > maxData && strict:
		r.fail(StrictRange, rule, pointer+errnoKey, fmt.Sprintf("%d: the largest data of TRACE is %d", *errno, maxData))
		return 0, false
	case *errno > maxData:
		r.warn(Truncated, rule, pointer+errnoKey, fmt.Sprintf("%d is truncated to 16 bits: %d", *errno, *errno&maxData))
	case *errno > maxErrno && class == cbpf.ErrnoClass:
		r.warn(Truncated, rule, pointer+errnoKey, fmt.Sprintf("%d is cut by the kernel: programs see %d", *errno, maxErrno))
	}
	return class | cbpf.Action(*errno&maxData), true
}

// likeRunc reports whether what runc refuses for its own sake is refused: that it could not
// send the listener's descriptor to its container if that had to ask first.
func (r *resolver) likeRunc() bool {
	return r.options.Mode == Runc && r.policy.Order == Libseccomp && !r.policy.NoBound
}

// tolerate warns of what runc overlooks, and fails in strict mode.
func (r *resolver) tolerate(kind WarningKind, strict ErrorKind, rule int, pointer, text string) {
	if r.options.Mode != Runc {
		r.fail(strict, rule, pointer, text)
	} else {
		r.warn(kind, rule, pointer, text)
	}
}

// mostNames is more than usual profiles have names. Others may be full of such as no ABI has,
// which take no room.
const mostNames = 1024

// readRules reads the rules and their names. A name that a rule has twice counts once.
func (r *resolver) readRules(targets []arch.ABI) {
	p := r.policy
	conds := newArena(p.Rules)
	r.rules = make([]rule, len(p.Rules))
	names := 0
	for i := range p.Rules {
		names += len(p.Rules[i].Names) + len(p.Rules[i].Numbers)
	}
	r.names = make([]named, 0, min(names, mostNames))
	r.called = make([]syscalltables.Call, 0, min(names, mostNames))
	r.on.used.listed = r.options.ENOSYS.needsList()
	hints := maxHints
	for i := range p.Rules {
		valid, rule := r.readRule(i, conds), &r.rules[i]
		rule.firstName = int32(len(r.names))
		r.readNames(i, valid, &hints)
		rule.firstNumber = int32(len(r.names))
		for j, nr := range p.Rules[i].Numbers {
			r.readNumber(i, j, nr, targets)
			if valid {
				r.names = append(r.names, named{rule: int32(i), name: int32(len(p.Rules[i].Names) + j), nr: nr})
			}
		}
		rule.end = int32(len(r.names))
	}
}

// readRule reads an entry without its names and reports whether it is valid.
func (r *resolver) readRule(i int, conds *arena) (ok bool) {
	from, to := &r.policy.Rules[i], &r.rules[i]
	to.pointer = from.Pointer
	if to.pointer == "" {
		to.pointer = sub(r.policy.Pointer+"/syscalls", i)
	}
	if len(from.Names)+len(from.Numbers) == 0 {
		r.tolerate(NoNames, StrictNoNames, i, to.pointer+"/names",
			"no names: a rule without names has no effect (name a system call or remove the rule)")
	}
	to.action, ok = r.word(i, from.Action, from.Errno, to.pointer, "/action", "/errnoRet")
	for j, a := range from.ABIs {
		if !a.Valid() {
			r.fail(Invalid, i, sub(to.pointer+"/abis", j), a.String()+": unknown ABI (use one that package arch declares)")
			ok = false
		}
	}
	if to.abis = setOf(from.ABIs); to.abis == 0 {
		to.abis = everyABI
	} else {
		r.limited = true
	}
	for j, arg := range from.Args {
		if arg.Index > 5 {
			r.fail(Invalid, i, sub(to.pointer+"/args", j)+"/index", strconv.FormatUint(uint64(arg.Index), 10)+": a syscall has only 6 arguments (use 0 to 5)")
			ok = false
		}
		if arg.Op < NotEqual || arg.Op > MaskedNotEqual {
			r.fail(Invalid, i, sub(to.pointer+"/args", j)+"/op", arg.Op.String()+": unknown operator (use one that package policy declares)")
			ok = false
		}
		to.cut = to.cut || arg.cut() != ""
	}
	if !ok {
		return false
	}
	each := r.policy.Order == Libseccomp && testsTwice(from.Args)
	to.narrow = conds.alternatives(from.Args, 1<<32-1, each)
	to.wide = conds.alternatives(from.Args, 1<<64-1, each)
	if to.action == r.fallback {
		to.redundant = true
		if r.ranked() {
			r.warn(Redundant, i, to.pointer, "does the same as the default action, so it has no effect")
			return true
		}
	}
	if to.narrow.always || to.wide.always {
		to.clause = conds.clause(to)
		to.alone = [2]bool{to.narrow.always, to.wide.always}
	}
	return true
}

// An arena holds the conditions of all rules, and the clauses without any, made large
// enough beforehand.
type arena struct {
	conds   []Cond
	lists   [][]Cond
	none    [][]Cond // the list without conditions
	clauses []Clause
}

func newArena(rules []Rule) *arena {
	args, testing := 0, 0
	for i := range rules {
		if n := len(rules[i].Args); n > 0 {
			args += n
			testing++
		}
	}
	return &arena{make([]Cond, 0, 2*args), make([][]Cond, 0, 2*(testing+args)), make([][]Cond, 1), make([]Clause, 0, len(rules)-testing)}
}

// clause returns what a rule is on calls that it decides alone.
func (a *arena) clause(r *rule) []Clause {
	n := len(a.clauses)
	a.clauses = append(a.clauses, Clause{Action: r.action, Pointer: r.pointer})
	return a.clauses[n : n+1 : n+1]
}

// testsTwice reports whether two conditions are on the same argument.
func testsTwice(args []Arg) bool {
	var tested uint8
	for _, arg := range args {
		if tested&(1<<arg.Index) != 0 {
			return true
		}
		tested |= 1 << arg.Index
	}
	return false
}

// alternatives returns the condition lists that the arguments of an entry stand
// for: one with all of them, or one for each.
func (a *arena) alternatives(args []Arg, width uint64, each bool) (alt alternatives) {
	if len(args) == 0 {
		return alternatives{lists: a.none, always: true}
	}
	first, start := len(a.lists), len(a.conds)
	never := false // a condition of the list at work never holds
	for i, arg := range args {
		c := arg.cond(width)
		switch {
		case c.Mask != 0:
			a.conds = append(a.conds, c)
		case c.Op == MaskedNotEqual: // no bits are never other bits
			never = true
		}
		if !each && i < len(args)-1 {
			continue
		}
		list, ok := a.conds[start:], true
		if len(list) > 1 {
			list, ok = reduced(list, width)
		}
		if ok && !never {
			a.conds = append(a.conds[:start], list...)
			a.close(start)
		}
		start, never = len(a.conds), false
	}
	alt.lists = a.lists[first:len(a.lists):len(a.lists)]
	for _, conds := range alt.lists {
		alt.always = alt.always || len(conds) == 0
		alt.tests = alt.tests || len(conds) > 0
	}
	return alt
}

// close makes a list of the conditions from start on.
func (a *arena) close(start int) {
	var list []Cond // nil when empty
	if start < len(a.conds) {
		list = a.conds[start:len(a.conds):len(a.conds)]
	}
	a.lists = append(a.lists, list)
}

// cond returns the condition on an ABI whose arguments have the given width.
func (a Arg) cond(width uint64) Cond {
	if a.Low && !a.Op.masked() {
		width &= 1<<32 - 1
	}
	c := Cond{Arg: uint8(a.Index), Op: a.Op, Mask: width, Value: a.Value & width}
	if a.Op.masked() {
		c.Mask, c.Value = a.Value&width, a.ValueTwo&a.Value&width
	}
	return c
}

// cut says which value changes its meaning on a 32-bit ABI, "" if none does: one
// whose upper half is neither zero nor a sign extension.
func (a Arg) cut() string {
	changes := func(v uint64) bool { return v>>32 != 0 && v != uint64(int64(int32(v))) }
	switch {
	case changes(a.Value):
		return "value"
	case a.Op.masked() && changes(a.Value&a.ValueTwo):
		return "valueTwo"
	}
	return ""
}

func hex(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
