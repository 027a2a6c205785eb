package policy

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/syscalltables"
)

// maxHints is how many unknown names get a hint: finding one takes long.
const maxHints = 32

// notifyWrite is what runc says of a rule that would stop its own way to the agent.
const notifyWrite = "SCMP_ACT_NOTIFY cannot be used for the write syscall"

// readNames reads the names of a rule, and keeps their calls if the rule is valid. hints is how
// many more hints may be given.
func (r *resolver) readNames(rule int, valid bool, hints *int) {
	from := &r.policy.Rules[rule]
	notifies := from.Action == cbpf.Notify && r.likeRunc()
	for i, name := range from.Names {
		call, known := syscalltables.Lookup(name)
		switch {
		case !known:
			r.checkUnknown(rule, i, name, hints)
			continue
		case notifies && name == "write":
			r.fail(NotifyWrite, rule, sub(r.rules[rule].pointer+"/names", i), notifyWrite)
		}
		if valid {
			r.addName(int32(rule), int32(i), call)
		}
	}
}

// checkUnknown reports a rule's name that is not one of a call.
func (r *resolver) checkUnknown(rule, index int, name string, hints *int) {
	pointer := func() string { return sub(r.rules[rule].pointer+"/names", index) }
	if name == "" {
		r.fail(Invalid, rule, pointer(), "the name is empty (name a system call or remove it)")
		return
	}
	strict := r.options.Mode == Strict || r.options.Exact
	if r.full(string(UnknownName), strict, 0) {
		return
	}
	text := unknown.Quote(name) + ": Linux has no such call on any ABI"
	if name[0] == '@' {
		text = unknown.Quote(name) + ": a group of systemd's or Firejail's, which profiles do not have (name its calls)"
	} else if *hints > 0 {
		*hints--
		text += unknown.DidYouMean(syscalltables.Nearest(name))
	}
	if strict {
		r.fail(StrictName, rule, pointer(), text)
	} else {
		r.warn(UnknownName, rule, pointer(), text)
	}
}

// checkAbsent reports a name that an ABI lacks.
func (r *resolver) checkAbsent(a arch.ABI, n *named) {
	r.found(findingKey{string(Absent), n.rule, n.name, none, true}, a, func() (place, string) {
		name, at := r.name(n.rule, n.name)
		return at, name + ": the ABI lacks this call (remove the name, or leave out the ABI)"
	})
}

// name returns what messages call a name or number of a rule, and its place.
func (r *resolver) name(rule, name int32) (string, place) {
	from, pointer := &r.policy.Rules[rule], r.rules[rule].pointer
	if i := int(name) - len(from.Names); i >= 0 {
		return "call " + numberString(from.Numbers[i]), place{rule, name, sub(pointer+"/numbers", i)}
	}
	return from.Names[name], place{rule, name, sub(pointer+"/names", int(name))}
}

// callName returns what messages call a number of one ABI: its name if it has one.
func callName(a arch.ABI, nr uint32) string {
	if call, ok := syscalltables.ByNumber(a, nr); ok {
		return call.Name()
	}
	return "call " + numberString(nr) + " of " + a.String()
}
