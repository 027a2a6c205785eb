package cbpf

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/bpf"
)

// A Line is one instruction of a disassembly.
type Line struct {
	PC      int
	Text    string // the instruction as [Assemble] reads it, without label: "jeq  #59  jt 4  jf 5"
	Comment string // what it does, in plain words, and where it comes from; may be empty
}

// Lines returns the program's instructions as text. The labels that jumps go to
// are instruction numbers. The comments say which ABIs and calls an
// instruction is about, as far as the paths to it determine that, and give its
// origin. n provides the names and may be nil.
func (p *Program) Lines(n Names) []Line {
	if len(p.insns) == 0 {
		return nil
	}
	c := newCommenter(p, n)
	width := p.operandWidth()
	lines := make([]Line, len(p.insns))
	for pc := range lines {
		text, note := p.text(pc, width)
		words := []string{note, c.comment(pc), p.Origin(pc)}
		lines[pc] = Line{PC: pc, Text: text, Comment: plain(strings.Join(nonempty(words), "  "))}
	}
	return lines
}

// Disassemble returns the program as text that [Assemble] turns into the same
// program again, with or without names. See [Program.Lines] for the comments.
func (p *Program) Disassemble(n Names) string {
	lines := p.Lines(n)
	label, text := len(fmt.Sprint(len(lines)))+1, 0
	for _, l := range lines {
		text = max(text, len(l.Text))
	}
	var b strings.Builder
	order := wordLittle
	if p.big {
		order = wordBig
	}
	fmt.Fprintf(&b, "%s %s%s\n", dirOrder, order, p.caution())
	for _, l := range lines {
		fmt.Fprintf(&b, "%*d:  ", label, l.PC)
		if l.Comment == "" {
			b.WriteString(l.Text)
		} else {
			fmt.Fprintf(&b, "%-*s  ; %s", text, l.Text, l.Comment)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// caution returns a comment on a program that does not ask which ABI a call is of.
func (p *Program) caution() string {
	if p.loads(OffNR) && !p.loads(OffArch) {
		return "  ; arch is never tested: on another ABI the same numbers are other calls"
	}
	return ""
}

func (p *Program) loads(off uint32) bool {
	return slices.ContainsFunc(p.insns, func(ins bpf.RawInstruction) bool {
		return ins.Op == opLdAbs && ins.K == off
	})
}

// text spells the instruction at pc, with a note if that has to be numbers.
func (p *Program) text(pc, width int) (text, note string) {
	ins := p.insns[pc]
	name, f := spelling(ins.Op)
	arg := operand(ins, f, p.big)
	switch targets, _ := p.next(pc); f {
	case formJump:
		text = fmt.Sprintf("%-5s %d", name, targets[0])
	case formBranch, formBranchX:
		text = fmt.Sprintf("%-5s %-*s  jt %-4d jf %d", name, width, arg, targets[0], targets[1])
	default:
		text = strings.TrimRight(fmt.Sprintf("%-5s %s", name, arg), " ")
	}
	if ignored(ins, f) == ins {
		return text, ""
	}
	note = strings.Join(strings.Fields(text), " ") + ", other fields ignored"
	return fmt.Sprintf("%s 0x%02x %d %d 0x%x", dirRaw, ins.Op, ins.Jt, ins.Jf, ins.K), note
}

// operandWidth returns the width of the widest operand of a conditional jump.
func (p *Program) operandWidth() int {
	width := 0
	for _, ins := range p.insns {
		if _, f := spelling(ins.Op); f == formBranch {
			width = max(width, len(operand(ins, f, p.big)))
		}
	}
	return width
}

func nonempty(words []string) []string {
	var s []string
	for _, w := range words {
		if w != "" {
			s = append(s, w)
		}
	}
	return s
}

// plain keeps a comment on its line, whatever names and origins contain.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
