package code

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// TestGiven tells functions that only call what they load from the word of the GOT at dataAt from
// those that do anything else with it.
func TestGiven(t *testing.T) {
	for _, test := range []struct {
		name    string
		machine object.Machine
		source  string
		code    string
		given   bool
		calls   int // through what was loaded
	}{
		{"called in a loop", object.AMD64, "push r12; mov r12, [rip+got]; test edi, edi; je 2f; pop r12; ret; 2: mov edi, 24; call r12; test eax, eax; jne 2b; pop r12; ret", "41544c8b25f72f000085ff7403415cc3bf1800000041ffd485c075f4415cc3", false, 1},
		{"kept over a call", object.AMD64, "push r12; mov r12, [rip+got]; call 1f; pop r12; ret; call r12; pop r12; 1: ret", "41544c8b25f72f0000e808000000415cc341ffd4415cc3", false, 1},
		{"called once", object.AMD64, "mov rax, [rip+got]; jmp rax", "488b05f92f0000ffe0", false, 1},
		{"one of two", object.AMD64, "push r12; mov r12, [rip+got]; test edi, edi; cmovne r12, rsi; call r12; pop r12; ret", "41544c8b25f72f000085ff4c0f45e641ffd4415cc3", false, 1},
		{"compared", object.AMD64, "mov rax, [rip+got]; test rax, rax; je 1f; call rax; 1: ret", "488b05f92f00004885c07402ffd0c3", false, 1},
		{"stored", object.AMD64, "mov rax, [rip+got]; mov [rdi], rax; ret", "488b05f92f0000488907c3", true, 0},
		{"spilled", object.AMD64, "push rbx; mov rbx, [rip+got]; mov [rsp-8], rbx; pop rbx; ret", "53488b1df82f000048895c24f85bc3", true, 0},
		{"pushed", object.AMD64, "push [rip+got]; pop rcx; xor ecx, ecx; ret", "ff35fa2f00005931c9c3", true, 0},
		{"an argument", object.AMD64, "mov rdi, [rip+got]; call 1f; xor edi, edi; 1: ret", "488b3df92f0000e80200000031ffc3", true, 0},
		{"an argument and the target", object.AMD64, "mov rdi, [rip+got]; call rdi; xor edi, edi; ret", "488b3df92f0000ffd731ffc3", true, 1},
		{"an argument on the way out", object.AMD64, "mov rdi, [rip+got]; jmp [rip+got+8]", "488b3df92f0000ff25fb2f0000", true, 0},
		{"returned", object.AMD64, "mov rax, [rip+got]; ret", "488b05f92f0000c3", true, 0},
		{"changed", object.AMD64, "mov rax, [rip+got]; add rax, 4; xor eax, eax; ret", "488b05f92f00004883c00431c0c3", true, 0},
		{"half of it", object.AMD64, "mov rax, [rip+got]; mov eax, eax; xor eax, eax; ret", "488b05f92f000089c031c0c3", true, 0},
		{"half of it loaded", object.AMD64, "mov eax, [rip+got]; xor eax, eax; ret", "8b05fa2f000031c0c3", true, 0},
		{"an index", object.AMD64, "mov rax, [rip+got]; lea rax, [rax+rdi]; xor eax, eax; ret", "488b05f92f0000488d043831c0c3", true, 0},
		{"in a vector", object.AMD64, "mov rax, [rip+got]; movq xmm0, rax; xor eax, eax; ret", "488b05f92f000066480f6ec031c0c3", true, 0},
		{"in a vector, VEX", object.AMD64, "mov rax, [rip+got]; vmovq xmm0, rax; xor eax, eax; ret", "488b05f92f0000c4e1f96ec031c0c3", true, 0},
		{"in half a vector", object.AMD64, "mov rax, [rip+got]; pinsrq xmm0, rax, 1; xor eax, eax; ret", "488b05f92f000066480f3a22c00131c0c3", true, 0},
		{"in a vector, loaded", object.AMD64, "movq xmm0, [rip+got]; ret", "f30f7e05f82f0000c3", true, 0},
		{"exchanged", object.AMD64, "mov rcx, [rip+got]; xchg rcx, [rdi]; ret", "488b0df92f000048870fc3", true, 0},
		{"compared and exchanged", object.AMD64, "mov rcx, [rip+got]; cmpxchg [rdi], rcx; xor ecx, ecx; xor eax, eax; ret", "488b0df92f0000480fb10f31c931c0c3", true, 0},
		{"added to memory", object.AMD64, "mov rcx, [rip+got]; xadd [rdi], rcx; xor ecx, ecx; ret", "488b0df92f0000480fc10f31c9c3", true, 0},
		{"or with memory", object.AMD64, "mov rcx, [rip+got]; or [rdi], rcx; xor ecx, ecx; ret", "488b0df92f000048090f31c9c3", true, 0},
		{"for another part", object.AMD64, "push r12; mov r12, [rip+got]; test edi, edi; jne 0x2000; pop r12; ret", "41544c8b25f72f000085ff0f85ef0f0000415cc3", true, 0},
		{"by an unwinder", object.AMD64, "push r12; mov r12, [rip+got]; call 1f; pop r12; ret; mov [rsp+8], r12; pop r12; 1: ret", "41544c8b25f72f0000e80a000000415cc34c89642408415cc3", true, 0},
		{"not known any more in a loop", object.AMD64, "push r12; xor esi, esi; mov r12, [rip+got]; 1: add rsi, 1; test edi, edi; cmovne r12, rsi; call 2f; jmp 1b; 2: ret", "415431f64c8b25f52f00004883c60185ff4c0f45e6e802000000ebefc3", false, 0},
		{"stored behind a loop", object.AMD64, "push r12; xor esi, esi; mov r12, [rip+got]; 1: add rsi, 1; test edi, edi; cmovne r12, rsi; cmp rsi, 100; jne 1b; mov [rdi], r12; pop r12; ret", "415431f64c8b25f52f00004883c60185ff4c0f45e64883fe6475f04c8927415cc3", true, 0},
		{"a system call", object.AMD64, "mov rdi, [rip+got]; syscall; xor edi, edi; ret", "488b3df92f00000f0531ffc3", true, 0},
		{"called in a loop", object.ARM64, "stp x29, x19, [sp, #-16]!; adrp x19, got; ldr x19, [x19]; cbz x0, 2f; ldp x29, x19, [sp], #16; ret; 2: mov x0, #24; blr x19; cbnz x0, 2b; ldp x29, x19, [sp], #16; ret", "fd4fbfa9130000f0730240f9600000b4fd4fc1a8c0035fd6000380d260023fd6c0ffffb5fd4fc1a8c0035fd6", false, 1},
		{"stored", object.ARM64, "adrp x1, got; ldr x1, [x1]; str x1, [x0]; ret", "010000f0210040f9010000f9c0035fd6", true, 0},
		{"stored in a pair", object.ARM64, "adrp x1, got; ldr x1, [x1]; stp x2, x1, [x0]; ret", "010000f0210040f9020400a9c0035fd6", true, 0},
		{"an argument", object.ARM64, "adrp x1, got; ldr x1, [x1]; b 0x2000", "010000f0210040f9fe030014", true, 0},
		{"in a vector", object.ARM64, "adrp x9, got; ldr x9, [x9]; fmov d0, x9; mov x9, #0; ret", "090000f0290140f92001679e090080d2c0035fd6", true, 0},
		{"in a vector, loaded", object.ARM64, "adrp x9, got; ldr d0, [x9]; ret", "090000f0200140fdc0035fd6", true, 0},
		{"in half a vector", object.ARM64, "adrp x9, got; ldr x9, [x9]; mov v0.d[1], x9; mov x9, #0; ret", "090000f0290140f9201d184e090080d2c0035fd6", true, 0},
		{"swapped", object.ARM64, "adrp x9, got; ldr x9, [x9]; swp x9, x2, [x0]; mov x9, #0; ret", "090000f0290140f9028029f8090080d2c0035fd6", true, 0},
		{"exclusive", object.ARM64, "adrp x9, got; ldr x9, [x9]; stxr w3, x9, [x0]; mov x9, #0; ret", "090000f0290140f9097c03c8090080d2c0035fd6", true, 0},
		{"compared and swapped", object.ARM64, "adrp x9, got; ldr x9, [x9]; cas x2, x9, [x0]; mov x9, #0; ret", "090000f0290140f9097ca2c8090080d2c0035fd6", true, 0},
		{"ordered", object.ARM64, "adrp x9, got; ldr x9, [x9]; stlr x9, [x0]; mov x9, #0; ret", "090000f0290140f909fc9fc8090080d2c0035fd6", true, 0},
		{"from a page that is not known", object.ARM64, "cbz x0, 1f; adrp x9, got; b 2f; 1: mov x9, x0; 2: ldr x9, [x9]; mov x9, #0; ret", "600000b4090000f002000014e90300aa290140f9090080d2c0035fd6", true, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := program(t, test.machine, test.code, make([]byte, 16))
			f.Segments = append(f.Segments, object.Segment{Addr: 0x2000, Data: []byte{0xc3, 0, 0, 0}, Size: 4, Executable: true}) // out
			slices.SortFunc(f.Segments, func(a, b object.Segment) int { return int(a.Addr) - int(b.Addr) })
			f.Funcs = append(f.Funcs, object.Func{Addr: 0x2000, Size: 4})
			f.Symbols = []object.Symbol{{Name: "f"}, {Name: "g"}}
			f.Relocs = []object.Reloc{{Addr: dataAt, Symbol: 0, GOT: true}, {Addr: dataAt + 8, Symbol: 1, GOT: true}}
			flow := read(t, f).Flow(0)
			calls := 0
			for _, c := range flow.Calls {
				if slices.Contains(c.Slots, dataAt) {
					calls++
				}
			}
			if given := slices.Contains(flow.Given, dataAt); given != test.given || calls != test.calls {
				t.Errorf("%s: given: %t, and %d calls; want %t, %d", test.source, given, calls, test.given, test.calls)
			}
		})
	}
}

// TestGivenMany gives all away if a register can hold more than is kept apart, whether it is
// called or stored.
func TestGivenMany(t *testing.T) {
	for _, n := range []int{MaxConsts, MaxConsts + 1} {
		var text []byte
		for i := range n { // mov rcx, [rip+word i]; test edi, edi; cmovne rax, rcx
			end := codeAt + len(text) + 7
			text = append(text, 0x48, 0x8b, 0x0d)
			text = binary.LittleEndian.AppendUint32(text, uint32(dataAt+8*i-end))
			text = append(text, 0x85, 0xff, 0x48, 0x0f, 0x45, 0xc1)
		}
		f := program(t, object.AMD64, hex.EncodeToString(append(text, 0x31, 0xc9, 0xff, 0xd0, 0xc3)), make([]byte, 8*n)) // xor ecx, ecx; call rax; ret
		f.Symbols = []object.Symbol{{Name: "f"}}
		for i := range n {
			f.Relocs = append(f.Relocs, object.Reloc{Addr: uint64(dataAt + 8*i), Symbol: 0, GOT: true})
		}
		flow := read(t, f).Flow(0)
		got := 0
		for i := range n {
			if slices.Contains(flow.Given, uint64(dataAt+8*i)) {
				got++
			}
		}
		if want := map[bool]int{true: n}[n > MaxConsts]; got != want {
			t.Errorf("of %d words, %d are given, want %d", n, got, want)
		}
	}
}
