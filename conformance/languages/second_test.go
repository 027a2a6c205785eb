package languages

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/minijail"
)

// A second is a second reading of a policy of minijail's, which shares nothing with the
// first: it keeps the text of each line and evaluates it for each call. It knows as much of
// the language as the corpus uses, and takes its names from minijail's own table.
type second struct {
	t         *testing.T
	l         minijail.Language
	root      string
	abi       arch.ABI
	constants map[string]int64
	calls     map[string]uint32
	lines     map[uint32][]string // what is behind the colon
	kill      cbpf.Action
	fallback  cbpf.Action // of other calls
	frequency map[string]uint64
}

func readSecond(t *testing.T, dir string, l minijail.Language, root, file string, a arch.ABI) *second {
	t.Helper()
	s := &second{t: t, l: l, root: root, abi: a, lines: make(map[uint32][]string), frequency: make(map[string]uint64)}
	var table struct {
		Constants map[string]int64
		Syscalls  map[string]uint32
	}
	load(t, filepath.Join(dir, "crosvm", a.String(), "constants.json"), &table)
	s.constants, s.calls = table.Constants, table.Syscalls
	switch {
	case l.UseRetLog:
		s.kill = cbpf.Log
	case l.Denylist:
		s.kill = cbpf.Errno(1)
	case l.UseKillProcess:
		s.kill = cbpf.KillProcess
	}
	if s.fallback = s.kill; l.Denylist {
		s.fallback = cbpf.Allow
	}
	s.read(file)
	return s
}

func (s *second) read(file string) {
	data, err := os.ReadFile(filepath.Join(s.root, file))
	if err != nil {
		s.t.Fatal(err)
	}
	relative := func(name string) string {
		if s.l.Dialect == minijail.C {
			return name
		}
		return filepath.Join(filepath.Dir(file), name)
	}
	text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\\\n", " ")
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		call, rest, ok := strings.Cut(line, ":")
		switch words := strings.Fields(line); {
		case len(words) == 2 && words[0] == "@include":
			s.read(relative(words[1]))
		case len(words) == 2 && words[0] == "@frequency":
			if s.l.Dialect == minijail.Python {
				s.count(relative(words[1]))
			}
		case len(words) == 2 && words[0] == "@default":
			s.fallback = s.action(words[1])
		case ok:
			nr, known := s.calls[strings.TrimSpace(call)]
			if !known {
				s.t.Fatalf("%s: %s: no such call", file, call)
			}
			s.lines[nr] = append(s.lines[nr], strings.TrimSpace(rest))
		case len(words) > 0 && words[0] != "@denylist":
			s.t.Fatalf("%s: %q", file, line)
		}
	}
}

func (s *second) count(file string) {
	data, err := os.ReadFile(filepath.Join(s.root, file))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if call, n, ok := strings.Cut(line, ":"); ok {
			v, err := strconv.ParseUint(strings.TrimSpace(n), 10, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			s.frequency[strings.TrimSpace(call)] += v
		}
	}
}

// eval returns what the policy says about a call.
func (s *second) eval(d *cbpf.Data) cbpf.Action {
	if d.Arch != s.abi.Audit() {
		return s.kill
	}
	fallback := s.fallback
	if s.l.DefaultAction == "trap" {
		fallback = cbpf.Trap
	}
	for _, line := range s.lines[d.NR] {
		expression, action, both := strings.Cut(line, ";")
		if !strings.Contains(expression, "arg") {
			return s.action(expression)
		}
		holds := s.any(expression, d)
		switch {
		case s.l.Dialect == minijail.C && holds:
			return cbpf.Allow
		case s.l.Dialect == minijail.C && both:
			return s.action(action)
		case s.l.Dialect == minijail.C:
			return fallback
		case holds && both:
			return s.action(action)
		case holds:
			return cbpf.Allow
		}
	}
	return fallback
}

func (s *second) action(text string) cbpf.Action {
	words := strings.Fields(text)
	switch {
	case len(words) == 2 && words[0] == "return" && s.l.UseRetLog:
		return cbpf.Log
	case len(words) == 2 && words[0] == "return":
		return cbpf.Errno(uint16(s.value(words[1])))
	case len(words) == 1 && (words[0] == "1" || words[0] == "allow"):
		return cbpf.Allow
	case len(words) == 1:
		if a, ok := map[string]cbpf.Action{"kill": s.kill, "kill-thread": cbpf.KillThread, "kill-process": cbpf.KillProcess,
			"trap": cbpf.Trap, "trace": cbpf.Trace(0), "log": cbpf.Log, "user-notify": cbpf.Notify}[words[0]]; ok {
			return a
		}
	}
	s.t.Fatalf("%q: not an action", text)
	return 0
}

func (s *second) any(expression string, d *cbpf.Data) bool {
	for _, all := range strings.Split(expression, "||") {
		holds := true
		for _, atom := range strings.Split(all, "&&") {
			holds = holds && s.holds(strings.Fields(atom), d)
		}
		if holds {
			return true
		}
	}
	return false
}

func (s *second) holds(atom []string, d *cbpf.Data) bool {
	a := d.Args[atom[0][len("arg")]-'0']
	v := s.value(strings.Join(atom[2:], ""))
	switch atom[1] {
	case "==":
		return a == v
	case "!=":
		return a != v
	case "<":
		return a < v
	case "<=":
		return a <= v
	case ">":
		return a > v
	case ">=":
		return a >= v
	case "&":
		return a&v != 0
	case "in":
		return a|v == v
	}
	s.t.Fatalf("%q: not a condition", atom)
	return false
}

// value evaluates constants joined by "|", inside out.
func (s *second) value(text string) uint64 {
	for {
		shut := strings.Index(text, ")")
		if shut < 0 {
			break
		}
		open := strings.LastIndex(text[:shut], "(")
		text = text[:open] + strconv.FormatUint(s.value(text[open+1:shut]), 10) + text[shut+1:]
	}
	var v uint64
	for _, word := range strings.Split(text, "|") {
		positive := strings.TrimPrefix(word, "~")
		n, ok := s.constants[positive]
		if !ok {
			digits := strings.TrimPrefix(positive, "-")
			u, err := strconv.ParseUint(digits, 0, 64)
			if err != nil {
				s.t.Fatalf("%q: not a value", text)
			}
			if n = int64(u); digits != positive {
				n = -n
			}
		}
		if positive != word {
			n = ^n
		}
		v |= uint64(n)
	}
	return v
}

// agree compares our filter with the second reading, at the boundaries of both and at random.
func (s *second) agree(set, file string, b built) {
	s.t.Helper()
	r := rand.New(rand.NewPCG(15, 1))
	for d := range gen.Points(r, b.resolved, b.program, 4) {
		if got, want := b.program.Eval(d), s.eval(d); got != want {
			s.t.Errorf("%s: %s: %+v: %v, want %v", set, file, *d, got, want)
			return
		}
	}
	for call, n := range b.reading.Frequencies {
		if uint64(s.frequency[call]) != n {
			s.t.Errorf("%s: %s: %s is counted %d times, want %d", set, file, call, n, s.frequency[call])
		}
	}
	if s.l.Dialect == minijail.Python && len(b.reading.Frequencies) != len(s.frequency) {
		s.t.Errorf("%s: %s: %d frequencies, want %d", set, file, len(b.reading.Frequencies), len(s.frequency))
	}
}
