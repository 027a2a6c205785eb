package cbpf

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/bpf"
)

// A syntaxError says what is wrong with a line of assembly.
type syntaxError struct {
	line   int // counted from 1; 0 for the text as a whole
	reason string
}

func (e *syntaxError) Error() string {
	if e.line == 0 {
		return "cbpf: " + e.reason
	}
	return fmt.Sprintf("cbpf: line %d: %s", e.line, e.reason)
}

// maxSyntaxErrors bounds the report on a text that is not assembly at all.
const maxSyntaxErrors = 100

// Assemble reads a program from text, in the language that [Program.Disassemble]
// writes. The error lists everything that is wrong, each on a line
// as in "cbpf: line 3: unknown instruction".
//
// A line holds an instruction, perhaps behind labels, and ends at a semicolon:
//
//	.order little                 ; first of all: the byte order of the target
//	      ld   arch               ; also nr, ip.lo, ip.hi, arg0.lo ... arg5.hi, [16]
//	      jeq  x86_64  jf bad     ; jt and jf not given go to the next line
//	      ld   nr
//	      jeq  x86_64:read  jt 7
//	      jge  #0x40000000, bad, 7
//	7:    ret  ALLOW
//	bad:  ret  ERRNO(1)
//
// Labels are names; a number is a name too, not a position, so that lines can be put
// into a disassembly without renumbering it. Jumps go forward only. Other
// instructions: ld and ldx with #1, M[0] or len; st and stx with M[0]; tax; txa;
// add, sub, mul, div, and, or, xor, lsh and rsh with #1 or x; neg; ja LABEL; jgt and
// jset; jumps that compare with x; ret a. An instruction with values in fields
// that it ignores is written .raw OPCODE JT JF K, in the kernel's numbers.
//
// n knows the names of ABIs (which stand for their AUDIT_ARCH values) and of system
// calls. It may be nil if the text uses no names, as disassemblies do not.
func Assemble(text []byte, n Names) (*Program, error) {
	as := assembler{names: n, labels: map[string]label{}}
	line := 0
	for s := range bytes.Lines(text) {
		line++
		if as.line(line, string(s)); len(as.errs) >= maxSyntaxErrors {
			as.fail(line, "too many errors (is this assembly?)")
			return nil, as.err()
		}
	}
	as.link()
	if err := as.err(); err != nil {
		return nil, err
	}
	return New(as.insns, as.order)
}

// assembler is the state of one run. Instructions that could not be read are kept
// as RETs, so that the others keep their places.
type assembler struct {
	names  Names
	order  binary.ByteOrder // nil until stated
	insns  []bpf.RawInstruction
	lines  []int  // by pc
	jumps  []jump // in order of pc
	labels map[string]label
	errs   []*syntaxError
}

// label is a place in the program.
type label struct {
	pc   int // of the instruction after it, if there is one
	line int
}

// jump is an instruction whose targets are labels.
type jump struct {
	pc     int
	always bool   // ja, to jt
	jt, jf string // labels
}

func (as *assembler) fail(line int, format string, args ...any) {
	as.errs = append(as.errs, &syntaxError{line, fmt.Sprintf(format, args...)})
}

// err joins the errors in order of lines.
func (as *assembler) err() error {
	slices.SortStableFunc(as.errs, func(a, b *syntaxError) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, len(as.errs))
	for i, e := range as.errs {
		errs[i] = e
	}
	return errors.Join(errs...)
}

func (as *assembler) line(line int, s string) {
	s, _, _ = strings.Cut(s, ";")
	s = strings.TrimSpace(s)
	for {
		end := strings.IndexAny(s, ": \t,")
		if end < 0 || s[end] != ':' {
			break
		}
		as.define(line, s[:end])
		s = strings.TrimSpace(s[end+1:])
	}
	words := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	if len(words) == 0 {
		return
	}
	if words[0] == dirOrder {
		as.setOrder(line, words[1:])
		return
	}
	if as.order == nil {
		as.fail(line, "the byte order must be stated first (.order little or .order big)")
		as.order = binary.LittleEndian // to go on
	}
	ins, ok := as.instruction(line, words[0], words[1:])
	if !ok {
		ins = bpf.RawInstruction{Op: opRetK}
	}
	as.insns = append(as.insns, ins)
	as.lines = append(as.lines, line)
}

func (as *assembler) define(line int, name string) {
	switch old, dup := as.labels[name]; {
	case name == "" || name == wordNext || name == wordJt || name == wordJf:
		as.fail(line, "%q cannot be a label (use another name)", name)
	case dup:
		as.fail(line, "label %q is already on line %d (use another name)", name, old.line)
	default:
		as.labels[name] = label{pc: len(as.insns), line: line}
	}
}

func (as *assembler) setOrder(line int, args []string) {
	switch {
	case as.order != nil:
		as.fail(line, "the byte order is stated already (remove this line)")
	case len(args) == 1 && args[0] == wordLittle:
		as.order = binary.LittleEndian
	case len(args) == 1 && args[0] == wordBig:
		as.order = binary.BigEndian
	default:
		as.fail(line, "byte order %q (.order little or .order big)", strings.Join(args, " "))
		as.order = binary.LittleEndian // to go on
	}
}

// instruction reads one instruction and notes its jump, if it is one.
func (as *assembler) instruction(line int, name string, args []string) (ins bpf.RawInstruction, ok bool) {
	if name == dirRaw {
		return as.raw(line, args)
	}
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	op, f, ok := as.choose(line, name, arg)
	if !ok {
		return ins, false
	}
	ins.Op = op
	if f == formNone || f == formJump {
		arg = ""
	} else {
		args = args[1:]
	}
	if ins.K, ok = as.operand(line, f, arg); !ok {
		return ins, false
	}
	switch f {
	case formJump, formBranch, formBranchX:
		return ins, as.targets(line, f, args)
	default:
		if len(args) > 0 {
			as.fail(line, "%q follows a complete %s instruction (remove it)", args[0], name)
			return ins, false
		}
	}
	return ins, true
}

// choose finds the instruction with this mnemonic for this kind of operand.
func (as *assembler) choose(line int, name, arg string) (op uint16, f form, ok bool) {
	want := as.kind(arg)
	known := false
	var forms []string
	for i := range syntax {
		if syntax[i].name != name {
			continue
		}
		known = true
		switch f := syntax[i].form; {
		case f == want, f == formNone, f == formJump,
			f == formBranch && want == formImm,
			f == formBranchX && want == formX,
			f == formAction && want == formImm:
			return syntax[i].op, f, true
		default:
			forms = append(forms, f.describe())
		}
	}
	switch {
	case !known:
		as.fail(line, "unknown instruction %q%s", name, advice(name))
	case arg == "":
		as.fail(line, "%s lacks its operand (%s)", name, strings.Join(forms, ", "))
	default:
		as.fail(line, "%s does not take %q (it takes %s)", name, arg, strings.Join(forms, ", "))
	}
	return 0, 0, false
}

// kind tells what kind of operand a word is by its looks.
func (as *assembler) kind(arg string) form {
	_, word := parseWord(arg, as.order == binary.BigEndian)
	switch {
	case arg == "":
		return formNone
	case arg == "x":
		return formX
	case arg == "a":
		return formA
	case arg == "len":
		return formLen
	case strings.HasPrefix(arg, "M["):
		return formMem
	case word, strings.HasPrefix(arg, "["):
		return formWord
	}
	return formImm
}

func (f form) describe() string {
	switch f {
	case formImm, formBranch:
		return "a number as in #1"
	case formX, formBranchX:
		return "x"
	case formWord:
		return "a field of seccomp_data as in nr, arch, arg0.lo or [16]"
	case formMem:
		return "M[0] to M[15]"
	case formLen:
		return "len"
	case formAction:
		return "an action as in ALLOW or ERRNO(1)"
	case formA:
		return "a"
	case formJump:
		return "a label"
	case formNone:
	}
	return "nothing"
}

// advice helps those who come from other assemblers.
func advice(name string) string {
	switch strings.ToLower(name) {
	case "jne", "jneq":
		return " (use jeq with jt and jf exchanged)"
	case "jlt":
		return " (use jge with jt and jf exchanged)"
	case "jle":
		return " (use jgt with jt and jf exchanged)"
	case "jmp":
		return " (use ja)"
	case "mod":
		return " (seccomp has none; use and for a power of two)"
	case "ldb", "ldh", "ldi", "ldxb":
		return " (seccomp loads whole words: ld)"
	}
	return ""
}

// operand reads the operand that goes into K.
func (as *assembler) operand(line int, f form, arg string) (k uint32, ok bool) {
	switch f {
	case formImm, formBranch:
		return as.constant(line, arg)
	case formWord:
		if k, ok = parseWord(arg, as.order == binary.BigEndian); !ok {
			as.fail(line, "%q is not a field of struct seccomp_data (nr, arch, ip.lo, arg0.lo ... arg5.hi, or a byte offset as in [16])", arg)
		}
		return k, ok
	case formMem:
		inner, closed := strings.CutSuffix(strings.TrimPrefix(arg, "M["), "]")
		if k, ok = parseImmediate(inner); !ok || !closed {
			as.fail(line, "%q is not a word of the scratch memory (M[0] to M[15])", arg)
			return 0, false
		}
		return k, true
	case formAction:
		a, reason := parseAction(strings.TrimPrefix(arg, "#"))
		if reason != "" {
			as.fail(line, "%s", reason)
		}
		return uint32(a), reason == ""
	case formNone, formX, formLen, formA, formJump, formBranchX:
	}
	return 0, true
}

// constant reads a number, the name of an ABI, or a call as ABI:NAME.
func (as *assembler) constant(line int, arg string) (uint32, bool) {
	if k, ok := parseImmediate(arg); ok {
		return k, true
	}
	abi, call, isCall := strings.Cut(arg, ":")
	switch {
	case strings.HasPrefix(arg, "#"):
		as.fail(line, "%q is not a 32-bit number", arg)
		return 0, false
	case as.names == nil:
		as.fail(line, "%q: names are not known here (use the number)", arg)
		return 0, false
	}
	audit, ok := as.names.Audit(abi)
	if !ok {
		as.fail(line, "%q is neither a number nor an ABI (ABIs are named as in x86_64, calls as in x86_64:read)", arg)
		return 0, false
	}
	if !isCall {
		return audit, true
	}
	nr, ok := as.names.Number(abi, call)
	if !ok {
		as.fail(line, "%s has no call %q (use its number if it is newer than the tables)", abi, call)
	}
	return nr, ok
}

// targets reads the labels of a jump: jt A jf B, in any order, or just A and B.
func (as *assembler) targets(line int, f form, args []string) bool {
	j := jump{pc: len(as.insns), always: f == formJump}
	if j.always {
		if len(args) != 1 {
			as.fail(line, "ja takes one label")
			return false
		}
		j.jt = args[0]
		as.jumps = append(as.jumps, j)
		return true
	}
	for len(args) > 0 {
		slot, name := &j.jt, wordJt
		switch {
		case args[0] == wordJt || args[0] == wordJf:
			if args[0] == wordJf {
				slot, name = &j.jf, wordJf
			}
			args = args[1:]
		case j.jt != "":
			slot, name = &j.jf, wordJf
		}
		switch {
		case len(args) == 0 || args[0] == wordJt || args[0] == wordJf:
			as.fail(line, "%s lacks its label", name)
			return false
		case *slot != "":
			as.fail(line, "a second %s label, %q (remove one)", name, args[0])
			return false
		}
		*slot, args = args[0], args[1:]
	}
	as.jumps = append(as.jumps, j)
	return true
}

// raw reads an instruction in numbers.
func (as *assembler) raw(line int, args []string) (ins bpf.RawInstruction, ok bool) {
	var n [4]uint32
	limits := [4]uint32{0xffff, 0xff, 0xff, 0xffffffff}
	ok = len(args) == len(n)
	for i := 0; ok && i < len(n); i++ {
		n[i], ok = parseImmediate(args[i])
		ok = ok && n[i] <= limits[i]
	}
	if !ok {
		as.fail(line, ".raw takes four numbers: opcode (16 bits), jt and jf (8 bits), k (32 bits)")
		return ins, false
	}
	return bpf.RawInstruction{Op: uint16(n[0]), Jt: uint8(n[1]), Jf: uint8(n[2]), K: n[3]}, true
}

// link fills in the targets of jumps and applies the kernel's rules.
func (as *assembler) link() {
	for i := range as.jumps {
		j := &as.jumps[i]
		ins := &as.insns[j.pc]
		jt, ok := as.distance(j, j.jt)
		if j.always {
			ins.K = uint32(jt)
		} else {
			jf, fine := as.distance(j, j.jf)
			ins.Jt, ins.Jf, ok = uint8(jt), uint8(jf), ok && fine
		}
		if !ok {
			*ins = bpf.RawInstruction{Op: opRetK}
		}
	}
	if len(as.insns) == 0 && len(as.errs) > 0 {
		return
	}
	for pc, reason := range offences(as.insns) {
		as.offence(pc, reason)
	}
	if len(as.errs) == 0 {
		for pc, reason := range unwrittenReads(as.insns) {
			as.offence(pc, reason)
		}
	}
}

func (as *assembler) offence(pc int, reason string) {
	line := 0
	if pc >= 0 {
		line = as.lines[pc]
	}
	as.fail(line, "%s", reason)
}

// distance returns how many instructions a jump to a label skips.
func (as *assembler) distance(j *jump, name string) (skip int, ok bool) {
	if name == "" || name == wordNext {
		return 0, true
	}
	line := as.lines[j.pc]
	target, known := as.labels[name]
	skip = target.pc - j.pc - 1
	switch {
	case !known:
		as.fail(line, "no line has the label %q", name)
	case target.pc >= len(as.insns):
		as.fail(line, "label %q has no instruction", name)
	case skip < 0:
		as.fail(line, "label %q is not below the jump (jumps only go forward)", name)
	case skip > 255 && !j.always:
		as.fail(line, "label %q is %d instructions away (a conditional jump skips at most 255; go there by a ja)", name, skip)
	default:
		return skip, true
	}
	return 0, false
}
