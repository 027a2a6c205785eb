// Package firecracker reads and writes the filters of Firecracker: the JSON that its
// seccompiler-bin compiles. Start with a [Language].
//
// A file has a filter for each kind of thread, of which a Language reads one.
package firecracker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/keyed"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Language reads the filter of one thread. It implements [language.Language]. The zero
// value reads files that have one filter only.
type Language struct {
	// Thread names the filter in files that have several, such as "vmm", "api" and "vcpu".
	Thread string
	// Basic leaves out all conditions on arguments, as seccompiler-bin --basic does.
	Basic bool
	// Targets are the ABIs of the filter: of several if seccompiler-bin ran on another machine
	// than the filter is for, whose ABI comes first. Empty means the ABI of the target.
	Targets []arch.ABI
}

// Read reads a filter for the ABI of the target, or for Targets. All must be ABIs that
// Firecracker has: x86_64, aarch64 or riscv64; nothing else of the target counts. It refuses what
// seccompiler-bin refuses, in the filters of all threads, because that makes one file of
// them. The error is [policy.Errors].
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	doc, err := s.JSON()
	if err != nil {
		return language.Reading{}, err
	}
	r := &reader{Reader: keyed.New(doc), Language: l}
	r.Targets = slices.Clone(l.Targets)
	if len(r.Targets) == 0 {
		r.Targets = []arch.ABI{cmp.Or(t.ABI, arch.Native())}
	}
	for _, a := range r.Targets {
		if !slices.Contains(known(), a) {
			return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: a.String() + ": Firecracker has no filters for it (read the file for x86_64, aarch64 or riscv64)"}}
		}
	}
	r.abi = r.Targets[0]
	p := r.file(doc.Root())
	reading := language.Reading{}
	if reading.Warnings, err = r.Report(); err != nil {
		return reading, err
	}
	reading.Policy = p
	return reading, nil
}

// Detect reports whether a text certainly is a file of Firecracker's: a JSON object of
// objects that have all the keys of a filter.
func Detect(s *language.Source) bool {
	doc, err := s.JSON()
	if err != nil {
		return false
	}
	some := false
	for _, val := range doc.Root().Members() {
		for _, key := range []string{"default_action", "filter_action", "filter"} {
			if !val.Member(key).Exists() {
				return false
			}
		}
		some = true
	}
	return some
}

// A reader is one run of Read.
type reader struct {
	*keyed.Reader
	Language
	abi arch.ABI // the first of Targets
}

// file reads the filters of all threads and returns that of one.
func (r *reader) file(root document.Value) *policy.Policy {
	if !r.Expect(root, document.Object, "write the name of a thread and its filter") {
		return nil
	}
	filters := make(map[string]*policy.Policy)
	keys := make(map[string]document.Value)
	var names []string
	for key, val := range r.Members(root) {
		name := key.Text()
		if earlier, ok := keys[name]; ok {
			r.Warn(earlier, policy.Ignored, "the file has a later filter of this name, which takes its place (remove one)")
		} else {
			names = append(names, name)
		}
		keys[name] = key
		filters[name] = r.filter(val, "/"+escape(name))
	}
	switch {
	case r.Failed():
		return nil
	case len(names) == 0:
		r.Fail(root, "the file has no filter (name a thread and write its filter)")
	case r.Thread == "" && len(names) == 1:
		return filters[names[0]]
	case r.Thread == "":
		r.Fail(root, "the file has filters of several threads (name one with the setting thread: "+list(names)+")")
	case filters[r.Thread] == nil:
		r.Unknown(root, "thread", r.Thread, names)
	}
	return filters[r.Thread]
}

// list joins names, the first of them if they are many.
func list(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// escape writes a key as a part of a JSON pointer (RFC 6901).
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

// filter reads the filter of one thread. In libseccomp's terms, which seccompiler-bin uses,
// there are rules of one action only, so that their order does not matter.
func (r *reader) filter(v document.Value, pointer string) *policy.Policy {
	m, ok := r.Object(v, "default_action", "filter_action", "filter")
	if !ok {
		return nil
	}
	p := &policy.Policy{NoBound: true, ABIs: r.Targets, Pointer: pointer}
	var standard, action cbpf.Action
	valid := true
	if a, ok := m.Need("default_action", "say what calls get that no rule decides"); ok {
		standard, valid = r.action(a)
		p.Default, p.DefaultErrno = parts(standard)
	}
	chosen, ok := m.Need("filter_action", "say what calls get for which a rule holds")
	if ok {
		action, ok = r.action(chosen)
	}
	rules, given := m.Need("filter", "write a list of rules, which may be empty")
	if !given || !r.Expect(rules, document.Array, "put the rules in brackets") {
		return p
	}
	for i, elem := range r.Elements(rules) {
		rule := r.rule(elem)
		rule.Action, rule.Errno = parts(action)
		rule.Pointer = pointer + "/filter/" + strconv.Itoa(i)
		p.Rules = append(p.Rules, rule)
	}
	if ok && valid && len(p.Rules) > 0 && action == standard {
		r.Fail(chosen, "the same as default_action, which libseccomp refuses (change one, or leave the rules out)")
	}
	return p
}

// rule reads a rule but for its action.
func (r *reader) rule(v document.Value) (rule policy.Rule) {
	m, ok := r.Object(v, "syscall", "args")
	if !ok {
		return rule
	}
	if name, ok := m.Need("syscall", "name the system call"); ok {
		rule.Names = r.call(name)
	}
	if c := v.Member("comment"); c.Kind() == document.String {
		rule.Comment = c.Text()
	}
	args := m.Get("args")
	if !args.Exists() || !r.Expect(args, document.Array, "put the conditions in brackets") {
		return rule
	}
	var tested [6]bool
	for _, elem := range r.Elements(args) {
		arg, ok := r.condition(elem)
		if !ok || r.Basic {
			continue
		}
		if arg.Index > 5 {
			r.Fail(elem, "index "+strconv.FormatUint(uint64(arg.Index), 10)+": a call has arguments 0 to 5 (use one of these)")
			continue
		}
		if tested[arg.Index] {
			r.Fail(elem, "a second condition on argument "+strconv.FormatUint(uint64(arg.Index), 10)+
				", which libseccomp refuses (join the two, or write a rule for each if one is enough)")
		}
		tested[arg.Index] = true
		rule.Args = append(rule.Args, arg)
	}
	return rule
}

// condition reads one condition. All but equality of 32 bits is about all 64 bits.
func (r *reader) condition(v document.Value) (arg policy.Arg, ok bool) {
	m, ok := r.Object(v, "index", "type", "op", "val")
	if !ok {
		return arg, false
	}
	index, indexed := m.Need("index", "number the argument, from 0 to 5")
	if indexed {
		n, valid := r.Number(index, 255)
		arg.Index, indexed = uint(n), valid
	}
	val, valued := m.Need("val", "write the number to compare with")
	if valued {
		arg.Value, valued = r.Number(val, 1<<64-1)
	}
	dword, typed := false, false
	length, given := m.Need("type", "write dword for an argument of 32 bits or qword for one of 64")
	if given {
		dword, typed = r.dword(length)
	}
	op, given := m.Need("op", "write an operator: "+strings.Join(operators(), ", "))
	if !given || !r.operator(&arg, op) || !indexed || !valued || !typed {
		return arg, false
	}
	if dword && arg.Op == policy.Equal {
		arg.Op, arg.Value, arg.ValueTwo = policy.MaskedEqual, 1<<32-1, arg.Value
	} else if dword && (arg.Op != policy.MaskedEqual || arg.Value > 1<<32-1) {
		r.Warn(length, policy.Ignored, "dword has an effect with eq only: all 64 bits are compared (write qword if that is right)")
	}
	if cut := arg.ValueTwo & arg.Value; arg.Op == policy.MaskedEqual && cut != arg.ValueTwo {
		r.Warn(val, policy.Truncated, strconv.FormatUint(arg.ValueTwo, 10)+" has bits that are not compared, and counts as "+strconv.FormatUint(cut, 10)+
			"; with libseccomp before 2.6 the condition never holds (leave these bits out)")
	}
	return arg, true
}

// dword reads the type of an argument.
func (r *reader) dword(v document.Value) (dword, ok bool) {
	word, ok := r.Text(v, "write dword or qword")
	if ok && word != "dword" && word != "qword" {
		r.Unknown(v, "type", word, []string{"dword", "qword"})
		ok = false
	}
	return word == "dword", ok
}

// operators are the words of op. masked_eq has its mask with it.
func operators() []string { return []string{"eq", "ne", "lt", "le", "gt", "ge", "masked_eq"} }

// operator reads the operator of a condition, whose value is read already.
func (r *reader) operator(arg *policy.Arg, v document.Value) (ok bool) {
	word, data, ok := r.variant(v, "operator", operators())
	if !ok {
		return false
	}
	switch word {
	case "eq":
		arg.Op = policy.Equal
	case "ne":
		arg.Op = policy.NotEqual
	case "lt":
		arg.Op = policy.Less
	case "le":
		arg.Op = policy.LessEqual
	case "gt":
		arg.Op = policy.Greater
	case "ge":
		arg.Op = policy.GreaterEqual
	case "masked_eq":
		arg.Op, arg.ValueTwo = policy.MaskedEqual, arg.Value
		arg.Value, ok = r.operand(v, word, data, 1<<64-1)
		return ok
	}
	return r.alone(word, data)
}

// action reads an action.
func (r *reader) action(v document.Value) (a cbpf.Action, ok bool) {
	word, data, ok := r.variant(v, "action", []string{"allow", "errno", "kill_thread", "kill_process", "log", "trace", "trap"})
	if !ok {
		return 0, false
	}
	switch word {
	case "errno":
		n, ok := r.operand(v, word, data, 1<<16-1)
		if n > maxErrno {
			r.Fail(data, strconv.FormatUint(n, 10)+": libseccomp takes errors up to "+strconv.Itoa(maxErrno)+" (use one of these)")
		}
		return cbpf.Errno(uint16(n)), ok
	case "trace":
		n, ok := r.operand(v, word, data, 1<<16-1)
		return cbpf.Trace(uint16(n)), ok
	case "allow":
		a = cbpf.Allow
	case "kill_process":
		a = cbpf.KillProcess
	case "log":
		a = cbpf.Log
	case "trap":
		a = cbpf.Trap
	}
	return a, r.alone(word, data)
}

const maxErrno = 4094 // for libseccomp; the kernel's largest is one more

// parts splits an action into its class and its data.
func parts(a cbpf.Action) (cbpf.Action, *uint) {
	if a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass {
		n := uint(a.Data())
		return a.Class(), &n
	}
	return a, nil
}

// variant reads a word that stands alone, or is the one key of an object with its operand.
func (r *reader) variant(v document.Value, what string, known []string) (word string, data document.Value, ok bool) {
	if v.Kind() == document.Object {
		n := 0
		for key, val := range v.Members() {
			word, data = key.Text(), val
			n++
		}
		if n != 1 {
			r.Fail(v, "expected one "+what+" with its operand (write {\"WORD\": NUMBER})")
			return "", data, false
		}
	} else if word, ok = r.Text(v, "write one "+what+" in quotes: "+strings.Join(known, ", ")); !ok {
		return "", data, false
	}
	if !slices.Contains(known, word) {
		r.Unknown(v, what, word, known)
		return "", data, false
	}
	return word, data, true
}

// operand reads the number that a word needs.
func (r *reader) operand(v document.Value, word string, data document.Value, most uint64) (n uint64, ok bool) {
	if !data.Exists() {
		r.Fail(v, word+" needs a number (write {"+strconv.Quote(word)+": NUMBER})")
		return 0, false
	}
	return r.Number(data, most)
}

// alone reports whether a word that takes no operand has none.
func (r *reader) alone(word string, data document.Value) bool {
	if data.Present() {
		r.Fail(data, word+" takes no operand (write "+strconv.Quote(word)+")")
	}
	return !data.Present()
}

// call reads the name of a call. libseccomp skips what the ABI lacks and refuses what no ABI
// has.
func (r *reader) call(v document.Value) []string {
	name, ok := r.Text(v, "write the name of one call")
	if !ok {
		return nil
	}
	call, exists := syscalltables.Lookup(name)
	if !exists {
		cure := " (remove the rule)"
		if near := syscalltables.Nearest(name); near != "" {
			cure = unknown.DidYouMean(near)
		}
		r.Fail(v, unknown.Quote(name)+": Linux has no such call"+cure)
	} else if _, here := call.Number(r.abi); !here {
		r.Warn(v, policy.Ignored, unknown.Quote(name)+": "+r.abi.String()+" has no such call, so the rule has no effect there")
	}
	return []string{name}
}
