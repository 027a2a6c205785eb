// Package code reads the machine code of a file: which function calls, mentions or jumps to
// which address, where the system calls are, and which values reach them.
//
// Instructions of x86_64 and aarch64 are translated into a few machine-independent operations
// (a move, a sum, a load, a store, a call, a jump, a system call), on which everything else
// works. What the translation does not know makes the registers that it writes unknown: values
// are over-approximated, never lost.
//
// What this rests on: code keeps the calling convention (callee-saved registers, words of the
// stack whose address it does not pass on); a branch into the middle of an instruction only
// skips a LOCK prefix; a block that a table on aarch64 leads to, and a branch as well, finds
// the same values on both ways; longjmp does not come back to changed words of the stack.
package code

import (
	"sync"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// A Module is the code of one file, by function.
type Module struct {
	File  *object.File
	Funcs []Function // one for each of File.Funcs

	once  sync.Once
	index index // by address, for Flow
}

// A Function is what one function does, whatever its arguments are.
type Function struct {
	Calls    []Call
	Mentions []uint64 // code and data addresses that it computes (LEA, ADRP and ADD, immediates), other than targets of Calls: sorted
	Direct   []uint64 // data addresses that it reads or writes without computing them first (MOV RAX, [RIP+x]): sorted
	Written  []uint64 // of these, in a Go program, the ones that it writes: sorted
	Sites    []uint64 // addresses of SYSCALL and SVC instructions, of int 0x80 and sysenter (see Legacy)
	Legacy   []uint64 // of these, the ones that make 32-bit calls on x86_64
	Indirect []uint64 // calls and jumps through a register or memory whose target stays unknown, but for jump tables of the function
	NoReturn bool     // control never comes back to the caller
}

// A Call transfers control to a function: a call, or a jump out of this function.
type Call struct {
	At   uint64 // address of the instruction
	To   uint64 // address of the function in this file (a PLT entry for others); 0 with Slot
	Slot uint64 // the word of memory (GOT) that holds the target; 0 with To
	Tail bool   // a jump, or running into the next function

	// Middle is how far behind its start control enters the function, mostly 0: compilers
	// put unlikely parts elsewhere, which jump back. What it finds there is not what the
	// function finds on entry.
	Middle uint32
}

// enters returns where control enters the function.
func (c *Call) enters() uint64 { return c.To + uint64(c.Middle) }

// A Place is where a function finds a value on entry: a register by its machine number
// (x86_64: RAX 0, RCX 1, RDX 2, RBX 3, RSP 4, ... R15 15; aarch64: X0 0 ... X30 30, SP 31), or a word of the
// caller's stack, Stack(n) being the n-th 8-byte word above the return address (x86_64) or
// at SP (aarch64) on entry.
type Place uint16

// Stack returns the place of a word on the stack.
func Stack(word int) Place { return Place(32 + word) }

// A Value is what a register or word can hold at one point of a function: any of the
// alternatives. The zero Value holds nothing: the point is never reached.
type Value struct {
	Unknown bool     // anything, besides what follows
	Consts  []uint64 // numbers; sorted, at most MaxConsts
	Addrs   []uint64 // addresses in the file; sorted, at most MaxConsts
	Entry   []Place  // what these places held on entry, or their low four bytes (with sign or not); sorted
}

// MaxConsts is the number of constants or addresses that a Value keeps apart; more make it
// unknown.
const MaxConsts = 32

// A Flow has the values that reach the system calls and calls of one function.
type Flow struct {
	Sites []SiteValues
	Calls []CallValues // in the order of Function.Calls, then of Function.Indirect

	// Given are the words of the GOT whose contents the function may pass on or store, besides
	// those that only a computed address tells (Mentions): of all others in Direct it does
	// nothing with the address that a word holds but to call it.
	Given []uint64

	// Sent are those of Given that the function may pass to callees and callers, or store where
	// these find it: anywhere but at an address in the file, or on the stack.
	Sent []uint64
}

// SiteValues are the values at a system call. Args are in the order of the kernel.
type SiteValues struct {
	At     uint64
	Number Value
	Args   [6]Value
}

// CallValues are the values that a callee finds.
type CallValues struct {
	At     uint64
	Target Value    // of a call through a register
	Slots  []uint64 // words of the GOT that may have the target; sorted
	// Entry tells what a place of the callee holds when it is entered here.
	Entry func(Place) Value
}
