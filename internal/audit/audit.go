// Package audit reads the records that the kernel's audit system writes about seccomp,
// type 1326 (linux/audit.h: AUDIT_SECCOMP), wherever they ended up: dmesg, the journal
// (as text, JSON or export), syslog, /var/log/audit, ausearch -i, logcat, and the lines
// of the log enricher of Kubernetes' Security Profiles Operator.
//
// A [Reader] finds the records between other lines. Records hold what the kernel knew
// (kernel/auditsc.c: audit_seccomp): never the arguments of the call and, except from the
// oldest kernels, no error number (kernel/seccomp.c: __seccomp_filter reports the action
// without its data). What is in a log may be forged by whoever can write to it.
package audit

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seccompile/seccompile/cbpf"
)

// A Record is one call that seccomp reported. Most fields are missing in some forms of
// records; they are then zero.
type Record struct {
	Time   time.Time // of the kernel, in UTC; local times of day are not read
	Serial uint64    // of the event, from 1
	PID    int       // of the process, not the thread, as the host counts

	UID, AUID, Session string // numbers, or names from ausearch -i; "" if unset

	Comm    string // name of the thread
	Exe     string // path of the program; on Android, the name of the process
	Subject string // label of the security module

	Signal string // that the process got, such as "SIGSYS"
	Arch   uint32 // AUDIT_ARCH value; 0 if the record does not have it
	NR     uint32 // of the call, base and x32 bit included
	Compat bool   // made by the second ABI of the kernel
	IP     uint64 // instruction pointer

	// Actions are what the filter may have answered: one action, both that kill where
	// the record only says "kill", none where it does not say.
	Actions []cbpf.Action

	// Where a cluster ran the process.
	Node, Namespace, Pod, Container string
}

// maxLine is the length of the longest line that is read, in bytes. The kernel's longest
// record has 8970 (linux/audit.h: MAX_AUDIT_MESSAGE_LENGTH); the journal's JSON has more
// around it.
const maxLine = 128 << 10

// A Reader reads records from a log, line by line and in bounded memory. One goroutine may
// use it.
type Reader struct {
	r     *bufio.Reader
	crash crash

	// Lines is how many lines were read so far. Unreadable is how many of them begin
	// like a record but are not one, or hold several, or one and more than 128 KiB; First is
	// the number of the first of these. They may be read while Next waits.
	Lines, Unreadable, First atomic.Uint64
	// Lost is how many audit records the kernel says it dropped, of whatever type. It says
	// so only once it writes again.
	Lost atomic.Uint64
	// Printed reports whether a record is from the kernel's own log, which gets only the
	// first of many: 10 in 5 seconds, unless kernel.printk_ratelimit is 0
	// (kernel/audit.c: kauditd_printk_skb).
	Printed atomic.Bool

	suppressed, dropped uint64 // Lost, by the log's limit and by audit's own
}

// NewReader returns a reader of the records in a log.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, maxLine)}
}

// Is reports whether a text looks like a log of the audit system: a record of whatever type is
// near its beginning. A document of the journal is one if its first line is.
func Is(text []byte) bool {
	text = text[:min(len(text), maxLine)]
	if bytes.HasPrefix(text, []byte("{")) {
		text, _, _ = bytes.Cut(text, []byte("\n"))
	} else if bytes.Contains(text, []byte(" msg=audit(")) {
		return true
	}
	_, err := NewReader(bytes.NewReader(text)).Next()
	return err == nil
}

// Next returns the next record, or nil and the error that ended the log: io.EOF at its
// end.
func (r *Reader) Next() (*Record, error) {
	for {
		line, cut, marks, err := r.line()
		if len(line) > 0 || err == nil {
			r.Lines.Add(1)
		}
		rec, like := r.parse(line)
		if cut { // perhaps in the middle of a number
			rec, like = nil, like || marks
		}
		switch {
		case rec != nil:
			return rec, nil // an error comes again
		case like:
			r.First.CompareAndSwap(0, r.Lines.Load())
			r.Unreadable.Add(1)
		}
		if err != nil {
			return nil, err
		}
	}
}

// line returns the next line, cut at maxLine. If it is cut, marks reports whether a record
// begins in what is not returned.
func (r *Reader) line() (line []byte, cut, marks bool, err error) {
	line, err = r.r.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, false, false, err
	}
	line = bytes.Clone(line)
	const seam = 32 // longer than any mark
	across := bytes.Clone(line[len(line)-seam:])
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = r.r.ReadSlice('\n')
		across = append(across, more[:min(seam, len(more))]...)
		marks = marks || marked(across) || marked(more)
		across = append(across[:0], more[max(0, len(more)-seam):]...)
	}
	return line, true, marks, err
}

// parse returns the record in a line. Without one it reports whether the line is like a
// record.
func (r *Reader) parse(line []byte) (rec *Record, like bool) {
	r.crash.see(line)
	r.lost(line)
	if !suspicious(line) {
		return nil, false
	}
	text := string(bytes.TrimSpace(line))
	for _, form := range [...]func(string) (*Record, bool){document, enriched, r.crash.cause, kernel} {
		if rec, like = form(text); like {
			if rec != nil && strings.Contains(text, "type=1326 audit(") {
				r.Printed.Store(true)
			}
			return rec, true
		}
	}
	return nil, false
}

// lost reads what the kernel says about records that it dropped: "kauditd_printk_skb: 12
// callbacks suppressed" and, with a count that grows, "audit_lost=3".
func (r *Reader) lost(line []byte) {
	if _, n, ok := bytes.Cut(line, []byte("audit_lost=")); ok {
		r.dropped = max(r.dropped, leading(n))
	}
	if _, n, ok := bytes.Cut(line, []byte("_printk_skb: ")); ok && bytes.Contains(line, []byte("audit")) { // audit_ or kauditd_
		r.suppressed += leading(n)
	}
	r.Lost.Store(r.suppressed + r.dropped)
}

// leading returns the number that a text begins with.
func leading(text []byte) (n uint64) {
	for _, c := range text {
		if c < '0' || c > '9' || n > 1<<32 {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}

// suspicious reports whether a line may hold a record. Most of a log does not, so this is
// quick.
func suspicious(line []byte) bool {
	for _, word := range [...]string{"1326", "SECCOMP", "seccomp", "code=0x"} {
		if bytes.Contains(line, []byte(word)) {
			return true
		}
	}
	return false
}
