package lint

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// uses are arguments that programs and runtimes pass as they start, or as their threads wait
// for each other, by the name of the argument. An argument that is not listed may have any
// value. The addresses stand for any.
const uses = `
arch_prctl code 0x1002
clone flags 0x11 0x50f00 0x3d0f00
execve pathname 0x7ffd12345678
execve argv 0x7ffd12345678
execve envp 0x7ffd12345678
futex futex_op 0x80 0x81
mmap prot 0 1 3 5
mprotect prot 0 1 3
open flags 0x80000
openat flags 0x80000
prctl option 8 23 24 47
prlimit64 pid 0
prlimit64 new_limit 0`

// usesOf returns the known values of each argument of a call.
func usesOf(a arch.ABI, call syscalltables.Call) (values [6][]uint64) {
	for line := range strings.Lines(uses) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != call.Name() {
			continue
		}
		i := slices.Index(call.Args(a), fields[1])
		if i < 0 {
			continue
		}
		for _, field := range fields[2:] {
			v, _ := strconv.ParseUint(field, 0, a.Bits())
			values[i] = append(values[i], v)
		}
	}
	return values
}

// needed returns the possible outcomes of a call with the arguments of its uses, where nobody
// traces the program, and the indices of the arguments that decide. ok is false if the ABI
// does not have the call.
func (r *reviewer) needed(a arch.ABI, name string) (v verdict, deciding []int, ok bool) {
	if all, ok := r.verdict(a, name); !ok || len(all) == 1 {
		return r.alone(a, all), nil, ok
	}
	call, _ := syscalltables.Lookup(name)
	known := usesOf(a, call)
	for _, c := range r.Resolved.Clauses(a.Audit(), number(a, name)) {
		always, never := true, false
		for _, cond := range c.Conds {
			deciding = append(deciding, int(cond.Arg))
			some, all := holds(cond, known[cond.Arg])
			always, never = always && all, never || !some
		}
		if never {
			continue
		}
		v = append(v, c.Action)
		if always {
			return r.alone(a, v), deciding, true
		}
	}
	return r.alone(a, append(v, r.Resolved.Default)), deciding, true
}

// holds reports whether a condition holds for some values, and for all. If none are known,
// it may hold and may not.
func holds(c policy.Cond, values []uint64) (some, all bool) {
	all = len(values) > 0
	some = !all
	for _, v := range values {
		h := satisfies(v&c.Mask, c.Op, c.Value)
		some, all = some || h, all && h
	}
	return some, all
}

func satisfies(v uint64, op policy.Op, value uint64) bool {
	switch op {
	case policy.NotEqual, policy.MaskedNotEqual:
		return v != value
	case policy.Less:
		return v < value
	case policy.LessEqual:
		return v <= value
	case policy.GreaterEqual:
		return v >= value
	case policy.Greater:
		return v > value
	case policy.Equal, policy.MaskedEqual:
	}
	return v == value
}

// alone returns what becomes of a call that is left to a tracer, or to a listener, where there
// is none (kernel/seccomp.c: __seccomp_filter): it fails with ENOSYS.
func (r *reviewer) alone(a arch.ABI, v verdict) verdict {
	enosys, _ := a.Errno("ENOSYS")
	alone := slices.Clone(v)
	for i, x := range alone {
		if x.Class() == cbpf.TraceClass || x == cbpf.Notify && r.Policy.ListenerPath == "" {
			alone[i] = cbpf.Errno(enosys)
		}
	}
	return alone
}

// lacking returns the first of the alternatives if none escapes a fate on an ABI, whatever its
// arguments.
func (r *reviewer) lacking(a arch.ABI, alternatives string, fate func(cbpf.Action) bool) []string {
	var first []string
	for name := range strings.SplitSeq(alternatives, "|") {
		v, ok := r.verdict(a, name)
		if ok && !r.alone(a, v).all(fate) {
			return nil
		}
		if ok && first == nil {
			first = []string{name}
		}
	}
	return first
}

// limited returns the first of the alternatives that escapes a fate only with some arguments,
// "" if another escapes it for certain.
func (r *reviewer) limited(a arch.ABI, alternatives string, fate func(cbpf.Action) bool) (first string) {
	for name := range strings.SplitSeq(alternatives, "|") {
		v, _, ok := r.needed(a, name)
		if ok && !v.some(fate) {
			return ""
		}
		if whole, _ := r.verdict(a, name); ok && first == "" && !r.alone(a, whole).all(fate) {
			first = name
		}
	}
	return first
}

// checkLimited reports needed calls that get another fate with some arguments, and are not
// known to be made with others only.
func (r *reviewer) checkLimited() {
	if r.options.NoStart {
		return
	}
	a := r.Resolved.ABIs()[0]
	done := map[string]bool{}
	check := func(s Severity, who, needs string, fate func(cbpf.Action) bool) {
		for need := range strings.FieldsSeq(needs) {
			if name := r.limited(a, need, fate); name != "" && !done[name] {
				done[name] = true
				r.limit(s, a, who, name)
			}
		}
	}
	check(Warning, "every program", programs[0].needs, closed)
	for _, h := range r.handovers(a) {
		check(Warning, h.release, h.late+" "+h.racy, closed)
		check(Warning, h.release, h.makes, kills)
		if r.noNewPrivileges().Kind() != document.True {
			check(Warning, h.release, h.early, closed)
		}
	}
	check(Warning, "every program with threads", "futex", closed)
	for _, p := range programs[1:] {
		if p.abi == a {
			check(Note, "every program of "+p.title, p.needs, closed)
			check(Note, "every program of "+p.title, p.makes, kills)
		}
	}
	check(Note, "a program where the vDSO cannot answer", vdso(a), closed)
}

// limit reports that a call is needed with arguments that the profile may not allow. To
// allow them all is not a cure: the conditions are there on purpose.
func (r *reviewer) limit(s Severity, a arch.ABI, who, name string) {
	v, deciding, _ := r.needed(a, name)
	call, _ := syscalltables.Lookup(name)
	var args []string
	for _, i := range deciding {
		if arg := symbols.At(a, call, i).Name(); !slices.Contains(args, arg) {
			args = append(args, arg)
		}
	}
	f := Finding{ID: "limited", Severity: s, Pointer: r.named(name),
		Reason: who + " needs " + name + ", which is allowed only under conditions on " + join(args)}
	if name == "execve" && v.all(closed) {
		f.Severity, f.Reason = Error, "no program can start: execve is allowed only for some addresses"
	}
	r.found(f)
}
