package foreign

import (
	"encoding/binary"

	"github.com/seccompile/seccompile/arch"
)

// code returns the machine code of a caller: for each record from start up to
// end it loads the number and six arguments, makes the call and stores what it
// returned, an error as its negative number. Then it runs into a trap. stack is
// memory that the code may use.
//
// A 32-bit ABI's code looks at the low words of a record only. ok is false for
// an ABI that has no code here.
func code(abi arch.ABI, start, end, stack uint32) (c []byte, ok bool) {
	order := abi.ByteOrder()
	switch abi {
	case arch.X86:
		return x86(start, end), true
	case arch.X32:
		return x32(start, end), true
	case arch.ARM:
		return arm(start, end), true
	case arch.MIPS, arch.MIPSEL:
		return o32(order, start, end, stack), true
	case arch.MIPS64N32, arch.MIPSEL64N32:
		return n32(order, start, end), true
	case arch.PPC:
		return ppc(start, end), true
	case arch.S390:
		return s390(start, end), true
	default:
		return nil, false
	}
}

// words encodes instructions of 32 bits.
func words(order binary.ByteOrder, code ...uint32) []byte {
	b := make([]byte, 4*len(code))
	for i, w := range code {
		order.PutUint32(b[4*i:], w)
	}
	return b
}

// x86 walks the records with esp: the call takes every other register.
func x86(start, end uint32) []byte {
	c := []byte{0xbc} //                        mov   esp, start
	c = binary.LittleEndian.AppendUint32(c, start)
	c = append(c,
		0x8b, 0x04, 0x24, //              loop: mov   eax, [esp]
		0x8b, 0x5c, 0x24, 8, //                 mov   ebx, [esp+8]
		0x8b, 0x4c, 0x24, 16, //                mov   ecx, [esp+16]
		0x8b, 0x54, 0x24, 24, //                mov   edx, [esp+24]
		0x8b, 0x74, 0x24, 32, //                mov   esi, [esp+32]
		0x8b, 0x7c, 0x24, 40, //                mov   edi, [esp+40]
		0x8b, 0x6c, 0x24, 48, //                mov   ebp, [esp+48]
		0xcd, 0x80, //                          int   0x80
		0x89, 0x44, 0x24, 56, //                mov   [esp+56], eax
		0x83, 0xc4, 64, //                      add   esp, 64
		0x81, 0xfc, //                          cmp   esp, end
	)
	c = binary.LittleEndian.AppendUint32(c, end)
	return append(c,
		0x75, 0xd4, //                          jne   loop
		0xcc, //                                int3
	)
}

func x32(start, end uint32) []byte {
	c := []byte{0xbb} //                        mov   ebx, start
	c = binary.LittleEndian.AppendUint32(c, start)
	c = append(c,
		0x48, 0x8b, 0x03, //              loop: mov   rax, [rbx]
		0x48, 0x8b, 0x7b, 8, //                 mov   rdi, [rbx+8]
		0x48, 0x8b, 0x73, 16, //                mov   rsi, [rbx+16]
		0x48, 0x8b, 0x53, 24, //                mov   rdx, [rbx+24]
		0x4c, 0x8b, 0x53, 32, //                mov   r10, [rbx+32]
		0x4c, 0x8b, 0x43, 40, //                mov   r8, [rbx+40]
		0x4c, 0x8b, 0x4b, 48, //                mov   r9, [rbx+48]
		0x0f, 0x05, //                          syscall
		0x48, 0x89, 0x43, 56, //                mov   [rbx+56], rax
		0x83, 0xc3, 64, //                      add   ebx, 64
		0x81, 0xfb, //                          cmp   ebx, end
	)
	c = binary.LittleEndian.AppendUint32(c, end)
	return append(c,
		0x75, 0xd4, //                          jne   loop
		0xcc, //                                int3
	)
}

func arm(start, end uint32) []byte {
	return words(binary.LittleEndian,
		0xe59f8034, //        ldr  r8, start
		0xe59f9034, //        ldr  r9, end
		0xe5987000, // loop:  ldr  r7, [r8]
		0xe5980008, //        ldr  r0, [r8, #8]
		0xe5981010, //        ldr  r1, [r8, #16]
		0xe5982018, //        ldr  r2, [r8, #24]
		0xe5983020, //        ldr  r3, [r8, #32]
		0xe5984028, //        ldr  r4, [r8, #40]
		0xe5985030, //        ldr  r5, [r8, #48]
		0xef000000, //        svc  0
		0xe5880038, //        str  r0, [r8, #56]
		0xe2888040, //        add  r8, r8, #64
		0xe1580009, //        cmp  r8, r9
		0x1afffff3, //        bne  loop
		0xe7f000f0, //        udf  #0
		start,      //      start:
		end,        //      end:
	)
}

// low is the offset of the low half of a 64-bit word.
func low(order binary.ByteOrder) uint32 {
	if order.Uint16([]byte{0, 1}) == 1 {
		return 4
	}
	return 0
}

// o32 passes the arguments 4 and 5 on the stack.
func o32(order binary.ByteOrder, start, end, stack uint32) []byte {
	w := low(order)
	return words(order,
		0x3c100000|start>>16,    //       lui   s0, start>>16
		0x36100000|start&0xffff, //       ori   s0, s0, start&0xffff
		0x3c110000|end>>16,      //       lui   s1, end>>16
		0x36310000|end&0xffff,   //       ori   s1, s1, end&0xffff
		0x3c1d0000|stack>>16,    //       lui   sp, stack>>16
		0x37bd0000|stack&0xffff, //       ori   sp, sp, stack&0xffff
		0x8e020000+w,            // loop: lw    v0, 0+w(s0)
		0x8e040008+w,            //       lw    a0, 8+w(s0)
		0x8e050010+w,            //       lw    a1, 16+w(s0)
		0x8e060018+w,            //       lw    a2, 24+w(s0)
		0x8e070020+w,            //       lw    a3, 32+w(s0)
		0x8e080028+w,            //       lw    t0, 40+w(s0)
		0x8e090030+w,            //       lw    t1, 48+w(s0)
		0xafa80010,              //       sw    t0, 16(sp)
		0xafa90014,              //       sw    t1, 20(sp)
		0x0000000c,              //       syscall
		0x10e00002,              //       beqz  a3, fine
		0x00000000,              //       nop
		0x00021023,              //       negu  v0, v0
		0xae020038+w,            // fine: sw    v0, 56+w(s0)
		0x26100040,              //       addiu s0, s0, 64
		0x1611fff0,              //       bne   s0, s1, loop
		0x00000000,              //       nop
		0x0000000d,              //       break
	)
}

func n32(order binary.ByteOrder, start, end uint32) []byte {
	return words(order,
		0x3c100000|start>>16,    //       lui   s0, start>>16
		0x36100000|start&0xffff, //       ori   s0, s0, start&0xffff
		0x3c110000|end>>16,      //       lui   s1, end>>16
		0x36310000|end&0xffff,   //       ori   s1, s1, end&0xffff
		0xde020000,              // loop: ld    v0, 0(s0)
		0xde040008,              //       ld    a0, 8(s0)
		0xde050010,              //       ld    a1, 16(s0)
		0xde060018,              //       ld    a2, 24(s0)
		0xde070020,              //       ld    a3, 32(s0)
		0xde080028,              //       ld    a4, 40(s0)
		0xde090030,              //       ld    a5, 48(s0)
		0x0000000c,              //       syscall
		0x10e00002,              //       beqz  a3, fine
		0x00000000,              //       nop
		0x0002102f,              //       dnegu v0, v0
		0xfe020038,              // fine: sd    v0, 56(s0)
		0x26100040,              //       addiu s0, s0, 64
		0x1611fff2,              //       bne   s0, s1, loop
		0x00000000,              //       nop
		0x0000000d,              //       break
	)
}

func ppc(start, end uint32) []byte {
	return words(binary.BigEndian,
		0x3dc00000|start>>16,    //       lis   r14, start>>16
		0x61ce0000|start&0xffff, //       ori   r14, r14, start&0xffff
		0x3de00000|end>>16,      //       lis   r15, end>>16
		0x61ef0000|end&0xffff,   //       ori   r15, r15, end&0xffff
		0x800e0004,              // loop: lwz   r0, 4(r14)
		0x806e000c,              //       lwz   r3, 12(r14)
		0x808e0014,              //       lwz   r4, 20(r14)
		0x80ae001c,              //       lwz   r5, 28(r14)
		0x80ce0024,              //       lwz   r6, 36(r14)
		0x80ee002c,              //       lwz   r7, 44(r14)
		0x810e0034,              //       lwz   r8, 52(r14)
		0x44000002,              //       sc
		0x40830008,              //       bns   fine
		0x7c6300d0,              //       neg   r3, r3
		0x906e003c,              // fine: stw   r3, 60(r14)
		0x39ce0040,              //       addi  r14, r14, 64
		0x7c0e7840,              //       cmplw r14, r15
		0x4082ffcc,              //       bne   loop
		0x7fe00008,              //       trap
	)
}

// s390 is in 31-bit addressing mode.
func s390(start, end uint32) []byte {
	c := []byte{
		0x0d, 0xd0, //                    basr r13, 0
		0x58, 0x80, 0xd0, 54, //          l    r8, start-.(r13)
		0x58, 0x90, 0xd0, 58, //          l    r9, end-.(r13)
		0x58, 0x10, 0x80, 4, //     loop: l    r1, 4(r8)
		0x58, 0x20, 0x80, 12, //          l    r2, 12(r8)
		0x58, 0x30, 0x80, 20, //          l    r3, 20(r8)
		0x58, 0x40, 0x80, 28, //          l    r4, 28(r8)
		0x58, 0x50, 0x80, 36, //          l    r5, 36(r8)
		0x58, 0x60, 0x80, 44, //          l    r6, 44(r8)
		0x58, 0x70, 0x80, 52, //          l    r7, 52(r8)
		0x0a, 0x00, //                    svc  0
		0x50, 0x20, 0x80, 60, //          st   r2, 60(r8)
		0x41, 0x80, 0x80, 64, //          la   r8, 64(r8)
		0x15, 0x89, //                    clr  r8, r9
		0xa7, 0x74, 0xff, 0xec, //        jne  loop
		0x00, 0x01, //                    breakpoint
	}
	c = binary.BigEndian.AppendUint32(c, start)  // start:
	return binary.BigEndian.AppendUint32(c, end) // end:
}
