package answer

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

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

func (s *Side) decisionDocument(d *cbpf.Data, abi arch.ABI) decisionJSON {
	v := s.Decide(d)
	doc := decisionJSON{verdictJSON: verdictDocument(v.Action, abi)}
	if s.Resolved != nil {
		doc.Reason, doc.Pointer = v.Reason.String(), v.Pointer
	}
	return doc
}

// A Witness is a call that two sides treat differently.
type Witness struct {
	ABI     string       `json:"abi,omitempty"`
	Arch    string       `json:"arch"`
	Syscall string       `json:"syscall,omitempty"`
	Number  uint32       `json:"number"`
	IP      string       `json:"ip"`
	Args    []string     `json:"args"`
	A       decisionJSON `json:"a"`
	B       decisionJSON `json:"b"`
}

// NewWitness runs a call on both sides.
func NewWitness(d *cbpf.Data, a, b *Side) *Witness {
	abi, known := arch.ByAudit(d.Arch, d.NR)
	w := &Witness{
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

// A Condition is a set of values of one argument. Numbers of 64 bits are
// hexadecimal strings.
type Condition struct {
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

// Conditions returns the conditions of a case of a number, for programs.
func (s *Scope) Conditions(nr uint32, c proof.Case) []Condition {
	list := []Condition{}
	for i := range c {
		w := &c[i]
		doc := Condition{
			Arg: w.Arg, Text: s.call(nr).When(c, i), Width: w.Values.Width, Not: w.Values.Not,
		}
		if call, _ := syscalltables.ByNumber(s.ABI, nr); w.Arg != proof.IP && w.Arg < len(call.Args(s.ABI)) {
			doc.Name = call.Args(s.ABI)[w.Arg]
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

// Names returns the names of calls, of those that have one.
func Names(parts []Part) []string {
	var out []string
	for _, x := range parts {
		if x.Name != "" {
			out = append(out, x.Name)
		}
	}
	return out
}
