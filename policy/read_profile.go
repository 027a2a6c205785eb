package policy

import (
	"fmt"
	"math"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// profile reads a seccomp object. In formats that have conditions, the rules whose
// conditions do not hold are left out.
func (r *reader) profile(v value) *Policy {
	m, ok := r.members(v, profileKeys[:])
	if !ok {
		return nil
	}
	p := &Policy{
		DefaultErrno:     m.errno("defaultErrnoRet", "defaultErrno"),
		ListenerPath:     m.text("listenerPath"),
		ListenerMetadata: m.text("listenerMetadata"),
		Pointer:          r.prefix,
	}
	if a, ok := m.need("defaultAction", needDefault); ok {
		p.Default = r.action(a)
	}
	for _, a := range m.list("architectures") {
		if abi := r.arch(a); abi.Valid() {
			p.ABIs = append(p.ABIs, abi)
		}
	}
	if inBoth.has(r.format) {
		p.ABIs = r.mappedABIs(&m, p.ABIs)
	}
	if m.get("flags").present() {
		p.Flags = []string{}
	}
	for _, f := range m.list("flags") {
		if name, ok := r.text(f); ok {
			if reason := checkFlag(name); reason != "" {
				r.fail(f, reason)
			}
			p.Flags = append(p.Flags, name)
		}
	}
	if p.ListenerMetadata != "" && p.ListenerPath == "" {
		r.fail(m.get("listenerMetadata"), metadataAlone)
	}
	for i, s := range m.list("syscalls") {
		if rule, keep := r.rule(s); keep {
			rule.Pointer = sub(r.prefix+"/syscalls", i)
			p.Rules = append(p.Rules, rule)
		}
	}
	return p
}

// rule reads an entry of syscalls. keep is false if it has conditions that do
// not hold; its problems are reported all the same.
func (r *reader) rule(v value) (rule Rule, keep bool) {
	m, ok := r.members(v, ruleKeys[:])
	if !ok {
		return Rule{}, false
	}
	rule.Names = r.names(&m)
	if a, ok := m.need("action", needAction); ok {
		rule.Action = r.action(a)
	}
	rule.Errno = m.errno("errnoRet", "errno")
	for _, a := range m.list("args") {
		rule.Args = append(rule.Args, r.arg(a))
	}
	return rule, r.applies(&m)
}

func (r *reader) names(m *members) []string {
	if old := m.get("name"); old.present() && !old.is("") {
		return r.oldName(m, old)
	}
	list, ok := m.need("names", needNames)
	if !ok || !r.expect(list, arrayKind, "put it in brackets") {
		return nil
	}
	n := 0
	for range list.elements() {
		n++
	}
	names := make([]string, 0, n)
	for _, v := range r.elements(list) {
		name, ok := r.text(v)
		if ok && name == "" {
			r.fail(v, emptyName)
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		r.fail(list, noNames)
	}
	return names
}

func (r *reader) arg(v value) (arg Arg) {
	m, ok := r.members(v, argKeys[:])
	if !ok {
		return Arg{}
	}
	if v, ok := m.need("index", needIndex); ok {
		if n, ok := r.number(v, math.MaxUint32); ok {
			if reason := checkIndex(n); reason != "" {
				r.fail(v, reason)
			}
			arg.Index = uint(n)
		}
	}
	if v, ok := m.need("value", needValue); ok {
		arg.Value, _ = r.number(v, math.MaxUint64)
	}
	if v := m.get("valueTwo"); v.present() {
		arg.ValueTwo, _ = r.number(v, math.MaxUint64)
	}
	if v, ok := m.need("op", needOp); ok {
		if name, ok := r.text(v); ok {
			var reason string
			if arg.Op, reason = parseOp(name); reason != "" {
				r.fail(v, reason)
			}
		}
	}
	return arg
}

func (r *reader) arch(v value) arch.ABI {
	name, ok := r.text(v)
	if !ok {
		return 0
	}
	a, reason := parseArch(name, r.target.ABI)
	if reason != "" {
		r.fail(v, reason)
	}
	return a
}

func (r *reader) action(v value) cbpf.Action {
	name, ok := r.text(v)
	if !ok {
		return cbpf.KillThread
	}
	a, reason := parseAction(name)
	if reason != "" {
		r.fail(v, reason)
	}
	return a
}

// errno returns an optional error number: the one that is given by name, where the
// format has such a key, or else the number itself. Whether it fits its action is for
// [Resolve] to say.
func (m *members) errno(number, name string) *uint {
	var given *uint
	v := m.get(number)
	if v.present() {
		n, _ := m.r.number(v, math.MaxUint32)
		errno := uint(n)
		given = &errno
	}
	word := m.get(name)
	if !word.present() || word.is("") {
		return given
	}
	named, ok := m.r.errnoName(word)
	// Podman's own profile gives x86's number beside every name.
	if usual, _ := arch.X86_64.Errno(word.string()); ok && given != nil && *given != named && *given != uint(usual) {
		m.r.warn(v, TwoErrnos, fmt.Sprintf("%s says %d, and wins over this one (remove one)", name, named))
	}
	return &named
}
