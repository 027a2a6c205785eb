package main

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/record"
	"github.com/seccompile/seccompile/policy"
)

// An answerJSON is the document of eval --json. 64-bit numbers are hexadecimal
// strings: not every reader has integers of that size.
type answerJSON struct {
	Version int        `json:"version"`
	ABI     string     `json:"abi"`
	Syscall string     `json:"syscall,omitempty"`
	Number  uint32     `json:"number"`
	Args    []string   `json:"args"`
	Verdict string     `json:"verdict"` // as text
	Action  string     `json:"action"`  // the class
	Data    uint16     `json:"data"`
	Errno   string     `json:"errno,omitempty"`
	Reason  string     `json:"reason,omitempty"`  // bad-arch, enosys, rule or default; of profiles
	Pointer string     `json:"pointer,omitempty"` // of the rule
	Trace   []stepJSON `json:"trace,omitempty"`
}

type stepJSON struct {
	PC          int    `json:"pc"`
	Instruction string `json:"instruction"`
	A           uint32 `json:"a"`
	X           uint32 `json:"x"`
	Meaning     string `json:"meaning,omitempty"`
}

// answer prints the verdict, why, and the trace if asked.
func (a *app) answer(e *evalFlags, c *intake.Compiled, q *intake.Call, v policy.Verdict) error {
	var steps []stepJSON
	if e.trace {
		steps = trace(c.Program, q, a.numeric)
	}
	verdict := intake.ActionText(v.Action, q.ABI)
	if e.json {
		doc := answerJSON{
			Version: jsonVersion, ABI: q.ABI.String(), Number: q.Data.NR, Args: []string{},
			Syscall: policy.Names().Syscall(q.Data.Arch, q.Data.NR),
			Verdict: verdict, Action: v.Action.Class().String(), Data: v.Action.Data(),
			Errno: intake.ErrnoName(v.Action, q.ABI), Trace: steps,
		}
		doc.Action, _, _ = strings.Cut(doc.Action, "(")
		for i := range q.Given {
			doc.Args = append(doc.Args, fmt.Sprintf("%#x", q.Data.Args[i]))
		}
		if c.Resolved != nil {
			doc.Reason, doc.Pointer = v.Reason.String(), v.Pointer
		}
		return a.putJSON(new(output), doc)
	}
	p := a.paint()
	if e.trace {
		printTrace(a, p, steps, v.Action)
	}
	fmt.Fprintf(a.out, "%s: %s\n", q.Text(a.numeric), p.action(v.Action, verdict))
	if c.Resolved != nil {
		fmt.Fprintf(a.out, "  %s\n", because(c, q, v))
	}
	return nil
}

// because says what decided a call.
func because(c *intake.Compiled, q *intake.Call, v policy.Verdict) string {
	switch v.Reason {
	case policy.ByBadArch:
		return fmt.Sprintf("bad arch: the profile is not for calls of %s", foreign(q))
	case policy.ByENOSYS:
		return "ENOSYS: above the highest number that the profile names"
	case policy.ByRule:
		if v.Pointer == "" {
			return "by a rule"
		}
		return "by the rule at " + v.Pointer
	case policy.ByDefault:
		return "by the default action" + defaultPlace(c.Policy)
	}
	return v.Reason.String()
}

// defaultPlace says where a profile has its default action, if that is a JSON pointer.
func defaultPlace(p *policy.Policy) string {
	if record.Foreign(p) {
		return ""
	}
	return " at " + p.Pointer + "/defaultAction"
}

// foreign names the ABI that a number really belongs to: x86_64 and x32 share an
// AUDIT_ARCH value.
func foreign(q *intake.Call) string {
	if a, ok := arch.ByAudit(q.Data.Arch, q.Data.NR); ok {
		return a.String()
	}
	return q.ABI.String()
}

// trace runs a program and explains every step.
func trace(p *cbpf.Program, q *intake.Call, numeric bool) []stepJSON {
	verdict, steps := p.Trace(&q.Data)
	lines := p.Lines(policy.Names())
	var out []stepJSON
	for i, s := range steps {
		next := -1
		if i+1 < len(steps) {
			next = steps[i+1].PC
		}
		out = append(out, stepJSON{
			PC: s.PC, A: s.A, X: s.X,
			Instruction: strings.Join(strings.Fields(lines[s.PC].Text), " "),
			Meaning:     meaning(p, q, s, next, numeric),
		})
	}
	if len(out) > 0 {
		out[len(out)-1].Meaning = intake.ActionText(verdict, q.ABI)
	}
	return out
}

// meaning says what an executed instruction found out.
func meaning(p *cbpf.Program, q *intake.Call, s cbpf.Step, next int, numeric bool) string {
	ins := p.At(s.PC)
	switch {
	case ins.Op == opLoad && ins.K == cbpf.OffNR:
		return policy.Names().Syscall(q.Data.Arch, s.A)
	case ins.Op == opLoad && ins.K == cbpf.OffArch:
		return policy.Names().ABI(s.A, q.Data.NR)
	case ins.Op == opLoad && ins.K >= cbpf.OffArgs:
		i := int(ins.K-cbpf.OffArgs) / 8
		if upper := ins.K%8 == 4; upper != (p.Order() == binary.BigEndian) {
			return "upper half of " + q.Arg(i).Name()
		}
		return q.Arg(i).Name() + "=" + intake.ValueText(q.Arg(i), q.Data.Args[i], numeric)
	case ins.Op&classMask == classJump && ins.Op&opMask != 0:
		yes, no := s.PC+1+int(ins.Jt), s.PC+1+int(ins.Jf)
		switch {
		case yes == no:
			return fmt.Sprintf("either way to %d", next)
		case next == yes:
			return fmt.Sprintf("yes, to %d", next)
		}
		return fmt.Sprintf("no, to %d", next)
	}
	return ""
}

// Parts of an opcode (linux/bpf_common.h: BPF_CLASS, BPF_OP).
const (
	classMask = 0x07
	classJump = 0x05
	opMask    = 0xf0 // zero for the unconditional jump
)

// printTrace prints the steps in columns, X only where it is used.
func printTrace(a *app, p painter, steps []stepJSON, verdict cbpf.Action) {
	usesX := false
	for _, s := range steps {
		usesX = usesX || s.X != 0
	}
	var t table
	for i, s := range steps {
		row := plain(fmt.Sprintf("%4d", s.PC), s.Instruction, fmt.Sprintf("A=0x%08x", s.A))
		if usesX {
			row = append(row, plain(fmt.Sprintf("X=0x%08x", s.X))...)
		}
		last := cell{text: s.Meaning}
		if i == len(steps)-1 {
			last.paint = func(s string) string { return p.action(verdict, s) }
		}
		t.row(append(row, last)...)
	}
	t.print(a.out)
}
