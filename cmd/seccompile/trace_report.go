package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/internal/watch"
	"github.com/seccompile/seccompile/policy"
)

// Denials are the denied calls of a run and the report on them.
type denials struct {
	w          io.Writer
	err        error // of the first write that failed
	json       bool
	permissive bool
	profile    *explainer // nil if the filters are the process's own
	outer      *explainer // of earlier filters; nil if it is not known
	earlier    int        // filters
	blind      error      // why the calls that they deny may be missing
	failed     error      // why the program did not run, or was not watched to the end
	own        bool       // the program put filters in force itself

	list []*denial
	seen map[denialKey]*denial
	more uint64 // calls beyond maxDenials

	container string // for JSON: the container of an agent
}

// maxDenials bounds the report: a profile may test an argument that is never the
// same twice.
const maxDenials = 1000

// A denialKey is the same for calls that the profile cannot distinguish.
type denialKey struct {
	audit, nr uint32
	verdict   policy.Verdict
	args      [6]uint64 // as far as they are tested
	by        decider
}

// A decider is a filter: 0 of 0 is that of the profile, 0 of others one of these earlier
// filters or, if own, one of the program's.
type decider struct {
	filter, of int
	own        bool
}

// A denial is a call that was denied, and how often calls like it were.
type denial struct {
	id      int
	data    cbpf.Data
	abi     arch.ABI
	verdict policy.Verdict
	by      decider
	process watch.Process
	texts   [6]string
	count   uint64
	explanation
}

// add counts a call that the profile denies, and reports it if it is the first like it.
// about is asked for the process and the texts of arguments only then.
func (s *denials) add(d *cbpf.Data, v policy.Verdict, about func() (watch.Process, [6]string)) {
	key := denialKey{d.Arch, d.NR, v, s.profile.tested(d), decider{}}
	if !s.counted(key) {
		return
	}
	x := &denial{data: *d, verdict: v, explanation: s.profile.explain(d, v)}
	x.process, x.texts = about()
	s.report(key, x)
}

// addOther counts a call that a filter of somebody else denies, like add.
func (s *denials) addOther(d *watch.Denial) {
	by := decider{d.Filter, d.Filters, s.own && d.Own}
	if by.of == 0 {
		by.of = s.earlier
	}
	v := policy.Verdict{Action: d.Action}
	key := denialKey{d.Data.Arch, d.Data.NR, v, s.outer.tested(&d.Data), by}
	if !s.counted(key) {
		return
	}
	x := &denial{data: d.Data, verdict: v, by: by, process: d.Process, texts: d.Texts}
	if s.outer != nil {
		x.verdict, x.explanation = s.outer.explainOther(&d.Data, d.Action)
	} else {
		x.explanation = s.unknown(x)
	}
	s.report(key, x)
}

// unknown is what can be said of a call that an unknown profile denies.
func (s *denials) unknown(x *denial) explanation {
	j := explanation{pointless: true, unfixed: errors.New("a filter does not say which rule it is from (give the profile with --outer)")}
	switch {
	case x.by.filter > 0:
		j.why = fmt.Sprintf("filter %d of %d decides; 1 is the oldest", x.by.filter, x.by.of)
	case s.profile.resolved.Eval(&x.data).Permits(cbpf.Alone):
		j.why = others(x.by.own) + " decides; the profile allows the call"
	default:
		j.why = others(x.by.own) + " decides; the profile denies the call, too"
	}
	return j
}

// counted counts a call. It reports whether it is the first like it and to be reported.
func (s *denials) counted(key denialKey) (first bool) {
	if known := s.seen[key]; known != nil {
		known.count++
		return false
	}
	if len(s.list) == maxDenials {
		s.more++
		return false
	}
	return true
}

func (s *denials) report(key denialKey, x *denial) {
	x.id, x.count = len(s.list)+1, 1
	x.abi, _ = arch.ByAudit(x.data.Arch, x.data.NR)
	if s.seen == nil {
		s.seen = make(map[denialKey]*denial)
	}
	s.seen[key] = x
	s.list = append(s.list, x)
	if s.json {
		s.write(s.document(x))
		return
	}
	s.print("seccompile: %s: %s[%d]: %s: %s\n  why: %s\n  fix: %s\n", s.denied(x), failure.Shown(x.process.Name), x.process.PID,
		x.call(), symbols.Action(x.abi, x.verdict.Action), x.why, x.cure())
}

// denied says what happened to a call.
func (s *denials) denied(x *denial) string {
	switch {
	case x.by.of > 0 && s.profile != nil:
		return "denied by " + others(x.by.own)
	case s.permissive:
		return "would be denied"
	}
	return "denied"
}

// others names the filters that deny what the profile does not: earlier ones and, if own,
// those of the program.
func others(own bool) string {
	if own {
		return "an earlier filter or one of the program's own"
	}
	return "an earlier filter"
}

func (s *denials) print(format string, args ...any) {
	_, err := fmt.Fprintf(s.w, format, args...)
	s.err = cmp.Or(s.err, err)
}

func (s *denials) write(doc any) {
	line, err := json.Marshal(doc)
	s.err = cmp.Or(s.err, err)
	s.print("%s\n", answer.EscapedJSON(line))
}

// call writes the call, with its ABI if that is not this machine's.
func (x *denial) call() string {
	call := symbols.CallWith(x.abi, x.data.NR, x.data.Args, x.texts)
	if x.abi != arch.Native() {
		call = fmt.Sprintf("%s %s", abiName(x.abi, x.data.Arch), call)
	}
	return call
}

// cure says what to change in the profile.
func (x *denial) cure() string {
	if x.unfixed != nil {
		return "none: " + strings.TrimPrefix(x.unfixed.Error(), "record: ")
	}
	var steps []string
	for _, pointer := range x.fix.Remove {
		if strings.Contains(pointer, "/names/") {
			pointer = callName(&x.data) + ", " + pointer
		}
		steps = append(steps, "remove "+pointer)
	}
	steps = append(steps, abiSteps(x.fix)...)
	for _, rule := range x.fix.OCI() {
		text, _ := json.Marshal(rule)
		steps = append(steps, "add to syscalls "+string(text))
	}
	return strings.Join(steps, ", ")
}

// abiSteps says where to add ABIs.
func abiSteps(fix *record.Fix) (steps []string) {
	list := "architectures"
	switch row := fix.Row; {
	case row == nil:
	case row.New():
		return []string{"add to archMap " + row.Text(fix.ABIs)}
	default:
		list = row.Pointer + "/subArchitectures"
	}
	for _, abi := range fix.ABIs {
		steps = append(steps, fmt.Sprintf("add %q to %s", abi.OCI(), list))
	}
	return steps
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
	// By is "earlier" if an earlier filter decided, "earlier-or-own" if one or another of
	// the program's own did, and "filter" if one of a running process did: number Filter of
	// Filters, from the oldest.
	By      string `json:"by,omitempty"`
	Filter  int    `json:"filter,omitempty"`
	Filters int    `json:"filters,omitempty"`
	// Permissive says that the call was let through.
	Permissive bool   `json:"permissive,omitempty"`
	Container  string `json:"container,omitempty"` // of an agent
}

type fixJSON struct {
	Remove        []string             `json:"remove,omitempty"`
	Architectures []specs.Arch         `json:"architectures,omitempty"`
	ArchMap       *rowJSON             `json:"archMap,omitempty"` // in place of architectures
	Syscalls      []specs.LinuxSyscall `json:"syscalls,omitempty"`
}

// A rowJSON is what to add to a row of archMap.
type rowJSON struct {
	Pointer          string       `json:"pointer"` // ends in - if there is no such row yet
	Architecture     specs.Arch   `json:"architecture"`
	SubArchitectures []specs.Arch `json:"subArchitectures"`
}

func (s *denials) document(x *denial) denialJSON {
	doc := denialJSON{
		Version: answer.Version, Event: "denied", ID: x.id, PID: x.process.PID, Process: x.process.Name,
		Syscall: policy.Names().Syscall(x.data.Arch, x.data.NR), Number: x.data.NR, Call: symbols.CallWith(x.abi, x.data.NR, x.data.Args, x.texts),
		Data: x.verdict.Action.Data(), Errno: intake.ErrnoName(x.verdict.Action, x.abi),
		Reason: x.verdict.Reason.String(), Pointer: x.verdict.Pointer, Container: s.container,
	}
	switch {
	case x.by.of == 0:
		doc.Permissive = s.permissive
	case s.profile == nil:
		doc.By, doc.Filter, doc.Filters = "filter", x.by.filter, x.by.of
	case x.by.own:
		doc.By = "earlier-or-own"
	default:
		doc.By = "earlier"
	}
	if x.by.of > 0 && x.pointless {
		doc.Reason = "unknown"
	}
	doc.Action = actionName(x.verdict.Action)
	if x.abi != 0 {
		doc.ABI = x.abi.String()
	}
	for _, v := range x.data.Args {
		doc.Args = append(doc.Args, fmt.Sprintf("%#x", v))
	}
	if x.fix != nil {
		doc.Fix = fixDocument(x.fix)
	}
	return doc
}

// actionName names the class of an action.
func actionName(a cbpf.Action) string {
	name, _, _ := strings.Cut(a.String(), "(")
	return name
}

func fixDocument(fix *record.Fix) *fixJSON {
	doc := &fixJSON{Remove: fix.Remove, Syscalls: fix.OCI()}
	for _, abi := range fix.ABIs {
		doc.Architectures = append(doc.Architectures, specs.Arch(abi.OCI()))
	}
	if row := fix.Row; row != nil {
		doc.ArchMap, doc.Architectures = &rowJSON{row.Pointer, specs.Arch(row.Machine.OCI()), doc.Architectures}, nil
	}
	return doc
}

// An endJSON is the last line of trace --json.
type endJSON struct {
	Version int         `json:"version"`
	Event   string      `json:"event"`            // end
	Status  *int        `json:"status,omitempty"` // of the program that trace started
	Denied  []countJSON `json:"denied"`
	More    uint64      `json:"more,omitempty"` // denied calls that are not reported
	// Earlier is how many filters were in force before, and Blind why calls that they
	// denied may be missing.
	Earlier int    `json:"earlier,omitempty"`
	Blind   string `json:"blind,omitempty"`
	// OwnFilters says that the program put filters in force itself. What they deny may be
	// missing.
	OwnFilters bool `json:"ownFilters,omitempty"`
	// Error is why the program did not run, or was not watched to the end.
	Error     string `json:"error,omitempty"`
	Container string `json:"container,omitempty"`
}

type countJSON struct {
	ID    int    `json:"id"`
	Count uint64 `json:"count"`
}

// end ends the report with how often each call was denied.
func (s *denials) end(status int) {
	if s.json {
		s.write(s.endDocument(status))
		return
	}
	ours := func(x *denial) bool { return x.by.of == 0 || s.profile == nil }
	others := func(x *denial) bool { return !ours(x) }
	if s.permissive {
		s.total("would be denied", ours)
		s.total("denied", others)
	} else {
		s.total("denied", func(*denial) bool { return true })
	}
	if s.more > 0 {
		s.print("  other calls: %s\n", times(s.more))
	}
	switch {
	case s.failed != nil:
	case s.seesAll() && len(s.list) == 0:
		s.print("seccompile: nothing was denied\n")
	case !s.seesAll() && !slices.ContainsFunc(s.list, ours):
		s.print("seccompile: the profile denied nothing\n")
	}
	if s.blind != nil {
		s.print("seccompile: %s in force before, but not all calls denied there could be seen: %v\n", countFilters(s.earlier, "was", "were"), s.blind)
	}
	if s.own {
		unseen := "whose denials trace does not see"
		if s.seesAll() {
			unseen = "whose denials look like those of an earlier filter"
		}
		s.print("seccompile: the program installed filters of its own, %s\n", unseen)
	}
	if s.profile != nil && !lint.Foreign(s.profile.policy) && slices.ContainsFunc(s.list, func(x *denial) bool { return ours(x) && x.lacks() }) {
		s.print("seccompile: hint: to add what the profile lacks, use record --base %s -o FILE\n", quoted(s.profile.name))
	}
	if s.outer == nil && slices.ContainsFunc(s.list, func(x *denial) bool { return x.by.of > 0 }) {
		s.print("seccompile: hint: --outer PROFILE explains what the other filters deny\n")
	}
}

// seesAll reports whether the report has the denials of all filters. Only ptrace shows
// those of the program's own.
func (s *denials) seesAll() bool { return s.blind == nil && (!s.own || s.earlier > 0) }

// total lists some of the calls and how often each was made.
func (s *denials) total(what string, which func(*denial) bool) {
	if !slices.ContainsFunc(s.list, which) {
		return
	}
	s.print("seccompile: %s in total:\n", what)
	for _, x := range s.list {
		by := ""
		if x.by.of > 0 && s.profile != nil {
			by = " by " + others(x.by.own)
		}
		if which(x) {
			s.print("  %s: %s%s, %s\n", symbols.CallWith(x.abi, x.data.NR, x.data.Args, x.texts), symbols.Action(x.abi, x.verdict.Action), by, times(x.count))
		}
	}
}

func (s *denials) endDocument(status int) endJSON {
	doc := endJSON{
		Version: answer.Version, Event: "end", Denied: []countJSON{}, More: s.more, Earlier: s.earlier, OwnFilters: s.own, Container: s.container,
	}
	if s.container == "" {
		doc.Status = &status
	}
	for _, x := range s.list {
		doc.Denied = append(doc.Denied, countJSON{x.id, x.count})
	}
	if s.blind != nil {
		doc.Blind = s.blind.Error()
	}
	if s.failed != nil {
		doc.Error = s.failed.Error()
	}
	return doc
}

// lacks reports whether a profile can be made to allow the call by adding to it.
func (x *denial) lacks() bool {
	return x.verdict.Reason != policy.ByRule && policy.Names().Syscall(x.data.Arch, x.data.NR) != ""
}

// countFilters is the beginning of a sentence about filters.
func countFilters(n int, one, many string) string {
	if n == 1 {
		many = one
	}
	return answer.Plural(n, "filter") + " " + many
}
