package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// checkOpen reports ways around the rules.
func (r *reviewer) checkOpen() {
	r.checkOtherABIs()
	restricted := r.restricted()
	r.checkTwins(restricted)
	r.checkRings(restricted)
	r.checkX32(restricted)
	r.checkUpperHalves()
}

// checkOtherABIs reports ABIs that the kernels of the targets present, too.
func (r *reviewer) checkOtherABIs() {
	abis := r.abis()
	var others []arch.ABI
	for _, a := range abis {
		for _, b := range a.Family() {
			if !slices.Contains(abis, b) && !slices.Contains(others, b) {
				others = append(others, b)
			}
		}
	}
	bad := r.Resolved.BadArch
	if passes(bad) {
		r.found(Finding{ID: "open-abi", Pointer: r.Policy.Pointer, Reason: "calls through every ABI that is no target get " + bad.String() + ", whatever the rules say"})
		return
	}
	if len(others) == 0 {
		return
	}
	f := Finding{ID: "other-abis", Pointer: r.Policy.Pointer + "/architectures",
		Reason: "the same kernel also runs programs of " + list(others) + ", and every call of theirs gets " + bad.String()}
	for _, a := range others {
		f.Fix += ", " + a.OCI()
	}
	f.Fix = "add " + f.Fix[2:] + " to architectures if such programs shall run"
	if open(r.Resolved.Default) {
		f.Severity = Warning
		f.Reason += " although the default action is " + r.Resolved.Default.String()
	}
	r.found(f)
}

// A limit is a call that some rule holds back on an ABI: it denies some of its
// arguments, or allows only some.
type limit struct {
	abi     arch.ABI
	call    syscalltables.Call
	pointer string // of the name in the rule
}

// restricted returns the calls that rules hold back on purpose: by a rule that denies, or
// that allows only under conditions. ENOSYS is no denial: it makes programs take
// another call.
func (r *reviewer) restricted() (limits []limit) {
	known := map[syscalltables.Call]bool{}
	for i := range r.Policy.Rules {
		rule := &r.Policy.Rules[i]
		for j, name := range rule.Names {
			call, ok := syscalltables.Lookup(name)
			if !ok || known[call] {
				continue
			}
			known[call] = true
			for _, a := range r.abis() {
				if v, ok := r.verdict(a, name); ok && v.some(func(x cbpf.Action) bool { return !passes(x) && !isENOSYS(a, x) }) {
					limits = append(limits, limit{a, call, element(rule.Pointer+"/names", j)})
				}
			}
		}
	}
	return limits
}

func isENOSYS(a arch.ABI, x cbpf.Action) bool {
	enosys, _ := a.Errno("ENOSYS")
	return x == cbpf.Errno(enosys)
}

// checkTwins reports calls that are held back while another one is not that can do the
// same.
func (r *reviewer) checkTwins(limits []limit) {
	for line := range strings.Lines(twins) {
		names := strings.Fields(line)
		if len(names) == 0 {
			continue
		}
		call, _ := syscalltables.Lookup(names[0])
		for _, l := range limits {
			if l.call != call {
				continue
			}
			var doors []string
			for _, name := range names[1:] {
				if v, ok := r.verdict(l.abi, name); ok && v.all(open) {
					doors = append(doors, name)
				}
			}
			if len(doors) == 0 {
				continue
			}
			r.found(Finding{ID: "open-twin", Pointer: l.pointer,
				Reason: call.Name() + " is held back, but " + join(doors) + is(doors) + " allowed whatever the arguments, and can do the same" + r.on(l.abi),
				Fix:    "hold " + join(doors) + " back as well, or let fail with ENOSYS what has its arguments in memory"})
			break // told of the first ABI
		}
	}
}

// is is the predicate of a list of names.
func is(names []string) string {
	if len(names) == 1 {
		return " is"
	}
	return " are"
}

// on says on which ABI something is so, unless that is the main one.
func (r *reviewer) on(a arch.ABI) string {
	if a == r.abis()[0] {
		return ""
	}
	return " (on " + a.String() + ")"
}

// checkRings reports that io_uring is a way around the rules.
func (r *reviewer) checkRings(limits []limit) {
	var names []string
	var first limit
	for _, l := range limits {
		setup, ok1 := r.verdict(l.abi, "io_uring_setup")
		enter, ok2 := r.verdict(l.abi, "io_uring_enter")
		name := l.call.Name()
		if !ok1 || !ok2 || !setup.all(open) || !enter.all(open) ||
			!slices.Contains(strings.Fields(ringCalls), name) || slices.Contains(names, name) {
			continue
		}
		if names == nil {
			first = l
		}
		names = append(names, name)
	}
	if len(names) > 0 {
		r.found(Finding{ID: "open-io-uring", Pointer: first.pointer,
			Reason: join(names) + is(names) + " held back, but io_uring is allowed and does the same without a system call that a filter could see"})
	}
}

// checkX32 reports calls that are held back on x86_64 under one number only. Before
// Linux 5.4, which gave x32 a table of its own, an x86_64 kernel with x32 in it ran
// x32's numbers from 512 on without the x32 bit, and x86_64's with it
// (arch/x86/entry/syscalls/syscall_64.tbl).
func (r *reviewer) checkX32(limits []limit) {
	split := syscalltables.Version{Major: 5, Minor: 4}
	kernel := r.options.Target.Kernel
	if kernel.Compare(split) >= 0 {
		return
	}
	var names []string
	var first limit
	for _, l := range limits {
		nr, ok := l.call.Number(arch.X32)
		if l.abi != arch.X86_64 || !ok || nr&^arch.X32Bit < 512 {
			continue
		}
		d := cbpf.Data{Arch: l.abi.Audit(), NR: nr &^ arch.X32Bit}
		if !open(r.Resolved.Eval(&d)) {
			continue
		}
		if names == nil {
			first = l
		}
		names = append(names, l.call.Name())
	}
	if len(names) == 0 {
		return
	}
	f := Finding{ID: "x32-numbers", Pointer: first.pointer,
		Reason: "Linux before 5.4 runs " + join(names) + " under x32's numbers without the x32 bit, too, and these are allowed"}
	if kernel != (syscalltables.Version{}) {
		f.Severity = Warning
	}
	r.found(f)
}

// checkUpperHalves reports rules that a bit in the upper half of an argument gets around,
// where the kernel does not look at that half.
func (r *reviewer) checkUpperHalves() {
	for line := range strings.Lines(narrow) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		call, _ := syscalltables.Lookup(fields[0])
		for _, a := range r.abis() {
			nr, ok := call.Number(a)
			if !ok || a.Bits() != 64 {
				continue
			}
			rules := find(space(r.Resolved, a), nr)
			if rules == nil {
				continue
			}
			for _, index := range fields[1:] {
				if r.checkUpperHalf(a, rules, call, index[0]-'0') {
					break
				}
			}
		}
	}
}

// checkUpperHalf reports the first value of an argument that is denied, and allowed with
// a bit in the upper half.
func (r *reviewer) checkUpperHalf(a arch.ABI, rules *policy.Call, call syscalltables.Call, index uint8) bool {
	for i := range rules.Clauses {
		c := &rules.Clauses[i]
		for _, cond := range c.Conds {
			if cond.Arg != index {
				continue
			}
			d := cbpf.Data{Arch: a.Audit(), NR: rules.NR, Args: sample(c.Conds)}
			for _, v := range [...]uint64{cond.Value, cond.Value + 1, cond.Value - 1} {
				d.Args[index] = v & 0xffffffff
				narrow := r.Resolved.Decide(&d)
				d.Args[index] |= 1 << 32
				wide := r.Resolved.Decide(&d)
				if passes(narrow.Action) || !open(wide.Action) {
					continue
				}
				arg := words.At(a, call, int(index))
				r.found(Finding{ID: "upper-half", Pointer: c.Pointer, Reason: fmt.Sprintf(
					"%s gets %s where %s is %s, but %s where a bit of its upper half is set, which the kernel ignores%s",
					call.Name(), narrow.Action, arg.Name(), arg.Text(v&0xffffffff), wide.Action, r.on(a))})
				return true
			}
		}
	}
	return false
}

// sample returns arguments that satisfy conditions, each on an argument of its own.
func sample(conds []policy.Cond) (args [6]uint64) {
	for _, c := range conds {
		switch c.Op {
		case policy.NotEqual, policy.Greater:
			args[c.Arg] = c.Value + 1
		case policy.Less:
			args[c.Arg] = 0
		case policy.Equal, policy.MaskedEqual, policy.LessEqual, policy.GreaterEqual:
			args[c.Arg] = c.Value
		}
	}
	return args
}
