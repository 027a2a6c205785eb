package main

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// lineWidth is where lists wrap. It is the same everywhere, so that outputs are.
const lineWidth = 80

// fill writes words with spaces between them, wrapped, behind an indent. Words of
// several flags may be wrapped behind each.
func fill(w *bufio.Writer, indent int, words []cell) {
	column := 0
	for _, c := range words {
		space := 1
		for part := range strings.SplitAfterSeq(c.text, "|") {
			switch {
			case column == 0:
				w.WriteString(strings.Repeat(" ", indent))
				column = indent
			case column+space+len(part) > lineWidth:
				w.WriteString("\n" + strings.Repeat(" ", indent))
				column = indent
			default:
				w.WriteString(" "[:space])
				column += space
			}
			space = 0
			column += len(part)
			if c.paint != nil {
				part = c.paint(part)
			}
			w.WriteString(part)
		}
	}
	if column > 0 {
		w.WriteByte('\n')
	}
}

// A list is calls, and numbers without a name, to be printed together.
type list struct{ named, unnamed []part }

func (l *list) add(parts ...part) {
	for _, x := range parts {
		switch n := len(l.unnamed); {
		case x.name != "":
			l.named = append(l.named, x)
		case n > 0 && x.First > 0 && l.unnamed[n-1].Last == x.First-1:
			l.unnamed[n-1].Last = x.Last
		default:
			l.unnamed = append(l.unnamed, x)
		}
	}
}

// words returns the calls by name and the numbers, with commas between them.
func (l *list) words(numbers bool) []cell {
	var out []string
	named := slices.Clone(l.named)
	slices.SortFunc(named, func(a, b part) int { return strings.Compare(a.name, b.name) })
	for _, x := range named {
		if numbers {
			x.name += " (" + x.String() + ")"
		}
		out = append(out, x.name)
	}
	for i, x := range l.unnamed {
		word := x.String()
		switch {
		case i > 0:
		case len(l.unnamed) == 1 && x.First == x.Last:
			word = "number " + word
		default:
			word = "numbers " + word
		}
		out = append(out, word)
	}
	for i := range len(out) - 1 {
		out[i] += ","
	}
	return plain(out...)
}

// count says how many calls there are.
func (l *list) count() string {
	s := plural(len(l.named), "call")
	switch {
	case len(l.unnamed) == 0:
		return s
	case len(l.named) == 0:
		return "numbers without a call"
	}
	return s + ", and numbers without one"
}

// A verdictJSON is an action.
type verdictJSON struct {
	Verdict string `json:"verdict"` // as text
	Action  string `json:"action"`  // the class
	Data    uint16 `json:"data"`
	Errno   string `json:"errno,omitempty"`
}

func verdictDocument(action cbpf.Action, a arch.ABI) verdictJSON {
	class, _, _ := strings.Cut(action.Class().String(), "(")
	return verdictJSON{intake.ActionText(action, a), class, action.Data(), intake.ErrnoName(action, a)}
}

// A decisionJSON is what one side does with a call and, for a profile, why.
type decisionJSON struct {
	verdictJSON
	Reason  string `json:"reason,omitempty"`
	Pointer string `json:"pointer,omitempty"`
}

// A callWitnessJSON is a call that two sides treat differently.
type callWitnessJSON struct {
	ABI     string       `json:"abi,omitempty"`
	Arch    string       `json:"arch"`
	Syscall string       `json:"syscall,omitempty"`
	Number  uint32       `json:"number"`
	IP      string       `json:"ip"`
	Args    []string     `json:"args"`
	A       decisionJSON `json:"a"`
	B       decisionJSON `json:"b"`
}

func witnessDocument(d *cbpf.Data, a, b *side) *callWitnessJSON {
	abi, known := arch.ByAudit(d.Arch, d.NR)
	w := &callWitnessJSON{
		Arch: fmt.Sprintf("0x%08x", d.Arch), Number: d.NR, IP: fmt.Sprintf("%#x", d.IP),
		Syscall: policy.Names().Syscall(d.Arch, d.NR),
		A:       a.decisionDocument(d, abi), B: b.decisionDocument(d, abi),
	}
	if known {
		w.ABI = abi.String()
	}
	for _, v := range d.Args {
		w.Args = append(w.Args, fmt.Sprintf("%#x", v))
	}
	return w
}

func (s *side) decisionDocument(d *cbpf.Data, abi arch.ABI) decisionJSON {
	v := s.decide(d)
	doc := decisionJSON{verdictJSON: verdictDocument(v.Action, abi)}
	if s.Resolved != nil {
		doc.Reason, doc.Pointer = v.Reason.String(), v.Pointer
	}
	return doc
}

// A conditionJSON is a set of values of one argument. Numbers of 64 bits are
// hexadecimal strings.
type conditionJSON struct {
	Arg    int         `json:"arg"` // 0 to 5, or -1 for the instruction pointer
	Name   string      `json:"name,omitempty"`
	Text   string      `json:"text"`
	Width  int         `json:"width"`         // 32: only the lower half of the argument counts
	Not    bool        `json:"not,omitempty"` // all values but these
	Ranges []rangeJSON `json:"ranges,omitempty"`
	Masks  []maskJSON  `json:"masks,omitempty"`
}

type rangeJSON struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

// A maskJSON is the arguments that are Value under Mask.
type maskJSON struct {
	Mask  string `json:"mask"`
	Value string `json:"value"`
}

func caseDocument(s *scope, nr uint32, c proof.Case) []conditionJSON {
	list := []conditionJSON{}
	for i := range c {
		w := &c[i]
		doc := conditionJSON{
			Arg: w.Arg, Text: s.call(nr).When(c, i), Width: w.Values.Width, Not: w.Values.Not,
		}
		if call, _ := syscalltables.ByNumber(s.abi, nr); w.Arg != proof.IP && w.Arg < len(call.Args(s.abi)) {
			doc.Name = call.Args(s.abi)[w.Arg]
		}
		for _, r := range w.Values.Ranges {
			doc.Ranges = append(doc.Ranges, rangeJSON{fmt.Sprintf("%#x", r.First), fmt.Sprintf("%#x", r.Last)})
		}
		for _, m := range w.Values.Masks {
			doc.Masks = append(doc.Masks, maskJSON{fmt.Sprintf("%#x", m.Mask), fmt.Sprintf("%#x", m.Value)})
		}
		list = append(list, doc)
	}
	return list
}

// archDocument writes AUDIT_ARCH values for programs.
func archDocument(audits []policy.Interval) []string {
	var out []string
	for _, i := range audits {
		out = append(out, hexRange(i))
	}
	return out
}

func names(parts []part) []string {
	var out []string
	for _, x := range parts {
		if x.name != "" {
			out = append(out, x.name)
		}
	}
	return out
}
