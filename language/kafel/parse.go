package kafel

import (
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// program reads the whole policy.
func (r *reader) program() {
	r.next()
	if r.token.kind == end && !r.stopped {
		r.stop(r.token.place(), "the policy is empty (write at least DEFAULT and an action)")
	}
	for r.token.kind != end && !r.stopped {
		switch r.token.kind {
		case "#":
			r.define()
		case "POLICY":
			r.named()
		case "DEFAULT":
			place := r.token.place()
			r.next()
			action := r.action()
			if r.decided != "" {
				r.fail(place, "DEFAULT: a policy has one, and there is one at "+r.decided+" (remove one of the two)")
			}
			r.decided, r.fallback = place, action
		default:
			r.statements(&r.main)
		}
	}
}

// unexpected stops at a token that cannot be where it is.
func (r *reader) unexpected(want string) {
	what := unknown.Quote(r.token.text)
	if r.token.kind == end {
		what = "the end of the text"
	}
	r.stop(r.token.place(), what+": cannot be here (expected "+want+")")
}

// expect goes over a token of one kind, and returns it.
func (r *reader) expect(k kind, want string) token {
	t := r.token
	if t.kind != k {
		r.unexpected(want)
		return t
	}
	r.next()
	return t
}

// accept goes over a token if it is of a kind.
func (r *reader) accept(k kind) bool {
	if r.stopped || r.token.kind != k {
		return false
	}
	r.next()
	return !r.stopped
}

// define reads #define NAME NUMBER.
func (r *reader) define() {
	place := r.token.place()
	r.next()
	r.expect("define", "define, as in #define NAME NUMBER")
	name := r.expect(identifier, "a name, as in #define NAME NUMBER")
	value := r.expect(number, "a number, as in #define NAME NUMBER")
	if r.stopped && value.kind != number {
		return
	}
	if old, ok := r.constants[name.text]; ok && old != value.number {
		r.fail(place, name.text+": is "+strconv.FormatUint(old, 10)+" already (give the constant another name, or remove one of the two)")
		return
	}
	r.constants[name.text] = value.number
}

// named reads a policy with a name.
func (r *reader) named() {
	place := r.token.place()
	r.next()
	name := r.expect(identifier, "the name of the policy")
	r.expect("{", "{ and what is in the policy")
	b := &block{name: name.text, place: place}
	if !r.accept("}") {
		r.statements(b)
		r.expect("}", "a comma and the next block of the policy, or } at its end")
	}
	if r.stopped {
		return
	}
	if old := r.policies[b.name]; old != nil {
		r.fail(place, b.name+": there is a policy of this name at "+old.place+" (give it another name; an included file counts each time)")
		return
	}
	r.policies[b.name] = b
	r.defined = append(r.defined, b)
}

// statements reads blocks and uses with commas between them.
func (r *reader) statements(b *block) {
	for !r.stopped {
		if r.accept("USE") {
			name := r.expect(identifier, "the name of the policy to use")
			if used := r.policies[name.text]; used != nil {
				b.statements = append(b.statements, statement{use: used})
			} else if !r.stopped || name.kind == identifier {
				r.fail(name.place(), r.noPolicy(name.text))
			}
		} else {
			s := statement{action: r.action()}
			r.expect("{", "{ and the calls that the action is for")
			if !r.accept("}") {
				for {
					s.filters = append(s.filters, r.filter())
					if !r.accept(",") {
						break
					}
				}
				r.expect("}", "a comma and the next call, or } at the end of the block")
			}
			b.statements = append(b.statements, s)
		}
		if !r.accept(",") {
			return
		}
	}
}

// noPolicy says what is wrong with the name of a policy.
func (r *reader) noPolicy(name string) string {
	var known []string
	for _, b := range r.defined {
		known = append(known, b.name)
	}
	text := unknown.Quote(name) + ": no policy of this name is defined up to here"
	if near := unknown.Nearest(name, known); near != "" && near != name {
		return text + unknown.DidYouMean(near)
	}
	return text + " (define it first)"
}

// action reads an action.
func (r *reader) action() cbpf.Action {
	t := r.token
	switch t.kind {
	case "ALLOW", "LOG", "KILL", "KILL_THREAD", "DENY", "KILL_PROCESS", "USER_NOTIF", "ERRNO", "TRAP", "TRACE":
		r.next()
	case identifier:
		names := []string{"ALLOW", "LOG", "KILL", "KILL_THREAD", "DENY", "KILL_PROCESS", "USER_NOTIF", "ERRNO", "TRAP", "TRACE", "USE", "DEFAULT", "POLICY"}
		if near := unknown.Nearest(t.text, names); near != "" {
			r.stop(t.place(), unknown.Quote(t.text)+": unknown action"+unknown.DidYouMean(near))
			return 0
		}
		fallthrough
	default:
		r.unexpected("an action: ALLOW, LOG, KILL, KILL_PROCESS, USER_NOTIF, ERRNO(N), TRAP(N) or TRACE(N)")
		return 0
	}
	switch t.kind {
	case "ALLOW":
		return cbpf.Allow
	case "LOG":
		return cbpf.Log
	case "KILL_PROCESS":
		return cbpf.KillProcess
	case "USER_NOTIF":
		return cbpf.Notify
	case "ERRNO":
		return cbpf.Errno(r.data(t.text))
	case "TRAP":
		return cbpf.Trap | cbpf.Action(r.data(t.text))
	case "TRACE":
		return cbpf.Trace(r.data(t.text))
	}
	return cbpf.KillThread
}

// data reads the number in parentheses that an action carries.
func (r *reader) data(action string) uint16 {
	r.expect("(", "("+" and a number: "+action+"(N)")
	n := r.expect(number, "a number: kafel has no names of errors")
	r.expect(")", ")")
	if n.kind == number && n.number > 1<<16-1 {
		r.fail(n.place(), n.text+": an action carries 16 bits (use 0 to 65535)")
	}
	return uint16(n.number)
}

// filter reads a call with its arguments, ABIs and conditions.
func (r *reader) filter() filter {
	t := r.token
	f := filter{place: t.place()}
	if r.accept("SYSCALL") {
		r.expect("[", "[ and the number of the call: SYSCALL[N]")
		n := r.expect(number, "the number of the call: SYSCALL[N]")
		r.expect("]", "]")
		f.setNumber(r, n.number, n.text)
	} else {
		name := r.expect(identifier, "the name of a call, or SYSCALL[N]")
		if n, ok := r.constants[name.text]; ok {
			f.setNumber(r, n, name.text)
		} else {
			f.name = name.text
		}
	}
	if r.accept("(") {
		f.named = true
		if !r.accept(")") {
			r.declare(&f)
		}
	}
	if r.accept("ON") {
		f.onSome = true
		r.limit(&f)
	}
	if r.accept("{") && !r.accept("}") {
		f.cond = r.condition()
		r.expect("}", "an operator, or } at the end of the conditions")
	}
	return f
}

// setNumber makes the filter one for a call by number, of which kafel takes 32 bits.
func (f *filter) setNumber(r *reader, n uint64, text string) {
	f.number = uint32(n)
	if n != uint64(f.number) && n != uint64(int64(int32(n))) {
		r.warn(policy.Truncated, f.place, text+" is cut to 32 bits: "+strconv.FormatUint(uint64(f.number), 10))
	}
}

// declare reads the names of arguments, which have 64 bits each.
func (r *reader) declare(f *filter) {
	for !r.stopped {
		name := r.expect(identifier, "the name of an argument")
		switch {
		case slices.ContainsFunc(f.args, func(a argument) bool { return a.name == name.text }):
			r.fail(name.place(), name.text+": is the name of another argument already (give each its own)")
		case len(f.args) == 6:
			r.fail(name.place(), name.text+": a call has 6 arguments (remove it)")
		default:
			f.args = append(f.args, argument{name.text, true})
		}
		if !r.accept(",") {
			break
		}
	}
	r.expect(")", "a comma and the next argument, or )")
}

// limit reads the ABIs on which alone a filter counts.
func (r *reader) limit(f *filter) {
	several := r.accept("{")
	for !r.stopped {
		name := r.expect(identifier, "an architecture, or several in braces: ON x86_64, ON { x86_64, aarch64 }")
		if r.stopped && name.kind != identifier {
			return
		}
		a, ok := architecture(name.text)
		switch {
		case !ok:
			known := []string{"x86_64", "x86", "arm", "aarch64", "riscv64", "mips", "mips64", "m68k"}
			cure := unknown.DidYouMean(unknown.Nearest(name.text, known))
			if cure == "" {
				cure = " (use one of " + strings.Join(known, ", ") + ")"
			}
			r.fail(name.place(), unknown.Quote(name.text)+": kafel has no such architecture"+cure)
		case slices.Contains(f.on, a):
			r.fail(name.place(), name.text+": is there already (remove it)")
		default:
			f.on = append(f.on, a)
		}
		if !several || !r.accept(",") {
			break
		}
	}
	if several {
		r.expect("}", "a comma and the next architecture, or }")
	}
}

// architecture returns the ABI of a name, in any letter case.
func architecture(name string) (arch.ABI, bool) {
	switch strings.ToLower(name) {
	case "x86_64", "amd64":
		return arch.X86_64, true
	case "x86", "i386":
		return arch.X86, true
	case "arm":
		return arch.ARM, true
	case "aarch64", "arm64":
		return arch.AArch64, true
	case "riscv64":
		return arch.RISCV64, true
	case "mips":
		return arch.MIPS, true
	case "mips64":
		return arch.MIPS64, true
	case "m68k":
		return arch.M68K, true
	}
	return 0, false
}
