package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// Sightings are the calls in a log and the report on them.
type sightings struct {
	app     *app
	w       io.Writer
	referee *referee
	json    bool
	live    bool // report each call when it is first seen

	list []*sighting
	seen map[sightingKey]*sighting
	more uint64 // records beyond maxDenials calls
	// leftOut counts the records that flags leave out.
	leftOut uint64
}

// A sightingKey is the same for records that say the same of a program.
type sightingKey struct {
	program   string
	home      home
	arch, nr  uint32
	compat    bool
	action    cbpf.Action
	ambiguous int // how many actions there may have been
}

// A sighting is a call of a program that got one answer, and how often.
type sighting struct {
	id      int
	first   audit.Record
	home    home
	data    cbpf.Data // without arguments
	abi     arch.ABI
	assumed bool // the ABI is not in the record
	ruling  *ruling
	// The journal has events twice where both it and the kernel's log are told: with the
	// event's serial number and without.
	numbered, others uint64
}

// add counts a record, and reports it if it is the first of its kind.
func (l *sightings) add(rec *audit.Record, h home) error {
	key := sightingKey{program: program(rec), home: h, arch: rec.Arch, nr: rec.NR, compat: rec.Compat, ambiguous: len(rec.Actions)}
	if rec.Actions != nil {
		key.action = rec.Actions[0]
	}
	s := l.seen[key]
	fresh := s == nil
	if fresh && len(l.list) == maxDenials {
		l.more++
		return nil
	}
	if fresh {
		s = &sighting{id: len(l.list) + 1, first: *rec, home: h}
		s.data, s.abi, s.assumed = l.referee.call(rec)
		s.ruling = l.referee.rule(rec, &s.data)
		if l.seen == nil {
			l.seen = make(map[sightingKey]*sighting)
		}
		l.seen[key] = s
		l.list = append(l.list, s)
	}
	if rec.Serial != 0 {
		s.numbered++
	} else {
		s.others++
	}
	switch {
	case !fresh:
	case l.json:
		return l.line(l.document(s))
	case l.live:
		l.explain(s, process(rec.PID), "")
		return l.app.flush()
	}
	return nil
}

func process(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf("[%d]", pid)
}

// count returns how often the call was seen.
func (s *sighting) count() uint64 { return max(s.numbered, s.others) }

// program names the program of a record: its path if that says anything. What a container
// runtime executes from memory is "/".
func program(rec *audit.Record) string {
	if rec.Exe != "" && rec.Exe != "/" {
		return rec.Exe
	}
	return cmp.Or(rec.Comm, "?")
}

// call returns the name of the call, "" if it has none.
func (s *sighting) call() string {
	return policy.Names().Syscall(s.data.Arch, s.data.NR)
}

// name names the call with its ABI, if that is not the host's.
func (s *sighting) name() string {
	name := callName(&s.data)
	if s.call() == "" {
		name = "number " + name
	}
	switch {
	case s.assumed:
		return fmt.Sprintf("%s (if %s)", name, s.abi)
	case s.abi != arch.Native():
		return abiName(s.abi, s.data.Arch) + " " + name
	}
	return name
}

// answer says what the filter did.
func (s *sighting) answer() string {
	text := "logged or denied"
	switch actions := s.first.Actions; {
	case len(actions) > 1:
		text = "kill"
	case len(actions) == 1 && actions[0] == cbpf.ErrnoClass: // the kernel leaves the number out
		text = "an error"
		if s.ruling != nil {
			if fitting := s.ruling.fitting(); len(fitting) == 1 {
				text = symbols.Action(s.abi, fitting[0].Action)
			}
		}
	case len(actions) == 1:
		text = symbols.Action(s.abi, actions[0])
	}
	if sig := s.first.Signal; sig != "" && text != "signal "+sig {
		text += " (" + sig + ")"
	}
	return text
}

// logged reports whether the call was made.
func (s *sighting) logged() bool {
	return s.first.Actions == nil || s.first.Actions[0].Permits(cbpf.Alone)
}

// explain writes a call, what decided and what to change.
func (l *sightings) explain(s *sighting, process, count string) {
	where := s.home.String()
	if where != "" {
		where = " in " + where
	}
	fmt.Fprintf(l.w, "%s%s%s: %s: %s%s\n", failure.Shown(program(&s.first)), process, where, s.name(), s.answer(), count)
	if s.ruling == nil {
		return
	}
	fmt.Fprintf(l.w, "  why: %s\n", l.referee.why(s))
	if cure := l.referee.cure(s); cure != "" {
		fmt.Fprintf(l.w, "  fix: %s\n", cure)
	}
}

// end ends the report with how often each call was seen.
func (l *sightings) end(r *audit.Reader) error {
	if l.json {
		return l.line(l.summary(r))
	}
	switch lines := r.Lines.Load(); {
	case lines == 0:
		fmt.Fprintln(l.w, "the log is empty")
		return l.app.flush()
	case len(l.list) == 0 && l.leftOut > 0:
		fmt.Fprintf(l.w, "no seccomp records in %s that --program and --container ask for: they leave out %s\n", answer.Plural(int(lines), "line"), answer.Plural(int(l.leftOut), "record"))
		return l.app.flush()
	case len(l.list) == 0:
		fmt.Fprintf(l.w, "no seccomp records in %s\n", answer.Plural(int(lines), "line"))
		return l.app.flush()
	}
	if l.live {
		fmt.Fprintln(l.w, "in total:")
	}
	sorted := slices.SortedStableFunc(slices.Values(l.list), func(a, b *sighting) int {
		return cmp.Or(cmp.Compare(program(&a.first), program(&b.first)), cmp.Compare(a.home.String(), b.home.String()))
	})
	for _, s := range sorted {
		if l.live {
			brief := *s
			brief.ruling = nil
			fmt.Fprint(l.w, "  ")
			l.explain(&brief, "", ", "+times(s.count()))
			continue
		}
		l.explain(s, "", ", "+times(s.count()))
	}
	if l.more > 0 {
		fmt.Fprintf(l.w, "other calls: %s\n", times(l.more))
	}
	l.advise()
	return l.app.flush()
}

// advise tells what would make a better report.
func (l *sightings) advise() {
	if l.referee.profile == nil {
		l.app.note("denials: with --profile, it also says which rule decided and how to allow a call")
		return
	}
	for _, s := range l.list {
		if r := s.ruling.answers[0]; r.Reason == policy.ByBadArch && s.abi != 0 && s.abi.Main() != l.referee.abi.Main() {
			l.app.note("denials: the log has calls of %s; if it is of such a machine, use -a %s", s.abi, s.abi.Main())
			return
		}
	}
}

// A sightingJSON is a line of denials --json about a call that is new. 64-bit numbers are
// hexadecimal strings.
type sightingJSON struct {
	Version     int            `json:"version"`
	Event       string         `json:"event"` // call
	ID          int            `json:"id"`    // from 1, in the order of the lines
	Time        *time.Time     `json:"time,omitempty"`
	PID         int            `json:"pid,omitempty"`
	Program     string         `json:"program"`
	Thread      string         `json:"thread,omitempty"`
	UID         string         `json:"uid,omitempty"`
	AUID        string         `json:"auid,omitempty"`
	Session     string         `json:"session,omitempty"`
	Subject     string         `json:"subject,omitempty"`
	Node        string         `json:"node,omitempty"`
	Namespace   string         `json:"namespace,omitempty"`
	Pod         string         `json:"pod,omitempty"`
	Container   string         `json:"container,omitempty"`
	ContainerID string         `json:"containerID,omitempty"`
	ABI         string         `json:"abi,omitempty"`
	Assumed     bool           `json:"assumedABI,omitempty"` // the record does not have it
	Syscall     string         `json:"syscall,omitempty"`
	Number      uint32         `json:"number"`
	IP          string         `json:"ip,omitempty"`
	Actions     []string       `json:"actions"` // what the filter may have answered
	Signal      string         `json:"signal,omitempty"`
	Answers     []possibleJSON `json:"answers,omitempty"` // of the profile
	Fix         *fixJSON       `json:"fix,omitempty"`
	AnyArgs     bool           `json:"anyArgs,omitempty"` // the fix allows any arguments, though it matters which
}

type possibleJSON struct {
	Action  string `json:"action"`
	Data    uint16 `json:"data"`
	Errno   string `json:"errno,omitempty"`
	Reason  string `json:"reason"`
	Pointer string `json:"pointer,omitempty"`
	Fits    bool   `json:"fits"` // the record may be about it
}

func (l *sightings) document(s *sighting) sightingJSON {
	rec := &s.first
	doc := sightingJSON{
		Version: answer.Version, Event: "call", ID: s.id, PID: rec.PID, Program: program(rec), Thread: rec.Comm,
		UID: rec.UID, AUID: rec.AUID, Session: rec.Session, Subject: rec.Subject,
		Node: rec.Node, Namespace: s.home.Namespace, Pod: s.home.Pod, Container: s.home.Container, ContainerID: s.home.ID,
		Assumed: s.assumed, Syscall: s.call(), Number: s.data.NR, Actions: []string{}, Signal: rec.Signal,
	}
	if !rec.Time.IsZero() {
		doc.Time = &rec.Time
	}
	if s.abi != 0 {
		doc.ABI = s.abi.String()
	}
	if rec.IP != 0 {
		doc.IP = fmt.Sprintf("%#x", rec.IP)
	}
	for _, a := range rec.Actions {
		doc.Actions = append(doc.Actions, actionName(a))
	}
	if s.ruling == nil {
		return doc
	}
	for _, x := range s.ruling.answers {
		doc.Answers = append(doc.Answers, possibleJSON{
			Action: actionName(x.Action), Data: x.Action.Data(), Errno: intake.ErrnoName(x.Action, s.abi),
			Reason: x.Reason.String(), Pointer: x.Pointer, Fits: x.fits,
		})
	}
	if s.ruling.fix != nil {
		doc.Fix, doc.AnyArgs = fixDocument(s.ruling.fix), s.ruling.blind()
	}
	return doc
}

// A logEndJSON is the last line of denials --json.
type logEndJSON struct {
	Version    int         `json:"version"`
	Event      string      `json:"event"` // end
	Lines      uint64      `json:"lines"`
	Unreadable uint64      `json:"unreadable"`         // lines like a record
	Lost       uint64      `json:"lost"`               // audit records that the kernel says it dropped
	LeftOut    uint64      `json:"left_out,omitempty"` // records that --program and --container leave out
	Calls      []countJSON `json:"calls"`
	More       uint64      `json:"more,omitempty"` // records of calls that are not reported
}

func (l *sightings) summary(r *audit.Reader) logEndJSON {
	doc := logEndJSON{
		Version: answer.Version, Event: "end", Lines: r.Lines.Load(), Unreadable: r.Unreadable.Load(), Lost: r.Lost.Load(), LeftOut: l.leftOut, Calls: []countJSON{}, More: l.more,
	}
	for _, s := range l.list {
		doc.Calls = append(doc.Calls, countJSON{s.id, s.count()})
	}
	return doc
}

func (l *sightings) line(doc any) error {
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	fmt.Fprintf(l.w, "%s\n", answer.EscapedJSON(text))
	return l.app.flush()
}
