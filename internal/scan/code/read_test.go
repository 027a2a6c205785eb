package code

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan/object"
)

// facts shows what a function does, in the order of Function.
func facts(f *Function) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	for _, c := range f.Calls {
		how := "call"
		if c.Tail {
			how = "jump"
		}
		switch {
		case c.Slot != 0:
			add("%s [%#x]", how, c.Slot)
		case c.Middle != 0:
			add("%s %#x in %#x", how, c.enters(), c.To)
		default:
			add("%s %#x", how, c.To)
		}
	}
	for _, list := range []struct {
		name  string
		addrs []uint64
	}{{"mentions", f.Mentions}, {"direct", f.Direct}, {"writes", f.Written}, {"legacy", f.Legacy}, {"indirect", f.Indirect}} {
		if len(list.addrs) > 0 {
			add("%s %#x", list.name, list.addrs)
		}
	}
	if f.NoReturn {
		add("noreturn")
	}
	return strings.Join(parts, ", ")
}

func TestRead(t *testing.T) {
	got := object.Reloc{Addr: dataAt, Symbol: 0, GOT: true}
	exit := []object.Symbol{{Name: "exit"}}
	other := []object.Symbol{{Name: "puts"}}
	for _, test := range []struct {
		name    string
		machine object.Machine
		source  string
		code    string
		starts  []uint64
		symbols []object.Symbol // with a relocation of the word at dataAt if there are any
		want    []string        // by function
	}{
		{"call", object.AMD64, "call 2f; ret; .balign 16; 2: ret", "e80b000000c3662e0f1f840000000000c3",
			[]uint64{0x1010}, nil, []string{"call 0x1010", ""}},
		{"call that shows a function", object.AMD64, "call 2f; ret; .balign 16; 2: ret", "e80b000000c3662e0f1f840000000000c3",
			nil, nil, []string{"call 0x1010", ""}},
		{"tail call", object.AMD64, "jmp 2f; .balign 16; 2: ret", "eb0e66662e0f1f8400000000000f1f00c3",
			[]uint64{0x1010}, nil, []string{"jump 0x1010", ""}},
		{"runs into the next", object.AMD64, "mov eax, 1; .balign 16, 0x90; ret", "b80100000066662e0f1f840000000000c3",
			[]uint64{0x1010}, nil, []string{"jump 0x1010", ""}},
		{"into the middle", object.AMD64, "test edi, edi; je 2f; ret; .balign 16; ret; 2: ret", "85ff740dc366662e0f1f840000000000c3c3",
			[]uint64{0x1010}, nil, []string{"jump 0x1011 in 0x1010", ""}},
		{"through the GOT", object.AMD64, "call [rip+0x2ffa]; ret", "ff15fa2f0000c3", nil, other, []string{"call [0x4000]"}},
		{"PLT", object.AMD64, "jmp [rip+0x2ffa]", "ff25fa2f0000", nil, other, []string{"jump [0x4000]"}},
		{"PLT of exit", object.AMD64, "jmp [rip+0x2ffa]", "ff25fa2f0000", nil, exit, []string{"jump [0x4000], noreturn"}},
		{"does not return", object.AMD64, "call [rip+0x2ffa]", "ff15fa2f0000", nil, exit, []string{"call [0x4000], noreturn"}},
		{"through a register from the GOT", object.AMD64, "mov rax, [rip+0x2ff9]; call rax; ret", "488b05f92f0000ffd0c3",
			nil, other, []string{"call [0x4000], direct [0x4000]"}},
		{"through a register from memory", object.AMD64, "mov rax, [rip+0x2ff9]; call rax; ret", "488b05f92f0000ffd0c3",
			nil, nil, []string{"direct [0x4000], indirect [0x1007]"}},
		{"addresses", object.AMD64, "lea rax, [rip+0x2ff9]; mov rdx, [rip+0x2fff]; mov [rip+0x3000], rdx; ret",
			"488d05f92f0000488b15ff2f000048891500300000c3", nil, nil, []string{"mentions [0x4000], direct [0x400d 0x4015]"}},
		{"indirect", object.AMD64, "call rax; call [rbx+8]; jmp rdx", "ffd0ff5308ffe2", nil, nil, []string{"indirect [0x1000 0x1002 0x1005]"}},
		{"jump table", object.AMD64, "lea rdx, [rip+0x2ff9]; movsxd rax, [rdx+rdi*4]; add rax, rdx; jmp rax",
			"488d15f92f0000486304ba4801d0ffe0", nil, nil, []string{"mentions [0x4000], direct [0x4000]"}},
		{"callers of what does not return", object.AMD64, "call 1f; .balign 16; jmp 1f; .balign 16; 1: ud2",
			"e81b00000066662e0f1f840000000000eb0e66662e0f1f8400000000000f1f000f0b", []uint64{0x1010, 0x1020}, nil,
			[]string{"call 0x1020, noreturn", "jump 0x1020, noreturn", "noreturn"}},
		{"calls itself for ever", object.AMD64, "1: call 1b", "e8fbffffff", nil, nil, []string{"call 0x1000, noreturn"}},
		{"calls, aarch64", object.ARM64, "bl 2f; ret; 2: b 1f; 1: ret", "02000094c0035fd601000014c0035fd6",
			[]uint64{0x1008, 0x100c}, nil, []string{"call 0x1008", "jump 0x100c", ""}},
		{"through the GOT, aarch64", object.ARM64, "adrp x0, 0x4000; ldr x0, [x0]; blr x0; ret", "000000f0000040f900003fd6c0035fd6",
			nil, other, []string{"call [0x4000], direct [0x4000]"}},
		{"pages behind a call and another page", object.ARM64,
			"adrp x19, 0x4000; cbz x0, 1f; adrp x19, 0x5000; b 2f; 1: bl 3f; add x0, x19, #0x18; 2: ldr x1, [x19, #0x20]; ret; 3: ret",
			"130000f0600000b433000090030000140400009460620091611240f9c0035fd6c0035fd6", []uint64{0x1020}, nil,
			[]string{"call 0x1020, mentions [0x4018], direct [0x4020 0x5020]", ""}},
		{"variables from the address of another, behind a branch", object.ARM64,
			"adrp x19, 0x4000; add x21, x19, #0x10; cbz x0, 1f; mov x21, x0; b 2f; 1: bl 3f; add x0, x21, #0x18; 2: ret; 3: ret",
			"130000f075420091600000b4f50300aa0300001403000094a0620091c0035fd6c0035fd6", []uint64{0x1020}, nil,
			[]string{"call 0x1020, mentions [0x4010 0x4028]", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := program(t, test.machine, test.code, make([]byte, 0x2000), test.starts...)
			if test.symbols != nil {
				f.Symbols, f.Relocs = test.symbols, []object.Reloc{got}
			}
			m := read(t, f)
			var got []string
			for i := range m.Funcs {
				got = append(got, facts(&m.Funcs[i]))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s:\n got %q\nwant %q", test.source, got, test.want)
			}
		})
	}
}

// TestJumpTable follows a jump through a table, whose targets are reached with what was known
// at the jump, and not with what stands before them.
func TestJumpTable(t *testing.T) {
	// lea rdx, [rip+0x2ff9]; movsxd rax, [rdx+rdi*4]; add rax, rdx; mov ebx, 5; jmp rax
	// 1: mov eax, ebx; syscall; ret; 2: mov eax, ebx; syscall; ret
	const code = "488d15f92f0000 486304ba 4801d0 bb05000000 ffe0 89d8 0f05 c3 89d8 0f05 c3"
	var table []byte
	for _, target := range []int32{0x1015, 0x101a} {
		table = binary.LittleEndian.AppendUint32(table, uint32(target-dataAt))
	}
	m := read(t, program(t, object.AMD64, code, append(table, make([]byte, 8)...)))
	for _, s := range m.Flow(0).Sites {
		if got := text(s.Number); got != "5" {
			t.Errorf("%#x: number is %s, want 5", s.At, got)
		}
	}
}

// TestEntry passes values to a wrapper, whose number and first argument are what it finds on entry.
func TestEntry(t *testing.T) {
	for _, test := range []struct {
		machine object.Machine
		code    string
		starts  []uint64
		arg     Place
		word    Place
		want    []string // of callers: number and argument
		site    string
	}{
		// mov edi, 39; jmp 1f; .balign 16; push 7; mov edi, 60; call 1f; pop rax; ret; .balign 16;
		// 1: mov eax, edi; mov rdi, [rsp+8]; syscall; ret
		{object.AMD64, "bf27000000eb19660f1f840000000000 6a07bf3c000000e80400000058c36690 89f8488b7c24080f05c3",
			[]uint64{0x1010, 0x1020}, Place(rdi), Stack(0), []string{"39, stack 0", "60, 7"}, "r7, stack 0"},
		// mov x0, #172; b 1f; .balign 16; sub sp, sp, #32; mov x1, #93; str x1, [sp, #8]; mov x0, #5; bl 1f;
		// add sp, sp, #32; ret; .balign 16; 1: mov x8, x0; ldr x0, [sp, #8]; svc #0; ret
		{object.ARM64, "801580d20b0000141f2003d51f2003d5 ff8300d1a10b80d2e10700f9a00080d204000094ff830091c0035fd61f2003d5" +
			"e80300aae00740f9010000d4c0035fd6", []uint64{0x1010, 0x1030}, 0, Stack(1), []string{"172, stack 1", "5, 93"}, "r0, stack 1"},
	} {
		m := read(t, program(t, test.machine, test.code, nil, test.starts...))
		for i, want := range test.want {
			c := m.Flow(i).Calls[0]
			if got := text(c.Entry(test.arg)) + ", " + text(c.Entry(test.word)); got != want {
				t.Errorf("machine %d, function %d passes %s, want %s", test.machine, i, got, want)
			}
		}
		s := m.Flow(2).Sites[0]
		if got := text(s.Number) + ", " + text(s.Args[0]); got != test.site {
			t.Errorf("machine %d: number and argument are %s, want %s", test.machine, got, test.site)
		}
	}
}

// TestData reads what memory holds: constants, addresses by relocation, and a variable of a Go
// program that nothing writes, or that one function sets to a constant.
func TestData(t *testing.T) {
	const load = "8b05fa2f0000 0f05 c3"        // mov eax, [rip+0x2ffa]; syscall; ret
	const store = " c705 ed2f0000 08000000 c3" // mov dword ptr [0x4000], 8; ret
	data := []byte{7, 0, 0, 0, 0, 0, 0, 0}
	for _, test := range []struct {
		name   string
		code   string
		change func(f *object.File)
		want   string
	}{
		{"read-only", load, func(*object.File) {}, "7"},
		{"written before it is sealed", load, func(f *object.File) { f.Segments[1].Sealed = true }, "? 7"},
		{"writable", load, func(f *object.File) { f.Segments[1].Writable = true }, "? 7"},
		{"relocated", load, func(f *object.File) { f.Relocs = []object.Reloc{{Addr: dataAt, Symbol: -1, Addend: 9}} }, "?"},
		{"variable of Go", load, func(f *object.File) { f.Segments[1].Writable, f.Go = true, &object.Go{} }, "7"},
		{"variable of Go that is set", load + store, func(f *object.File) { f.Segments[1].Writable, f.Go = true, &object.Go{} }, "7 8"},
		{"variable of Go with a pointer to it", load, func(f *object.File) {
			f.Segments[1].Writable, f.Go = true, &object.Go{}
			f.Segments = append(f.Segments, object.Segment{Addr: 0x5000, Data: []byte{0, 0x40, 0, 0, 0, 0, 0, 0}, Size: 8})
		}, "? 7"},
	} {
		f := program(t, object.AMD64, test.code, data)
		test.change(f)
		if got := text(read(t, f).Flow(0).Sites[0].Number); got != test.want {
			t.Errorf("%s: number is %s, want %s", test.name, got, test.want)
		}
	}
}

// TestTarget finds the function that is called through a register.
func TestTarget(t *testing.T) {
	// lea rax, [rip+8]; mov edi, 3; call rax; ret; nop; ret
	m := read(t, program(t, object.AMD64, "488d0509000000 bf03000000 ffd0 c3 90 c3", nil, 0x1010))
	c := m.Flow(0).Calls
	if len(c) != 1 || text(c[0].Target) != "@0x1010" || text(c[0].Entry(Place(rdi))) != "3" {
		t.Errorf("calls are %+v", c)
	}
}

// TestGaps divides the space between functions: by calls into it and by what ends in it, and
// takes for data what no program could execute.
func TestGaps(t *testing.T) {
	// call 0x1020; lea rax, [rip+0x34]; ret; then at 0x1020 mov eax, 60; syscall; hlt; at 0x1030, which nothing
	// leads to, mov eax, edi; ret; at 0x1040, which is mentioned, a table with the bytes of int 0x80
	const code = "e81b000000 488d0534000000 c3 0f1f00" + "00000000000000000000000000000000" +
		"b83c000000 0f05 f4 0f1f8400000000 00" + "89f8 c3 660f1f440000 0f1f80000000 00" + "e0bac a00 07 cd80 0108 0d0f"
	f := program(t, object.AMD64, code, nil, 0x1010)
	f.Funcs[1].Gap = true
	m := read(t, f)
	var got []string
	for i := range m.Funcs {
		got = append(got, fmt.Sprintf("%#x %d %s", f.Funcs[i].Addr, len(m.Funcs[i].Sites), facts(&m.Funcs[i])))
	}
	want := []string{"0x1000 0 call 0x1020, mentions [0x1040]", "0x1010 0 jump 0x1020, noreturn", "0x1020 1 noreturn", "0x1030 0 ", "0x1040 0 "}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// TestResultWords calls a function of Go in assembly, which leaves its result in a word of the
// caller, and keeps another word.
func TestResultWords(t *testing.T) {
	// sub rsp, 40; mov qword ptr [rsp], 39; mov qword ptr [rsp+8], 5; mov qword ptr [rsp+24], 7; call 1f;
	// mov rax, [rsp+8]; syscall; mov rax, [rsp+24]; syscall; add rsp, 40; ret; .balign 16;
	// 1: mov rax, [rsp+8]; push rbp; mov [rsp+24], rax; pop rbp; ret
	const code = "4883ec2848c704242700000048c74424080500000048c744241807000000e81d000000488b4424080f05488b4424180f054883c428c3" +
		"662e0f1f840000000000 488b4424085548894424185dc3"
	f := program(t, object.AMD64, code, nil, 0x1040)
	f.Go = &object.Go{}
	sites := read(t, f).Flow(0).Sites
	if got := text(sites[0].Number) + ", " + text(sites[1].Number); got != "?, 7" {
		t.Errorf("numbers are %s, want ?, 7", got)
	}
}

// TestEntryBehindBranch has a function end in a branch to another, and run into the next.
func TestEntryBehindBranch(t *testing.T) {
	// mov edi, 5; test esi, esi; je 0x100c; ret; nop; nop; 0x100c: ret
	m := read(t, program(t, object.AMD64, "bf05000000 85f6 7403 c3 9090 c3", nil, 0x1009, 0x100c))
	c := m.Flow(0).Calls
	if len(c) != 2 {
		t.Fatalf("calls are %s", facts(&m.Funcs[0]))
	}
	for i := range c {
		if got := text(c[i].Entry(Place(rdi))); got != "5" {
			t.Errorf("call %d passes %q, want 5", i, got)
		}
	}
}
