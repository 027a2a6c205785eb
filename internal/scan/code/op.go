package code

// A reg is a register by its Place, or one of those below.
type reg uint8

const (
	temp  reg = 32  // holds what a memory operand was loaded into within one instruction
	nregs     = 33  // registers with values
	noReg reg = 255 // no register: the constant, or no base
	other reg = 254 // a register without a value here (vector, segment): unknown when read
)

// An opKind is what an op does. Comments use the fields of op.
type opKind uint8

const (
	opClobber opKind = iota // dst gets an unknown value
	opConst                 // dst = imm
	opAddr                  // dst = imm, an address
	opMove                  // dst = a, the low width bytes, zero-extended
	opExtend                // dst = a, the low width bytes, sign-extended
	opAdd                   // dst = a + b (or imm), as all of these
	opSub
	opAnd
	opOr
	opXor
	opShl
	opShr
	opSelect // dst = a (or 0) or b
	opLea    // dst = the address of the memory operand
	opLoad   // dst = width bytes of memory
	opStore  // width bytes of memory (0: who knows how many) = dst (or val, if dst is noReg)
	opTouch  // memory is read, for a purpose of no interest
	opUse    // a goes where it is not followed, such as into a vector register
	opTest   // compares the 8 bytes of a with imm, for the branch that follows
	opCall   // call the function at imm
	opCallAt // call what the word at imm holds
	opCallTo // call the function at a
	opJump   // jump to imm
	opBranch // jump to imm if cond
	opJumpAt // jump to what the word at imm holds
	opJumpTo // jump to a
	opRet
	opTrap // control ends here
	opSite // a system call
	opLegacy
)

// An op is a step of an instruction, the same on every machine. A memory operand is
// a + b*scale + imm, where noReg counts as 0; far marks one relative to a segment register,
// whose address is unknown.
type op struct {
	at        uint64 // address of the instruction
	imm, val  uint64
	kind      opKind
	length    uint8 // of the instruction in bytes
	width     uint8 // of the result or of the memory in bytes
	dst, a, b reg
	scale     uint8
	cond      cond
	far       bool
	fault     bool // of opTrap and opRet: no program does this, but data that is taken for code
}

// A cond is when a branch jumps.
type cond uint8

const (
	anyCond cond = iota
	isEqual      // what was compared before is equal
	isOther
)

// ends tells whether control does not go on to the next instruction.
func (o *op) ends() bool {
	switch o.kind {
	case opJump, opJumpAt, opJumpTo, opRet, opTrap:
		return true
	}
	return false
}

// constAddr returns the address of a memory operand that depends on no register.
func (o *op) constAddr() (uint64, bool) {
	return o.imm, o.a == noReg && o.b == noReg && !o.far
}
