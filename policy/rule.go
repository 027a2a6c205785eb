package policy

import (
	"cmp"
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
	redundant bool // does what the default action does
	cut       bool // loses bits on 32-bit ABIs
	// What the entry stands for on 32-bit and 64-bit ABIs.
	narrow, wide alternatives
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
	r.fallback, _ = r.word(-1, p.Default, p.DefaultErrno, p.Pointer, "/defaultAction", "/defaultErrnoRet")
	if o.Mode == Runc && p.Default == cbpf.Notify {
		r.fail(NotifyDefault, -1, p.Pointer+"/defaultAction", "SCMP_ACT_NOTIFY cannot be used as default action")
	}
	for i, f := range p.Flags {
		if reason := checkFlag(f); reason != "" {
			r.fail(Invalid, -1, sub(p.Pointer+"/flags", i), reason)
		}
	}
	if p.ListenerMetadata != "" && p.ListenerPath == "" {
		r.fail(Invalid, -1, p.Pointer+"/listenerMetadata", metadataAlone)
	}
	if o.BadArch.Effective() != o.BadArch {
		r.fail(Invalid, -1, "", "bad-arch action "+o.BadArch.String()+": the kernel has no such action (name one, with data only for ERRNO, TRACE and TRAP)")
	}
	if o.Mode > Strict {
		r.fail(Invalid, -1, "", o.Mode.String()+": no such mode (take Runc or Strict)")
	}
}

// word returns the action word of a class with the data that the profile gives.
// The keys say where in the object at pointer the two are.
func (r *resolver) word(rule int, class cbpf.Action, errno *uint, pointer, classKey, errnoKey string) (a cbpf.Action, ok bool) {
	carries := class == cbpf.ErrnoClass || class == cbpf.TraceClass
	strict := r.options.Mode == Strict
	switch {
	case !class.Known() || class.Data() != 0:
		r.fail(Invalid, rule, pointer+classKey, fmt.Sprintf("%#08x: not a class of actions (take one without data; that goes beside it)", uint32(class)))
		return 0, false
	case errno == nil && carries:
		return class | eperm, true
	case errno == nil:
		return class, true
	case !carries && strict:
		r.fail(IgnoredErrno, rule, pointer+errnoKey, class.String()+" carries no errno (remove it)")
		return 0, false
	case !carries:
		r.warn(IgnoredErrno, rule, pointer+errnoKey, class.String()+" carries no errno: this one is ignored")
		return class, true
	case *errno > maxErrno && strict:
		r.fail(Truncated, rule, pointer+errnoKey, fmt.Sprintf("%d: the largest errno is %d", *errno, maxErrno))
		return 0, false
	case *errno > maxData:
		r.warn(Truncated, rule, pointer+errnoKey, fmt.Sprintf("%d is cut to 16 bits: %d", *errno, *errno&maxData))
	case *errno > maxErrno && class == cbpf.ErrnoClass:
		r.warn(Truncated, rule, pointer+errnoKey, fmt.Sprintf("%d is cut by the kernel: programs see %d", *errno, maxErrno))
	}
	return class | cbpf.Action(*errno&maxData), true
}

// readRules reads the rules and their names. A name that a rule has twice counts once.
func (r *resolver) readRules(targets []arch.ABI) {
	p := r.policy
	conds := newArena(p.Rules)
	r.rules = make([]rule, len(p.Rules))
	muxed := slices.ContainsFunc(targets, func(a arch.ABI) bool { _, ok := a.Socketcall(); return ok })
	last := make(map[syscalltables.Call]int) // rule that named a call last
	hints := maxHints
	for i := range p.Rules {
		valid := r.readRule(i, conds)
		for j, name := range p.Rules[i].Names {
			call, known := r.readName(i, j, name, &hints)
			if !known || !valid {
				continue
			}
			if before, ok := last[call]; ok && before == i {
				continue
			}
			last[call] = i
			n := named{rule: int32(i), name: int32(j), call: call}
			if muxed {
				n.mux = muxedCall(name)
			}
			r.names = append(r.names, n)
		}
	}
}

// readRule reads an entry without its names and reports whether it is valid.
func (r *resolver) readRule(i int, conds *arena) (ok bool) {
	from, to := &r.policy.Rules[i], &r.rules[i]
	to.pointer = from.Pointer
	if to.pointer == "" {
		to.pointer = sub(r.policy.Pointer+"/syscalls", i)
	}
	if len(from.Names) == 0 {
		r.fail(Invalid, i, to.pointer+"/names", noNames)
	}
	to.action, ok = r.word(i, from.Action, from.Errno, to.pointer, "/action", "/errnoRet")
	for j, arg := range from.Args {
		if reason := checkIndex(uint64(arg.Index)); reason != "" {
			r.fail(Invalid, i, sub(to.pointer+"/args", j)+"/index", reason)
			ok = false
		}
		if arg.Op < NotEqual || arg.Op > MaskedEqual {
			r.fail(Invalid, i, sub(to.pointer+"/args", j)+"/op", arg.Op.String()+": no such operator (take one that this package declares)")
			ok = false
		}
		to.cut = to.cut || arg.cut() != ""
	}
	if !ok {
		return false
	}
	to.narrow = conds.alternatives(from.Args, 1<<32-1)
	to.wide = conds.alternatives(from.Args, 1<<64-1)
	if to.action == r.fallback {
		to.redundant = true
		if !r.options.StrictestWins {
			r.warn(Redundant, i, to.pointer, "does what the default action does, so it decides nothing")
		}
	}
	return true
}

// maxHints is how many unknown names get a hint: finding one takes long.
const maxHints = 32

// readName returns the call of a rule's name. hints is how many more hints may be
// given.
func (r *resolver) readName(rule, index int, name string, hints *int) (call syscalltables.Call, known bool) {
	pointer := func() string { return sub(r.rules[rule].pointer+"/names", index) }
	if name == "" {
		r.fail(Invalid, rule, pointer(), emptyName)
		return 0, false
	}
	if name == "write" && r.policy.Rules[rule].Action == cbpf.Notify && r.options.Mode == Runc {
		r.fail(NotifyWrite, rule, pointer(), "SCMP_ACT_NOTIFY cannot be used for the write syscall")
	}
	if call, known = syscalltables.Lookup(name); known {
		return call, true
	}
	strict := r.options.Mode == Strict
	if r.full(UnknownName, strict, 0) {
		return 0, false
	}
	text := quote(name) + ": Linux has no such call on any ABI"
	if *hints > 0 {
		*hints--
		if near := syscalltables.Nearest(name); near != "" {
			text += " (did you mean " + near + "?)"
		}
	}
	if strict {
		r.fail(UnknownName, rule, pointer(), text)
	} else {
		r.warn(UnknownName, rule, pointer(), text)
	}
	return 0, false
}

// An arena holds the conditions of all rules, made large enough beforehand.
type arena struct {
	conds []Cond
	lists [][]Cond
	none  [][]Cond // the list without conditions
}

func newArena(rules []Rule) *arena {
	args, testing := 0, 0
	for i := range rules {
		if n := len(rules[i].Args); n > 0 {
			args += n
			testing++
		}
	}
	return &arena{make([]Cond, 0, 2*args), make([][]Cond, 0, 2*(testing+args)), make([][]Cond, 1)}
}

// alternatives returns the condition lists that the arguments of an entry stand
// for: one with all of them, or one for each if an argument is tested twice.
func (a *arena) alternatives(args []Arg, width uint64) (alt alternatives) {
	if len(args) == 0 {
		return alternatives{lists: a.none, always: true}
	}
	var tested uint8
	each := false
	for _, arg := range args {
		each = each || tested&(1<<arg.Index) != 0
		tested |= 1 << arg.Index
	}
	first, start := len(a.lists), len(a.conds)
	for _, arg := range args {
		c := arg.cond(width)
		if c.Mask != 0 { // otherwise it always holds
			a.conds = append(a.conds, c)
		}
		if each {
			a.close(start)
			start = len(a.conds)
		}
	}
	if !each {
		slices.SortFunc(a.conds[start:], func(x, y Cond) int { return cmp.Compare(x.Arg, y.Arg) })
		a.close(start)
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
	c := Cond{Arg: uint8(a.Index), Op: a.Op, Mask: width, Value: a.Value & width}
	if a.Op == MaskedEqual {
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
	case a.Op == MaskedEqual && changes(a.Value&a.ValueTwo):
		return "valueTwo"
	}
	return ""
}

func hex(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
