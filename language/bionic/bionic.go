// Package bionic reads the lists of calls of bionic, Android's C library, of which its
// build makes the filters of apps. Start with a [Language].
package bionic

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Language reads a list of calls, SYSCALLS.TXT, with others that add calls and take some
// away, as bionic's genseccomp.py combines them. It implements [language.Language]. The zero
// value reads one list alone.
type Language struct {
	// Process is the kind of process that a filter is for: "app", "app_zygote" or "system".
	// It stands for the lists that bionic's build combines for these. "" stands for none.
	Process string
	// Lists are the names of more lists, relative to the directory of the first. The calls in
	// those that have "blocklist" in their names, or "blacklist" as in older releases, in any
	// letter case, are taken away from the first list. One whose name ends in "priority.txt"
	// names the calls that are tested first. All others add calls.
	Lists []string
	// Targets are the ABIs that the filter is for, of arm, aarch64, x86, x86_64 and riscv64.
	// Empty means the ABI of the [policy.Target], and its 32-bit or 64-bit sibling.
	Targets []arch.ABI
}

// Read reads lists. Calls that they allow are allowed, and all others raise SIGSYS: TRAP,
// also for other ABIs. It refuses what genseccomp.py refuses. The error is [policy.Errors].
// Nothing of the target but its ABI counts.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{top: s, abis: slices.Clone(l.Targets)}
	if problem := r.setTargets(t.ABI); problem != "" {
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: problem}}
	}
	lists, problem := l.lists()
	if problem == "" && isBlocklist(s.Name()) {
		problem = s.Name() + ": a list of what other lists lose is not a policy (read SYSCALLS.TXT, with this one among its lists)"
	}
	if problem != "" {
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: problem}}
	}
	r.base = r.list(s)
	for _, name := range lists {
		r.more(name)
	}
	p := r.policy()
	reading := language.Reading{Policy: p, Frequencies: r.frequencies()}
	reading.Warnings = r.allWarnings()
	if len(r.problems) > 0 {
		return language.Reading{Warnings: reading.Warnings}, r.problems
	}
	return reading, nil
}

// supported are the ABIs of bionic, by its names for them.
var supported = [...]struct {
	name string
	abi  arch.ABI
}{{"arm", arch.ARM}, {"arm64", arch.AArch64}, {"riscv64", arch.RISCV64}, {"x86", arch.X86}, {"x86_64", arch.X86_64}}

// setTargets finds the ABIs to read for, and says what is wrong with them.
func (r *reader) setTargets(a arch.ABI) (problem string) {
	if len(r.abis) == 0 {
		if a == 0 {
			a = arch.Native()
		}
		for _, x := range supported {
			if x.abi.Main() == a.Main() {
				r.abis = append(r.abis, x.abi)
			}
		}
		if len(r.abis) == 0 {
			return noLists(a)
		}
	}
	for _, a := range r.abis {
		known := false
		for _, x := range supported {
			known = known || x.abi == a
		}
		if !known {
			return noLists(a)
		}
	}
	return ""
}

func noLists(a arch.ABI) string {
	return "target " + a.String() + ": bionic has no lists for it (use arm, aarch64, x86, x86_64 or riscv64)"
}

// lists returns the names of all lists but the first.
func (l Language) lists() (names []string, problem string) {
	switch l.Process {
	case "":
	case "app":
		names = []string{"SECCOMP_ALLOWLIST_COMMON.TXT", "SECCOMP_ALLOWLIST_APP.TXT", "SECCOMP_BLOCKLIST_COMMON.TXT", "SECCOMP_BLOCKLIST_APP.TXT", "SECCOMP_PRIORITY.TXT"}
	case "app_zygote":
		names = []string{"SECCOMP_ALLOWLIST_COMMON.TXT", "SECCOMP_BLOCKLIST_COMMON.TXT", "SECCOMP_PRIORITY.TXT"}
	case "system":
		names = []string{"SECCOMP_ALLOWLIST_COMMON.TXT", "SECCOMP_ALLOWLIST_SYSTEM.TXT", "SECCOMP_BLOCKLIST_COMMON.TXT", "SECCOMP_PRIORITY.TXT"}
	default:
		return nil, "process " + unknown.Quote(l.Process) + ": bionic has no filter for such (use app, app_zygote or system)"
	}
	return append(names, l.Lists...), ""
}

// isBlocklist reports whether the calls of a list are taken away from another.
func isBlocklist(name string) bool {
	name = strings.ToLower(path.Base(name))
	return strings.Contains(name, "blocklist") || strings.Contains(name, "blacklist")
}

// more reads one more list.
func (r *reader) more(name string) {
	s, err := r.top.Include(name)
	if err != nil {
		text := err.Error()
		if !strings.HasSuffix(text, ")") {
			text += " (lists are relative to the first one, in a root that holds them)"
		}
		r.fail("", text)
		return
	}
	switch {
	case strings.HasSuffix(strings.ToLower(name), "priority.txt"):
		r.priorities(s)
	case isBlocklist(name):
		r.blocked = append(r.blocked, r.list(s)...)
	default:
		r.allowed = append(r.allowed, r.list(s)...)
	}
}

// policy makes the policy of all lists.
func (r *reader) policy() *policy.Policy {
	p := &policy.Policy{Order: policy.FirstMatch, ABIs: r.abis, Default: cbpf.Trap, Elsewhere: cbpf.Trap}
	blocked := r.subtract()
	r.has = make(map[key]bool)
	for _, e := range r.base {
		p.Rules = r.rules(p.Rules, e, func(k key) bool { return blocked[k] == "" })
	}
	for _, e := range r.allowed {
		for _, a := range e.abis {
			if at := blocked[key{e.name, a}]; at != "" {
				r.warn(policy.Ignored, e.place, e.name+": is blocked at "+at+", but a list that adds calls has it, so it is allowed")
				break
			}
		}
		p.Rules = r.rules(p.Rules, e, func(key) bool { return true })
	}
	for _, a := range r.abis {
		if len(r.problems) == 0 && !slices.ContainsFunc(p.Rules, func(x policy.Rule) bool { return x.ABIs == nil || slices.Contains(x.ABIs, a) }) {
			r.fail("", "no list allows a call of "+a.String()+", so nothing could run (add SYSCALLS.TXT, or leave the ABI out)")
		}
	}
	return p
}

// subtract returns where calls are blocked, which the first list has to have, on every ABI.
func (r *reader) subtract() map[key]string {
	based, blocked := make(map[key]bool), make(map[key]string)
	for _, e := range r.base {
		for _, a := range e.abis {
			based[key{e.name, a}] = true
		}
	}
	for _, e := range r.blocked {
		var absent []string
		for _, a := range e.abis {
			if blocked[key{e.name, a}] = e.place; !based[key{e.name, a}] {
				absent = append(absent, a.String())
			}
		}
		if absent != nil {
			r.fail(e.place, e.name+": the first list does not have it on "+strings.Join(absent, ", ")+", so nothing can be taken away (remove it there)")
		}
	}
	return blocked
}

// rules appends the rules for a line: those that no line before has.
func (r *reader) rules(rules []policy.Rule, e entry, wanted func(key) bool) []policy.Rule {
	byName := make(map[string][]arch.ABI) // Linux's names of the call
	var names []string
	for _, a := range e.abis {
		name := linuxName(e.name, a)
		if _, ok := number(name, a); !ok {
			r.fail(e.place, r.lacks(e.name, a))
			return rules
		}
		if k := (key{e.name, a}); !slices.Contains(r.abis, a) || !wanted(k) || r.has[k] {
			continue
		}
		r.has[key{e.name, a}] = true
		if byName[name] == nil {
			names = append(names, name)
		}
		byName[name] = append(byName[name], a)
	}
	for _, name := range names {
		rule := policy.Rule{Names: []string{name}, ABIs: byName[name], Action: cbpf.Allow, Pointer: e.place}
		if len(rule.ABIs) == len(r.abis) {
			rule.ABIs = nil
		}
		rules = append(rules, rule)
	}
	return rules
}

// linuxName returns the name that the tables have for a call of bionic's.
func linuxName(name string, a arch.ABI) string {
	if a == arch.ARM {
		if own, ok := strings.CutPrefix(name, "__ARM_NR_"); ok {
			return own
		}
		if name == "sync_file_range2" { // arm's header has both names
			return "arm_sync_file_range"
		}
	}
	return name
}

func number(name string, a arch.ABI) (uint32, bool) {
	c, _ := syscalltables.Lookup(name)
	return c.Number(a)
}

// lacks says what is wrong with a name.
func (r *reader) lacks(name string, a arch.ABI) string {
	text := unknown.Quote(name) + ": Linux has no such call on " + a.String()
	if _, ok := syscalltables.Lookup(name); ok {
		return text + " (leave the architecture out)"
	}
	near := ""
	if r.hints++; r.hints <= maxHints {
		near = unknown.DidYouMean(syscalltables.Nearest(name))
	}
	if near == "" {
		near = " (leave it out)"
	}
	return text + near
}

// frequencies returns weights for the calls that are to be tested first.
func (r *reader) frequencies() map[string]uint64 {
	if len(r.first) == 0 {
		return nil
	}
	all := make(map[string]uint64)
	for i, e := range r.first {
		allowed := false
		for _, a := range r.abis {
			allowed = allowed || r.has[key{e.name, a}]
		}
		if !allowed {
			r.warn(policy.Ignored, e.place, e.name+": no list allows this call, so testing it first has no effect")
		} else if name := linuxName(e.name, 0); all[name] == 0 {
			all[name] = uint64(len(r.first) - i)
		}
	}
	return all
}

func (r *reader) fail(place, reason string) {
	if r.stopped {
		return
	}
	r.problems = append(r.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
	if len(r.problems) == maxReports {
		r.stop(place, strconv.Itoa(maxReports)+" problems up to here (fix these first)")
	}
}

// stop fails, and lets nothing more be read.
func (r *reader) stop(place, reason string) {
	if !r.stopped {
		r.problems = append(r.problems, &policy.Error{Kind: policy.Syntax, Pointer: place, Reason: reason})
		r.stopped = true
	}
}

func (r *reader) warn(kind policy.WarningKind, place, message string) {
	if r.warned++; r.warned <= maxReports {
		r.warnings = append(r.warnings, policy.Warning{Kind: kind, Pointer: place, Message: message})
	}
}

// allWarnings returns the warnings, all of kind ignored, and how many more there are.
func (r *reader) allWarnings() []policy.Warning {
	if n := r.warned - maxReports; n > 0 {
		r.warnings = append(r.warnings, policy.Warning{Kind: policy.Ignored, Message: strconv.Itoa(n) + " more of the kind " + string(policy.Ignored) + " are not listed", More: n})
	}
	return r.warnings
}
