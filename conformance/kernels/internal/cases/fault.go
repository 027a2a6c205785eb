package cases

import (
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// A Fault is a mistake that a compiler might make and that only a kernel of the
// right kind shows.
type Fault string

// The faults, of which None is none.
const (
	None     Fault = ""
	Halves   Fault = "halves"    // the halves of 64-bit arguments in the wrong order
	X32Bit   Fault = "x32-bit"   // the wrong bit for x32
	MIPSBase Fault = "mips-base" // the numbers of o32 counted from 4001
)

// Break returns p as a compiler with the fault would have made it.
func Break(p *cbpf.Program, f Fault) (*cbpf.Program, error) {
	raw := p.Raw()
	switch f {
	case None:
	case Halves:
		for i := range raw {
			if raw[i].Op == opLoad && raw[i].K >= cbpf.OffArgs {
				raw[i].K ^= 4
			}
		}
	case X32Bit:
		const right, wrong = 0x40000000, 0x20000000
		for _, i := range numberTests(raw) {
			switch raw[i].K {
			case right:
				raw[i].K = wrong
			case ^uint32(right):
				raw[i].K = ^uint32(wrong)
			}
		}
	case MIPSBase:
		for _, i := range numberTests(raw) {
			if raw[i].K >= 4000 && raw[i].K < 5000 {
				raw[i].K++
			}
		}
	default:
		return nil, fmt.Errorf("cases: no fault %q", f)
	}
	return cbpf.New(raw, p.Order())
}

// Opcodes of classic BPF (linux/bpf_common.h).
const (
	opLoad    = 0x20 // BPF_LD|BPF_W|BPF_ABS
	opJump    = 0x05 // BPF_JMP|BPF_JA
	classMask = 0x07
	classALU  = 0x04
	classJump = 0x05
	classRet  = 0x06
)

// numberTests returns the instructions that compare the number with a constant or
// mask it. The compiler's programs load nothing but words of the call.
func numberTests(raw []bpf.RawInstruction) []int {
	// held has a bit for each word that A may hold before an instruction.
	held := make([]uint32, len(raw)+1)
	var tests []int
	for i, ins := range raw {
		now := held[i]
		class := ins.Op & classMask
		if (class == classALU || class == classJump) && ins.Op != opJump && now == 1<<(cbpf.OffNR/4) {
			tests = append(tests, i)
		}
		switch {
		case ins.Op == opLoad:
			held[i+1] |= 1 << (ins.K / 4)
		case ins.Op == opJump:
			held[i+1+int(ins.K)] |= now
		case class == classJump:
			held[i+1+int(ins.Jt)] |= now
			held[i+1+int(ins.Jf)] |= now
		case class != classRet:
			held[i+1] |= now
		}
	}
	return tests
}
