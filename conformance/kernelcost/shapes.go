package main

import (
	"encoding/binary"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// Operations of classic BPF (linux/bpf_common.h).
const (
	opLoad    = 0x20
	opAnd     = 0x54
	opJump    = 0x05
	opEqual   = 0x15
	opAtLeast = 0x35
	opBitSet  = 0x45
	opReturn  = 0x06
)

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	offNumber = 0
	offArgs   = 16
)

// never is a constant that no number of a call equals, with bit 31 clear.
const never = 0x12345678

// uncached is ALLOW with data. The kernel's emulation takes only ALLOW without data
// for an answer (kernel/seccomp.c: seccomp_is_const_allow), so the filter runs.
const uncached = uint32(cbpf.Allow) | 1

func load(offset uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opLoad, K: offset} }

func ret(k uint32) bpf.RawInstruction { return bpf.RawInstruction{Op: opReturn, K: k} }

// equal jumps over jt or jf instructions.
func equal(k uint32, jt, jf uint8) bpf.RawInstruction {
	return bpf.RawInstruction{Op: opEqual, Jt: jt, Jf: jf, K: k}
}

// A shape makes the i-th part of a program's path.
type shape struct {
	name string
	part func(i int) []bpf.RawInstruction
}

// paths are parts that are executed one after the other. A part's tests go to the next part.
var paths = []shape{
	{"test that falls through", func(int) []bpf.RawInstruction { return []bpf.RawInstruction{equal(never, 1, 0)} }},
	{"test that jumps (jf 0)", func(int) []bpf.RawInstruction { return []bpf.RawInstruction{{Op: opAtLeast, Jt: 1, K: 0}, ret(0)} }},
	{"test that jumps (jt 0)", func(int) []bpf.RawInstruction { return []bpf.RawInstruction{equal(never, 0, 1), ret(0)} }},
	{"test with two targets", func(int) []bpf.RawInstruction { return []bpf.RawInstruction{equal(never, 1, 2), ret(0), ret(0)} }},
	{"load of an argument", func(i int) []bpf.RawInstruction { return []bpf.RawInstruction{load(argument(i))} }},
	{"load and test of an argument", func(i int) []bpf.RawInstruction {
		return []bpf.RawInstruction{load(argument(i)), equal(never, 1, 0)}
	}},
}

// argument returns the offset of a word of an argument, another one for each i.
func argument(i int) uint32 { return offArgs + 4*uint32(i%12) }

// program strings together a start, n parts, a return, and filler up to a length.
func program(start []bpf.RawInstruction, s shape, n int, result uint32, length int) (*cbpf.Program, error) {
	raw := append([]bpf.RawInstruction(nil), start...)
	for i := range n {
		raw = append(raw, s.part(i)...)
	}
	// A test that falls through jumps over one instruction at most: to the filler.
	raw = append(raw, ret(result))
	for len(raw) < length-2 {
		raw = append(raw, equal(never, 1, 0))
	}
	for len(raw) < length {
		raw = append(raw, ret(0))
	}
	return cbpf.New(raw, binary.LittleEndian)
}
