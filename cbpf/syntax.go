package cbpf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// The assembly language, written by [Program.Disassemble] and read by [Assemble].

// A form is what follows a mnemonic.
type form uint8

const (
	formNone    form = iota
	formImm          // #59, #0xc000003e, x86_64, x86_64:read
	formX            // x
	formWord         // nr, arch, ip.lo, arg0.hi, [16]
	formMem          // M[3]
	formLen          // len
	formJump         // 12
	formBranch       // #59  jt 12  jf 13
	formBranchX      // x  jt 12  jf 13
	formAction       // ALLOW, ERRNO(1), #0x12340000
	formA            // a
)

// syntax is every instruction, in the order in which mnemonics are listed.
var syntax = [...]struct {
	op   uint16
	name string
	form form
}{
	{opLdAbs, "ld", formWord},
	{opLdImm, "ld", formImm},
	{opLdMem, "ld", formMem},
	{opLdLen, "ld", formLen},
	{opLdxImm, "ldx", formImm},
	{opLdxMem, "ldx", formMem},
	{opLdxLen, "ldx", formLen},
	{opSt, "st", formMem},
	{opStx, "stx", formMem},
	{opTax, "tax", formNone},
	{opTxa, "txa", formNone},
	{opAddK, "add", formImm},
	{opAddX, "add", formX},
	{opSubK, "sub", formImm},
	{opSubX, "sub", formX},
	{opMulK, "mul", formImm},
	{opMulX, "mul", formX},
	{opDivK, "div", formImm},
	{opDivX, "div", formX},
	{opAndK, "and", formImm},
	{opAndX, "and", formX},
	{opOrK, "or", formImm},
	{opOrX, "or", formX},
	{opXorK, "xor", formImm},
	{opXorX, "xor", formX},
	{opLshK, "lsh", formImm},
	{opLshX, "lsh", formX},
	{opRshK, "rsh", formImm},
	{opRshX, "rsh", formX},
	{opNeg, "neg", formNone},
	{opJa, "ja", formJump},
	{opJeqK, "jeq", formBranch},
	{opJeqX, "jeq", formBranchX},
	{opJgtK, "jgt", formBranch},
	{opJgtX, "jgt", formBranchX},
	{opJgeK, "jge", formBranch},
	{opJgeX, "jge", formBranchX},
	{opJsetK, "jset", formBranch},
	{opJsetX, "jset", formBranchX},
	{opRetK, "ret", formAction},
	{opRetA, "ret", formA},
}

// Directives and reserved words.
const (
	dirOrder   = ".order" // .order little
	dirRaw     = ".raw"   // .raw OPCODE JT JF K
	wordLittle = "little"
	wordBig    = "big"
	wordNext   = "next" // the target after the jump
	wordJt     = "jt"
	wordJf     = "jf"
)

// spelling returns how an accepted instruction is written.
func spelling(op uint16) (name string, f form) {
	for i := range syntax {
		if syntax[i].op == op {
			return syntax[i].name, syntax[i].form
		}
	}
	panic("BUG: cbpf: a Program holds an instruction that Verify refuses")
}

// ignored returns the instruction with the fields that it ignores set to 0.
func ignored(ins bpf.RawInstruction, f form) bpf.RawInstruction {
	switch f {
	case formNone, formX, formLen, formA:
		return bpf.RawInstruction{Op: ins.Op}
	case formImm, formWord, formMem, formJump, formAction:
		return bpf.RawInstruction{Op: ins.Op, K: ins.K}
	case formBranchX:
		return bpf.RawInstruction{Op: ins.Op, Jt: ins.Jt, Jf: ins.Jf}
	case formBranch:
	}
	return ins
}

// operand spells an instruction's operand, but for the targets of jumps.
func operand(ins bpf.RawInstruction, f form, big bool) string {
	switch f {
	case formImm, formBranch:
		return immediate(ins.Op, ins.K)
	case formX, formBranchX:
		return "x"
	case formWord:
		return wordName(ins.K, big)
	case formMem:
		return fmt.Sprintf("M[%d]", ins.K)
	case formLen:
		return "len"
	case formAction:
		if a := Action(ins.K); a.name() != "" {
			return a.String()
		}
		return "#" + Action(ins.K).String()
	case formA:
		return "a"
	case formNone, formJump:
	}
	return ""
}

// immediate spells a constant: masks and large numbers in hexadecimal.
func immediate(op uint16, k uint32) string {
	mask := op == opAndK || op == opOrK || op == opXorK || op == opJsetK
	if k < 10 || k < 10000 && !mask {
		return "#" + strconv.FormatUint(uint64(k), 10)
	}
	return fmt.Sprintf("#0x%x", k)
}

// wordNames are the words of struct seccomp_data in the order of a little-endian
// target.
var wordNames = [DataSize / 4]string{
	"nr", "arch", "ip.lo", "ip.hi",
	"arg0.lo", "arg0.hi", "arg1.lo", "arg1.hi", "arg2.lo", "arg2.hi",
	"arg3.lo", "arg3.hi", "arg4.lo", "arg4.hi", "arg5.lo", "arg5.hi",
}

// wordName names the word of struct seccomp_data at a byte offset.
func wordName(off uint32, big bool) string {
	if big && off >= OffIP {
		off ^= 4 // the halves change places
	}
	return wordNames[off/4]
}

// argIndex returns which argument the word at off is of.
func argIndex(off uint32) int { return int(off-OffArgs) / 8 }

// parseWord reads a name of [wordName] or a byte offset in brackets. It checks
// offsets as little as it can: that is for [Verify].
func parseWord(s string, big bool) (off uint32, ok bool) {
	if inner, bracket := strings.CutPrefix(s, "["); bracket {
		inner, closed := strings.CutSuffix(inner, "]")
		n, err := strconv.ParseUint(inner, 0, 32)
		return uint32(n), closed && err == nil
	}
	i := slices.Index(wordNames[:], s)
	if i < 0 {
		return 0, false
	}
	if off = uint32(4 * i); big && off >= OffIP {
		off ^= 4
	}
	return off, true
}

// parseImmediate reads a 32-bit number, negative ones as their two's complement.
func parseImmediate(s string) (uint32, bool) {
	n, err := strconv.ParseInt(strings.TrimPrefix(s, "#"), 0, 64)
	if err != nil || n < -1<<31 || n >= 1<<32 {
		return 0, false
	}
	return uint32(n), true
}
