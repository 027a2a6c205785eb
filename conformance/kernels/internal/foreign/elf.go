// Package foreign makes system calls through ABIs other than that of the running
// program. Go compiles for few of those that a kernel presents beside its main
// one, so this package writes the programs itself: a static executable of some
// hundred bytes with the calls in its data, run under ptrace(2), which stops it
// when all are made. Such a program needs no call of its own to report what it
// saw, so a filter may deny it all of them.
package foreign

import (
	"debug/elf"
	"encoding/binary"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Call is one system call to make.
type Call struct {
	NR   uint64    // the number register; its low half counts on 32-bit ABIs other than x32 and n32
	Args [6]uint64 // likewise
}

// Layout of an executable, which is mapped as a whole at base.
const (
	base       = 0x400000
	codeOff    = 0x60  // behind the ELF header and one program header
	stackOff   = 0x100 // memory for arguments on the stack
	fprogOff   = 0x140 // struct sock_fprog of a 32-bit task
	filterOff  = 0x148 // struct sock_filter[]
	recordSize = 64    // number, six arguments, result: each of 64 bits
	resultOff  = 56
	pageAlign  = 0x10000 // the largest page of any kernel
)

// An executable is a program that makes calls.
type executable struct {
	image   []byte
	records int // offset of the calls' records in image, address base+records in memory
	count   int // number of records
}

// assemble returns the executable of an ABI that makes calls, after it has
// confined itself by filter unless that is nil. ok is false for ABIs that this
// package has no code for.
func assemble(abi arch.ABI, filter *cbpf.Program, calls []Call) (x executable, ok bool) {
	order := abi.ByteOrder()
	image := make([]byte, filterOff)
	if filter != nil {
		raw, _ := filter.AppendBinary(nil) // never fails
		image = append(image, raw...)
		order.PutUint16(image[fprogOff:], uint16(filter.Len()))
		order.PutUint32(image[fprogOff+4:], base+filterOff)
		calls = slices.Concat(confine(abi), calls)
	}
	image = append(image, make([]byte, -len(image)&(recordSize-1))...)
	start := len(image)
	for _, c := range calls {
		record := make([]byte, recordSize)
		order.PutUint64(record, c.NR)
		for i, a := range c.Args {
			order.PutUint64(record[8+8*i:], a)
		}
		image = append(image, record...)
	}
	c, ok := code(abi, uint32(base+start), uint32(base+len(image)), base+stackOff)
	if !ok || codeOff+len(c) > stackOff {
		return executable{}, false
	}
	copy(image[codeOff:], c)
	header(image, abi)
	return executable{image, start, len(calls)}, true
}

// confine are the calls that install the filter in the image.
func confine(abi arch.ABI) []Call {
	const setNoNewPrivs, setModeFilter = 38, 1 // linux/prctl.h, linux/seccomp.h
	return []Call{
		{NR: uint64(number(abi, "prctl")), Args: [6]uint64{setNoNewPrivs, 1}},
		{NR: uint64(number(abi, "seccomp")), Args: [6]uint64{setModeFilter, 0, base + fprogOff}},
	}
}

// number returns the number of a call that every ABI has.
func number(abi arch.ABI, name string) uint32 {
	c, _ := syscalltables.Lookup(name)
	nr, _ := c.Number(abi)
	return nr
}

// machine returns what an ELF header says of an ABI's programs.
func machine(abi arch.ABI) (m elf.Machine, flags uint32) {
	switch abi {
	case arch.X86:
		return elf.EM_386, 0
	case arch.X32:
		return elf.EM_X86_64, 0
	case arch.ARM:
		return elf.EM_ARM, 0x05000000 // EABI version 5
	case arch.MIPS, arch.MIPSEL:
		return elf.EM_MIPS, 0x50001000 // MIPS32, ABI o32
	case arch.MIPS64N32, arch.MIPSEL64N32:
		return elf.EM_MIPS, 0x60000020 // MIPS64, ABI n32
	case arch.PPC:
		return elf.EM_PPC, 0
	case arch.S390:
		return elf.EM_S390, 0
	default:
		return elf.EM_NONE, 0
	}
}

// header fills in the ELF header and the program header, both of the 32-bit
// class, which x32 and n32 use too.
func header(image []byte, abi arch.ABI) {
	order := abi.ByteOrder()
	data := elf.ELFDATA2LSB
	if abi.ByteOrder() == binary.BigEndian {
		data = elf.ELFDATA2MSB
	}
	m, flags := machine(abi)
	const headerSize, progSize = 52, 32
	h := elf.Header32{
		Ident:   [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS32), byte(data), byte(elf.EV_CURRENT)},
		Type:    uint16(elf.ET_EXEC),
		Machine: uint16(m), Version: uint32(elf.EV_CURRENT),
		Entry: base + codeOff, Phoff: headerSize, Flags: flags,
		Ehsize: headerSize, Phentsize: progSize, Phnum: 1,
	}
	p := elf.Prog32{
		Type: uint32(elf.PT_LOAD), Vaddr: base, Paddr: base,
		Filesz: uint32(len(image)), Memsz: uint32(len(image)),
		Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X), Align: pageAlign,
	}
	// Neither fails: both are fixed-size and image is longer.
	_, _ = binary.Encode(image, order, h)
	_, _ = binary.Encode(image[headerSize:], order, p)
}
