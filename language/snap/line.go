package snap

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A word is a part of a line between blanks.
type word struct {
	text  string
	place string
}

// words returns the first words of a line, at most as many as a call and its arguments are,
// and one more.
func words(s *language.Source, n int, line string) (list []word) {
	const most = 1 + 6 + 1
	at := 0
	for len(list) < most {
		i := strings.IndexFunc(line[at:], func(c rune) bool { return !unicode.IsSpace(c) })
		if i < 0 {
			break
		}
		at += i
		text := line[at:]
		if end := strings.IndexFunc(text, unicode.IsSpace); end >= 0 {
			text = text[:end]
		}
		list = append(list, word{text, s.Place(n, at+1)})
		at += len(text)
	}
	return list
}

// readLine reads a line without its end.
func (r *reader) readLine(s *language.Source, n int, line string) {
	if line == "" || line[0] == '#' || strings.TrimSpace(line) == "@complain" {
		return
	}
	place := s.Place(n, 1)
	list := words(s, n, line)
	switch {
	case len(list) == 0:
		r.fail(place, "a line with nothing but blanks, on which snap-seccomp fails (remove the blanks)")
		return
	case len(list) > 7:
		r.fail(list[7].place, unknown.Quote(list[0].text)+": more than 6 arguments (comments stand alone in a line, with # in its first column)")
		return
	}
	name, denied := strings.CutPrefix(list[0].text, "~")
	call, known := r.call(list[0], name)
	if !known {
		return
	}
	rule := policy.Rule{Names: []string{name}, Action: cbpf.Allow, Pointer: list[0].place}
	for i, w := range list[1:] {
		if w.text == "-" {
			continue
		}
		arg, problem := r.arg(name, w.text)
		if problem != "" {
			r.fail(w.place, problem)
			continue
		}
		arg.Index = uint(i)
		rule.Args = append(rule.Args, arg)
	}
	tooNew := func(a arch.ABI) bool { return r.tooNew(call, a) }
	if slices.ContainsFunc(r.abis, tooNew) {
		if rule.ABIs = slices.DeleteFunc(slices.Clone(r.abis), tooNew); len(rule.ABIs) == 0 {
			return // which would stand for all
		}
	}
	if denied {
		errno := uint(eacces)
		rule.Action, rule.Errno = cbpf.ErrnoClass, &errno
		r.deny = append(r.deny, rule)
	} else {
		r.allow = append(r.allow, rule)
	}
	if len(r.allow)+len(r.deny) > maxLines {
		r.stop(place, "more than "+strconv.Itoa(maxLines)+" lines about calls up to here: no filter holds them (use fewer)")
	}
}

// tooNew reports whether an ABI has a call that libseccomp does not know there.
func (r *reader) tooNew(call syscalltables.Call, a arch.ABI) bool {
	if _, ok := call.Number(a); !ok {
		return false
	}
	since := call.Since(a)
	if since.Exact {
		return since.By.Compare(r.calls) > 0
	}
	return since.After.Compare(r.calls) >= 0
}

// call returns a call that libseccomp knows, on any ABI. snap-seccomp drops lines about
// others, of which call warns.
func (r *reader) call(w word, name string) (call syscalltables.Call, known bool) {
	call, listed := syscalltables.Lookup(name)
	for a := range arch.All() {
		if _, ok := call.Number(a); listed && ok && !r.tooNew(call, a) {
			return call, true
		}
	}
	dropped := ", so snap-seccomp drops the line"
	switch {
	case listed:
		r.warn(policy.UnknownName, w.place, unknown.Quote(name)+": newer than the libseccomp of snap-seccomp, which knows the calls of Linux "+r.calls.String()+dropped)
	case w.text[0] == '#':
		r.warn(policy.Ignored, w.place, "a comment that does not begin in the first column: snap-seccomp takes it for a call, and refuses it if it is longer (remove the blanks in front)")
	case w.text[0] == '@':
		near := unknown.Nearest(w.text, []string{"@unrestricted", "@complain"})
		if near == w.text {
			near = ""
		}
		r.warn(policy.UnknownName, w.place, unknown.Quote(w.text)+": only @unrestricted and @complain mean something, alone in a line"+dropped+unknown.DidYouMean(near))
	case name == "":
		r.warn(policy.UnknownName, w.place, "~ and no call"+dropped+" (leave out the blanks between the two)")
	case name[0] == '~':
		r.warn(policy.UnknownName, w.place, unknown.Quote(w.text)+": more than one ~"+dropped+" (write one)")
	case strings.Trim(name, "0123456789") == "":
		r.warn(policy.UnknownName, w.place, unknown.Quote(name)+": a number"+dropped+" (use the name of the call)")
	default:
		near := r.near(func() string { return syscalltables.Nearest(name) })
		r.warn(policy.UnknownName, w.place, unknown.Quote(name)+": Linux has no such call"+dropped+near)
	}
	return 0, false
}

// near returns a hint at what a word was meant for. Looking takes long, and only some
// words get a hint.
func (r *reader) near(look func() string) string {
	if r.hints == 0 {
		return ""
	}
	r.hints--
	return unknown.DidYouMean(look())
}

// lowHalf is the mask under which some calls compare: their arguments have 32 bits, and
// programs pass -1 in 32 and in 64.
const lowHalf = 1<<32 - 1

// isNarrow reports whether a call compares under lowHalf, and knows negative numbers.
func isNarrow(call string) bool {
	switch strings.TrimSuffix(call, "32") {
	case "chown", "fchown", "lchown", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid":
		return true
	}
	return call == "fchownat" || call == "copy_file_range"
}

// arg returns the condition that a word stands for, and what is wrong with it.
func (r *reader) arg(call, text string) (a policy.Arg, problem string) {
	value := text
	a.Op = policy.Equal
	for _, o := range [...]struct {
		sign string
		op   policy.Op
	}{
		{">=", policy.GreaterEqual}, {"<=", policy.LessEqual}, {"!", policy.NotEqual}, {"<", policy.Less}, {">", policy.Greater}, {"|", policy.MaskedEqual},
	} {
		if rest, ok := strings.CutPrefix(text, o.sign); ok {
			a.Op, value = o.op, rest
			break
		}
	}
	mask, datum, pair := strings.Cut(value, "|")
	switch {
	case pair && a.Op == policy.Equal:
		if a.Value, problem = r.number(call, mask); problem == "" {
			a.Op = policy.MaskedEqual
			a.ValueTwo, problem = r.number(call, datum)
		}
	case pair:
		problem = unknown.Quote(text) + ": there is nothing like this (write VALUE, MASK|VALUE or |BITS, or one of >=, <=, >, < and ! and a value)"
	case strings.HasPrefix(value, "u:") && a.Op == policy.Equal:
		a.Value, problem = r.account(&r.users, value[2:])
	case strings.HasPrefix(value, "g:") && a.Op == policy.Equal:
		a.Value, problem = r.account(&r.groups, value[2:])
	default:
		a.Value, problem = r.number(call, value)
		if a.Op == policy.MaskedEqual {
			a.ValueTwo = a.Value
		}
	}
	switch {
	case problem != "" || !isNarrow(call):
		return a, problem
	case a.Op != policy.Equal:
		return a, unknown.Quote(text) + ": snap-seccomp compares arguments of " + call + " only for equality (write the value alone)"
	}
	return policy.Arg{Op: policy.MaskedEqual, Value: lowHalf, ValueTwo: a.Value}, ""
}

// number returns the number that a word is or names.
func (r *reader) number(call, text string) (n uint64, problem string) {
	if r.constants == nil {
		r.constants = constantsOf(r.abi)
	}
	if n, ok := r.constants[text]; ok {
		return n, ""
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		return n, ""
	}
	signed, signedErr := strconv.ParseInt(text, 10, 32)
	narrow := isNarrow(call)
	switch {
	case signedErr == nil && narrow:
		return uint64(uint32(signed)), ""
	case text == "":
		return 0, "a value is missing (write a number or the name of a constant)"
	case strings.Trim(text[1:], "0123456789") != "" || strings.Trim(text, "-+") == "": // not a number
	case text[0] == '-' && !narrow:
		return 0, unknown.Quote(text) + ": arguments of " + call + " cannot be negative in a policy (use a number from 0 to 4294967295)"
	case text[0] == '+':
		return 0, unknown.Quote(text) + ": numbers have no + (leave it out)"
	case '0' <= text[0] && text[0] <= '9' || text[0] == '-':
		return 0, unknown.Quote(text) + ": numbers have 32 bits (use one that fits)"
	}
	if v, err := strconv.ParseUint(text, 0, 32); err == nil {
		return 0, unknown.Quote(text) + ": numbers are decimal (write " + strconv.FormatUint(v, 10) + ")"
	}
	near := r.near(func() string { return unknown.Nearest(text, slices.Sorted(maps.Keys(r.constants))) })
	if near == "" {
		near = " (write its number)"
	}
	return 0, unknown.Quote(text) + ": not a constant that snap-seccomp knows, nor a decimal number" + near
}
