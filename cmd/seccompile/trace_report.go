package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/record"
	"github.com/seccompile/seccompile/syscalltables"
	"github.com/seccompile/seccompile/words"
)

// Denials are the denied calls of a run and the report on them.
type denials struct {
	w        io.Writer
	err      error // of the first write that failed
	json     bool
	profile  string // what it is called
	policy   *policy.Policy
	reading  policy.Options
	resolved *policy.Resolved

	list []*denial
	seen map[denialKey]*denial
	more uint64 // calls beyond maxDenials
}

// maxDenials bounds the report: a profile may test an argument that is never the
// same twice.
const maxDenials = 1000

// A denialKey is the same for calls that differ in nothing that the profile tests.
type denialKey struct {
	audit, nr uint32
	verdict   policy.Verdict
	args      [6]uint64 // as far as they are tested
}

// A denial is a call that was denied, and how often calls like it were.
type denial struct {
	id      int
	data    cbpf.Data
	abi     arch.ABI
	verdict policy.Verdict
	process watch.Process
	count   uint64
	fix     *record.Fix
	unfixed error // why there is no fix
}

// add counts a denied call, and reports it if it is the first like it. caller is asked
// for the process only then.
func (s *denials) add(d *cbpf.Data, v policy.Verdict, caller func() watch.Process) {
	key := denialKey{d.Arch, d.NR, v, s.tested(d)}
	if known := s.seen[key]; known != nil {
		known.count++
		return
	}
	if len(s.list) == maxDenials {
		s.more++
		return
	}
	x := &denial{id: len(s.list) + 1, data: *d, verdict: v, process: caller(), count: 1}
	x.abi, _ = arch.ByAudit(d.Arch, d.NR)
	x.fix, x.unfixed = record.Allow(s.policy, s.reading, d)
	if s.seen == nil {
		s.seen = make(map[denialKey]*denial)
	}
	s.seen[key] = x
	s.list = append(s.list, x)
	if s.json {
		s.write(s.document(x))
		return
	}
	s.print("%s\n  why: %s\n  fix: %s\n", x, s.why(x), x.cure())
}

// tested returns the arguments of a call as far as rules on it test them.
func (s *denials) tested(d *cbpf.Data) (args [6]uint64) {
	for _, c := range record.Clauses(s.resolved, d) {
		for _, cond := range c.Conds {
			args[cond.Arg] |= d.Args[cond.Arg] & cond.Mask
		}
	}
	return args
}

func (s *denials) print(format string, args ...any) {
	_, err := fmt.Fprintf(s.w, format, args...)
	s.err = cmp.Or(s.err, err)
}

func (s *denials) write(doc any) {
	line, err := json.Marshal(doc)
	s.err = cmp.Or(s.err, err)
	s.print("%s\n", escapedJSON(line))
}

// String says who called what and got what.
func (x *denial) String() string {
	call := words.Call(x.abi, x.data.NR, x.data.Args)
	if x.abi != arch.Native() {
		call = fmt.Sprintf("%s %s", x.abiName(), call)
	}
	return fmt.Sprintf("seccompile: denied: %s[%d]: %s: %s", shown(x.process.Name), x.process.PID, call, words.Action(x.abi, x.verdict.Action))
}

func (x *denial) abiName() string {
	if x.abi == 0 {
		return fmt.Sprintf("AUDIT_ARCH %#x", x.data.Arch)
	}
	return x.abi.String()
}

// why says what decided.
func (s *denials) why(x *denial) string {
	name := x.name()
	switch x.verdict.Reason {
	case policy.ByBadArch:
		return fmt.Sprintf("the profile is not for %s", x.abiName())
	case policy.ByENOSYS:
		return fmt.Sprintf("the profile names neither %s nor a newer call", name)
	case policy.ByRule:
		return fmt.Sprintf("the rule at %s decides", x.verdict.Pointer)
	case policy.ByDefault:
	}
	var allowed []string
	for _, c := range record.Clauses(s.resolved, &x.data) {
		if record.Passes(c.Action) {
			allowed = append(allowed, fmt.Sprintf("%s (%s)", words.Conds(x.abi, x.data.NR, c.Conds), c.Pointer))
		}
	}
	const most = 3
	if more := len(allowed) - most; more > 0 {
		allowed = append(allowed[:most], fmt.Sprintf("%d more", more))
	}
	reason := "no rule allows " + name
	if allowed != nil {
		reason = fmt.Sprintf("%s is only allowed as %s", name, strings.Join(allowed, ", "))
	}
	return fmt.Sprintf("%s, so the default action at %s/defaultAction decides", reason, s.policy.Pointer)
}

func (x *denial) name() string {
	name, _, _ := strings.Cut(words.Call(x.abi, x.data.NR, x.data.Args), "(")
	return name
}

// cure says what to change in the profile.
func (x *denial) cure() string {
	if x.unfixed != nil {
		return "none: " + strings.TrimPrefix(x.unfixed.Error(), "record: ")
	}
	var steps []string
	for _, pointer := range x.fix.Remove {
		if strings.Contains(pointer, "/names/") {
			pointer = x.name() + ", " + pointer
		}
		steps = append(steps, "remove "+pointer)
	}
	for _, abi := range x.fix.ABIs {
		steps = append(steps, fmt.Sprintf("add %q to architectures", abi.OCI()))
	}
	for _, rule := range x.fix.OCI() {
		text, _ := json.Marshal(rule)
		steps = append(steps, "add to syscalls "+string(text))
	}
	return strings.Join(steps, ", ")
}

// A denialJSON is a line of trace --json about a denied call. 64-bit numbers are
// hexadecimal strings, as in eval's.
type denialJSON struct {
	Version int      `json:"version"`
	Event   string   `json:"event"` // denied
	ID      int      `json:"id"`    // from 1, in the order of the lines
	PID     int      `json:"pid"`
	Process string   `json:"process"`
	ABI     string   `json:"abi,omitempty"`
	Syscall string   `json:"syscall,omitempty"`
	Number  uint32   `json:"number"`
	Args    []string `json:"args"`
	Call    string   `json:"call"` // in words
	Action  string   `json:"action"`
	Data    uint16   `json:"data"`
	Errno   string   `json:"errno,omitempty"`
	Reason  string   `json:"reason"`
	Pointer string   `json:"pointer,omitempty"`
	Fix     *fixJSON `json:"fix,omitempty"`
}

type fixJSON struct {
	Remove        []string             `json:"remove,omitempty"`
	Architectures []specs.Arch         `json:"architectures,omitempty"`
	Syscalls      []specs.LinuxSyscall `json:"syscalls,omitempty"`
}

func (s *denials) document(x *denial) denialJSON {
	doc := denialJSON{
		Version: jsonVersion, Event: "denied", ID: x.id, PID: x.process.PID, Process: x.process.Name,
		Syscall: syscalltables.Names{}.Syscall(x.data.Arch, x.data.NR), Number: x.data.NR, Call: words.Call(x.abi, x.data.NR, x.data.Args),
		Data: x.verdict.Action.Data(), Errno: errnoName(x.verdict.Action, x.abi),
		Reason: x.verdict.Reason.String(), Pointer: x.verdict.Pointer,
	}
	doc.Action, _, _ = strings.Cut(x.verdict.Action.String(), "(")
	if x.abi != 0 {
		doc.ABI = x.abi.String()
	}
	for _, v := range x.data.Args {
		doc.Args = append(doc.Args, fmt.Sprintf("%#x", v))
	}
	if x.fix != nil {
		doc.Fix = &fixJSON{Remove: x.fix.Remove, Syscalls: x.fix.OCI()}
		for _, abi := range x.fix.ABIs {
			doc.Fix.Architectures = append(doc.Fix.Architectures, specs.Arch(abi.OCI()))
		}
	}
	return doc
}

// An endJSON is the last line of trace --json.
type endJSON struct {
	Version int         `json:"version"`
	Event   string      `json:"event"` // end
	Status  int         `json:"status"`
	Denied  []countJSON `json:"denied"`
	More    uint64      `json:"more,omitempty"` // denied calls that are not reported
}

type countJSON struct {
	ID    int    `json:"id"`
	Count uint64 `json:"count"`
}

// end ends the report with how often each call was denied.
func (s *denials) end(status int) {
	if s.json {
		doc := endJSON{Version: jsonVersion, Event: "end", Status: status, Denied: []countJSON{}, More: s.more}
		for _, x := range s.list {
			doc.Denied = append(doc.Denied, countJSON{x.id, x.count})
		}
		s.write(doc)
		return
	}
	if len(s.list) == 0 {
		s.print("seccompile: nothing was denied\n")
		return
	}
	s.print("seccompile: denied in all:\n")
	for _, x := range s.list {
		s.print("  %s: %s, %s\n", words.Call(x.abi, x.data.NR, x.data.Args), words.Action(x.abi, x.verdict.Action), times(x.count))
	}
	if s.more > 0 {
		s.print("  and other calls, %s\n", times(s.more))
	}
	if slices.ContainsFunc(s.list, func(x *denial) bool { return x.verdict.Reason != policy.ByRule }) {
		s.print("seccompile: hint: record --base %s -o FILE adds what the profile lacks\n", shown(s.profile))
	}
}
