package audit

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// kernel reads a record in the kernel's words, whatever is in front of them:
//
//	type=1326 audit(1612299677.115:549067): auid=0 uid=0 gid=0 ses=4 subj=unconfined pid=31
//	comm="sh" exe="/bin/busybox" sig=0 arch=c000003e syscall=0 compat=0 ip=0x7fce771ae923 code=0x7ffc0000
//
// Only comm and exe are the process's to choose. In the kernel's own form they cannot
// contain quotes or spaces, in ausearch -i's they can, so what comes before is looked for
// from the left and what comes after from the right.
func kernel(text string) (*Record, bool) {
	if strings.Contains(text, `=\"`) { // a string of JSON that is spread over lines
		text = strings.ReplaceAll(text, `\"`, `"`)
	}
	body, ok := begin(text)
	if !ok {
		return nil, false
	}
	if several(body) { // the names of one would go with the call of another
		return nil, true
	}
	head, rest, named := strings.Cut(body, " comm=")
	names, tail, ok := cutLast(rest, " sig=")
	if !named {
		head, tail, ok = cutLast(body, " sig=")
	}
	rec := new(Record)
	if !ok || !rec.readTail("sig="+tail) {
		return nil, true
	}
	rec.readHead(head)
	rec.readNames(names, strings.Contains(tail, "code=0x"))
	return rec, true
}

// marks are how records begin that have their type.
var marks = [...]string{"type=1326 ", "type=SECCOMP ", "type=UNKNOWN[1326] ", "<audit-1326> ", "SECCOMP auid="}

// marked reports whether a record begins in a part of a line.
func marked(part []byte) bool {
	for _, mark := range marks {
		if bytes.Contains(part, []byte(mark)) {
			return true
		}
	}
	return false
}

// several reports whether another record follows the one that a text begins with.
func several(text string) bool {
	return marked([]byte(text[1:])) || strings.Count(text, "): ") > 1 // behind the time
}

// begin finds the beginning of a record in a line.
func begin(text string) (string, bool) {
	for _, mark := range marks {
		if i := strings.Index(text, mark); i >= 0 && (i == 0 || !isWord(text[i-1])) {
			return text[i:], true
		}
	}
	// Before Linux 3.8 the type was that of crashes, with a reason. What netlink gives has
	// no type.
	old := strings.Contains(text, "type=1701 ") || strings.Contains(text, "type=ANOM_ABEND ")
	bare := !strings.Contains(text, "type=") && strings.Contains(text, " sig=") && strings.Contains(text, " code=0x")
	if i := strings.Index(text, "audit("); i >= 0 && strings.Contains(text, " syscall=") && (bare || old && strings.Contains(text, `reason="seccomp"`)) {
		return text[i:], true
	}
	return "", false
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// readHead reads what comes before the names: time and identity.
func (r *Record) readHead(head string) {
	stamp, ids, found := strings.Cut(head, " auid")
	if ids = "auid" + ids; !found {
		ids = head
	}
	if _, stamp, ok := strings.Cut(stamp, "("); ok {
		stamp, _, _ = strings.Cut(stamp, ")")
		r.readStamp(stamp)
	}
	before, label, labelled := strings.Cut(ids, " subj=")
	if labelled {
		i := strings.LastIndex(label, " pid=")
		if j := strings.LastIndex(label, " ppid="); j >= 0 && (i < 0 || j < i) {
			i = j
		}
		if i < 0 {
			i = len(label)
		}
		r.Subject, ids = strings.TrimLeft(label[:i], "=?"), before+label[i:]
	}
	for word := range strings.FieldsSeq(ids) {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "auid":
			r.AUID = identity(value)
		case "uid":
			r.UID = identity(value)
		case "ses":
			r.Session = identity(value)
		case "pid":
			r.PID = process(value)
		}
	}
}

// identity returns a user or session. All bits set means that there is none.
func identity(value string) string {
	if value == "4294967295" || value == "unset" || value == "-1" {
		return ""
	}
	return value
}

func process(value string) int {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// readStamp reads the time and serial number of an event: "1612299677.115:549067". What
// ausearch -i writes depends on the place and language of its user and is left alone, and
// Android's daemon writes a time of 0.
func (r *Record) readStamp(stamp string) {
	at, serial, _ := strings.Cut(stamp, ":")
	sec, milli, _ := strings.Cut(at, ".")
	s, err1 := strconv.ParseUint(sec, 10, 40)
	ms, err2 := strconv.ParseUint(milli, 10, 10)
	n, err3 := strconv.ParseUint(serial, 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return
	}
	r.Serial = n
	if s > 0 {
		r.Time = time.UnixMilli(int64(s*1000 + ms)).UTC()
	}
}

// readNames reads the names of thread and program. The kernel writes them in quotes or, if
// they contain anything unusual, in hexadecimal (kernel/audit.c: audit_log_untrustedstring).
func (r *Record) readNames(names string, raw bool) {
	comm, exe, _ := strings.Cut(names, " exe=")
	if strings.HasPrefix(names, `"`) {
		quoted, rest, _ := strings.Cut(names[1:], `"`)
		comm, exe = `"`+quoted, strings.TrimPrefix(rest, " exe=")
		if exe == rest {
			exe = ""
		}
	}
	comm, _, _ = strings.Cut(comm, " reason=")
	r.Comm, r.Exe = untrusted(comm, raw), untrusted(exe, raw)
}

func untrusted(value string, raw bool) string {
	if quoted, ok := strings.CutPrefix(value, `"`); ok {
		quoted, _, _ = strings.Cut(quoted, `"`)
		return quoted
	}
	value = strings.TrimSpace(value)
	if value == "(null)" || value == "?" {
		return ""
	}
	if b, err := hex.DecodeString(value); raw && err == nil {
		return strings.TrimRight(string(b), "\x00")
	}
	return value
}

// readTail reads what the kernel states about the call. It reports whether that says
// which call it was.
func (r *Record) readTail(tail string) bool {
	// auditd may add its own translation, behind a separator that gets lost in copies.
	tail, _, _ = strings.Cut(tail, "\x1d")
	tail, _, _ = strings.Cut(tail, "AUID=")
	values := make(map[string]string)
	for word := range strings.FieldsSeq(tail) {
		if key, value, ok := strings.Cut(word, "="); ok && values[key] == "" {
			values[key] = value
		}
	}
	var abi arch.ABI
	if name := values["arch"]; name != "" {
		var ok bool
		if r.Arch, abi, ok = parseArch(name); !ok {
			return false
		}
	}
	nr, ok := parseCall(abi, values["syscall"])
	actions, coded := parseCode(values["code"])
	if !ok || !coded {
		return false
	}
	r.NR, r.Actions = nr, actions
	r.Compat = values["compat"] == "1"
	r.IP, _ = strconv.ParseUint(strings.TrimPrefix(values["ip"], "0x"), 16, 64)
	r.Signal = signal(abi, values["sig"])
	return true
}

// parseArch reads an AUDIT_ARCH value, or audit's name of one.
func parseArch(name string) (audit uint32, abi arch.ABI, ok bool) {
	if v, err := strconv.ParseUint(name, 16, 32); err == nil {
		abi, _ = arch.ByAudit(uint32(v), 0)
		return uint32(v), abi, v != 0
	}
	if name == "i386" {
		name = "x86"
	}
	abi, err := arch.Parse(name)
	return abi.Audit(), abi, err == nil
}

// parseCall reads the number of a call, or audit's name of it.
func parseCall(abi arch.ABI, s string) (nr uint32, ok bool) {
	if rest, found := strings.CutPrefix(s, "unknown-syscall("); found {
		s = strings.TrimSuffix(rest, ")")
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return uint32(n), -1<<31 <= n && n < 1<<32 // the kernel writes an int as a long
	}
	switch s {
	case "pread", "pwrite": // linux/audit's tables
		s += "64"
	}
	call, known := syscalltables.Lookup(s)
	if !known {
		return 0, false
	}
	return call.Number(abi)
}

// parseCode reads an action, or audit's name of one. Those of old releases take both
// actions that kill for one.
func parseCode(s string) (actions []cbpf.Action, ok bool) {
	if digits, found := strings.CutPrefix(s, "0x"); found {
		end := 0
		for end < len(digits) && strings.IndexByte("0123456789abcdef", digits[end]) >= 0 {
			end++
		}
		v, err := strconv.ParseUint(digits[:end], 16, 32)
		return []cbpf.Action{cbpf.Action(v)}, err == nil && (end == len(digits) || !isWord(digits[end]))
	}
	switch strings.ReplaceAll(s, "_", "-") {
	case "kill":
		return []cbpf.Action{cbpf.KillProcess, cbpf.KillThread}, true
	case "kill-process":
		return []cbpf.Action{cbpf.KillProcess}, true
	case "kill-thread":
		return []cbpf.Action{cbpf.KillThread}, true
	case "trap":
		return []cbpf.Action{cbpf.Trap}, true
	case "errno":
		return []cbpf.Action{cbpf.ErrnoClass}, true
	case "user-notif", "notify":
		return []cbpf.Action{cbpf.Notify}, true
	case "trace":
		return []cbpf.Action{cbpf.TraceClass}, true
	case "log":
		return []cbpf.Action{cbpf.Log}, true
	case "allow":
		return []cbpf.Action{cbpf.Allow}, true
	}
	return nil, false
}

// signal returns the name of the signal that a record states, "" if there was none. It is
// SIGSYS from a filter and SIGKILL from strict mode (kernel/seccomp.c).
func signal(abi arch.ABI, s string) string {
	sys := "31" // asm-generic/signal.h
	if abi.Main() == arch.MIPS64 || abi.Main() == arch.MIPSEL64 {
		sys = "12" // arch/mips/include/uapi/asm/signal.h
	}
	switch {
	case s == "0" || s == "SIG0" || s == "":
		return ""
	case s == sys:
		return "SIGSYS"
	case s == "9":
		return "SIGKILL"
	case strings.HasPrefix(s, "SIG"):
		return s
	}
	return "signal " + s
}
