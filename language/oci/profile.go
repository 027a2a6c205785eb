package oci

import (
	"fmt"
	"math"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// How many keys and values there are in the smallest rule, and in the smallest condition.
const (
	leastRule = 5 // {"name": "x", "action": "y"}
	leastArg  = 7 // {"index": 0, "value": 0, "op": "x"}
)

// profile reads a seccomp object. In formats that have conditions, the rules whose
// conditions do not hold are left out.
func (r *reader) profile(v document.Value) *policy.Policy {
	m, ok := r.members(v, profileKeys[:])
	if !ok {
		return nil
	}
	r.misspelt(&m)
	p := &policy.Policy{
		DefaultErrno:     m.errno("defaultErrnoRet", "defaultErrno"),
		ListenerPath:     m.text("listenerPath"),
		ListenerMetadata: m.text("listenerMetadata"),
		Pointer:          r.prefix,
	}
	if a, ok := m.need("defaultAction", needDefault); ok {
		p.Default = r.action(a)
	}
	archs := m.list("architectures")
	for archs.next() {
		if abi := r.arch(archs.Value); abi.Valid() {
			p.ABIs = append(p.ABIs, abi)
		}
	}
	if inBoth.has(r.format) {
		p.ABIs, p.ArchMap = r.mappedABIs(&m, p.ABIs)
	}
	if m.get("flags").Present() {
		p.Flags = []cbpf.Flag{}
	}
	flags := m.list("flags")
	for flags.next() {
		if name, ok := r.text(flags.Value); ok {
			flag, bad := r.habits.flag(name)
			r.check(flags.Value, bad)
			p.Flags = append(p.Flags, flag)
		}
	}
	r.asRun(&m, p)
	pointer := r.prefix + "/syscalls"
	rules := m.list("syscalls")
	for rules.next() {
		if rule, keep := r.rule(rules.Value); keep {
			rule.Pointer = sub(pointer, rules.Index)
			if p.Rules == nil {
				p.Rules = make([]policy.Rule, 0, 1+rules.Room(leastRule))
			}
			p.Rules = append(p.Rules, rule)
		}
	}
	return p
}

// misspelt refuses a profile that loses all its rules to a slip in the key that holds them.
func (r *reader) misspelt(m *members) {
	if m.get("syscalls").Exists() {
		return
	}
	for key, val := range m.of.Members() {
		if i, _ := find(key, m.keys); i < 0 && val.Kind() == document.Array && m.nearest(key) == "syscalls" {
			r.fail(key, "unknown key, and the profile has no rules (did you mean syscalls?)")
			return
		}
	}
}

// rule reads an entry of syscalls. keep is false if it has conditions that do
// not hold; its problems are reported all the same.
func (r *reader) rule(v document.Value) (rule policy.Rule, keep bool) {
	m, ok := r.members(v, ruleKeys[:])
	if !ok {
		return policy.Rule{}, false
	}
	rule.Names = r.names(&m)
	if a, ok := m.need("action", needAction); ok {
		rule.Action = r.action(a)
	}
	rule.Errno = m.errno("errnoRet", "errno")
	args := m.list("args")
	rule.Args = slices.Grow(rule.Args, args.Room(leastArg))
	for args.next() {
		if r.ignores(args.Index, args.Value) {
			break
		}
		rule.Args = append(rule.Args, r.arg(args.Value))
	}
	comment := m.get("comment")
	if !inBoth.has(r.format) { // which do not know the key
		comment = v.Member("comment")
	}
	if comment.Kind() == document.String {
		rule.Comment = comment.Text()
	}
	return rule, r.applies(&m) && r.ruleAsRun(&m, &rule)
}

func (r *reader) names(m *members) []string {
	if old := m.get("name"); old.Present() && !old.Is("") {
		return r.oldName(m, old)
	}
	list := m.get("names")
	if !list.Present() || !r.expect(list, document.Array, "put it in brackets") {
		return []string{} // whether a rule may lack names is for Resolve to say
	}
	elems := r.elements(list)
	names := make([]string, 0, elems.Room(1))
	for elems.next() {
		name, _ := r.text(elems.Value)
		names = append(names, name)
	}
	return names
}

func (r *reader) arg(v document.Value) (arg policy.Arg) {
	m, ok := r.members(v, argKeys[:])
	if !ok {
		return policy.Arg{}
	}
	if v, ok := m.need("index", needIndex); ok {
		n, _ := r.number(v, math.MaxUint32)
		arg.Index = uint(n)
	}
	if v, ok := m.need("value", needValue); ok {
		arg.Value, _ = r.number(v, math.MaxUint64)
	}
	if v := m.get("valueTwo"); v.Present() {
		arg.ValueTwo, _ = r.number(v, math.MaxUint64)
	}
	if v, ok := m.need("op", needOp); ok {
		if name, ok := r.text(v); ok {
			var bad *unknown.Word
			arg.Op, bad = parseOp(name)
			r.check(v, bad)
		}
	}
	return arg
}

func (r *reader) arch(v document.Value) arch.ABI {
	name, ok := r.text(v)
	if !ok {
		return 0
	}
	a, bad := r.habits.arch(name, r.target.ABI)
	r.check(v, bad)
	return a
}

func (r *reader) action(v document.Value) cbpf.Action {
	name, ok := r.text(v)
	if !ok {
		return cbpf.KillThread
	}
	a, bad := parseAction(name)
	r.check(v, bad)
	return a
}

// errno returns an optional error number: the one that is given by name, where the
// format has such a key, or else the number itself. Whether it fits its action is for
// [policy.Resolve] to decide.
func (m *members) errno(number, name string) *uint {
	var given *uint
	v := m.get(number)
	if v.Present() {
		n, _ := m.r.number(v, math.MaxUint32)
		errno := uint(n)
		given = &errno
	}
	word := m.get(name)
	if !word.Present() || word.Is("") {
		return given
	}
	named, ok := m.r.errnoName(word)
	// Podman's own profile gives x86's number with every name.
	if usual, _ := arch.X86_64.Errno(word.Text()); ok && given != nil && *given != named && *given != uint(usual) {
		m.r.warn(v, policy.TwoErrnos, fmt.Sprintf("%s says %d and takes precedence (remove one)", name, named))
	}
	return &named
}
