package audit

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// document reads a line that is a JSON object: of journalctl -o json, of a container
// runtime or log shipper with the line in a field, or of the enricher.
func document(text string) (*Record, bool) {
	var raw map[string]json.RawMessage
	if !strings.HasPrefix(text, "{") || json.Unmarshal([]byte(text), &raw) != nil {
		return nil, false
	}
	fields := make(map[string]string)
	for key, value := range raw {
		fields[key] = fieldText(value)
	}
	if rec, like := enrichedFields(fields); like {
		return rec, true
	}
	for _, key := range [...]string{"MESSAGE", "message", "msg", "log"} {
		for _, form := range [...]func(string) (*Record, bool){enriched, kernel} {
			rec, like := form(strings.TrimSpace(fields[key]))
			if !like {
				continue
			}
			if us, err := strconv.ParseInt(fields["__REALTIME_TIMESTAMP"], 10, 64); rec != nil && rec.Time.IsZero() && err == nil {
				rec.Time = time.UnixMicro(us).UTC()
			}
			return rec, true
		}
	}
	return nil, false
}

// fieldText returns a value of the journal's JSON: a string, or the numbers of its bytes
// if it contains something unprintable.
func fieldText(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	var codes []uint16
	if json.Unmarshal(value, &codes) != nil {
		return string(value)
	}
	b := make([]byte, len(codes))
	for i, c := range codes {
		b[i] = byte(c)
	}
	return string(b)
}

// enriched reads a line of the enricher, by either of the formats that its logger had:
//
//	I0523 14:19:08.747313 430694 enricher.go:445] log-enricher "msg"="audit" "container"="redis" "pid"=656802 ...
//	I0516 08:13:07.654039 4190800 enricher.go:446] "audit" logger="log-enricher" container="redis" pid=656802 ...
func enriched(text string) (*Record, bool) {
	if !strings.Contains(text, "log-enricher") {
		return nil, false
	}
	return enrichedFields(pairs(text))
}

// pairs returns the key="value" pairs of a line. Keys may be quoted, and values need not
// be.
func pairs(s string) map[string]string {
	fields := make(map[string]string)
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return fields
		}
		key, rest, ok := word(s, " =")
		if !ok {
			return fields
		}
		if !strings.HasPrefix(rest, "=") {
			s = rest
			continue
		}
		if fields[key], s, ok = word(rest[1:], " "); !ok {
			return fields
		}
	}
}

// word cuts a word off a text: one in quotes, or what comes before one of the bytes in
// ends.
func word(s, ends string) (word, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, ends)
		if i < 0 {
			i = len(s)
		}
		return s[:i], s[i:], true
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", "", false
	}
	word, err = strconv.Unquote(quoted)
	return word, s[len(quoted):], err == nil
}

// enrichedFields reads what the enricher made of a record. It leaves out ABI and action.
func enrichedFields(f map[string]string) (*Record, bool) {
	if f["type"] != "seccomp" || f["syscallID"] == "" {
		return nil, false
	}
	r := &Record{
		PID: process(f["pid"]), Exe: f["executable"],
		Node: f["node"], Namespace: f["namespace"], Pod: f["pod"], Container: f["container"],
	}
	r.readStamp(f["timestamp"])
	nr, err := strconv.ParseInt(f["syscallID"], 10, 32)
	if err != nil {
		return nil, true
	}
	r.NR = uint32(nr)
	// The name tells machines apart. It is from the table of the machine's main ABI.
	for abi := range arch.All() {
		if abi.Main() == abi && f["syscallName"] != "" && policy.Names().Syscall(abi.Audit(), r.NR) == f["syscallName"] {
			r.Arch = abi.Audit()
			break
		}
	}
	return r, true
}

// A crash is what Android's crash report says about the process before it comes to the
// cause.
type crash struct {
	pid       int
	comm, exe string
}

// see takes note of the process that a report is about:
//
//	pid: 8501, tid: 8519, name: worker  >>> com.example.app <<<
func (c *crash) see(line []byte) {
	_, line, ok := bytes.Cut(line, []byte("pid: "))
	if !ok {
		return
	}
	pid, rest, ok1 := strings.Cut(string(line), ", tid: ")
	_, rest, ok2 := strings.Cut(rest, ", name: ")
	comm, exe, ok3 := strings.Cut(rest, " >>> ")
	exe, _, ok4 := strings.Cut(exe, " <<<")
	if ok1 && ok2 && ok3 && ok4 {
		*c = crash{process(pid), strings.TrimSpace(comm), exe}
	}
}

// cause reads the line of a crash report that stands for a record where the filter
// answers TRAP, which is not logged:
//
//	Cause: seccomp prevented call to disallowed arm64 system call 116
//
// Before Android 8.1 the report has no ABI, and there may be a 0 for the number.
func (c *crash) cause(text string) (*Record, bool) {
	_, text, ok := strings.Cut(text, "seccomp prevented call to disallowed ")
	if !ok {
		return nil, false
	}
	name, number, ok := strings.Cut(text, "system call ")
	if !ok {
		return nil, true
	}
	r := &Record{PID: c.pid, Comm: c.comm, Exe: c.exe, Signal: "SIGSYS", Actions: []cbpf.Action{cbpf.Trap}}
	*c = crash{}
	if name = strings.TrimSpace(name); name != "" {
		abi, err := arch.Parse(name)
		if err != nil {
			return nil, true
		}
		r.Arch = abi.Audit()
	}
	r.NR, ok = parseCall(0, number)
	if !ok {
		return nil, true
	}
	return r, true
}
