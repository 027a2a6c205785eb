package answer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
)

// An Evaluator answers what a profile or filter does with calls of one ABI.
type Evaluator struct {
	*intake.Compiled // a profile has Policy and Resolved; what can be traced has Program
	ABI              arch.ABI
	Assumed          bool // nobody named the ABI, and it is not the host's
	Traced           bool // its verdicts have steps: Program is set
}

// NewEvaluator reads an input. If calls are to be traced, a profile is compiled. The ABI is that
// of the calls, "" for the host's if the input knows it, else the input's first.
func NewEvaluator(t *intake.Target, in *intake.Input, abi string, traced bool) (*Evaluator, error) {
	if in.Kind == intake.KindProfile {
		return profileEvaluator(*t, in, abi, traced)
	}
	if err := t.CheckSettings(false); err != nil {
		return nil, err
	}
	var of []string
	if abi != "" {
		of = append(of, abi)
	}
	p, err := in.Program(of...)
	if err != nil {
		return nil, err
	}
	e := &Evaluator{Compiled: &intake.Compiled{Program: p}, Traced: traced}
	return e, e.choose(abi, TestedABIs(p))
}

// profileEvaluator reads a profile for its own ABIs and the kernel of the call's ABI.
func profileEvaluator(t intake.Target, in *intake.Input, name string, traced bool) (*Evaluator, error) {
	var abi arch.ABI
	if name != "" {
		var err error
		if abi, err = intake.ParseABI(name); err != nil {
			return nil, err
		}
		t.ABIs = []string{abi.Main().String()}
	}
	lang, place, err1 := t.Place(in)
	options, err2 := t.Options()
	if err := cmp.Or(err1, err2); err != nil {
		return nil, err
	}
	reading, err := in.Read(intake.ForTargets(lang, nil), place)
	if err != nil {
		return nil, err
	}
	options.ABIs = evaluated(reading.Policy, abi)
	c := &intake.Compiled{Policy: reading.Policy, Options: options}
	var more []policy.Warning
	if c.Resolved, more, err = policy.Resolve(c.Policy, options); err != nil {
		return nil, in.No(err)
	}
	c.Warnings = append(reading.Warnings, more...)
	if traced {
		if c.Result, err = proved.Compile(c.Resolved, compile.Options{}); err != nil {
			return nil, in.No(err)
		}
		c.Program = c.Result.Program
	}
	e := &Evaluator{Compiled: c, Traced: traced}
	return e, e.choose(name, c.Resolved.ABIs())
}

// evaluated returns the ABIs that a profile names, with that of the calls; without any, the
// host's.
func evaluated(p *policy.Policy, abi arch.ABI) []arch.ABI {
	abis := lint.ABIs(p)
	switch main := abi.Main(); {
	case abi == 0:
	case len(abis) == 0:
		abis = []arch.ABI{abi}
	case !slices.Contains(abis, main):
		abis = append(abis, main)
	}
	if len(abis) == 0 && arch.Native() != 0 {
		abis = []arch.ABI{arch.Native()}
	}
	return abis
}

// choose chooses the ABI of the calls.
func (e *Evaluator) choose(name string, known []arch.ABI) (err error) {
	switch native := arch.Native(); {
	case name != "":
		if e.ABI, err = intake.ParseABI(name); err != nil {
			return err
		}
		if e.Program != nil && e.ABI.ByteOrder() != e.Program.Order() {
			return failure.Usagef("-a: %s is %s-endian, the filter is %s-endian",
				e.ABI, intake.OrderName(e.ABI.ByteOrder()), intake.OrderName(e.Program.Order()))
		}
	case slices.Contains(known, native):
		e.ABI = native
	case len(known) > 0:
		e.ABI, e.Assumed = known[0], true
	case native != 0 && native.ByteOrder() == e.Program.Order():
		e.ABI = native
	default:
		return failure.Usagef("the filter does not show its ABI").Hintf("name it with -a")
	}
	return nil
}

// An Evaluation is the verdict on a call.
type Evaluation struct {
	*intake.Call
	Verdict policy.Verdict
	Steps   []Step   // that a traced program executes
	Because string   // what decided, "" for a filter
	Depends []string // names of unknown arguments that may change the verdict, which is that for 0
	profile bool
}

// Ask evaluates a call: a name or number, and words for its arguments.
func (e *Evaluator) Ask(name string, args []string, numeric bool) (*Evaluation, error) {
	call, err := intake.ParseCall(e.ABI, name, args)
	if err != nil {
		return nil, err
	}
	x := e.Evaluate(call, numeric)
	x.Depends, err = e.Depends(call)
	return x, err
}

// Evaluate evaluates a call.
func (e *Evaluator) Evaluate(call *intake.Call, numeric bool) *Evaluation {
	x := &Evaluation{Call: call, Verdict: e.Decide(&call.Data), profile: e.Resolved != nil}
	if x.profile {
		x.Because = because(e.Compiled, call, x.Verdict)
	}
	if e.Traced {
		x.Steps = trace(e.Program, call, numeric)
	}
	return x
}

// Decide returns the verdict on a call. That of a filter has no reason.
func (e *Evaluator) Decide(d *cbpf.Data) policy.Verdict {
	if e.Resolved != nil {
		return e.Resolved.Decide(d)
	}
	return policy.Verdict{Action: e.Program.Eval(d)}
}

// Document returns the document of eval --json.
func (x *Evaluation) Document() any {
	doc := answerJSON{
		Version: Version, ABI: x.ABI.String(), Number: x.Data.NR, Args: []string{},
		Syscall:     policy.Names().Syscall(x.Data.Arch, x.Data.NR),
		verdictJSON: verdictDocument(x.Verdict.Action, x.ABI), Depends: x.Depends, Trace: x.Steps,
	}
	for i := range x.Given {
		doc.Args = append(doc.Args, fmt.Sprintf("%#x", x.Data.Args[i]))
		if x.Unknown[i] {
			doc.Unknown = append(doc.Unknown, x.Arg(i).Name())
		}
	}
	if x.profile {
		doc.Reason, doc.Pointer = x.Verdict.Reason.String(), x.Verdict.Pointer
	}
	return doc
}

// TestedABIs returns the ABIs whose AUDIT_ARCH value a program compares with.
func TestedABIs(p *cbpf.Program) []arch.ABI {
	var abis []arch.ABI
	for a := range arch.All() {
		if a.ByteOrder() != p.Order() {
			continue
		}
		for pc := range p.Len() {
			if i := p.At(pc); i.Op == opJumpEqual && i.K == a.Audit() {
				abis = append(abis, a)
				break
			}
		}
	}
	return abis
}

// An answerJSON is the document of eval --json. 64-bit numbers are hexadecimal
// strings: not every reader has integers of that size.
type answerJSON struct {
	Version int      `json:"version"`
	ABI     string   `json:"abi"`
	Syscall string   `json:"syscall,omitempty"`
	Number  uint32   `json:"number"`
	Args    []string `json:"args"`
	Unknown []string `json:"unknown,omitempty"` // names of the arguments whose value is not known: args has 0
	verdictJSON
	Depends []string `json:"depends,omitempty"` // those of them that may change the verdict
	Reason  string   `json:"reason,omitempty"`  // bad-arch, enosys, rule or default; of profiles
	Pointer string   `json:"pointer,omitempty"` // of the rule
	Trace   []Step   `json:"trace,omitempty"`
}

// A Step is an instruction that a filter executed, and the registers after it.
type Step struct {
	PC          int    `json:"pc"`
	Instruction string `json:"instruction"`
	A           uint32 `json:"a"`
	X           uint32 `json:"x"`
	Meaning     string `json:"meaning,omitempty"`
}

// trace runs a program and explains every step.
func trace(p *cbpf.Program, q *intake.Call, numeric bool) []Step {
	verdict, steps := p.Trace(&q.Data)
	lines := p.Lines(nil)
	var out []Step
	for i, s := range steps {
		next := -1
		if i+1 < len(steps) {
			next = steps[i+1].PC
		}
		out = append(out, Step{
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

// Opcodes, and parts of them (linux/bpf_common.h).
const (
	opLoad      = 0x20 // BPF_LD|BPF_W|BPF_ABS
	opJumpEqual = 0x15 // BPF_JMP|BPF_JEQ|BPF_K

	classMask = 0x07
	classJump = 0x05
	opMask    = 0xf0 // zero for the unconditional jump
)
