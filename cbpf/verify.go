package cbpf

import (
	"iter"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// A VerifyError says why the kernel would refuse a program.
type VerifyError struct {
	PC     int // index of the offending instruction, -1 for the program as a whole
	Reason string
}

// Error implements error.
func (e *VerifyError) Error() string {
	if e.PC < 0 {
		return "cbpf: " + e.Reason
	}
	return "cbpf: instruction " + strconv.Itoa(e.PC) + ": " + e.Reason
}

// Verify applies the kernel's load-time rules
// (kernel/seccomp.c: seccomp_check_filter, net/core/filter.c: bpf_check_classic,
// check_load_and_stores) and returns the first offence as a [*VerifyError]. It
// refuses what the kernel refuses with EINVAL and nothing else: unreachable
// instructions and fields that an instruction ignores are fine.
func Verify(raw []bpf.RawInstruction) error {
	for pc, reason := range offences(raw) {
		return &VerifyError{PC: pc, Reason: reason}
	}
	for pc, reason := range unwrittenReads(raw) {
		return &VerifyError{PC: pc, Reason: reason}
	}
	return nil
}

// offences yields what is wrong with the program's length, with each instruction
// in its place, and with its end.
func offences(raw []bpf.RawInstruction) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := len(raw)
		switch {
		case n == 0:
			yield(-1, "no instructions (a filter needs at least a RET)")
			return
		case n > MaxInstructions:
			yield(-1, tooLong(n).Reason)
			return
		}
		for pc := range raw {
			if reason := offence(raw[pc], n-pc-1); reason != "" && !yield(pc, reason) {
				return
			}
		}
		if op := raw[n-1].Op; op != opRetK && op != opRetA {
			yield(n-1, "the last instruction is not a RET (append one)")
		}
	}
}

func tooLong(n int) *VerifyError {
	return &VerifyError{PC: -1, Reason: strconv.Itoa(n) + " instructions (the kernel takes at most 4096)"}
}

// offence returns what is wrong with one instruction that has rest
// instructions after it, or "".
func offence(ins bpf.RawInstruction, rest int) string {
	switch ins.Op {
	case opLdAbs:
		switch {
		case ins.K >= DataSize:
			return "load at byte " + decimal(ins.K) + " of the 64 of seccomp_data (offsets 0 to 60)"
		case ins.K%4 != 0:
			return "load at byte " + decimal(ins.K) + ", inside a word (use a multiple of 4)"
		}
	case opLdMem, opLdxMem, opSt, opStx:
		if ins.K >= memWords {
			return "M[" + decimal(ins.K) + "]: the scratch memory has only 16 words (0-15)"
		}
	case opDivK:
		if ins.K == 0 {
			return "division by 0 (use another divisor)"
		}
	case opLshK, opRshK:
		if ins.K >= 32 {
			return "shift by " + decimal(ins.K) + " (0 to 31 bits)"
		}
	case opJa:
		if int64(ins.K) >= int64(rest) {
			return pastTheEnd("jump", ins.K, rest)
		}
	case opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX:
		switch {
		case int(ins.Jt) >= rest:
			return pastTheEnd("jump if true", uint32(ins.Jt), rest)
		case int(ins.Jf) >= rest:
			return pastTheEnd("jump if false", uint32(ins.Jf), rest)
		}
	case opLdImm, opLdLen, opLdxImm, opLdxLen, opTax, opTxa,
		opAddK, opAddX, opSubK, opSubX, opMulK, opMulX, opDivX, opOrK, opOrX, opAndK, opAndX,
		opLshX, opRshX, opNeg, opXorK, opXorX, opRetK, opRetA:
	default:
		return "opcode " + hexadecimal(uint32(ins.Op), 2) + ": " + refusal(ins.Op)
	}
	return ""
}

func pastTheEnd(what string, skip uint32, rest int) string {
	return what + " skips " + decimal(skip) + " of the " + strconv.Itoa(rest) + " instructions left (a jump must land on one)"
}

// unwrittenReads yields the reads of words of M that may not have been written,
// in a program without [offences]. It is the kernel's one forward pass: a jump
// hands the words written so far to its targets, and whatever follows a RET is
// taken to be reached from it.
func unwrittenReads(raw []bpf.RawInstruction) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		var unwritten [MaxInstructions]uint16 // by target: words that some jump to it leaves unwritten
		missing := uint16(0xffff)
		for pc, ins := range raw {
			missing |= unwritten[pc]
			switch ins.Op {
			case opSt, opStx:
				missing &^= 1 << ins.K
			case opLdMem, opLdxMem:
				if missing&(1<<ins.K) != 0 && !yield(pc, "M["+decimal(ins.K)+"] is not written on every path to here "+
					"(write it first; the kernel takes what follows a RET to be reached from it)") {
					return
				}
			case opJa:
				unwritten[pc+1+int(ins.K)] |= missing
				missing = 0
			case opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX:
				unwritten[pc+1+int(ins.Jt)] |= missing
				unwritten[pc+1+int(ins.Jf)] |= missing
				missing = 0
			}
		}
	}
}

// The rules and the actions are spelled without package fmt, so that a program
// that only loads filters stays small.

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// hexadecimal writes n with 0x and at least digits digits.
func hexadecimal(n uint32, digits int) string {
	s := strconv.FormatUint(uint64(n), 16)
	return "0x" + strings.Repeat("0", max(0, digits-len(s))) + s
}
