package code

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// codeAt is where the code of tests lies; data that can only be read follows at dataAt.
const (
	codeAt = 0x1000
	dataAt = 0x4000
)

// program returns a file of one machine with the given code, cut into functions at the given
// places, and data.
func program(t *testing.T, machine object.Machine, code string, data []byte, starts ...uint64) *object.File {
	t.Helper()
	text, err := hex.DecodeString(strings.ReplaceAll(code, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	f := &object.File{Machine: machine, Segments: []object.Segment{
		{Addr: codeAt, Data: text, Size: uint64(len(text)), Executable: true},
		{Addr: dataAt, Data: data, Size: uint64(len(data))},
	}}
	starts = append([]uint64{codeAt}, starts...)
	for i, start := range starts {
		end := codeAt + uint64(len(text))
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		f.Funcs = append(f.Funcs, object.Func{Addr: start, Size: end - start})
	}
	return f
}

func read(t *testing.T, f *object.File) *Module {
	t.Helper()
	m, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// text shows a value: "?" for unknown, numbers, addresses as "@0x1000" and places on entry as "r7" or "stack 0".
func text(v Value) string {
	var parts []string
	if v.Unknown {
		parts = append(parts, "?")
	}
	for _, c := range v.Consts {
		parts = append(parts, fmt.Sprint(c))
	}
	for _, a := range v.Addrs {
		parts = append(parts, fmt.Sprintf("@%#x", a))
	}
	for _, p := range v.Entry {
		if p >= Stack(0) {
			parts = append(parts, fmt.Sprintf("stack %d", p-Stack(0)))
		} else {
			parts = append(parts, fmt.Sprintf("r%d", p))
		}
	}
	return strings.Join(parts, " ")
}

// TestNumbers reads one function each and finds the numbers of its system calls. The code is
// what GNU as makes of the source beside it.
func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		name    string
		machine object.Machine
		source  string
		code    string
		want    string // numbers of the sites, in their order
	}{
		{"constant", object.AMD64, "mov eax, 59; syscall; ret", "b83b0000000f05c3", "59"},
		{"cleared", object.AMD64, "xor eax, eax; syscall; ret", "31c00f05c3", "0"},
		{"all ones and", object.AMD64, "or eax, -1; and eax, 0xff; syscall; ret", "83c8ff25ff0000000f05c3", "255"},
		{"pushed", object.AMD64, "push 39; pop rax; syscall; ret", "6a27580f05c3", "39"},
		{"one byte", object.AMD64, "xor eax, eax; mov al, 102; syscall; ret", "31c0b0660f05c3", "102"},
		{"high byte", object.AMD64, "mov eax, 1; mov ah, 1; syscall; ret", "b801000000b4010f05c3", "?"},
		{"register", object.AMD64, "mov rax, rdi; syscall; ret", "4889f80f05c3", "r7"},
		{"register of four bytes", object.AMD64, "mov eax, edi; syscall; ret", "89f80f05c3", "r7"},
		{"word of the caller", object.AMD64, "mov rax, [rsp+8]; syscall; ret", "488b4424080f05c3", "stack 0"},
		{"word of the caller, below a frame", object.AMD64, "push rbx; sub rsp, 0x20; mov rax, [rsp+0x30]; syscall; add rsp, 0x20; pop rbx; ret", "534883ec20488b4424300f054883c4205bc3", "stack 0"},
		{"spilled", object.AMD64, "sub rsp, 24; mov qword ptr [rsp+8], 7; call 1f; mov rax, [rsp+8]; syscall; add rsp, 24; 1: ret", "4883ec1848c744240807000000e80b000000488b4424080f054883c418c3", "7"},
		{"kept over a call", object.AMD64, "push rbx; mov ebx, 12; call 1f; mov eax, ebx; syscall; pop rbx; 1: ret", "53bb0c000000e80500000089d80f055bc3", "12"},
		{"lost in a call", object.AMD64, "mov eax, 12; call 1f; syscall; 1: ret", "b80c000000e8020000000f05c3", "?"},
		{"either", object.AMD64, "mov eax, 1; test edi, edi; je 1f; mov eax, 2; 1: syscall; ret", "b80100000085ff7405b8020000000f05c3", "1 2"},
		{"conditional move", object.AMD64, "mov eax, 3; mov ecx, 4; test edi, edi; cmovne eax, ecx; syscall; ret", "b803000000b90400000085ff0f45c10f05c3", "3 4"},
		{"known in a loop", object.AMD64, "mov ebx, 202; 1: mov eax, ebx; syscall; test eax, eax; jne 1b; ret", "bbca00000089d80f0585c075f8c3", "202"},
		{"counted", object.AMD64, "xor ebx, ebx; 1: mov eax, ebx; syscall; add ebx, 1; cmp ebx, 100; jne 1b; ret", "31db89d80f0583c30183fb6475f4c3", "?"},
		{"compared", object.AMD64, "mov rax, rdi; cmp rax, 24; jne 1f; syscall; 1: ret", "4889f84883f81875020f05c3", "24"},
		{"compared, changed flags", object.AMD64, "mov rax, rdi; cmp rax, 24; cmp edi, esi; jne 1f; syscall; 1: ret", "4889f84883f81839f775020f05c3", "r7"},
		{"own result", object.AMD64, "mov eax, 57; syscall; syscall; ret", "b8390000000f050f05c3", "57, ?"},
		{"result in RCX", object.AMD64, "mov ecx, 1; mov eax, 57; syscall; mov eax, ecx; syscall; ret", "b901000000b8390000000f0589c80f05c3", "57, ?"},
		{"escaped", object.AMD64, "sub rsp, 24; mov dword ptr [rsp+8], 7; lea rdi, [rsp+8]; call 1f; mov eax, [rsp+8]; syscall; add rsp, 24; 1: ret", "4883ec18c744240807000000488d7c2408e80a0000008b4424080f054883c418c3", "? 7"},
		{"not escaped below", object.AMD64, "sub rsp, 24; mov dword ptr [rsp+4], 7; lea rdi, [rsp+8]; call 1f; mov eax, [rsp+4]; syscall; add rsp, 24; 1: ret", "4883ec18c744240407000000488d7c2408e80a0000008b4424040f054883c418c3", "7"},
		{"behind an unknown index", object.AMD64, "sub rsp, 24; mov dword ptr [rsp+8], 7; mov dword ptr [rsp+rdi*4+8], esi; mov eax, [rsp+8]; syscall; add rsp, 24; ret", "4883ec18c7442408070000008974bc088b4424080f054883c418c3", "? 7"},
		{"cut", object.AMD64, "sub rsp, 24; mov qword ptr [rsp+8], 7; mov byte ptr [rsp+9], sil; mov eax, [rsp+8]; syscall; add rsp, 24; ret", "4883ec1848c74424080700000040887424098b4424080f054883c418c3", "?"},
		{"aligned stack", object.AMD64, "push rbp; mov rbp, rsp; and rsp, -32; sub rsp, 32; mov qword ptr [rsp], 5; call 1f; mov rax, [rsp]; syscall; leave; 1: ret", "554889e54883e4e04883ec2048c7042405000000e807000000488b04240f05c9c3", "5"},
		{"frame", object.AMD64, "push rbp; mov rbp, rsp; sub rsp, 16; mov dword ptr [rbp-4], 6; call 1f; mov eax, [rbp-4]; syscall; leave; 1: ret", "554889e54883ec10c745fc06000000e8060000008b45fc0f05c9c3", "6"},
		{"dead code", object.AMD64, "mov eax, 8; jmp 1f; nop; nop; 1: syscall; ret", "b808000000eb0290900f05c3", "8"},
		{"behind what does not return", object.AMD64, "mov ebx, 9; test edi, edi; je 1f; call 2f; 1: mov eax, ebx; syscall; ret; 2: ud2", "bb0900000085ff7405e80500000089d80f05c30f0b", "9"},
		{"only an unwinder", object.AMD64, "mov eax, 9; syscall; ret; syscall; ret", "b8090000000f05c30f05c3", "9, ?"},
		{"lock prefix jumped over", object.AMD64, "mov ebx, 4; test edi, edi; je 1f; .byte 0xf0; 1: cmpxchg [rsi], ecx; mov eax, ebx; syscall; ret", "bb0400000085ff7401f00fb10e89d80f05c3", "4"},
		{"vector", object.AMD64, "mov ebx, 3; vzeroupper; mulx rax, rcx, rbx; mov eax, ebx; syscall; ret", "bb03000000c5f877c4e2f3f6c389d80f05c3", "3"},
		{"MULX", object.AMD64, "mov eax, 3; mulx rax, rcx, rbx; syscall; ret", "b803000000c4e2f3f6c30f05c3", "?"},
		{"exchanged", object.AMD64, "mov eax, 3; xchg rax, rbx; syscall; ret", "b80300000048930f05c3", "?"},
		{"divided", object.AMD64, "mov eax, 300; xor edx, edx; div ecx; syscall; ret", "b82c01000031d2f7f10f05c3", "?"},
		{"32 bits", object.AMD64, "mov eax, 11; int 0x80; ret", "b80b000000cd80c3", "11"},
		{"SYSENTER", object.AMD64, "mov eax, 20; sysenter; ret", "b8140000000f34c3", "20"},
		{"other interrupt", object.AMD64, "mov eax, 20; int 3; ret", "b814000000ccc3", ""},
		{"shifted", object.AMD64, "mov eax, 1; shl eax, 4; add eax, 3; shr eax, 1; syscall; ret", "b801000000c1e00483c003d1e80f05c3", "9"},
		{"negative", object.AMD64, "mov rax, -1; syscall; ret", "48c7c0ffffffff0f05c3", "4294967295"},
		{"sign", object.AMD64, "mov eax, 0x80; movsx eax, al; syscall; ret", "b8800000000fbec00f05c3", "4294967168"},
		{"string", object.AMD64, "sub rsp, 40; mov dword ptr [rsp+8], 7; lea rdi, [rsp]; mov ecx, 4; rep stosq; mov eax, [rsp+8]; syscall; add rsp, 40; ret", "4883ec28c744240807000000488d3c24b904000000f348ab8b4424080f054883c428c3", "? 7"},
		{"call of the next instruction", object.AMD64, "push 39; call 1f; 1: pop rbx; pop rax; syscall; ret", "6a27e8000000005b580f05c3", "39"},
		{"constant", object.ARM64, "mov x8, #221; svc #0; ret", "a81b80d2010000d4c0035fd6", "221"},
		{"large", object.ARM64, "mov w8, #1; movk w8, #2, lsl #16; svc #0; ret", "280080524800a072010000d4c0035fd6", "131073"},
		{"negative", object.ARM64, "mov x8, #-1; svc #0; ret", "08008092010000d4c0035fd6", "4294967295"},
		{"register", object.ARM64, "mov x8, x0; svc #0; ret", "e80300aa010000d4c0035fd6", "r0"},
		{"mask", object.ARM64, "mov w8, #0xff0; and w8, w8, #0xf0; svc #0; ret", "08fe8152080d1c12010000d4c0035fd6", "240"},
		{"word of the caller", object.ARM64, "ldr x8, [sp, #8]; svc #0; ret", "e80740f9010000d4c0035fd6", "stack 1"},
		{"word of the caller, below a frame", object.ARM64, "stp x29, x30, [sp, #-32]!; mov x29, sp; ldr x8, [x29, #40]; svc #0; ldp x29, x30, [sp], #32; ret", "fd7bbea9fd030091a81740f9010000d4fd7bc2a8c0035fd6", "stack 1"},
		{"spilled", object.ARM64, "stp x29, x30, [sp, #-32]!; mov x8, #7; str x8, [sp, #16]; bl 1f; ldr x8, [sp, #16]; svc #0; ldp x29, x30, [sp], #32; 1: ret", "fd7bbea9e80080d2e80b00f904000094e80b40f9010000d4fd7bc2a8c0035fd6", "7"},
		{"kept over a call", object.ARM64, "stp x29, x19, [sp, #-16]!; mov w19, #12; bl 1f; mov w8, w19; svc #0; ldp x29, x19, [sp], #16; 1: ret", "fd4fbfa99301805204000094e803132a010000d4fd4fc1a8c0035fd6", "12"},
		{"lost in a call", object.ARM64, "mov w8, #12; bl 1f; svc #0; 1: ret", "8801805202000094010000d4c0035fd6", "?"},
		{"selected", object.ARM64, "mov w1, #3; mov w2, #4; cmp w0, #0; csel w8, w1, w2, eq; svc #0; ret", "61008052820080521f0000712800821a010000d4c0035fd6", "3 4"},
		{"incremented", object.ARM64, "mov w1, #3; cmp w0, #0; csinc w8, w1, wzr, eq; svc #0; ret", "610080521f00007128049f1a010000d4c0035fd6", "1 3"},
		{"either", object.ARM64, "mov w8, #1; cbz w0, 1f; mov w8, #2; 1: svc #0; ret", "280080524000003448008052010000d4c0035fd6", "1 2"},
		{"compared", object.ARM64, "cmp x0, #24; b.ne 1f; mov x8, x0; svc #0; 1: ret", "1f6000f161000054e80300aa010000d4c0035fd6", "24"},
		{"zero", object.ARM64, "cbnz x0, 1f; mov x8, x0; svc #0; 1: ret", "600000b5e80300aa010000d4c0035fd6", "0"},
		{"not zero", object.ARM64, "cbz x0, 1f; mov x8, x0; svc #0; 1: ret", "600000b4e80300aa010000d4c0035fd6", "r0"},
		{"result", object.ARM64, "mov x0, #5; mov x8, #56; svc #0; mov x8, x0; svc #0; ret", "a00080d2080780d2010000d4e80300aa010000d4c0035fd6", "56, ?"},
		{"escaped", object.ARM64, "stp x29, x30, [sp, #-32]!; mov w8, #7; str w8, [sp, #24]; add x0, sp, #24; bl 1f; ldr w8, [sp, #24]; svc #0; ldp x29, x30, [sp], #32; 1: ret", "fd7bbea9e8008052e81b00b9e063009104000094e81b40b9010000d4fd7bc2a8c0035fd6", "? 7"},
		{"literal", object.ARM64, "ldr w8, 1f; svc #0; ret; 1: .word 98", "68000018010000d4c0035fd662000000", "98"},
		{"shifted", object.ARM64, "mov w8, #3; lsl w8, w8, #4; add w8, w8, w8, lsl #1; svc #0; ret", "68008052086d1c530805080b010000d4c0035fd6", "144"},
		{"sign", object.ARM64, "mov w1, #0x80; sxtb w8, w1; svc #0; ret", "01108052281c0013010000d4c0035fd6", "4294967168"},
		{"atomic", object.ARM64, "mov w8, #5; .arch armv8.1-a; ldadd w1, w8, [x2]; svc #0; ret", "a8008052480021b8010000d4c0035fd6", "?"},
		{"pair through its own base", object.ARM64, "mov x0, #9; mov x8, #3; ldp x0, x8, [x0]; svc #0; ret", "200180d2680080d2002040a9010000d4c0035fd6", "?"},
		{"hints", object.ARM64, "hint #34; mov x8, #64; hint #25; svc #0; hint #29; ret", "5f2403d5080880d23f2303d5010000d4bf2303d5c0035fd6", "64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := read(t, program(t, test.machine, test.code, nil))
			var got []string
			for _, s := range m.Flow(0).Sites {
				got = append(got, text(s.Number))
			}
			if got := strings.Join(got, ", "); got != test.want {
				t.Errorf("%s: numbers are %s, want %s", test.source, got, test.want)
			}
		})
	}
}
