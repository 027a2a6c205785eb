package audit_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seccompile/seccompile/internal/audit"
)

var update = flag.Bool("update", false, "rewrite what testdata/records.txt says of each record")

// summary lists what a record has.
func summary(r *audit.Record) string {
	var words []string
	add := func(name string, v any, zero bool) {
		if !zero {
			words = append(words, fmt.Sprintf("%s=%v", name, v))
		}
	}
	add("time", r.Time.Format(time.RFC3339Nano), r.Time.IsZero())
	add("serial", r.Serial, r.Serial == 0)
	add("pid", r.PID, r.PID == 0)
	add("uid", r.UID, r.UID == "")
	add("auid", r.AUID, r.AUID == "")
	add("ses", r.Session, r.Session == "")
	add("comm", fmt.Sprintf("%q", r.Comm), r.Comm == "")
	add("exe", fmt.Sprintf("%q", r.Exe), r.Exe == "")
	add("subj", fmt.Sprintf("%q", r.Subject), r.Subject == "")
	add("sig", r.Signal, r.Signal == "")
	add("arch", fmt.Sprintf("%x", r.Arch), r.Arch == 0)
	add("nr", r.NR, false)
	add("compat", r.Compat, !r.Compat)
	add("ip", fmt.Sprintf("%#x", r.IP), r.IP == 0)
	add("actions", r.Actions, r.Actions == nil)
	add("node", r.Node, r.Node == "")
	add("pod", r.Namespace+"/"+r.Pod, r.Pod == "")
	add("container", r.Container, r.Container == "")
	return strings.Join(words, " ")
}

// Each form that records come in is read, field by field.
func TestRecords(t *testing.T) {
	const path = "testdata/records.txt"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	groups := strings.Split(strings.TrimSpace(string(b)), "\n\n")
	for i, group := range groups[1:] { // the first one is about the file
		lines := strings.Split(group, "\n")
		if len(lines) != 3 || !strings.HasPrefix(lines[0], "# ") || !strings.HasPrefix(lines[2], "= ") {
			t.Fatalf("group %d: expected origin, line and fields, got:\n%s", i+1, group)
		}
		t.Run(lines[0][2:], func(t *testing.T) {
			r := audit.NewReader(strings.NewReader(lines[1]))
			rec, err := r.Next()
			if err != nil {
				t.Fatalf("no record (%v), %d unreadable, in %s", err, r.Unreadable.Load(), lines[1])
			}
			if got := "= " + summary(rec); *update {
				groups[i+1] = strings.Join([]string{lines[0], lines[1], got}, "\n")
			} else if got != lines[2] {
				t.Errorf("in  %s\ngot  %s\nwant %s", lines[1], got, lines[2])
			}
			if rec, err := r.Next(); rec != nil || !errors.Is(err, io.EOF) {
				t.Errorf("then %v, %v", rec, err)
			}
		})
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(groups, "\n\n")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

const good = `audit: type=1326 audit(1.002:3): auid=0 uid=0 gid=0 ses=1 pid=5 comm="a" exe="/a" sig=0 arch=c000003e syscall=2 compat=0 ip=0x1 code=0x7ffc0000`

// What is not about seccomp is skipped, and what looks as if it were is counted.
func TestOtherLines(t *testing.T) {
	for _, line := range []string{
		"",
		"hello",
		`type=ANOM_ABEND msg=audit(1706114183.948:8264563): auid=4294967295 uid=0 gid=0 ses=4294967295 subj=docker-default pid=2040848 comm="mkdir" exe="/bin/busybox" sig=31 res=1`,
		`type=ANOM_ABEND msg=audit(1566493285.761:2070): auid=4294967295 uid=74 gid=74 ses=4294967295 pid=56568 comm="sshd" reason="memory violation" sig=31`,
		`type=SYSCALL msg=audit(1.002:3): arch=c000003e syscall=59 success=yes exit=0 a0=1 items=2 ppid=1326 pid=1326 comm="seccomp" exe="/bin/SECCOMP"`,
		`audit: type=1400 audit(1.002:3): apparmor="DENIED" operation="exec" profile="seccomp" comm="sh" pid=1326 code=0x1`,
		`systemd[1326]: seccomp: installed a filter, sig=31 syscall=2`,
		`subtype=1326 audit(1.002:3): nothing`,
		`{"MESSAGE": "seccomp is there"}`,
		`I0523 14:19:08.747313 1 enricher.go:445] log-enricher "msg"="audit" "type"="apparmor" "pid"=1 "syscallID"=2`,
		`I0523 14:19:08.747313 1 enricher.go:445] log-enricher "msg"="Setting up seccomp`,
	} {
		if n := unreadable(t, line); n != 0 {
			t.Errorf("%d unreadable: %s", n, line)
		}
	}
	for _, line := range []string{
		good[:len(good)-len(" code=0x7ffc0000")],
		good[:len(good)-len("0x7ffc0000")],
		good[:60],
		strings.Replace(good, "0x7ffc0000", "0x7ffc00001", 1),
		strings.Replace(good, "0x7ffc0000", "0x7ffcz", 1),
		strings.Replace(good, "0x7ffc0000", "hope", 1),
		strings.Replace(good, "c000003e", "vax", 1),
		strings.Replace(good, "c000003e", "0", 1),
		strings.Replace(good, "c000003e", "1c000003e", 1),
		strings.Replace(good, "syscall=2", "syscall=no_such", 1),
		strings.Replace(good, "syscall=2", "syscall=4294967296", 1),
		strings.Replace(good, "syscall=2", "", 1),
		strings.Replace(good, "arch=c000003e syscall=2", "syscall=open", 1),
		strings.Replace(good, "c000003e syscall=2", "aarch64 syscall=open", 1), // it has none
		`log-enricher "type"="seccomp" "syscallID"="many"`,
		`Cause: seccomp prevented call to disallowed vax system call 5`,
		`Cause: seccomp prevented call to disallowed system call five`,
		`Cause: seccomp prevented call to disallowed thing`,
		// Two records, of which neither may get the other's call.
		good + " " + good,
		good + good,
		strings.TrimPrefix(good, "audit: type=1326 ") + " " + strings.TrimPrefix(good, "audit: type=1326 "),
		`{"MESSAGE": ` + strconv.Quote(good+" "+good) + `}`,
	} {
		if n := unreadable(t, line); n != 1 {
			t.Errorf("%d unreadable: %s", n, line)
		}
	}
}

// A long line is read, and a longer one is counted if it has a record that is not.
func TestLongLines(t *testing.T) {
	const most = 128 << 10
	for _, n := range []int{16000, 40000, most - len(good) - 2} {
		r := audit.NewReader(strings.NewReader(strings.Repeat("x", n) + " " + good + "\n" + good))
		for range 2 {
			if rec, err := r.Next(); rec == nil {
				t.Errorf("behind %d bytes: %v, %d unreadable", n, err, r.Unreadable.Load())
			}
		}
	}
	for shift := range len(good) {
		for _, n := range []int{most, 2 * most} {
			if n := unreadable(t, strings.Repeat("x", n-shift-1)+" "+good); n != 1 {
				t.Errorf("%d unreadable, %d bytes before the end of what is read", n, shift)
			}
		}
	}
	if n := unreadable(t, strings.Repeat("1326 seccomp ", most)); n != 0 {
		t.Errorf("%d unreadable without a record", n)
	}
	if n := unreadable(t, good+strings.Repeat(" ", most)+good); n != 1 {
		t.Errorf("%d unreadable with a record on each side", n)
	}
}

func unreadable(t *testing.T, line string) uint64 {
	t.Helper()
	r := audit.NewReader(strings.NewReader("x\n" + line + "\n"))
	rec, err := r.Next()
	if rec != nil || !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v of %s", rec, err, line)
	}
	if r.Lines.Load() != 2 || r.First.Load() != 2*r.Unreadable.Load() {
		t.Errorf("%d lines, the first unreadable one is %d", r.Lines.Load(), r.First.Load())
	}
	return r.Unreadable.Load()
}

// A crash report has the process lines before the cause, which is of this process alone.
func TestCrashReport(t *testing.T) {
	const report = `03-09 16:39:32.126 15107 15107 F DEBUG   : pid: 8501, tid: 8519, name: worker  >>> com.example.app <<<
03-09 16:39:32.126 15107 15107 F DEBUG   : signal 31 (SIGSYS), code 1 (SYS_SECCOMP), fault addr --------
03-09 16:39:32.127 15107 15107 F DEBUG   : Cause: seccomp prevented call to disallowed arm64 system call 116
03-09 16:40:00.000 15107 15107 F DEBUG   : Cause: seccomp prevented call to disallowed arm64 system call 117
`
	r := audit.NewReader(strings.NewReader(report))
	for _, want := range []string{
		`pid=8501 comm="worker" exe="com.example.app" sig=SIGSYS arch=c00000b7 nr=116 actions=[TRAP]`,
		`sig=SIGSYS arch=c00000b7 nr=117 actions=[TRAP]`,
	} {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := summary(rec); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// The kernel says how many records it dropped, since the last time or since it started.
func TestLostRecords(t *testing.T) {
	r := audit.NewReader(strings.NewReader(`[1.0] kauditd_printk_skb: 12 callbacks suppressed
[1.0] show_signal_msg: 5 callbacks suppressed
[2.0] audit_printk_skb: 3 callbacks suppressed
[3.0] audit: audit_lost=4 audit_rate_limit=0 audit_backlog_limit=64
[4.0] audit: audit_lost=6 audit_rate_limit=0 audit_backlog_limit=64
[5.0] audit: audit_lost=5
[5.0] audit: audit_lost=none
`))
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if got := r.Lost.Load(); got != 12+3+6 {
		t.Errorf("%d lost, want 21", got)
	}
}

// Only the kernel's own log has its limit.
func TestPrinted(t *testing.T) {
	for line, want := range map[string]bool{
		good: true,
		strings.Replace(good, "audit: type=1326 audit", "type=SECCOMP msg=audit", 1): false,
		strings.Replace(good, " audit(", " nothing(", 1):                             false,
	} {
		r := audit.NewReader(strings.NewReader(line))
		if rec, err := r.Next(); rec == nil || r.Printed.Load() != want {
			t.Errorf("%v, %v of %s", r.Printed.Load(), err, line)
		}
	}
}

// A log that breaks off in an error gives the records before it, and the error.
func TestErrors(t *testing.T) {
	broken := errors.New("broken")
	r := audit.NewReader(io.MultiReader(strings.NewReader(good+"\n"+good), iotest.ErrReader(broken)))
	for range 2 {
		if rec, err := r.Next(); rec == nil || err != nil {
			t.Fatal(rec, err)
		}
	}
	for range 2 {
		if rec, err := r.Next(); rec != nil || !errors.Is(err, broken) {
			t.Fatal(rec, err)
		}
	}
	if r.Lines.Load() != 2 {
		t.Errorf("%d lines, want 2", r.Lines.Load())
	}
}

// A repeated is a log without end of the same text.
type repeated struct {
	text string
	left int64
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= int64(n)
	return n, nil
}

// A log of any size takes the same memory, even if it is one line.
func TestMemory(t *testing.T) {
	const size = 1 << 28
	for name, text := range map[string]string{
		"lines":    strings.Repeat("Nov 15 14:34:39 host program[1]: nothing to see\n", 1000),
		"one line": strings.Repeat("type=1326 audit( ", 4000),
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("-short: reads much")
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := audit.NewReader(&repeated{text: text, left: size})
			if rec, err := r.Next(); rec != nil || !errors.Is(err, io.EOF) {
				t.Fatal(rec, err)
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
				t.Errorf("allocated %d bytes for a log of %d", got, size)
			}
		})
	}
}

// Whatever the bytes, there is a record, or not, and no panic; and a record is of a line
// that begins like one.
func FuzzRecords(f *testing.F) {
	b, err := os.ReadFile("testdata/records.txt")
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // libFuzzer's programs run elsewhere, with seeds of their own
		f.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		f.Add([]byte(line))
	}
	f.Add([]byte("pid: 1, tid: 2, name: a >>> b <<<\nseccomp prevented call to disallowed system call 1"))
	f.Fuzz(func(t *testing.T, log []byte) {
		r := audit.NewReader(strings.NewReader(string(log)))
		var records uint64
		for {
			rec, err := r.Next()
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				break
			}
			records++
			if rec.PID < 0 || len(rec.Actions) > 2 || len(rec.Comm)+len(rec.Exe)+len(rec.Subject) > 3*len(log) {
				t.Errorf("%+v of %q", rec, log)
			}
		}
		lines := uint64(strings.Count(string(log), "\n"))
		if len(log) > 0 && log[len(log)-1] != '\n' {
			lines++
		}
		if r.Lines.Load() != lines || records+r.Unreadable.Load() > lines {
			t.Errorf("%d lines, %d records, %d unreadable, want %d lines: %q", r.Lines.Load(), records, r.Unreadable.Load(), lines, log)
		}
	})
}
