package firejail

import (
	"math"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A call is what a word of a list, or a member of a group, says.
type call struct {
	nr    int32 // negative if it is exempted
	errno int   // or one of those below
	place string
}

const (
	plain = -1 // the action of all calls of the list
	kill  = -2
)

// calls returns what a list says for one ABI, and warns of words that firejail drops.
func (r *reader) calls(l *list, a arch.ABI) (calls []call) {
	if l == nil {
		return nil
	}
	if len(l.words) == 0 {
		r.Fail(l.place, "a list without calls, with which firejail does not start (name some)")
	}
	for _, w := range l.words {
		if w.string[0] != '@' {
			if c, ok := r.call(w, a); ok {
				calls = append(calls, c)
			}
			continue
		}
		if r.groups[w.string] == nil {
			name, _, withErrno := strings.Cut(w.string, ":")
			cure := " (a group has no error: give one to each call)"
			if !withErrno || r.groups[name] == nil {
				cure = r.Near(func() string { return unknown.Nearest(name, r.groupNames()) })
			}
			if cure == "" {
				cure = " (name the calls)"
			}
			r.Fail(w.here(), unknown.Quote(w.string)+": not a group of firejail's"+cure)
			continue
		}
		place := w.here()
		r.members(w.string, func(name string) {
			if nr, ok := number(name, a); ok {
				calls = append(calls, call{int32(nr), plain, place})
			}
		})
	}
	return calls
}

func (r *reader) groupNames() (names []string) {
	for name := range r.groups {
		if name[0] == '@' {
			names = append(names, name)
		}
	}
	return names
}

// call reads a word that is not a group. ok is false if firejail drops it.
func (r *reader) call(w text, a arch.ABI) (c call, ok bool) {
	name, exempted := strings.CutPrefix(w.string, "!")
	name, suffix, withErrno := strings.Cut(name, ":")
	c = call{errno: plain, place: w.here()}
	if name == "" {
		r.Fail(c.place, unknown.Quote(w.string)+": no call, so firejail does not start (name one)")
		return c, false
	}
	if digits, ok := strings.CutPrefix(name, "$"); ok {
		n, whole := parseNumber(digits)
		if !whole {
			r.Warn(policy.UnknownName, c.place, unknown.Quote(w.string)+": not a number, and firejail takes it for call "+strconv.Itoa(int(n))+" (write it like $165)")
		}
		if n == math.MaxInt32 {
			r.drop(w, "firejail cannot filter this number, and drops the word", " (remove it)")
			return c, false
		}
		c.nr = n
	} else if nr, ok := number(name, a); ok {
		c.nr = int32(nr)
	} else {
		r.dropName(w, name, exempted, a)
		return c, false
	}
	switch n, known := r.errno(suffix); {
	case !withErrno:
	case suffix == "kill":
		c.errno = kill
	case known:
		c.errno = int(n)
	default:
		r.drop(w, "not an error behind the colon, so firejail drops the word", " (use a name such as EPERM, or kill)")
		return c, false
	}
	if exempted {
		if c.errno != plain {
			r.drop(w, "firejail exempts no call that has an error or kill", " (write !"+name+")")
		} else if c.nr == 0 {
			r.drop(w, "firejail cannot exempt call 0, and denies it", " (list the calls to deny with seccomp.drop)")
		}
		c.nr = -c.nr
	}
	return c, true
}

// dropName warns of a name that firejail does not know.
func (r *reader) dropName(w text, name string, exempted bool, a arch.ABI) {
	_, exists := syscalltables.Lookup(name)
	switch {
	case exempted && r.groups[name] != nil:
		r.drop(w, "firejail exempts calls and not groups, and drops the word", " (name the calls)")
	case exists:
		r.drop(w, a.String()+" has no such call, so firejail drops the word", " (remove it)")
	default:
		cure := r.Near(func() string { return syscalltables.Nearest(name) })
		if cure == "" {
			cure = " (remove it, or write the call's number as in $165)"
		}
		r.drop(w, "not a call that firejail knows, so it drops the word", cure)
	}
}

// drop warns of a word that has no effect.
func (r *reader) drop(w text, reason, cure string) {
	r.Warn(policy.UnknownName, w.here(), unknown.Quote(w.string)+": "+reason+cure)
}

// parseNumber reads a number as strtol does, and cuts it to an int. whole is false if there
// is more behind it, or no number.
func parseNumber(s string) (n int32, whole bool) {
	digits, negative := strings.CutPrefix(strings.ToLower(s), "-")
	base := 10
	if rest, ok := strings.CutPrefix(digits, "0x"); ok && rest != "" && isDigit(rest[0], 16) {
		base, digits = 16, rest
	} else if strings.HasPrefix(digits, "0") {
		base = 8
	}
	end := 0
	for end < len(digits) && isDigit(digits[end], base) {
		end++
	}
	value, err := strconv.ParseInt(digits[:end], base, 64)
	if err != nil && end > 0 {
		value = math.MaxInt64
	}
	if negative {
		value = -value
	}
	return int32(value), end == len(digits) && end > 0
}

func isDigit(c byte, base int) bool { return strings.IndexByte("0123456789abcdef"[:base], c) >= 0 }

// Rules are those of a filter in the making. For a number that has one, later ones have no
// effect.
type rules struct {
	*policy.Policy
	abi  arch.ABI
	seen map[uint32]bool
}

// filter returns a policy without rules for one ABI.
func filter(a arch.ABI, fallback cbpf.Action) *rules {
	class, data := split(fallback)
	return &rules{
		&policy.Policy{Default: class, DefaultErrno: data, Elsewhere: cbpf.Allow, Order: policy.FirstMatch, ABIs: []arch.ABI{a}},
		a, make(map[uint32]bool),
	}
}

// split returns the class and the data of an action as policies have them.
func split(a cbpf.Action) (class cbpf.Action, data *uint) {
	if a.Class() != cbpf.ErrnoClass {
		return a, nil
	}
	n := uint(a.Data())
	return a.Class(), &n
}

// add gives a call an action.
func (f *rules) add(nr int32, a cbpf.Action, place string) {
	n := uint32(nr)
	if f.seen[n] || f.abi == arch.X86_64 && n >= arch.X32Bit { // those are not tested for
		return
	}
	f.seen[n] = true
	class, data := split(a)
	last := len(f.Rules) - 1
	if last < 0 || f.Rules[last].Pointer != place || f.Rules[last].Action != class || data != nil && *data != *f.Rules[last].Errno {
		f.Rules = append(f.Rules, policy.Rule{Action: class, Errno: data, Pointer: place})
		last++
	}
	rule := &f.Rules[last]
	if c, ok := syscalltables.ByNumber(f.abi, n); ok {
		rule.Names = append(rule.Names, c.Name())
	} else {
		rule.Numbers = append(rule.Numbers, n)
	}
}

// special adds the rules that come before all others: for calls with an error of their
// own or kill, and for those that are exempted, which get the last action.
func (f *rules) special(calls []call, exempted cbpf.Action) {
	for _, c := range calls {
		switch {
		case c.errno >= 0:
			f.add(c.nr, cbpf.Errno(uint16(c.errno)), c.place)
		case c.errno == kill && c.nr >= 0:
			f.add(c.nr, cbpf.KillThread, c.place)
		case c.errno == plain && c.nr < 0:
			f.add(-c.nr, exempted, c.place)
		}
	}
}

// dropFilter returns the filter that denies the calls of a list, and before these those of
// the default list if there is to be one, at a place. What firejail itself needs to start a
// program is not in it but returned apart; so are numbers that it has no name for.
func (r *reader) dropFilter(calls []call, a arch.ABI, defaults bool, place string) (f *rules, late []call) {
	f = filter(a, cbpf.Allow)
	f.special(calls, cbpf.Allow)
	if defaults {
		group := "@default-nodebuggers"
		if r.debuggers {
			group = "@default"
		}
		r.eachNumber(group, a, func(nr int32) { f.add(nr, r.action, place) })
	}
	needed := make(map[int32]bool)
	r.eachNumber("@default-keep", a, func(nr int32) { needed[nr] = true })
	for _, c := range calls {
		_, named := nameOf(c.nr, a)
		switch {
		case c.nr < 0:
		case needed[c.nr]:
			late = append(late, c)
		case named:
			f.add(c.nr, r.action, c.place)
		case c.errno == plain:
			r.Warn(policy.UnknownName, c.place, strconv.Itoa(int(c.nr))+": not the number of a call that firejail knows, so it drops the word (remove it)")
		}
	}
	return f, late
}

// nameOf returns the name by which firejail knows a number.
func nameOf(nr int32, a arch.ABI) (name string, ok bool) {
	c, ok := syscalltables.ByNumber(a, uint32(nr))
	if ok {
		_, ok = number(c.Name(), a)
	}
	return c.Name(), ok
}

// eachNumber calls f for the numbers that the calls of a group have on an ABI.
func (r *reader) eachNumber(group string, a arch.ABI, f func(nr int32)) {
	r.members(group, func(name string) {
		if nr, ok := number(name, a); ok {
			f(int32(nr))
		}
	})
}

// keepFilter returns the filter that denies all calls but those of a list and what firejail
// itself needs to start a program.
func (r *reader) keepFilter(l *list) *rules {
	calls := r.calls(l, r.native)
	f := filter(r.native, r.action)
	f.special(calls, r.action)
	r.eachNumber("@default-keep", r.native, func(nr int32) { f.add(nr, cbpf.Allow, l.place) })
	for _, c := range calls {
		if c.nr >= 0 && c.errno == plain {
			f.add(c.nr, cbpf.Allow, c.place)
		}
	}
	return f
}
