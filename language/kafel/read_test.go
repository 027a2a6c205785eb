package kafel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// resolve reads a policy and returns what it means.
func resolve(t *testing.T, l Language, s *language.Source) (language.Reading, *policy.Resolved) {
	t.Helper()
	reading, err := l.Read(s, policy.Target{ABI: arch.X86_64})
	if err != nil {
		t.Fatalf("%s: %v", s.Data(), err)
	}
	r, _, err := policy.Resolve(reading.Policy, policy.Options{})
	if err != nil {
		t.Fatalf("%s: %v", s.Data(), err)
	}
	return reading, r
}

// eval returns what a policy says about a call, written as "kill 1 2" or "#39".
func eval(t *testing.T, r *policy.Resolved, a arch.ABI, call string) string {
	t.Helper()
	words := strings.Fields(call)
	d := cbpf.Data{Arch: a.Audit()}
	if number, ok := strings.CutPrefix(words[0], "#"); ok {
		n, err := strconv.ParseUint(number, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		d.NR = uint32(n)
	} else if c, _ := syscalltables.Lookup(words[0]); c.Valid() {
		d.NR, _ = c.Number(a)
	} else {
		t.Fatalf("no call %s", words[0])
	}
	for i, w := range words[1:] {
		if _, err := fmt.Sscan(w, &d.Args[i]); err != nil {
			t.Fatal(err)
		}
	}
	return r.Eval(&d).String()
}

func TestMeaning(t *testing.T) {
	tests := []struct {
		name string
		text string
		want string // calls and what they get
	}{
		{"a policy and its default", "POLICY p { ALLOW { read, write } } USE p DEFAULT ERRNO(38)", "read=ALLOW write=ALLOW close=ERRNO(38)"},
		{"no default kills", "ALLOW { read }", "read=ALLOW close=KILL_THREAD"},
		{"a default alone", "DEFAULT LOG", "read=LOG #0x40000001=LOG"},
		{"every action", "LOG { read } KILL { write } KILL_THREAD { open } DENY { close } KILL_PROCESS { poll } USER_NOTIF { lseek } ERRNO(7) { mmap } TRAP(8) { brk } TRACE(9) { dup } DEFAULT ALLOW",
			"read=LOG write=KILL_THREAD open=KILL_THREAD close=KILL_THREAD poll=KILL_PROCESS lseek=NOTIFY mmap=ERRNO(7) brk=TRAP(8) dup=TRACE(9) dup2=ALLOW"},
		{"a default with data", "DEFAULT TRAP(3)", "read=TRAP(3)"},
		{"a default that traces", "DEFAULT TRACE(1)", "read=TRACE(1)"},
		{"the first rule decides", "POLICY p { KILL { write { fd == 1 } }, ALLOW { write } } USE p", "write 1=KILL_THREAD write 2=ALLOW"},
		{"uses are pasted", "POLICY a { ALLOW { read } } POLICY b { USE a, ERRNO(5) { read, write } } USE b, USE a", "read=ALLOW write=ERRNO(5)"},
		{"the first use decides", "POLICY a { ALLOW { read } } POLICY b { ERRNO(5) { read } } USE b, USE a, USE b", "read=ERRNO(5)"},
		{"blocks at the top", "ALLOW { read }, ERRNO(2) { write }\nKILL { close }\nDEFAULT LOG", "read=ALLOW write=ERRNO(2) close=KILL_THREAD dup=LOG"},
		{"empty blocks", "POLICY a {} ALLOW {}, LOG { read {} } USE a", "read=LOG write=KILL_THREAD"},
		{"comments", "/* a */ ALLOW { // b }\n read /* ** * / ***/ }", "read=ALLOW"},
		{"numbers", "#define A 0x1F\n#define B 017\n#define C 0b11\n#define D -1\nALLOW { write { fd == A, fd == B, fd == C, count == D } }",
			"write 31=ALLOW write 15=ALLOW write 3=ALLOW write 0 0 0xffffffffffffffff=ALLOW write 0 0 0xffffffff=KILL_THREAD"},
		{"a constant again", "#define A 1\n#define A 1\nALLOW { write { fd == A } }", "write 1=ALLOW"},
		{"names of the kernel's functions", "ALLOW { newstat, newuname, sendfile64, umount }", "stat=ALLOW uname=ALLOW sendfile=ALLOW umount2=ALLOW"},
		{"calls by number", "#define mine 500\nALLOW { SYSCALL[1], SYSCALL[-1], mine(a) { a == 2 } }", "#1=ALLOW #0xffffffff=ALLOW #500 2=ALLOW #500=KILL_THREAD #2=KILL_THREAD"},
		{"a constant as a call's name", "#define read 1\nALLOW { read }", "#1=ALLOW #0=KILL_THREAD"},
		{"numbers of x32 are x86_64's", "ALLOW { SYSCALL[0x40000001] } DEFAULT LOG", "#0x40000001=ALLOW #0x40000002=LOG"},
		{"short arguments compare 32 bits", "ALLOW { write { fd == 1 }, lseek { fd < 2 }, dup { fildes != 1 } }",
			"write 0x500000001=ALLOW write 2=KILL_THREAD lseek 0x500000001=ALLOW lseek 2=KILL_THREAD dup 0x500000001=KILL_THREAD dup 0=ALLOW"},
		{"with long numbers they compare 64", "ALLOW { write { fd == 0x500000001 }, lseek { fd > -2 } }",
			"write 0x500000001=ALLOW write 1=KILL_THREAD lseek 0xffffffffffffffff=ALLOW lseek 0xffffffff=KILL_THREAD"},
		{"declared arguments have 64 bits", "ALLOW { write(fd) { fd == 1 } }", "write 1=ALLOW write 0x500000001=KILL_THREAD"},
		{"declared arguments have other places", "ALLOW { write(count, fd) { fd == 1 } }", "write 0 1=ALLOW write 1=KILL_THREAD"},
		{"precedence", "ALLOW { write { fd == 1 || fd == 2 && count == 3, count == 4 } }", "write 1=ALLOW write 2=KILL_THREAD write 2 0 3=ALLOW write 9 0 4=ALLOW"},
		{"commas in parentheses", "ALLOW { write { (fd == 1, fd == 2) && count == 3 } }", "write 1 0 3=ALLOW write 2 0 3=ALLOW write 2=KILL_THREAD"},
		{"not", "ALLOW { write { !(fd == 1 && !count == 2) } }", "write 1 0 2=ALLOW write 1=KILL_THREAD write 2=ALLOW"},
		{"bits", "ALLOW { mmap { (prot & 4) == 0 && flags == 1|2 }, open { (flags & (1|2)) != 3 } }", "mmap 0 0 3 3=ALLOW mmap 0 0 7 3=KILL_THREAD open 0 2=ALLOW open 0 3=KILL_THREAD"},
		{"the number first", "ALLOW { write { 3 > fd && 1 <= fd } }", "write 0=KILL_THREAD write 1=ALLOW write 2=ALLOW write 3=KILL_THREAD"},
		{"an argument and itself", "ALLOW { write { count == count }, read { count < count }, mmap { (len & 3) >= (len & 3) } }", "write=ALLOW read=KILL_THREAD mmap=ALLOW"},
		{"both sides of the same argument", "ALLOW { mmap { (len & 6 | len & 1) == 7 && ((len | 3) & (len | 5)) == 9 } }", "mmap=KILL_THREAD"},
		{"limited to other ABIs", "ALLOW { read ON aarch64, write ON { ARM, AMD64 }, arm_fadvise64_64 ON arm }", "read=KILL_THREAD write=ALLOW"},
	}
	for _, tt := range tests {
		_, r := resolve(t, Language{}, language.NewSource([]byte(tt.text)))
		for _, want := range expectations(tt.want) {
			if got := eval(t, r, arch.X86_64, want[0]); got != want[1] {
				t.Errorf("%s: %s is %s, want %s", tt.name, want[0], got, want[1])
			}
		}
		if got := eval(t, r, arch.AArch64, "read"); got != "KILL_THREAD" {
			t.Errorf("%s: another ABI gets %s", tt.name, got)
		}
	}
}

// expectations splits "write 1=ALLOW read=LOG" into calls and actions.
func expectations(text string) (list [][2]string) {
	for text != "" {
		call, rest, _ := strings.Cut(text, "=")
		action, rest, _ := strings.Cut(rest, " ")
		list, text = append(list, [2]string{call, action}), rest
	}
	return list
}

// Names and widths are each ABI's own.
func TestTargets(t *testing.T) {
	l := Language{Targets: []arch.ABI{arch.X86_64, arch.X86, arch.ARM, arch.AArch64, arch.RISCV64}}
	text := "ALLOW { write { count == 0x100000001 }, read { count < 0x100000000 }, chown ON { x86, arm }, clone { tls == 5 }, alarm ON arm, newstat ON x86, close ON x86_64, SYSCALL[7] }"
	_, r := resolve(t, l, language.NewSource([]byte(text)))
	for _, tt := range []struct {
		abi  arch.ABI
		want string
	}{
		{arch.X86_64, "write 1 0 0x100000001=ALLOW write 1 0 1=KILL_THREAD read 0 0 0x100000000=KILL_THREAD clone 0 0 0 0 5=ALLOW clone 0 0 0 5=KILL_THREAD close=ALLOW #7=ALLOW #27=KILL_THREAD"},
		{arch.X86, "write 1 0 1=KILL_THREAD read 0 0 0xffffffff=ALLOW chown32=ALLOW chown=KILL_THREAD clone 0 0 0 5=ALLOW clone 0 0 0 0 5=KILL_THREAD stat=ALLOW close=KILL_THREAD #7=ALLOW"},
		{arch.ARM, "write 1 0 1=KILL_THREAD chown32=ALLOW clone 0 0 0 5=ALLOW #27=ALLOW #7=ALLOW"},
		{arch.AArch64, "write 1 0 0x100000001=ALLOW clone 0 0 0 0 5=ALLOW #7=ALLOW"},
		{arch.RISCV64, "write 1 0 0x100000001=ALLOW clone 0 0 0 0 5=ALLOW #7=ALLOW"},
	} {
		for _, want := range expectations(tt.want) {
			if got := eval(t, r, tt.abi, want[0]); got != want[1] {
				t.Errorf("%v: %s is %s, want %s", tt.abi, want[0], got, want[1])
			}
		}
	}
}

func TestIncludes(t *testing.T) {
	files := fstest.MapFS{
		"etc/a":         {Data: []byte("#include \"one\"\t\"two\"; #include \"three\"\nALLOW { #include \"list\"\n } USE one, USE two, LOG { exit { error_code == N } }")},
		"etc/inc/one":   {Data: []byte("POLICY one { ALLOW { read } }")},
		"etc/inc/two":   {Data: []byte("#include \"two\"\n")}, // never read: the other is found first
		"lib/two":       {Data: []byte("POLICY two { ALLOW { write } }")},
		"etc/inc/three": {Data: []byte("#include \"four\"\n/* open")},
		"lib/four":      {Data: []byte("#define N 5")},
		"lib/list":      {Data: []byte("dup,\n dup2")},
	}
	s := language.NewSource(files["etc/a"].Data).In(files, "etc/a")
	reading, r := resolve(t, Language{Include: []string{"/lib", "inc"}}, s)
	for _, want := range expectations("read=ALLOW write=ALLOW dup=ALLOW dup2=ALLOW exit 5=LOG exit 6=KILL_THREAD") {
		if got := eval(t, r, arch.X86_64, want[0]); got != want[1] {
			t.Errorf("%s is %s, want %s", want[0], got, want[1])
		}
	}
	var places []string
	for _, rule := range reading.Policy.Rules {
		places = append(places, rule.Pointer)
	}
	if want := []string{"lib/list:1:1", "lib/list:2:2", "etc/inc/one:1:22", "lib/two:1:22", "3:28"}; !slices.Equal(places, want) {
		t.Errorf("places %q, want %q", places, want)
	}
	if w := reading.Warnings; len(w) != 1 || w[0].Kind != policy.Ignored || w[0].Pointer != "etc/inc/three:2:1" {
		t.Errorf("warnings %v", w)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		text  string
		kind  policy.WarningKind // "" for none
		place string
	}{
		{"ALLOW { read { fd == 1 } }", "", ""},
		{"POLICY p { ALLOW { read } }\nDEFAULT LOG", policy.Ignored, "1:1"},
		{"#define fd 1\nALLOW { write { fd == 1 } }", policy.Ignored, "2:9"},
		{"ALLOW { write { 1 == 2 } }", policy.Ignored, "1:9"},
		{"ALLOW { write { count >= 0 } }", policy.Ignored, "1:9"},
		{"ALLOW { write { fd == 08 } }", policy.Truncated, "1:23"},
		{"ALLOW { SYSCALL[0x100000001] }", policy.Truncated, "1:9"},
		{"ALLOW { SYSCALL[-1] }", "", ""},
	} {
		reading, _ := resolve(t, Language{}, language.NewSource([]byte(tt.text)))
		var got string
		for _, w := range reading.Warnings {
			got += string(w.Kind) + " " + w.Pointer + ";"
		}
		want := ""
		if tt.kind != "" {
			want = string(tt.kind) + " " + tt.place + ";"
		}
		if got != want {
			t.Errorf("%q: %v, want %q", tt.text, reading.Warnings, want)
		}
	}
	text := "POLICY p { " + strings.Repeat("ALLOW { read { 1 == 2 } }, ", 5000) + " LOG { read } } USE p"
	reading, err := Language{}.Read(language.NewSource([]byte(text)), policy.Target{ABI: arch.X86_64})
	if n := len(reading.Warnings); err != nil || n != maxReports+1 || reading.Warnings[n-1].More != 4000 {
		t.Errorf("%d warnings, %v", len(reading.Warnings), err)
	}
}

// Every call of the table exists under its name in Linux, or is only a number, and none is
// there twice.
func TestCalls(t *testing.T) {
	calls := readCalls(known[:])
	for a, want := range map[arch.ABI]int{arch.X86_64: 377, arch.X86: 349, arch.ARM: 366, arch.AArch64: 321, arch.RISCV64: 319} {
		if len(calls[a]) != want {
			t.Errorf("%v: %d calls, want %d", a, len(calls[a]), want)
		}
		numbers := map[uint32]string{}
		for name, c := range calls[a] {
			nr := c.number
			if c.name != "" {
				known, _ := syscalltables.Lookup(c.name)
				var ok bool
				if nr, ok = known.Number(a); !ok {
					t.Errorf("%v: %s: no call %s", a, name, c.name)
				}
			} else if known, ok := syscalltables.ByNumber(a, nr); ok {
				t.Errorf("%v: %s: call %d is %v", a, name, nr, known)
			}
			if other := numbers[nr]; other != "" {
				t.Errorf("%v: %s and %s are call %d", a, name, other, nr)
			}
			numbers[nr] = name
			if len(c.args) > 6 {
				t.Errorf("%v: %s has %d arguments", a, name, len(c.args))
			}
		}
	}
	for line := range strings.Lines(callsTable) {
		if line[0] != '#' && strings.Count(line, "\t") != 3 {
			t.Errorf("line %q", line)
		}
	}
}

// A formula is a condition as text, and whether it holds for the arguments of write.
type formula struct {
	text  string
	holds func(args [3]uint64, bits int) bool
}

// value returns a random operand about one argument of write, with what it is and whether
// 64 bits of it count on 64-bit ABIs.
func value(random *rand.Rand, arg, depth int) (text string, of func(args [3]uint64) uint64, wide bool) {
	if depth > 0 && random.IntN(3) > 0 {
		l, left, w := value(random, arg, depth-1)
		n := number64(random)
		w = w || n > 1<<32-1
		if random.IntN(2) == 0 {
			return fmt.Sprintf("(%s & %d)", l, n), func(a [3]uint64) uint64 { return left(a) & n }, w
		}
		return fmt.Sprintf("(%d | %s)", n, l), func(a [3]uint64) uint64 { return left(a) | n }, w
	}
	return []string{"fd", "buf", "count"}[arg], func(a [3]uint64) uint64 { return a[arg] }, arg > 0
}

func number64(random *rand.Rand) uint64 {
	n := uint64(random.IntN(8))<<random.IntN(3) | uint64(random.IntN(4))<<30 | uint64(random.IntN(4))<<62
	if random.IntN(2) == 0 {
		n &= 1<<32 - 1
	}
	if random.IntN(8) == 0 {
		n = ^n
	}
	if n == 0 || n == math.MaxUint64 { // kafel leaves these out, and then compares fewer bits
		n = 5
	}
	return n
}

func newFormula(random *rand.Rand, depth int) formula {
	if depth > 0 && random.IntN(4) > 0 {
		l, r := newFormula(random, depth-1), newFormula(random, depth-1)
		switch random.IntN(4) {
		case 0:
			return formula{"!(" + l.text + ")", func(a [3]uint64, b int) bool { return !l.holds(a, b) }}
		case 1:
			return formula{"(" + l.text + " && " + r.text + ")", func(a [3]uint64, b int) bool { return l.holds(a, b) && r.holds(a, b) }}
		case 2:
			return formula{"(" + l.text + " || " + r.text + ")", func(a [3]uint64, b int) bool { return l.holds(a, b) || r.holds(a, b) }}
		}
		return formula{"(" + l.text + ", " + r.text + ")", func(a [3]uint64, b int) bool { return l.holds(a, b) || r.holds(a, b) }}
	}
	text, of, wide := value(random, random.IntN(3), random.IntN(3))
	n := number64(random)
	op := []string{"==", "!=", "<", "<=", ">", ">="}[random.IntN(6)]
	compare := func(a [3]uint64, bits int) bool {
		x, y := of(a), n
		if !wide && n < 1<<32 {
			x, y = x&(1<<32-1), y&(1<<32-1)
		}
		switch op {
		case "==":
			return x == y
		case "!=":
			return x != y
		case "<":
			return x < y
		case "<=":
			return x <= y
		case ">":
			return x > y
		}
		return x >= y
	}
	if random.IntN(4) == 0 {
		turned := map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<="}
		if t := turned[op]; t != "" {
			return formula{fmt.Sprintf("%d %s %s", n, t, text), compare}
		}
	}
	return formula{fmt.Sprintf("%s %s %d", text, op, n), compare}
}

// Random conditions mean what their parts say.
func TestConditions(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	allowed, denied := 0, 0
	for range 1000 {
		f := newFormula(random, random.IntN(4))
		s := language.NewSource([]byte("ALLOW { write { " + f.text + " } }"))
		for _, a := range []arch.ABI{arch.X86_64, arch.ARM} {
			_, r := resolve(t, Language{Targets: []arch.ABI{a}}, s)
			nr := map[arch.ABI]uint32{arch.X86_64: 1, arch.ARM: 4}[a]
			for range 40 {
				var args [3]uint64
				for i := range args {
					args[i] = number64(random) &^ uint64(random.IntN(8))
					if a.Bits() == 32 {
						args[i] &= 1<<32 - 1
					}
				}
				d := cbpf.Data{Arch: a.Audit(), NR: nr, Args: [6]uint64{args[0], args[1], args[2]}}
				holds := f.holds(args, a.Bits())
				if got := r.Eval(&d) == cbpf.Allow; got != holds {
					t.Fatalf("%v: %s for %#x: %v, want %v", a, f.text, args, got, holds)
				}
				if holds {
					allowed++
				} else {
					denied++
				}
			}
		}
	}
	if allowed < 15_000 || denied < 15_000 {
		t.Errorf("%d hold, %d do not: the test tests little", allowed, denied)
	}
}
