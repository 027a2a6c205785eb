package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// checkOpen reports ways to bypass the rules.
func (r *reviewer) checkOpen() {
	r.checkOtherABIs()
	restricted := r.restricted()
	r.checkTwins(restricted)
	r.checkRings(restricted)
	r.checkX32(restricted)
	r.checkUpperHalves()
}

// checkOtherABIs reports further ABIs that the kernels of the targets present.
func (r *reviewer) checkOtherABIs() {
	abis := r.Resolved.ABIs()
	var others []arch.ABI
	for _, a := range abis {
		for _, b := range a.Family() {
			if !slices.Contains(abis, b) && !slices.Contains(others, b) {
				others = append(others, b)
			}
		}
	}
	bad := r.Resolved.BadArch
	if r.options.Language != nil && len(others) == 0 {
		return // the kernel has no more of them
	}
	if bad.Permits(cbpf.WithSupervisor) {
		r.found(Finding{ID: "open-abi", Pointer: r.Policy.Pointer, Reason: "calls through any ABI that is not a target get " + bad.String() + ", whatever the rules say"})
		return
	}
	if len(others) == 0 {
		return
	}
	f := Finding{ID: "other-abis", Pointer: r.Policy.Pointer + "/architectures",
		Reason: "the same kernel also runs programs of " + list(others) + ", and all their calls get " + bad.String()}
	place := "architectures"
	if row := r.Policy.ArchMap; row != "" && consumers[r.options.For].format != oci.OCI { // which ignores archMap
		f.Pointer, place = strings.TrimSuffix(row, "/-"), "the subArchitectures of "+r.Policy.ABIs[0].OCI()+" in archMap"
	}
	for _, a := range others {
		f.Fix += ", " + a.OCI()
	}
	f.Fix = "add " + f.Fix[2:] + " to " + place + " if such programs should run"
	if r.options.Language != nil {
		f.Fix = "nothing, if such programs should not run"
	}
	if open(r.Resolved.Default) {
		f.Severity = Warning
		f.Reason += ", although the default action is " + r.Resolved.Default.String()
	}
	r.found(f)
}

// A limit is a call that some rule restricts on an ABI: the rule denies some of its
// arguments, or allows only some.
type limit struct {
	abi     arch.ABI
	call    syscalltables.Call
	pointer string // of the name in the rule
}

// restricted returns the calls that rules restrict on purpose: by a rule that denies, or
// that allows only under conditions. ENOSYS does not count as a denial: it makes programs
// use another call.
func (r *reviewer) restricted() (limits []limit) {
	known := map[syscalltables.Call]bool{}
	var rules []policy.Rule
	for _, p := range r.stack() {
		rules = append(rules, p.Rules...)
	}
	for i := range rules {
		rule := &rules[i]
		for j, name := range rule.Names {
			call, ok := syscalltables.Lookup(name)
			if !ok || known[call] {
				continue
			}
			known[call] = true
			for _, a := range r.Resolved.ABIs() {
				if v, ok := r.verdict(a, name); ok && v.some(func(x cbpf.Action) bool { return !x.Permits(cbpf.WithSupervisor) && !isENOSYS(a, x) }) {
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

// checkTwins reports calls that are restricted while another call that can do the same
// is not.
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
			f := Finding{ID: "open-twin", Pointer: l.pointer,
				Reason: call.Name() + " is restricted, but " + join(doors) + is(doors) + " allowed with any arguments and can do the same" + r.on(l.abi),
				Fix:    "restrict " + join(doors) + " as well, or answer ENOSYS to calls that take their arguments from memory"}
			if slices.Equal(doors, []string{"clone3"}) {
				f.Fix, f.cure = "answer clone3 with ENOSYS, and programs use clone", r.enosys(l.abi, "clone3")
			}
			r.found(f)
			break // the first ABI is enough
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
	if a == r.Resolved.ABIs()[0] {
		return ""
	}
	return " (on " + a.String() + ")"
}

// checkRings reports that io_uring bypasses rules.
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
			Reason: join(names) + is(names) + " restricted, but io_uring is allowed and does the same without a system call that a filter could see"})
	}
}

// checkX32 reports calls that are restricted on x86_64 under one number only. Before
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
		Reason: "Linux before 5.4 also runs " + join(names) + " under x32's numbers without the x32 bit, and those are allowed"}
	if kernel != (syscalltables.Version{}) {
		f.Severity = Warning
	}
	r.found(f)
}

// checkUpperHalves reports rules that a bit in the upper half of an argument bypasses
// because the kernel ignores that half.
func (r *reviewer) checkUpperHalves() {
	for line := range strings.Lines(narrow) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		call, _ := syscalltables.Lookup(fields[0])
		for _, a := range r.Resolved.ABIs() {
			nr, ok := call.Number(a)
			if !ok || a.Bits() != 64 {
				continue
			}
			for _, index := range fields[1:] {
				if r.checkUpperHalf(a, nr, call, index[0]-'0') {
					break
				}
			}
		}
	}
}

// checkUpperHalf reports the first value of an argument that is denied, and allowed with
// a bit in the upper half.
func (r *reviewer) checkUpperHalf(a arch.ABI, nr uint32, call syscalltables.Call, index uint8) bool {
	for _, c := range r.Resolved.Clauses(a.Audit(), nr) {
		for _, cond := range c.Conds {
			if cond.Arg != index {
				continue
			}
			d := cbpf.Data{Arch: a.Audit(), NR: nr, Args: sample(c.Conds)}
			for _, v := range [...]uint64{cond.Value, cond.Value + 1, cond.Value - 1} {
				d.Args[index] = v & 0xffffffff
				narrow := r.Resolved.Decide(&d)
				d.Args[index] |= 1 << 32
				wide := r.Resolved.Decide(&d)
				if narrow.Action.Permits(cbpf.WithSupervisor) || !open(wide.Action) {
					continue
				}
				arg := symbols.At(a, call, int(index))
				r.found(Finding{ID: "upper-half", Pointer: c.Pointer, Reason: fmt.Sprintf(
					"%s gets %s if %s is %s, but %s if a bit of its upper half is set, which the kernel ignores%s",
					call.Name(), narrow.Action, arg.Name(), arg.Text(v&0xffffffff), wide.Action, r.on(a))})
				return true
			}
		}
	}
	return false
}

// sample returns arguments that satisfy conditions, if each is on an argument of its own.
func sample(conds []policy.Cond) (args [6]uint64) {
	for _, c := range conds {
		switch c.Op {
		case policy.NotEqual, policy.Greater:
			args[c.Arg] = c.Value + 1
		case policy.MaskedNotEqual:
			args[c.Arg] = ^c.Value
		case policy.Less:
			args[c.Arg] = 0
		case policy.Equal, policy.MaskedEqual, policy.LessEqual, policy.GreaterEqual:
			args[c.Arg] = c.Value
		}
	}
	return args
}
