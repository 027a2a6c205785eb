package lxc

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A reader is one run of Read.
type reader struct {
	release
	host
	source *language.Source
	policy policy.Policy

	rest    []byte // of the text
	line    int    // number of the one at work
	before  int    // how much of this line is before the text at work
	newline bool   // the line at work ends with one

	rule cbpf.Action // what a rule without an action does

	problems policy.Errors
	failed   int // how many problems there are
	warnings []policy.Warning
	more     map[policy.WarningKind]int
	hints    int // how many more names near unknown ones may be looked for
}

// Limits on what a policy can make the reader do. No filter of 4096 instructions holds a
// fraction of the rules.
const (
	maxRules   = 1 << 16
	maxReports = 1000 // problems, and warnings of each kind
)

func (r *reader) place(column int) string { return r.source.Place(r.line, r.before+column) }

// fail adds a problem in a column of the line at work, and warn a warning.
func (r *reader) fail(column int, reason string) {
	if r.failed++; r.failed <= maxReports {
		r.problems = append(r.problems, &policy.Error{Kind: policy.Syntax, Pointer: r.place(column), Reason: reason})
	}
}

func (r *reader) warn(kind policy.WarningKind, column int, message string) {
	if r.more == nil {
		r.more = make(map[policy.WarningKind]int)
	}
	if r.more[kind]++; r.more[kind] <= maxReports {
		r.warnings = append(r.warnings, policy.Warning{Kind: kind, Pointer: r.place(column), Message: message})
	}
}

// countMore says how many problems and warnings are not listed.
func (r *reader) countMore() {
	if n := r.failed - maxReports; n > 0 {
		r.problems = append(r.problems, &policy.Error{Kind: policy.Syntax, Reason: strconv.Itoa(n) + " more problems are not listed (mend these first)", More: n})
	}
	for _, kind := range []policy.WarningKind{policy.UnknownName, policy.Truncated, policy.Ignored} {
		if n := r.more[kind] - maxReports; n > 0 {
			r.warnings = append(r.warnings, policy.Warning{Kind: kind, Message: strconv.Itoa(n) + " more of the kind " + string(kind) + " are not listed", More: n})
		}
	}
}

// next takes the next line, without its end. For LXC, which is written in C, it ends before
// a zero byte, too.
func (r *reader) next() (line string, ok bool) {
	if len(r.rest) == 0 {
		return "", false
	}
	r.line++
	text, rest, newline := bytes.Cut(r.rest, []byte("\n"))
	r.rest, r.newline = rest, newline
	text, _, zero := bytes.Cut(text, []byte{0})
	if zero {
		r.newline = false
		r.warn(policy.Ignored, len(text)+1, "a zero byte: LXC reads nothing behind it in this line (remove it)")
	}
	return string(text), true
}

// read reads the whole text.
func (r *reader) read() {
	version := r.number()
	if version == 0 {
		return
	}
	style, ok := r.next()
	if !ok {
		r.line++
		r.fail(1, "the text ends where denylist or allowlist should be (add this line)")
		return
	}
	if i := strings.Index(style, "debug"); i >= 0 {
		r.fail(i+1, "debug: LXC refuses policies with this word (remove it)")
		return
	}
	if version == 1 {
		r.read1(style)
	} else {
		r.read2(style)
	}
}

// number reads the number of the language's version and space behind it, 0 if it is not
// there. What comes behind is the style, even if it is in the same line.
func (r *reader) number() int {
	text := string(r.rest)
	lead := text[:len(text)-len(strings.TrimLeft(text, space))]
	r.line = 1 + strings.Count(lead, "\n")
	v, n := scanInt(text, 10, false)
	if v = int64(int32(v)); n == 0 || v != 1 && v != 2 {
		first, _, _ := strings.Cut(text[len(lead):], "\n")
		r.fail(len(lead)-strings.LastIndexByte(lead, '\n'), unknown.Quote(first)+": not a version of the language (write 2 into the first line)")
		return 0
	}
	r.rest = bytes.TrimLeft(r.rest[n:], space)
	used := text[:len(text)-len(r.rest)]
	if r.line += strings.Count(used[n:], "\n"); !strings.Contains(used[n:], "\n") && len(r.rest) > 0 {
		r.warn(policy.Ignored, n-strings.LastIndexByte(lead, '\n'), "no line ends behind the version, and LXC looks for the style here (start a new line)")
	}
	r.line, r.before = r.line-1, len(used)-strings.LastIndexByte(used, '\n')-1
	return int(v)
}

// read1 reads a list of numbers, as version 1 has it.
func (r *reader) read1(style string) {
	if !strings.Contains(style, "allowlist") {
		r.fail(1, unknown.Quote(style)+": version 1 has only allowlists (write allowlist)")
		return
	}
	if strings.Trim(style, space) != "allowlist" {
		r.warn(policy.Ignored, 1, unknown.Quote(style)+": LXC reads this as allowlist, and ignores the rest")
	}
	r.policy.Default, r.policy.ABIs = cbpf.KillThread, r.abis[:1]
	r.before = 0
	for {
		line, ok := r.next()
		if !ok {
			return
		}
		v, n := scanInt(line, 10, false)
		if n == 0 {
			r.fail(1, unknown.Quote(line)+": not a number, and version 1 has neither names nor comments nor blank lines (use version 2, or remove the line)")
			continue
		}
		if nr := int32(v); nr >= -99 && nr < 0 {
			r.fail(1, strconv.Itoa(int(nr))+": not the number of a call (remove the line)")
		} else if r.keep() {
			r.ignored(line[n:], n+1)
			r.policy.Rules = append(r.policy.Rules, policy.Rule{Numbers: []uint32{uint32(nr)}, Action: cbpf.Allow, Pointer: r.place(1)})
		}
	}
}

// keep reports whether the policy may have another rule.
func (r *reader) keep() bool {
	if len(r.policy.Rules) < maxRules {
		return true
	}
	r.fail(1, "more than "+strconv.Itoa(maxRules)+" rules up to here: no filter can hold so many (name each call once)")
	r.rest = nil
	return false
}

// ignored warns of text that LXC ignores, unless it is a comment.
func (r *reader) ignored(text string, column int) {
	if trimmed := strings.Trim(text, space); trimmed != "" && trimmed[0] != '#' {
		r.warn(policy.Ignored, column, unknown.Quote(trimmed)+": LXC ignores this (remove it)")
	}
}

// read2 reads version 2.
func (r *reader) read2(style string) {
	i := slices.IndexFunc(styles(), func(s string) bool { return strings.HasPrefix(style, s) })
	if i < 0 {
		r.fail(1, r.unknown(style, "style", "write denylist or allowlist", styles()))
		return
	}
	fallback := cbpf.KillThread
	r.rule = cbpf.Allow
	if name := styles()[i]; name == "denylist" || name == "blacklist" {
		fallback, r.rule = r.rule, fallback
	}
	word, action, spaced := strings.Cut(style, " ")
	r.ignored(word[len(styles()[i]):], 1)
	if spaced {
		column := len(word) + 2
		if given, n, ok := r.action(action, column, r.newline); !ok {
			return
		} else if n > 0 {
			fallback = given
			r.ignored(action[n:], column+n)
			r.checkErrno(fallback, column)
		}
	}
	r.policy.Default, r.policy.DefaultErrno = parts(fallback)
	r.rules(fallback)
}

func styles() []string { return []string{"denylist", "allowlist", "blacklist", "whitelist"} }

// rules reads all that comes after the style.
func (r *reader) rules(fallback cbpf.Action) {
	r.before = 0
	counts := len(r.headings) > 0 // whether rules do at this place
	warned := false
	for {
		line, ok := r.next()
		switch {
		case !ok:
			return
		case line == "" || line[0] == '#':
		case line[0] == '[':
			counts = r.heading(line)
		case counts:
			r.readRule(line, fallback)
		case len(r.headings) == 0 && !warned:
			warned = true
			r.warn(policy.Ignored, 1, "LXC has no heading for "+r.abis[0].String()+", and ignores rules there that are not below [all] (write [all] above)")
		}
	}
}

// heading reads the name of an architecture, and reports whether the rules below count.
func (r *reader) heading(line string) bool {
	bare := strings.TrimRight(line, space)
	lower := strings.ToLower(strings.Trim(bare, "[]"))
	switch {
	case !r.hasHeading(lower) || bare != "["+lower+"]" && bare != "["+strings.ToUpper(lower)+"]":
		reason := ""
		if r.failed < maxReports { // else nobody gets to see it
			known := r.allHeadings()
			reason = r.unknown(line, "heading", "use one of "+strings.Join(known, ", "), known)
		}
		r.fail(1, reason)
		return false
	case bare != line:
		r.fail(len(bare)+1, "space is behind the heading, and LXC refuses this (remove it)")
		return false
	case lower == "all":
		return true
	case !slices.Contains(r.headings, lower):
		return false
	}
	if len(r.abis) > 1 {
		r.warn(policy.Ignored, 1, line+": the rules below are for every ABI of this host, as below [all]: a heading only says on which hosts they count")
	}
	return true
}

// hasHeading reports whether the version has a heading.
func (r *reader) hasHeading(name string) bool {
	return name == "all" || slices.ContainsFunc(headings(), func(x heading) bool {
		return x.name == name && (x.abi != arch.LoongArch64 || r.version >= 7)
	})
}

func (r *reader) allHeadings() []string {
	all := []string{"[all]"}
	for _, x := range headings() {
		if r.hasHeading(x.name) {
			all = append(all, "["+x.name+"]")
		}
	}
	return all
}

// parts splits an action into its class and its data.
func parts(a cbpf.Action) (cbpf.Action, *uint) {
	if a.Class() != cbpf.ErrnoClass {
		return a, nil
	}
	n := uint(a.Data())
	return a.Class(), &n
}
