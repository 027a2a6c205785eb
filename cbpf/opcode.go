package cbpf

// The opcodes that a seccomp filter may use (linux/bpf_common.h), named after
// the machine's registers: A the accumulator, X the index, M the 16 words of
// scratch memory, K the constant of the instruction.
const (
	opLdImm  = 0x00 // A = K
	opLdAbs  = 0x20 // A = the word of seccomp_data at byte K
	opLdMem  = 0x60 // A = M[K]
	opLdLen  = 0x80 // A = sizeof(struct seccomp_data)
	opLdxImm = 0x01 // X = K
	opLdxMem = 0x61 // X = M[K]
	opLdxLen = 0x81 // X = sizeof(struct seccomp_data)

	opSt  = 0x02 // M[K] = A
	opStx = 0x03 // M[K] = X
	opTax = 0x07 // X = A
	opTxa = 0x87 // A = X

	opAddK = 0x04 // A += K, and so on
	opAddX = 0x0c // A += X, and so on
	opSubK = 0x14
	opSubX = 0x1c
	opMulK = 0x24
	opMulX = 0x2c
	opDivK = 0x34
	opDivX = 0x3c
	opOrK  = 0x44
	opOrX  = 0x4c
	opAndK = 0x54
	opAndX = 0x5c
	opLshK = 0x64
	opLshX = 0x6c
	opRshK = 0x74
	opRshX = 0x7c
	opNeg  = 0x84 // A = -A
	opXorK = 0xa4
	opXorX = 0xac

	opJa    = 0x05 // skip K instructions
	opJeqK  = 0x15 // skip Jt instructions if A == K, else Jf; and so on
	opJeqX  = 0x1d
	opJgtK  = 0x25
	opJgtX  = 0x2d
	opJgeK  = 0x35
	opJgeX  = 0x3d
	opJsetK = 0x45 // A & K != 0
	opJsetX = 0x4d

	opRetK = 0x06 // return K
	opRetA = 0x16 // return A
)

// Parts of an opcode (linux/bpf_common.h: BPF_CLASS, BPF_SIZE, BPF_MODE,
// BPF_OP), to say what a refused one would have done.
const (
	classMask = 0x07
	classLd   = 0x00
	classLdx  = 0x01
	classAlu  = 0x04

	sizeMask = 0x18
	sizeHalf = 0x08
	sizeByte = 0x10

	modeMask = 0xe0
	modeAbs  = 0x20
	modeInd  = 0x40
	modeMsh  = 0xa0

	aluMask = 0xf0
	aluMod  = 0x90
)

// memWords is the size of the scratch memory M (linux/bpf_common.h: BPF_MEMWORDS).
const memWords = 16

// refusal says why the kernel refuses an opcode.
func refusal(op uint16) string {
	size, mode := op&sizeMask, op&modeMask
	switch {
	case op > 0xff:
		return "no instruction has this opcode (is the byte order right?)"
	case op&classMask == classLd && mode == modeAbs && size == sizeHalf:
		return "a filter loads no half words (load the word and mask it)"
	case op&classMask == classLd && mode == modeAbs && size == sizeByte:
		return "a filter loads no bytes (load the word and mask it)"
	case op&classMask == classLd && mode == modeInd:
		return "a filter loads from no computed offset (use a constant one)"
	case op&classMask == classLdx && mode == modeMsh:
		return "loading an IP header length is for packets"
	case op&classMask == classAlu && op&aluMask == aluMod:
		return "seccomp has no MOD (use AND for a power of two, else DIV, MUL and SUB)"
	}
	return "no instruction has this opcode"
}
