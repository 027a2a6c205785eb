package scmp

import (
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Opcodes of the stub (linux/bpf_common.h).
const (
	ldAbs = 0x20
	ja    = 0x05
	jeq   = 0x15
	jgt   = 0x25
	jset  = 0x45
	ret   = 0x06
)

// enosys returns the stub's verdict. runc's is a constant of the C compiler that
// built it, so of the ABI of its host.
func enosys(host arch.ABI) cbpf.Action {
	switch host.Main() {
	case arch.MIPS64, arch.MIPSEL64:
		return cbpf.Errno(89)
	case arch.PARISC64:
		return cbpf.Errno(251)
	}
	return cbpf.Errno(38)
}

// denies reports whether a default action gets the stub: those that let a call
// through do not.
func denies(def cbpf.Action) bool {
	switch def.Class() {
	case cbpf.Allow, cbpf.Log, cbpf.TraceClass:
		return false
	}
	return true
}

// Jump targets of the stub besides distances.
const (
	toENOSYS = -1 - iota
	toFilter
)

// insn is an instruction whose jumps may name a target.
type insn struct {
	op     uint16
	k      uint32
	jt, jf int
}

// stub returns the instructions that runc puts in front of a filter: per ABI,
// numbers above the largest that the profile names get ENOSYS. runc writes the
// sections in the order of a Go map; here they stand in the order of abis.
func stub(calls []call, abis []arch.ABI) []bpf.RawInstruction {
	var audits []uint32
	sections := map[uint32][]insn{}
	for _, a := range abis {
		if _, ok := sections[a.Audit()]; !ok {
			audits = append(audits, a.Audit())
			sections[a.Audit()] = section(a, abis, calls)
		}
	}
	code := []insn{{op: ldAbs, k: cbpf.OffArch}}
	at := len(audits) // from the jump on, over the other jumps and the JA
	for _, audit := range audits {
		switch s := sections[audit]; {
		case s == nil:
			code = append(code, insn{op: jeq, k: audit, jt: toFilter})
		default:
			code = append(code, insn{op: jeq, k: audit, jt: at})
			at += len(s)
		}
		at--
	}
	code = append(code, insn{op: ja, jt: toFilter})
	for _, audit := range audits {
		code = append(code, sections[audit]...)
	}
	code = append(code, insn{op: ja, jt: toFilter}, insn{op: ret, k: uint32(enosys(abis[0]))})
	return link(code)
}

// section returns what the stub does for one AUDIT_ARCH value, nil where the
// profile names no number above zero.
func section(a arch.ABI, abis []arch.ABI, calls []call) []insn {
	load := insn{op: ldAbs, k: cbpf.OffNR}
	leave := insn{op: ja, jt: toFilter}
	if a == arch.X86_64 || a == arch.X32 {
		normal, x32 := last(arch.X86_64, abis, calls), last(arch.X32, abis, calls)
		bit := insn{op: jset, k: arch.X32Bit}
		switch {
		case normal != 0 && x32 != 0:
			bit.jt = 1
			return []insn{load, bit, {op: jgt, k: normal, jt: toENOSYS, jf: 1}, {op: jgt, k: x32, jt: toENOSYS}, leave}
		case normal != 0:
			bit.jt = 1
			return []insn{load, bit, {op: jgt, k: normal, jt: toENOSYS}, leave}
		case x32 != 0:
			bit.jf = 1
			return []insn{load, bit, {op: jgt, k: x32, jt: toENOSYS}, leave}
		}
		return nil
	}
	bound := last(a, abis, calls)
	if bound == 0 {
		return nil
	}
	code := []insn{load}
	if a == arch.S390 || a == arch.S390X {
		code = append(code, insn{op: jeq, k: 0, jt: toENOSYS})
	}
	return append(code, insn{op: jgt, k: bound, jt: toENOSYS}, leave)
}

// last returns the largest number that the profile names on an ABI, in any rule,
// and 0 if there is none or the ABI is no target.
func last(a arch.ABI, abis []arch.ABI, calls []call) uint32 {
	var bound uint32
	for _, b := range abis {
		if a != b {
			continue
		}
		for _, c := range calls {
			if nr, known := Resolve(a, c.name); known && nr > 0 {
				bound = max(bound, uint32(nr))
			}
		}
	}
	return bound
}

// link turns named targets into distances.
func link(code []insn) []bpf.RawInstruction {
	raw := make([]bpf.RawInstruction, len(code))
	for pc, i := range code {
		distance := func(to int) int {
			switch to {
			case toENOSYS:
				return len(code) - 1 - (pc + 1)
			case toFilter:
				return len(code) - (pc + 1)
			}
			return to
		}
		raw[pc] = bpf.RawInstruction{Op: i.op, K: i.k}
		switch i.op {
		case ja:
			raw[pc].K = uint32(distance(i.jt))
		case jeq, jgt, jset:
			raw[pc].Jt, raw[pc].Jf = uint8(distance(i.jt)), uint8(distance(i.jf))
		}
	}
	return raw
}
