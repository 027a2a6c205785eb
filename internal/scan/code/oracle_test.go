package code

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// TestLengthX86asm compares lengths of random instructions with golang.org/x/arch, where that
// knows them.
func TestLengthX86asm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 400_000 {
		code := make([]byte, maxInst)
		for i := range code {
			code[i] = byte(r.Uint32())
		}
		switch r.IntN(4) {
		case 0:
			code[0] = 0x0f
		case 1:
			code[0], code[1] = 0x40|code[0]&15, 0x0f
		}
		want, err := x86asm.Decode(code, 64)
		if err != nil || want.Op == 0 || x86asmDiffers(code, want) {
			continue
		}
		compared++
		in, ok := decodeInst(code)
		if !ok || in.length != want.Len {
			t.Errorf("% x: length %d (%v), x86asm has %d: %v", code, in.length, ok, want.Len, want)
		}
	}
	if compared < 100_000 {
		t.Errorf("compared only %d instructions", compared)
	}
}

// x86asmDiffers tells whether golang.org/x/arch reads an instruction otherwise than the
// processor: the test registers of the 386, maps of EVEX above 3, which it takes for others, and
// VZEROUPPER with operands.
func x86asmDiffers(code []byte, in x86asm.Inst) bool {
	for _, arg := range in.Args {
		if r, ok := arg.(x86asm.Reg); ok && r >= x86asm.TR0 && r <= x86asm.TR7 {
			return true
		}
	}
	return in.Prefix[0].IsEVEX() && code[1]&7 > 3 || in.Op == x86asm.VZEROUPPER || in.Op == x86asm.VZEROALL
}

// TestRegistersARM64asm compares which register random instructions write with golang.org/x/arch.
func TestRegistersARM64asm(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	compared := 0
	for range 300_000 {
		code := binary.LittleEndian.AppendUint32(nil, r.Uint32())
		want, err := arm64asm.Decode(code)
		if err != nil {
			continue
		}
		dst, ok := want.Args[0].(arm64asm.Reg)
		if sp, isSP := want.Args[0].(arm64asm.RegSP); isSP {
			dst, ok = arm64asm.Reg(sp), true
		}
		n, general := general(dst)
		if !ok || !general || onlyReads.MatchString(strings.ToLower(want.Op.String())) {
			continue
		}
		compared++
		ops := translateARM64(code, 0, nil)
		if !slices.ContainsFunc(ops, func(o op) bool { return o.dst == n && writesReg(o.kind) }) {
			t.Errorf("% x %v: nothing writes register %d: %+v", code, want, n, ops)
		}
	}
	if compared < 30_000 {
		t.Errorf("compared only %d instructions", compared)
	}
}

// general returns the number of a general register other than zero.
func general(r arm64asm.Reg) (reg, bool) {
	switch {
	case r >= arm64asm.W0 && r <= arm64asm.W30:
		return reg(r - arm64asm.W0), true
	case r >= arm64asm.X0 && r <= arm64asm.X30:
		return reg(r - arm64asm.X0), true
	}
	return 0, false
}
