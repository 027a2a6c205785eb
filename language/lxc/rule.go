package lxc

import (
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// The numbers of a rule that has a name of its own, the same on all ABIs.
const (
	eacces   = 13
	mntForce = 1
)

const forceUmount = "reject_force_umount"

// readRule reads a line of version 2 that is a rule: NAME ACTION [CONDITION]...
func (r *reader) readRule(line string, fallback cbpf.Action) {
	name, rest, _ := strings.Cut(line, " ")
	x := rule{name: name, action: r.rule, at: len(name) + 2}
	if text := strings.TrimLeft(rest, " "); text != "" && text[0] != '#' {
		a, n, ok := r.action(rest, x.at, false)
		if !ok {
			return
		}
		x.given, x.action = true, a
		between, _, _ := strings.Cut(rest[n:], "[")
		r.ignored(between, x.at+n)
	}
	var ok bool
	if x.args, ok = r.conditions(line); !ok || !r.keep() {
		return
	}
	switch {
	case strings.HasPrefix(name, forceUmount):
		if x.given || x.args != nil || name != forceUmount {
			r.warn(policy.Ignored, 1, forceUmount+" always gives EACCES: LXC ignores what is behind it (remove the rest)")
		}
		x = rule{
			name: "umount2", action: cbpf.Errno(eacces), at: 1,
			args: []policy.Arg{{Index: 1, Op: policy.MaskedEqual, Value: mntForce, ValueTwo: mntForce}},
		}
		r.add(&x, fallback)
	case name != "":
		r.add(&x, fallback)
	case x.given || x.args != nil:
		r.warn(policy.Ignored, 1, "no name of a call is here, so LXC ignores the line (remove the space in front, or the line)")
	}
}

// A rule is one that is read.
type rule struct {
	name   string
	action cbpf.Action
	given  bool // the action is
	at     int  // column of the action
	args   []policy.Arg
}

// add adds a rule for those ABIs on which LXC makes one.
func (r *reader) add(x *rule, fallback cbpf.Action) {
	to := policy.Rule{Names: []string{x.name}, Args: x.args, Pointer: r.place(1)}
	to.Action, to.Errno = parts(x.action)
	call, known := syscalltables.Lookup(x.name)
	if !known {
		if strings.ContainsAny(x.name, "\t\r\v\f") {
			r.warn(policy.Ignored, 1, "a tab, or what else is not a space, is part of the name to LXC (write spaces, and lines that end with a line feed alone)")
		}
		r.policy.Rules = append(r.policy.Rules, to) // whether it is an error is decided where it is resolved
		return
	}
	abis, hidden, newer := r.holds(call)
	if hidden != nil {
		r.warn(policy.Ignored, 1, x.name+": LXC makes no rule for "+list(hidden)+", where the call is a part of socketcall or ipc")
	}
	if newer != nil {
		r.warn(policy.UnknownName, 1, x.name+": the libseccomp of LXC "+strconv.Itoa(r.version)+" does not know this call on "+list(newer)+", so LXC makes no rule for it")
	}
	switch some := hidden != nil || newer != nil; {
	case abis != nil:
		r.check(x, fallback)
		if some {
			to.ABIs = abis
		}
	case some:
		return
	}
	r.policy.Rules = append(r.policy.Rules, to)
}

// check refuses what libseccomp refuses of a rule that some ABI gets.
func (r *reader) check(x *rule, fallback cbpf.Action) {
	if x.action == fallback {
		r.fail(x.at, x.action.String()+" is what calls without a rule get, and LXC refuses rules that do the same (remove the line)")
	}
	r.checkErrno(x.action, x.at)
	var tested [6]bool
	for _, arg := range x.args {
		if tested[arg.Index] {
			r.fail(x.at, "two conditions on argument "+strconv.Itoa(int(arg.Index))+": libseccomp refuses such rules (leave one, or write a line for each if either will do)")
		}
		tested[arg.Index] = true
	}
}

// checkErrno refuses errors that libseccomp refuses.
func (r *reader) checkErrno(a cbpf.Action, column int) {
	if a.Class() == cbpf.ErrnoClass && a.Data() >= 4095 {
		r.fail(column, strconv.Itoa(int(a.Data()))+": the largest error that libseccomp takes is 4094 (use one that exists)")
	}
}

// holds returns the ABIs on which LXC makes rules for a call, and of the others that have it
// those on which it is a part of another call, and those on which the version's libseccomp
// does not know it.
func (r *reader) holds(call syscalltables.Call) (abis, hidden, newer []arch.ABI) {
	for _, a := range r.abis {
		_, direct := call.Number(a)
		switch _, _, muxed := call.Multiplexed(a); {
		case muxed:
			hidden = append(hidden, a)
		case direct && r.knows(call, a):
			abis = append(abis, a)
		case direct:
			newer = append(newer, a)
		}
	}
	return abis, hidden, newer
}

// knows reports whether the version's libseccomp knows a call that an ABI has.
func (r *reader) knows(call syscalltables.Call, a arch.ABI) bool {
	if r.version == 5 && missing(call.Name(), a) {
		return false
	}
	since := call.Since(a)
	if since.Exact {
		return since.By.Compare(r.kernel) <= 0
	}
	return since.After.Compare(r.kernel) < 0
}

// missing reports whether a call is not among those newer than libseccomp 2.5.4 that
// Debian has added to it.
func missing(name string, a arch.ABI) bool {
	return name == "riscv_hwprobe" || name == "map_shadow_stack" && a == arch.X32
}

func list(abis []arch.ABI) string {
	names := make([]string, len(abis))
	for i, a := range abis {
		names[i] = a.String()
	}
	return strings.Join(names, ", ")
}

// action reads an action with which a text begins, in a column of the line at work, and
// returns how long it is: 0 if the text has none. newline says that the text ends with one.
func (r *reader) action(text string, column int, newline bool) (a cbpf.Action, n int, ok bool) {
	word := strings.TrimLeft(text, " ")
	n = len(text) - len(word)
	column += n
	switch {
	case strings.HasPrefix(word, "kill"):
		return cbpf.KillThread, n + 4, true
	case strings.HasPrefix(word, "errno"):
		v, length := scanInt(word[5:], 10, false)
		if length == 0 {
			r.fail(column, "the number of an error is missing behind errno (write one, as in errno 1)")
			return 0, 0, false
		}
		if v := int32(v); v < 0 || v > 1<<16-1 {
			r.warn(policy.Truncated, column, strconv.Itoa(int(v))+" is truncated to 16 bits: "+strconv.Itoa(int(uint16(v))))
		}
		return cbpf.Errno(uint16(v)), n + 5 + length, true
	case strings.HasPrefix(word, "allow"):
		return cbpf.Allow, n + 5, true
	case strings.HasPrefix(word, "trap"):
		return cbpf.Trap, n + 4, true
	case strings.HasPrefix(word, "notify"):
		return cbpf.Notify, n + 6, true
	case word == "" && !newline:
		return 0, 0, true
	case word == "":
		r.fail(column, "nothing but space follows the style (remove the space)")
		return 0, 0, false
	case word[0] == '[':
		r.fail(column, unknown.Quote(word)+": conditions need an action in front (write kill, errno and a number, allow, trap or notify)")
		return 0, 0, false
	}
	first, _, _ := strings.Cut(word, " ")
	r.fail(column, r.unknown(first, "action", "use kill, errno and a number, allow, trap or notify", []string{"kill", "errno", "allow", "trap", "notify"}))
	return 0, 0, false
}

// unknown words what is wrong with a word that the language does not have.
func (r *reader) unknown(word, what, cure string, known []string) string {
	near := ""
	if r.hints > 0 {
		r.hints--
		near = unknown.DidYouMean(unknown.Nearest(strings.TrimRight(word, space), known))
	}
	if near == "" {
		near = " (" + cure + ")"
	}
	return unknown.Quote(word) + ": unknown " + what + near
}
