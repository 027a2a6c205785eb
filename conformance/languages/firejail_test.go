package languages

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// A written is what fseccomp, which makes firejail's filters, wrote for a command line, or
// a filter that comes with firejail.
type written struct {
	Arch, Name   string
	Argv         []string
	Env          map[string]string
	RC           int
	File1, File2 *writtenFile
	Optimized    any // a writtenFile, or words
	optimized    *writtenFile
}

type writtenFile struct {
	File         string
	Instructions int
}

// loadsOptimized reports whether firejail runs fsec-optimize on such a filter before it
// loads it. What that program makes of others does not count, and does not always mean the
// same.
func (w *written) loadsOptimized() bool {
	return len(w.Argv) > 1 && slices.Contains([]string{"default", "default32", "drop", "drop32", "secondary"}, w.Argv[1])
}

// A question is the text with which firejail loads such a filter, and which part of what
// is read from it is to be compared.
type question struct {
	text    string
	part    part
	neither string // why no text says it
}

type part uint8

const (
	native part = iota // for the firejail's own ABI
	other              // for that of 32 bits beside it
	block              // of seccomp.block-secondary
	both               // for both, of protocol
)

// ask returns the question about one command line.
func (w *written) ask() question {
	list := func(i int) string { return w.Argv[i] }
	text := ""
	if a := w.Env["FIREJAIL_SECCOMP_ERROR_ACTION"]; a != "" {
		text = "seccomp-error-action " + a + "\n"
	}
	if slices.Contains(w.Argv, "allow-debuggers") || w.Name == "shipped.seccomp.debug" {
		text += "allow-debuggers\n"
	}
	alone32 := "seccomp\n"
	if w.Arch == "arm64" {
		alone32 = "seccomp.32 read\n"
	}
	command := strings.Join(w.Argv, " ")
	for _, c := range []struct {
		begin string
		question
	}{
		{"fseccomp default drop FILE1 FILE2 ", question{text: "seccomp " + list(len(w.Argv)-1)}},
		{"fseccomp default32 drop FILE1 FILE2 ", question{"seccomp read\nseccomp.32 " + list(len(w.Argv)-1), other, ""}},
		{"fseccomp default FILE1", question{text: "seccomp"}},
		{"fseccomp default32 FILE1", question{"seccomp read\nseccomp.32.drop read", other, ""}},
		{"fseccomp drop FILE1 FILE2 ", question{text: "seccomp.drop " + list(min(4, len(w.Argv)-1))}},
		{"fseccomp drop32 FILE1 FILE2 ", question{"seccomp.drop read\nseccomp.32.drop " + list(min(4, len(w.Argv)-1)), other, ""}},
		{"fseccomp keep FILE1 FILE2 ", question{text: "seccomp.keep " + list(min(4, len(w.Argv)-1))}},
		{"fseccomp keep32 ", question{neither: "firejail never asks for it"}},
		{"fseccomp secondary 64 ", question{neither: "firejail never asks for it"}},
		{"fseccomp secondary 32 ", question{alone32, other, ""}},
		{"fseccomp secondary block ", question{"seccomp\nseccomp.block-secondary", block, ""}},
		{"fseccomp memory-deny-write-execute FILE1", question{text: "memory-deny-write-execute"}},
		{"fseccomp memory-deny-write-execute.32 FILE1", question{"memory-deny-write-execute", other, ""}},
		{"fseccomp restrict-namespaces FILE1 ", question{text: "restrict-namespaces " + list(len(w.Argv)-1)}},
		{"fseccomp restrict-namespaces.32 FILE1 ", question{"restrict-namespaces " + list(len(w.Argv)-1), other, ""}},
		{"fseccomp protocol build ", question{"protocol " + list(min(3, len(w.Argv)-1)), both, ""}},
	} {
		if strings.HasPrefix(command+" ", c.begin) {
			if strings.HasSuffix(c.text, "allow-debuggers") {
				c.text = strings.TrimSuffix(c.text, "allow-debuggers") + w.Argv[len(w.Argv)-2]
			}
			c.text = text + c.text
			return c.question
		}
	}
	q, ok := map[string]question{
		"shipped.seccomp":                 {text: "seccomp"},
		"shipped.seccomp.debug":           {text: text + "seccomp"},
		"shipped.seccomp.32":              {alone32, other, ""},
		"shipped.seccomp.block_secondary": {"seccomp\nseccomp.block-secondary", block, ""},
		"shipped.seccomp.mdwx":            {text: "memory-deny-write-execute"},
		"shipped.seccomp.mdwx.32":         {"memory-deny-write-execute", other, ""},
		"shipped.seccomp.namespaces":      {text: "restrict-namespaces"},
		"shipped.seccomp.namespaces.32":   {text: "restrict-namespaces"},
	}[w.Name]
	if !ok {
		q.neither = "unknown: " + command
	}
	return q
}

// of returns the policies that are the part of a stack, the oldest first.
func (p part) of(whole *policy.Policy, a arch.ABI) (members []*policy.Policy) {
	newest := *whole
	newest.Older = nil
	for _, m := range append(slices.Clone(whole.Older), &newest) {
		own := m.ABIs[0] == a || m.ABIs[0] == arch.X32
		blocks := m.Elsewhere != cbpf.Allow
		if p == both || p == other && !own || p == native && own && !blocks || p == block && (blocks || m.ABIs[0] == arch.X32) {
			members = append(members, m)
		}
	}
	return members
}

// together returns policies as one.
func together(members []*policy.Policy, a arch.ABI) *policy.Policy {
	if len(members) == 0 {
		return &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.Allow, NoBound: true, ABIs: []arch.ABI{a}}
	}
	newest := *members[len(members)-1]
	newest.Older = members[:len(members)-1]
	return &newest
}

// A firejailRow sums up what the filters of one ABI came to.
type firejailRow struct {
	row
	unused                int // firejail loads no such filter
	stricter              int // firejail refuses what fseccomp takes
	optimized             int // what fsec-optimize made of a filter is proved equal, too
	executed, ourExecuted int
}

// What firejail's own tools made of each command line is what is read from the profile with
// which firejail loads it.
func TestFirejail(t *testing.T) {
	dir := corpus(t, "firejail")
	var all []written
	load(t, filepath.Join(dir, "results.json"), &all)
	rows := map[string]*firejailRow{"amd64": {row: row{set: "firejail/amd64"}}, "arm64": {row: row{set: "firejail/arm64"}}}
	for i := range all {
		w := &all[i]
		if m, ok := w.Optimized.(map[string]any); ok && w.loadsOptimized() {
			w.optimized = &writtenFile{m["file"].(string), int(m["instructions"].(float64))}
		}
		t.Run(w.Arch+"/"+w.Name, func(t *testing.T) { rows[w.Arch].check(t, dir, w) })
	}
	var list []row
	for _, name := range []string{"amd64", "arm64"} {
		r := rows[name]
		list = append(list, r.row)
		t.Logf("%s: %d command lines that firejail never uses, %d lists that it refuses itself, %d optimized filters proved equal, executed %d, ours %d",
			r.set, r.unused, r.stricter, r.optimized, r.executed, r.ourExecuted)
		if sum := r.equal + r.refused + r.held + r.unused + r.stricter + r.differ + r.unlike; sum != r.files || r.equal == 0 {
			t.Errorf("%s: %d outcomes of %d files", r.set, sum, r.files)
		}
		if r.ourExecuted > r.executed {
			t.Errorf("%s: ours execute more", r.set)
		}
	}
	table(t, list)
}

func (r *firejailRow) check(t *testing.T, dir string, w *written) {
	r.files++
	q := w.ask()
	if q.neither != "" {
		if strings.HasPrefix(q.neither, "unknown") {
			t.Error(q.neither)
		}
		r.unused++
		return
	}
	a := arch.X86_64
	if w.Arch == "arm64" {
		a = arch.AArch64
	}
	reading, err := firejail.Language{}.Read(language.NewSource([]byte(q.text)), policy.Target{ABI: a})
	switch {
	case err != nil && w.RC != 0:
		r.refused++
		return
	case err != nil && strings.Contains(w.Name, "chmod_fchmod"): // firejail takes no blanks in lists
		r.stricter++
		return
	case err != nil || w.RC != 0:
		r.unlike++
		t.Errorf("%s: exit status %d, but %v", q.text, w.RC, err)
		return
	}
	members := q.part.of(reading.Policy, a)
	if w.File2 == nil && len(members) > 2 && q.part == native {
		t.Errorf("%d members", len(members))
	}
	p := together(members, a)
	ours := compile(t, p)
	var given []*writtenFile
	file := w.File1
	for _, f := range []*writtenFile{w.File1, w.optimized} {
		if f == nil {
			continue
		}
		file = f // what firejail loads
		if _, err := os.Stat(filepath.Join(dir, f.File)); err == nil {
			given = append(given, f)
		}
	}
	r.theirs += file.Instructions
	if w.File2 != nil {
		r.theirs += w.File2.Instructions
	}
	r.ours += ours.Len()
	same, proved := true, 0
	for _, f := range given {
		theirs := []*cbpf.Program{decode(t, filepath.Join(dir, f.File))}
		if w.File2 != nil {
			if _, err := os.Stat(filepath.Join(dir, w.File2.File)); err != nil {
				continue
			}
			theirs = append(theirs, decode(t, filepath.Join(dir, w.File2.File)))
		}
		same = w.prove(t, q, a, ours, members, theirs) && same
		if proved++; f == w.optimized {
			r.optimized++
		}
		if f == file {
			for _, p := range theirs {
				r.executed += executedOn(p, a)
			}
			r.ourExecuted += executedOn(ours, a)
		}
	}
	switch {
	case !same:
		r.differ++
	case proved == 0:
		r.held++
	default:
		r.equal++
	}
}

// prove reports whether our program and our policies are proved equal to filters of theirs.
func (w *written) prove(t *testing.T, q question, a arch.ABI, ours *cbpf.Program, members []*policy.Policy, theirs []*cbpf.Program) bool {
	var stack, policies []proof.Subject
	for _, p := range theirs {
		stack = append(stack, proof.Program(p))
	}
	policies = subjects(t, together(members, a))
	one := []proof.Subject{proof.Program(ours)}
	if q.part == both && a == arch.X86_64 {
		// The filter of protocol takes every other ABI for x86. A kernel has no other one.
		guard := proof.Program(machine(t))
		stack, policies, one = append(stack, guard), append(policies, guard), append(one, guard)
	}
	same := prove(t, "program", proof.Stack(one...), proof.Stack(stack...))
	return prove(t, "stack", proof.Stack(policies...), proof.Stack(stack...)) && same
}

// machine returns a program that kills calls through ABIs that kernels of x86_64 do not
// have.
func machine(t *testing.T) *cbpf.Program {
	return compile(t, &policy.Policy{Default: cbpf.Allow, Elsewhere: cbpf.KillProcess, NoBound: true, ABIs: arch.X86_64.Family()})
}

// executedOn returns how many instructions a program executes for all calls of some ABIs.
func executedOn(p *cbpf.Program, abis ...arch.ABI) (n int) {
	for _, a := range abis {
		for nr := range syscalltables.All(a) {
			_, steps := p.Trace(&cbpf.Data{Arch: a.Audit(), NR: nr})
			n += len(steps)
		}
	}
	return n
}
