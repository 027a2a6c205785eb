// Package cbpf is the machine that runs seccomp filters: classic BPF exactly as
// seccomp(2) accepts it.
//
// A [Program] is a filter that the kernel accepts. Make one with [New], [Decode] or
// [Assemble], or with package compiler; run it on a call ([Program.Eval]), write it for its
// target ([Program.AppendBinary]) or as text ([Program.Disassemble]), and install it with
// package loader. A filter is given a [Data] and returns an [Action]. Nothing here asks
// or changes the running kernel.
package cbpf

import (
	"encoding/binary"
	"slices"
	"strconv"

	"golang.org/x/net/bpf"
)

// MaxInstructions is the length of the longest program that the kernel accepts (linux/bpf_common.h: BPF_MAXINSNS).
const MaxInstructions = 4096

// insnSize is the size of struct sock_filter.
const insnSize = 8

// A Program is an immutable filter that the kernel accepts, in the byte order of
// its target. Only [New], [Decode] and [Assemble] make one. The zero Program has
// no instructions: it kills on every call and no kernel loads it.
type Program struct {
	insns   []bpf.RawInstruction
	big     bool     // big-endian target
	origins []string // nil, or one for every instruction
}

// New verifies and copies raw. order is the byte order of the target kernel: it
// decides which half of an argument a load sees and how the program is encoded.
// The error is a [*VerifyError].
func New(raw []bpf.RawInstruction, order binary.ByteOrder) (*Program, error) {
	big, err := isBig(order)
	if err != nil {
		return nil, err
	}
	if err := Verify(raw); err != nil {
		return nil, err
	}
	return &Program{insns: slices.Clone(raw), big: big}, nil
}

// Decode reads an array of struct sock_filter in the given byte order. The error
// is a [*VerifyError].
func Decode(b []byte, order binary.ByteOrder) (*Program, error) {
	big, err := isBig(order)
	if err != nil {
		return nil, err
	}
	switch {
	case len(b)%insnSize != 0:
		return nil, &VerifyError{PC: -1, Reason: strconv.Itoa(len(b)) +
			" bytes are not a whole number of 8-byte instructions (is the file cut short?)"}
	case len(b) > MaxInstructions*insnSize:
		return nil, tooLong(len(b) / insnSize)
	}
	raw := make([]bpf.RawInstruction, 0, len(b)/insnSize)
	for ; len(b) > 0; b = b[insnSize:] {
		raw = append(raw, bpf.RawInstruction{
			Op: order.Uint16(b),
			Jt: b[2],
			Jf: b[3],
			K:  order.Uint32(b[4:]),
		})
	}
	if err := Verify(raw); err != nil {
		return nil, err
	}
	return &Program{insns: raw, big: big}, nil
}

// Sniff returns the byte order in which b is an array of struct sock_filter that
// the kernel accepts. There is at most one: read in the wrong order, a RET's
// opcode is out of range.
func Sniff(b []byte) (order binary.ByteOrder, ok bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if _, err := Decode(b, order); err == nil {
			return order, true
		}
	}
	return nil, false
}

// isBig reports whether an order is big-endian, whoever implements it.
func isBig(order binary.ByteOrder) (bool, error) {
	if order == nil {
		return false, &VerifyError{PC: -1, Reason: "no byte order (state the target's)"}
	}
	return order.Uint16([]byte{0, 1}) == 1, nil
}

// Len returns the number of instructions.
func (p *Program) Len() int { return len(p.insns) }

// At returns the instruction at pc.
func (p *Program) At(pc int) bpf.RawInstruction { return p.insns[pc] }

// Raw returns a copy of the instructions.
func (p *Program) Raw() []bpf.RawInstruction { return slices.Clone(p.insns) }

// Order returns the byte order of the target, [binary.LittleEndian] or
// [binary.BigEndian].
func (p *Program) Order() binary.ByteOrder {
	if p.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// WithOrigins returns a copy of p in which origins[pc] says where the
// instruction at pc comes from, as JSON pointers into the profile; "" is unknown,
// and so is what a short slice leaves out.
func (p *Program) WithOrigins(origins []string) *Program {
	q := *p
	q.origins = make([]string, len(p.insns))
	copy(q.origins, origins)
	return &q
}

// Origin returns where the instruction at pc comes from, or "".
func (p *Program) Origin(pc int) string {
	if p.origins == nil {
		return ""
	}
	return p.origins[pc]
}

// AppendBinary appends the program as an array of struct sock_filter in the
// target's byte order: 8 bytes an instruction, no header. The error is always
// nil; it makes p an [encoding.BinaryAppender].
func (p *Program) AppendBinary(b []byte) ([]byte, error) {
	b = slices.Grow(b, len(p.insns)*insnSize)
	order := binary.AppendByteOrder(binary.LittleEndian)
	if p.big {
		order = binary.BigEndian
	}
	for _, ins := range p.insns {
		b = order.AppendUint16(b, ins.Op)
		b = append(b, ins.Jt, ins.Jf)
		b = order.AppendUint32(b, ins.K)
	}
	return b, nil
}

// Returns reports whether some instruction of p, reachable or not, returns a
// constant action of this class. What a RET A returns is not known and does not
// count; a NOTIFY from one has no listener then and fails the call with ENOSYS
// (kernel/seccomp.c: seccomp_do_user_notification).
func (p *Program) Returns(class Action) bool {
	return slices.ContainsFunc(p.insns, func(ins bpf.RawInstruction) bool {
		return ins.Op == opRetK && Action(ins.K).Class() == class.Class()
	})
}

// Names lends the disassembler and assembler the vocabulary of a kernel; package
// syscalltables implements it. ABIs are identified as filters see them: by
// AUDIT_ARCH value and number.
//
// A method
//
//	Test(audit, nr uint32, index int, op string, mask, v uint32) string
//
// is optional. It writes a test of some bits of the lower half of an argument, op
// being an operator of C: "family == AF_VSOCK", "flags & CLONE_NEWUSER != 0"; "" if
// only the number of v can be shown.
type Names interface {
	// ABI names the ABI of a call: "x86_64"; "" if unknown. x32 and x86_64 share
	// an AUDIT_ARCH value and are told apart by bit 30 of the number.
	ABI(audit, nr uint32) string
	// Audit is the AUDIT_ARCH value of a named ABI.
	Audit(abi string) (audit uint32, ok bool)
	// Syscall names a number; "" if unknown.
	Syscall(audit, nr uint32) string
	// Number is the number of a named call in a named ABI.
	Number(abi, syscall string) (nr uint32, ok bool)
	// Arg names an argument of a call: "fd"; "" if unknown.
	Arg(audit, nr uint32, index int) string
	// Errno names an error number: "EPERM"; "" if unknown.
	Errno(audit uint32, errno uint16) string
}
