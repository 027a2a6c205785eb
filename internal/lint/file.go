package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// checkFile reports how the consumer misreads a file in a format other than its own.
// ignored are the keys that have no effect.
func (r *reviewer) checkFile(own oci.Format, ignored []string) {
	c := r.options.For
	want := c.format(own)
	if own == oci.Config && want != oci.Config {
		f := Finding{ID: "wrong-file", Reason: c.title() + " finds no profile in a whole config.json, and installs no filter at all"}
		if c == KEP6061 {
			f.Reason = c.title() + " refuses a whole config.json"
		}
		r.found(f)
		return
	}
	if c == KEP6061 {
		r.refusedKeys(ignored)
		return
	}
	if r.Policy == nil || len(ignored) == 0 {
		return
	}
	m := misreading{reviewer: r, ignores: c.title() + " ignores "}
	reading, _ := oci.Language{Format: want}.Read(r.source, r.options.Target)
	if m.read = reading.Policy; m.read != nil {
		m.resolved, _, _ = policy.Resolve(m.read, r.resolving(r.Policy))
	}
	for len(ignored) > 0 {
		key := last(ignored[0])
		same := func(pointer string) bool { return strings.EqualFold(last(pointer), key) }
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

// A misreading is how a consumer reads a profile whose keys it ignores.
type misreading struct {
	*reviewer
	read     *policy.Policy   // as the consumer reads it, nil if it finds a rule without names
	resolved *policy.Resolved // of read, nil if it cannot be
	ignores  string           // "Docker ignores "
}

// check reports that a key is ignored, in all the places where it is.
func (m *misreading) check(key string, pointers []string) {
	f := Finding{ID: "ignored-key"}
	for _, k := range [...]string{"archMap", "includes", "excludes", "minKernel", "errno", "defaultErrno", "name"} {
		if strings.EqualFold(k, key) {
			key = k
		}
	}
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
		f.Reason = m.ignores + "name" + and(pointers) + ", and a rule without names has no effect"
		if m.options.For == Crun {
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
	f.Reason = m.ignores + "archMap, so the filter covers only the host's own ABI"
	f.Fix = "list the ABIs in architectures instead"
	if len(others) == 0 {
		f.Severity = Note
		return
	}
	f.Reason += ", and calls through " + list(others) + " kill the thread"
}

// conditions reports that the conditions of some rules are ignored.
func (m *misreading) conditions(f *Finding, key string, pointers []string) {
	f.Reason = m.ignores + key + and(pointers) + ", so the rule applies to every container"
	if key == "minKernel" {
		f.Reason = m.ignores + key + and(pointers) + ", so the rule applies on every kernel"
	}
	f.Fix = "use the output of seccompile resolve"
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
		f.Reason += ": " + some(opened) + is(opened) + " wrongly allowed"
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
	if strings.EqualFold(last(pointer), "minKernel") {
		pointer = parent(pointer)
	}
	c := m.doc.Lookup(pointer)
	for _, key := range []string{"caps", "arches"} {
		for range c.Member(key).Elements() {
			return false
		}
	}
	kernel := c.Member("minKernel")
	return !kernel.Present() || kernel.Is("")
}

// errno reports ignored error names that differ from the number next to them.
func (m *misreading) errno(f *Finding, key string, pointers []string) {
	if len(pointers) == 0 {
		return
	}
	f.Reason = m.ignores + key + and(pointers) + ", so the error is " + m.errnoOf(m.read, pointers[0]) + ", not " + m.errnoOf(m.Policy, pointers[0])
	f.Fix = "write the number to " + key + "Ret"
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
	if !strings.EqualFold(last(pointer), "defaultErrno") {
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
func open(a cbpf.Action) bool { return a.Permits(cbpf.Alone) }

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
