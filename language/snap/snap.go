// Package snap reads and writes the seccomp policies of snaps, which snapd writes to
// /var/lib/snapd/seccomp/bpf/NAME.src and compiles with snap-seccomp, and the files that
// it makes of them. Start with a [Language], or with [Decode] for a file NAME.bin2.
//
// A snap has two filters: one that denies what lines with ~ say, and over it one that
// allows what the others say. So a policy has an older one: see [policy.Policy.Older].
package snap

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Language reads policies as snap-seccomp does. It implements [language.Language]. Its
// zero value reads whole policies, as snapd writes them.
type Language struct {
	// Template is a file whose lines stand in front of the policy's, as snapd's template
	// stands in front of the snippets of interfaces: a name as [language.Source.Include]
	// takes it. "" is none.
	Template string
	// Users and Groups have the numbers of names behind u: and g:, such as
	// "daemon:1,shadow:42". Other names are looked up in /etc/passwd and /etc/group, then
	// in /var/lib/extrausers, in the root of the source's files. root is 0 where neither
	// has it. Names that nobody knows are errors.
	Users, Groups string
	// Calls is the Linux release X.Y up to which snap-seccomp's libseccomp knows calls:
	// snap-seccomp drops lines about others. "" means 7.1, that of libseccomp 2.6.1.
	Calls string
}

// Numbers of errors that are the same on all ABIs that snapd runs on.
const (
	eperm  = 1  // for what nothing allows
	eacces = 13 // for what a line denies
)

// Read reads a policy for a snapd that runs on the target's ABI. The filters are for it and
// for the ABI of 32-bit programs beside it, but for x32; calls through others kill the
// thread. Kernel and capabilities of the target do not matter.
//
// What snap-seccomp refuses is an error, and what it drops or ignores a warning. A policy
// that says @unrestricted allows all calls through all ABIs: snapd loads no filter.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{source: s, abi: cmp.Or(t.ABI, arch.Native()), hints: maxHints}
	if r.abis = abisOf(r.abi); r.abis == nil {
		r.fail("", "target "+r.abi.String()+": snapd does not run on it (use x86_64, x86, aarch64, arm, riscv64, s390x, ppc, ppc64 or ppc64le)")
	}
	r.calls = r.release(l.Calls)
	r.users = accounts{kind: "user", setting: "users", file: "passwd", known: r.given("users", l.Users)}
	r.groups = accounts{kind: "group", setting: "groups", file: "group", known: r.given("groups", l.Groups)}
	if len(r.problems) == 0 {
		r.readAll(l.Template)
	}
	warnings := r.finish()
	if len(r.problems) > 0 {
		return language.Reading{Warnings: warnings}, r.problems
	}
	return language.Reading{Policy: r.policy(), Warnings: warnings}, nil
}

// abisOf returns the ABIs of the filters that snapd makes on an ABI, nil if it does not run
// there.
func abisOf(a arch.ABI) []arch.ABI {
	switch a {
	case arch.X86_64:
		return []arch.ABI{a, arch.X86}
	case arch.AArch64:
		return []arch.ABI{a, arch.ARM}
	case arch.PPC64:
		return []arch.ABI{a, arch.PPC}
	case arch.X86, arch.ARM, arch.RISCV64, arch.S390X, arch.PPC, arch.PPC64LE:
		return []arch.ABI{a}
	}
	return nil
}

// A reader is one run of Read.
type reader struct {
	source *language.Source
	abi    arch.ABI // that snap-seccomp runs on
	abis   []arch.ABI
	calls  syscalltables.Version

	complain     bool
	unrestricted string // where it says that
	allow, deny  []policy.Rule

	users, groups accounts
	constants     map[string]uint64 // nil until one is needed
	hints         int               // how many more names near unknown ones may be looked for

	problems policy.Errors
	stopped  bool
	warnings []policy.Warning
	more     map[policy.WarningKind]int // all of each kind
}

// Limits on what a policy can make a reader do. No filter of 4096 instructions has a
// fraction of the lines.
const (
	maxLine    = 64 << 10 // bytes, with the line feed
	maxLines   = 1 << 16  // that are about calls
	maxReports = 1000     // problems, and warnings of each kind
	maxHints   = 32
)

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
	r.problems = append(r.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
	r.stopped = true
}

func (r *reader) warn(kind policy.WarningKind, place, message string) {
	if r.more == nil {
		r.more = make(map[policy.WarningKind]int)
	}
	if r.more[kind]++; r.more[kind] <= maxReports {
		r.warnings = append(r.warnings, policy.Warning{Kind: kind, Pointer: place, Message: message})
	}
}

// release reads the release up to which calls are known.
func (r *reader) release(text string) syscalltables.Version {
	if text == "" {
		return syscalltables.Version{Major: 7, Minor: 1}
	}
	v, err := syscalltables.ParseVersion(text)
	if err != nil {
		r.fail("", "calls "+unknown.Quote(text)+": not a release of Linux (use X.Y, such as 6.13)")
	}
	return v
}

// finish returns the warnings with their lines, and how many more there are of each kind.
func (r *reader) finish() []policy.Warning {
	r.source.Locate(r.warnings, r.problems)
	for _, kind := range []policy.WarningKind{policy.UnknownName, policy.Ignored} {
		if n := r.more[kind] - maxReports; n > 0 {
			r.warnings = append(r.warnings, policy.Warning{Kind: kind, Message: strconv.Itoa(n) + " more of the kind " + string(kind) + " are not listed", More: n})
		}
	}
	return r.warnings
}

// readAll reads the template and the policy.
func (r *reader) readAll(template string) {
	sources := []*language.Source{r.source}
	if template != "" {
		first, err := r.source.Include(template)
		if err != nil {
			text := err.Error()
			if !strings.HasSuffix(text, ")") { // it has no cure
				text += " (the name is relative to the policy's directory, or absolute in its root directory)"
			}
			r.fail("", "template: "+text)
			return
		}
		sources = []*language.Source{first, r.source}
	}
	for _, s := range sources {
		r.readDirectives(s)
	}
	if r.stopped {
		return
	}
	if r.unrestricted != "" {
		r.warn(policy.Ignored, r.unrestricted, "@unrestricted: snapd loads no filter, and snap-seccomp ignores all other lines")
		return
	}
	for _, s := range sources {
		n := 0
		for line := range strings.Lines(string(s.Data())) {
			n++
			r.readLine(s, n, trimEnd(line))
			if r.stopped {
				return
			}
		}
	}
}

// readDirectives looks for the lines that say what kind of policy it is, wherever they are,
// and for lines that are too long.
func (r *reader) readDirectives(s *language.Source) {
	n := 0
	for line := range strings.Lines(string(s.Data())) {
		n++
		if len(line) > maxLine {
			r.stop(s.Place(n, 1), "a line of "+strconv.Itoa(maxLine>>10)+" KiB or more (split it)")
			return
		}
		switch strings.TrimSpace(line) {
		case "@unrestricted":
			r.unrestricted = cmp.Or(r.unrestricted, s.Place(n, 1+strings.IndexByte(line, '@')))
		case "@complain":
			r.complain = true
		}
	}
}

// trimEnd returns a line without its end: a line feed and one carriage return before it.
func trimEnd(line string) string {
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
}

// policy returns what the lines mean together.
func (r *reader) policy() *policy.Policy {
	if r.unrestricted != "" {
		return &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Allow, NoBound: true, ABIs: r.abis}
	}
	errno := uint(eperm)
	deny := &policy.Policy{Default: cbpf.Allow, NoBound: true, ABIs: r.abis, Rules: r.deny}
	allow := &policy.Policy{Default: cbpf.ErrnoClass, DefaultErrno: &errno, NoBound: true, ABIs: r.abis, Rules: r.allow}
	if r.complain {
		allow.Default, allow.DefaultErrno = cbpf.Log, nil
	}
	allow.Older = []*policy.Policy{deny}
	return allow
}
