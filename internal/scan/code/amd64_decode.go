package code

import "encoding/binary"

// An inst is an x86-64 instruction by its fields. golang.org/x/arch/x86/x86asm is not used
// outside of tests, which compare the two: it takes ENDBR64 for one byte, does not know BMI2
// and a part of AVX, so that what follows is read from the wrong byte, and is ten times slower.
type inst struct {
	length        int
	size16, rexW  bool // operand-size prefix, REX.W
	rep           byte // 0xf2, 0xf3 or 0
	far, addr32   bool // FS or GS, address-size prefix
	rex           bool // any REX prefix: registers 4 to 7 of a byte operand are SPL to DIL
	vector        byte // 0xc5 for VEX, 0x62 for EVEX, 0x8f for XOP
	wide          bool // of VEX: 32 bytes
	vvvv          uint8
	table         byte // 0: one byte, 1: 0F, 2: 0F38, 3: 0F3A, others of VEX, EVEX and XOP
	op            byte
	modrm         bool
	mod, reg, rm  uint8
	base, index   reg
	scale         uint8
	disp          int64
	rip           bool // disp is relative to the end of the instruction
	imm           int64
	immediateSize int
}

// What follows an opcode: '.' nothing, 'm' ModRM, 'b' a byte, 'z' a word by operand size,
// 'r' four bytes, 'w' two, 'B' ModRM and a byte, 'Z' ModRM and a word by operand size,
// 'v' a word of up to eight bytes, 'o' an address, 'e' three bytes, 'g' and 'G' ModRM and, for
// TEST, a byte or word; 'x' invalid, 'p' a prefix, '0' another table, 'V' VEX, 'E' EVEX.
// Source: Intel SDM volume 2, appendix A.
const oneByte = "mmmmbzxxmmmmbzx0" + "mmmmbzxxmmmmbzxx" + "mmmmbzpxmmmmbzpx" + "mmmmbzpxmmmmbzpx" +
	"pppppppppppppppp" + "................" + "xxEmppppzZbB...." + "bbbbbbbbbbbbbbbb" +
	"BZxBmmmmmmmmmmmm" + "..........x....." + "oooo....bz......" + "bbbbbbbbvvvvvvvv" +
	"BBw.VVBZe.w..bx." + "mmmmxxx.mmmmmmmm" + "bbbbbbbbrrxb...." + "p.pp..gG......mm"

const twoByte = "mmmmx.....x.xm.B" + "mmmmmmmmmmmmmmmm" + "mmmmxxxxmmmmmmmm" + "......x.0x0xxxxx" +
	"mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "BBBBmmm.mmmmmmmm" +
	"rrrrrrrrrrrrrrrr" + "mmmmmmmmmmmmmmmm" + "...mBmmm...mBmmm" + "mmmmmmmmmmBmmmmm" +
	"mmBmBBBm........" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm"

// maxInst is the length at which the processor refuses an instruction.
const maxInst = 15

// decodeInst reads the instruction at the start of code; false if it is none or is cut off.
func decodeInst(code []byte) (inst, bool) {
	if len(code) > maxInst {
		code = code[:maxInst]
	}
	in := inst{base: noReg, index: noReg}
	r := reader{code: code}
	rexR, rexX, rexB := in.prefixes(&r)
	opcode := r.byte()
	what := oneByte[opcode]
	switch {
	case what == 'V', what == 'E', opcode == 0x8f && r.peek()&0x38 != 0 && r.peek()&0x1f >= 8:
		rexR, rexX, rexB = in.vectorPrefix(&r, opcode)
		opcode = r.byte()
		what = vectorOperands(&in, opcode)
	case opcode == 0x0f:
		in.table, opcode = 1, r.byte()
		what = twoByte[opcode]
		if what == '0' {
			in.table, what = 2, 'm'
			if opcode == 0x3a {
				in.table, what = 3, 'B'
			}
			opcode = r.byte()
		} else if opcode == 0x78 && (in.size16 || in.rep == 0xf2) { // EXTRQ, INSERTQ
			what = 'Q'
		}
	}
	in.op = opcode
	if !in.operands(&r, what, rexR, rexX, rexB) || r.failed {
		return inst{}, false
	}
	in.length = r.at
	return in, true
}

// prefixes reads legacy prefixes and REX, of which only the last counts.
func (in *inst) prefixes(r *reader) (rexR, rexX, rexB uint8) {
	for {
		b := r.peek()
		if r.failed || oneByte[b] != 'p' {
			return
		}
		r.byte()
		rexR, rexX, rexB, in.rexW, in.rex = 0, 0, 0, false, false
		switch b {
		case 0x66:
			in.size16 = true
		case 0x67:
			in.addr32 = true
		case 0x64, 0x65:
			in.far = true
		case 0xf2, 0xf3:
			in.rep = b
		}
		if b&0xf0 == 0x40 {
			in.rex, in.rexW = true, b&8 != 0
			rexR, rexX, rexB = b<<1&8, b<<2&8, b<<3&8
		}
	}
}

// vectorPrefix reads the rest of VEX, EVEX or XOP.
func (in *inst) vectorPrefix(r *reader, first byte) (rexR, rexX, rexB uint8) {
	in.vector, in.table = first, 1
	p := r.byte()
	rexR = ^p >> 4 & 8
	last := p
	if first != 0xc5 {
		in.table = p & 31
		if first == 0x62 {
			in.table = p & 7
		}
		rexX, rexB = ^p>>3&8, ^p>>2&8
		last = r.byte()
		in.rexW = last&0x80 != 0
	}
	if first == 0xc4 {
		in.vector = 0xc5
	}
	in.vvvv = ^last >> 3 & 15
	in.wide = last&4 != 0
	in.size16 = last&3 == 1
	in.rep = [4]byte{0, 0, 0xf3, 0xf2}[last&3]
	if first == 0x62 {
		r.byte()
	}
	return
}

// vectorOperands returns what follows an opcode after VEX, EVEX or XOP.
func vectorOperands(in *inst, opcode byte) byte {
	switch {
	case in.vector == 0x8f:
		return [4]byte{'B', 'm', 'D', 'x'}[in.table&3] // tables 8, 9, 10
	case in.table == 1 && (twoByte[opcode] == '.' || twoByte[opcode] == 'B'):
		return twoByte[opcode]
	case in.table == 3:
		return 'B'
	}
	return 'm'
}

// operands reads ModRM, displacement and immediate.
func (in *inst) operands(r *reader, what byte, rexR, rexX, rexB uint8) bool {
	word := 4
	if in.size16 && !in.rexW {
		word = 2
	}
	switch what {
	case 'x', 'p', '0', 'V', 'E':
		return false
	case 'm', 'B', 'Z', 'g', 'G', 'Q', 'D':
		in.readModRM(r, rexR, rexX, rexB)
	default:
		in.rm = in.op&7 | rexB
	}
	switch what {
	case 'b', 'B':
		in.immediateSize = 1
	case 'z', 'Z':
		in.immediateSize = word
	case 'r', 'D':
		in.immediateSize = 4
	case 'w', 'Q':
		in.immediateSize = 2
	case 'e':
		in.immediateSize = 3
	case 'v':
		in.immediateSize = word
		if in.rexW {
			in.immediateSize = 8
		}
	case 'o':
		in.immediateSize = 8
		if in.addr32 {
			in.immediateSize = 4
		}
	case 'g', 'G':
		if in.reg&7 <= 1 {
			in.immediateSize = 1
			if what == 'G' {
				in.immediateSize = word
			}
		}
	}
	in.imm = r.signed(in.immediateSize)
	return true
}

// readModRM reads ModRM, SIB and displacement.
func (in *inst) readModRM(r *reader, rexR, rexX, rexB uint8) {
	b := r.byte()
	in.modrm, in.mod, in.reg, in.rm = true, b>>6, b>>3&7|rexR, b&7
	if in.mod == 3 {
		in.rm |= rexB
		return
	}
	dispSize := [3]int{0, 1, 4}[in.mod]
	switch {
	case in.rm == 4:
		sib := r.byte()
		if index := sib>>3&7 | rexX; index != 4 {
			in.index, in.scale = reg(index), 1<<(sib>>6)
		}
		if sib&7 == 5 && in.mod == 0 {
			dispSize = 4
		} else {
			in.base = reg(sib&7 | rexB)
		}
	case in.rm == 5 && in.mod == 0:
		dispSize, in.rip = 4, true
	default:
		in.base = reg(in.rm | rexB)
	}
	in.disp = r.signed(dispSize)
}

// A reader reads little-endian numbers; past the end they are 0 and it has failed.
type reader struct {
	code   []byte
	at     int
	failed bool
}

func (r *reader) peek() byte {
	if r.at >= len(r.code) {
		r.failed = true
		return 0
	}
	return r.code[r.at]
}

func (r *reader) byte() byte {
	b := r.peek()
	r.at++
	return b
}

func (r *reader) signed(size int) int64 {
	if size == 0 {
		return 0
	}
	if r.at+size > len(r.code) {
		r.failed = true
		return 0
	}
	b := r.code[r.at:]
	r.at += size
	switch size {
	case 1:
		return int64(int8(b[0]))
	case 2:
		return int64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(b)))
	case 8:
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0 // ENTER, whose operands nobody asks for
}
