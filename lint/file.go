package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// checkFile reports what the consumer makes of a file in another format than its own.
// ignored are the keys that have no effect.
func (r *reviewer) checkFile(target policy.Target, ignored []string) {
	c := r.options.For
	want := c.format(target.Format)
	if target.Format == policy.FormatConfig && want != policy.FormatConfig {
		r.found(Finding{ID: "wrong-file", Reason: c.title() + " finds no profile in a whole config.json, and installs no filter at all"})
		return
	}
	if r.Policy == nil || len(ignored) == 0 {
		return
	}
	m := misreading{reviewer: r, doc: readDocument(r.data, false), ignores: c.title() + " ignores "}
	target.Format = want
	if m.read, _, _ = policy.Read(r.data, target); m.read != nil {
		m.resolved, _, _ = policy.Resolve(m.read, r.resolving(r.Policy))
	}
	for len(ignored) > 0 {
		key := last(ignored[0])
		same := func(pointer string) bool { return last(pointer) == key }
		var pointers []string
		for _, p := range ignored {
			if same(p) {
				pointers = append(pointers, p)
			}
		}
		m.check(key, pointers)
		ignored = slices.DeleteFunc(ignored, same)
	}
}

// A misreading is what becomes of a profile whose keys are ignored.
type misreading struct {
	*reviewer
	doc      *document
	read     *policy.Policy   // as the consumer has it, nil if a rule has no names for it
	resolved *policy.Resolved // of read, nil if it cannot be
	ignores  string           // "Docker ignores "
}

// check reports that a key is ignored, in all the places where it is.
func (m *misreading) check(key string, pointers []string) {
	f := Finding{ID: "ignored-key"}
	switch key {
	case "archMap":
		m.archMap(&f)
	case "includes", "excludes", "minKernel":
		pointers = slices.DeleteFunc(pointers, m.empty)
		m.conditions(&f, key, pointers)
	case "errno", "defaultErrno":
		pointers = slices.DeleteFunc(pointers, m.sameErrno)
		m.errno(&f, key, pointers)
	case "name":
		f.Reason = m.ignores + "name" + and(pointers) + ", and a rule without names decides nothing"
		if m.options.For.runtime() == Crun {
			f.Reason = "crun refuses the profile, because a rule has no names"
		}
		f.Fix = "put the name into names"
	default:
		return // a comment
	}
	if len(pointers) > 0 {
		f.Pointer = pointers[0]
		m.found(f)
	}
}

// and says how many places there are besides the first.
func and(pointers []string) string {
	switch len(pointers) {
	case 0, 1:
		return ""
	case 2:
		return " (here and in 1 more rule)"
	}
	return fmt.Sprintf(" (here and in %d more rules)", len(pointers)-1)
}

func (m *misreading) archMap(f *Finding) {
	main := m.mainABI()
	others := slices.DeleteFunc(slices.Clone(m.Policy.ABIs), func(a arch.ABI) bool { return a == main })
	f.Reason = m.ignores + "archMap, so that the filter is for the host's own ABI alone"
	f.Fix = "list the ABIs in architectures"
	if len(others) == 0 {
		f.Severity = Note
		return
	}
	f.Reason += " and calls through " + list(others) + " kill the thread"
}

// conditions reports that the conditions of some rules are ignored.
func (m *misreading) conditions(f *Finding, key string, pointers []string) {
	f.Reason = m.ignores + key + and(pointers) + ", so that the rule applies to every container"
	if key == "minKernel" {
		f.Reason = m.ignores + key + and(pointers) + ", so that the rule applies on every kernel"
	}
	f.Fix = "use what seccompile resolve makes of the file"
	var opened []string
	for _, pointer := range pointers {
		rule := ruleAt(m.read, pointer)
		if rule == nil || ruleAt(m.Policy, pointer) != nil {
			continue // it applies here
		}
		for _, name := range rule.Names {
			if m.opens(name) && !slices.Contains(opened, name) {
				opened = append(opened, name)
			}
		}
	}
	switch {
	case len(opened) > 0:
		f.Reason += ": " + some(opened) + is(opened) + " allowed here and not meant to be"
	case key == "minKernel":
		f.Severity = Note
	default:
		f.Severity = Warning
	}
}

// opens reports whether a call is allowed on the main ABI as the consumer reads the
// profile, and not as it is meant.
func (m *misreading) opens(name string) bool {
	if m.resolved == nil || m.Resolved == nil {
		return false
	}
	is, ok := verdictOn(m.resolved, m.mainABI(), name)
	meant, _ := verdictOn(m.Resolved, m.mainABI(), name)
	return ok && is.some(open) && !meant.some(open)
}

// empty reports whether the condition at a pointer asks for nothing.
func (m *misreading) empty(pointer string) bool {
	i, err := strconv.Atoi(last(parent(strings.TrimSuffix(pointer, "/minKernel"))))
	if rules := m.doc.Linux.Seccomp.Syscalls; err == nil && i < len(rules) {
		c := rules[i].Includes
		if last(strings.TrimSuffix(pointer, "/minKernel")) == "excludes" {
			c = rules[i].Excludes
		}
		return len(c.Caps) == 0 && len(c.Arches) == 0 && c.MinKernel == ""
	}
	return false
}

// errno reports that error names are ignored that say something else than the number
// beside them.
func (m *misreading) errno(f *Finding, key string, pointers []string) {
	if len(pointers) == 0 {
		return
	}
	f.Reason = m.ignores + key + and(pointers) + ", so that the error is " + m.errnoOf(m.read, pointers[0]) + ", not " + m.errnoOf(m.Policy, pointers[0])
	f.Fix = "write the number into " + key + "Ret"
}

func (m *misreading) sameErrno(pointer string) bool {
	meant := m.errnoOf(m.Policy, pointer)
	return meant == "" || meant == m.errnoOf(m.read, pointer)
}

// errnoOf says which error the rule or profile gives that has a key at pointer, "" if
// the policy does not have the rule.
func (m *misreading) errnoOf(p *policy.Policy, pointer string) string {
	if p == nil {
		return "another"
	}
	errno := p.DefaultErrno
	if last(pointer) != "defaultErrno" {
		rule := ruleAt(p, pointer)
		if rule == nil {
			return ""
		}
		errno = rule.Errno
	}
	n := uint(1)
	if errno != nil {
		n = *errno
	}
	if name := m.mainABI().ErrnoName(uint16(n)); name != "" && n < 1<<16 {
		return fmt.Sprintf("%s (%d)", name, n)
	}
	return fmt.Sprint(n)
}

// mainABI returns the ABI that the file is read for.
func (r *reviewer) mainABI() arch.ABI {
	if a := r.options.Target.ABI; a.Valid() {
		return a
	}
	return arch.Native()
}

// ruleAt returns the rule that the value at pointer is part of, nil if the policy does
// not have it.
func ruleAt(p *policy.Policy, pointer string) *policy.Rule {
	if p == nil {
		return nil
	}
	for i := range p.Rules {
		if strings.HasPrefix(pointer, p.Rules[i].Pointer+"/") {
			return &p.Rules[i]
		}
	}
	return nil
}

// open reports whether an action lets a call happen without anybody's leave.
func open(a cbpf.Action) bool { return a.Class() == cbpf.Allow || a.Class() == cbpf.Log }

// list joins ABIs, as "x86 and x32".
func list(abis []arch.ABI) string {
	names := make([]string, len(abis))
	for i, a := range abis {
		names[i] = a.String()
	}
	return join(names)
}

func join(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// some names a few calls, as "bpf, mount, setns and 7 more".
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most-1], ", "), len(names)-most+1)
	}
	return join(names)
}
