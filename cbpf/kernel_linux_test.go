package cbpf

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// inChild re-executes a test, so that it may install filters, and reports whether
// this is the child.
func inChild(t *testing.T) bool {
	const mark = "CBPF_TEST_CHILD"
	if os.Getenv(mark) == t.Name() {
		runtime.LockOSThread() // never unlocked: the thread ends with its filters
		return true
	}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0,
		uintptr(unsafe.Pointer(&[]uint32{uint32(Allow)}[0]))); errno != 0 {
		t.Skipf("this kernel filters no system calls: %v", errno)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), mark+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if t.Logf("child:\n%s", out); err != nil {
		t.Errorf("child: %v", err)
	}
	return false
}

// install hands a program to the kernel, for this thread only.
func install(raw []bpf.RawInstruction) error {
	prog := unix.SockFprog{Len: uint16(len(raw)), Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(raw)))}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}

// TestVerifyAgreesWithKernel asks the kernel about mutated programs, in a thread
// that has used up its budget of instructions: what passes the checks then fails
// with ENOMEM and is not installed, the rest fails with EINVAL.
func TestVerifyAgreesWithKernel(t *testing.T) {
	if !inChild(t) {
		return
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{4096, 256, 1} {
		var err error
		for filter := slices.Repeat([]bpf.RawInstruction{ret}, n); err == nil; {
			err = install(filter)
		}
		if !errors.Is(err, unix.ENOMEM) {
			t.Fatal(err)
		}
	}
	accepted, refused := 0, 0
	check := func(raw []bpf.RawInstruction) {
		t.Helper()
		err := install(raw)
		switch {
		case errors.Is(err, unix.ENOMEM):
			accepted++
		case errors.Is(err, unix.EINVAL):
			refused++
		default:
			t.Fatalf("the kernel says %v", err)
		}
		if ours := Verify(raw); (ours == nil) != errors.Is(err, unix.ENOMEM) {
			t.Errorf("the kernel says %v, we say %v of %v", err, ours, raw)
		}
	}
	for op := range 0x200 {
		for _, k := range []uint32{0, 1, 4, 15, 16, 31, 32, 60, 62, 64} {
			check([]bpf.RawInstruction{{Op: uint16(op), Jt: 1, K: k}, ret, ret})
		}
	}
	for _, n := range []int{0, 1, 4095, 4096, 4097, 65535} {
		check(slices.Repeat([]bpf.RawInstruction{ret}, n))
	}
	g := newGenerator(3)
	for range 20000 {
		raw := g.instructions(1 + g.IntN(16))
		for range g.IntN(3) {
			g.mutate(raw)
		}
		check(raw)
	}
	if accepted < 4000 || refused < 4000 {
		t.Errorf("one-sided: %d accepted, %d refused", accepted, refused)
	}
}

// mutate changes one field of one instruction.
func (g generator) mutate(raw []bpf.RawInstruction) {
	ins := &raw[g.IntN(len(raw))]
	rest := len(raw) + 1
	switch g.IntN(6) {
	case 0:
		ins.Op = uint16(g.Uint32())
	case 1:
		ins.Op = opcodes()[g.IntN(len(syntax))]
	case 2:
		ins.Op = []uint16{opSt, opStx, opLdMem, opLdxMem}[g.IntN(4)]
		ins.K = g.Uint32N(18)
	case 3:
		ins.K = []uint32{0, 2, 15, 16, 31, 32, 60, 64, 1<<32 - 1, uint32(rest)}[g.IntN(10)]
	case 4:
		ins.K = g.Uint32N(uint32(rest))
	case 5:
		ins.Jt, ins.Jf = uint8(g.IntN(rest)), uint8(g.IntN(rest))
	}
}

// auditOf holds the AUDIT_ARCH values of the machines that run the next test: some
// of those whose JITs shift by five bits of X.
var auditOf = map[string]uint32{"amd64": auditX86_64, "arm64": auditAArch64, "riscv64": 0xc00000f3}

// TestEvalAgreesWithKernel has the kernel compute. Each program answers one unused
// call number with an error number made of its result, and allows the rest.
func TestEvalAgreesWithKernel(t *testing.T) {
	audit, known := auditOf[runtime.GOARCH]
	if !known {
		t.Skipf("no AUDIT_ARCH value for %s here", runtime.GOARCH)
	}
	if !inChild(t) {
		return
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	const programs, firstNR = 400, 5000
	g := newGenerator(4)
	var installed []*Program
	for nr := uint32(firstNR); nr < firstNR+programs; nr++ {
		p, err := New(g.answering(nr), nativeOrder())
		if err != nil {
			t.Fatal(err)
		}
		if err := install(p.insns); err != nil {
			t.Fatalf("%v\n%s", err, p.Disassemble(nil))
		}
		installed = append(installed, p)
	}
	compared, far := 0, 0
	for i, p := range installed {
		for range 8 {
			d := g.data(p)
			d.NR, d.Arch = firstNR+uint32(i), audit
			want, steps := p.Trace(d)
			if want.Class() != ErrnoClass {
				continue // a division by 0, which would kill
			}
			a := &d.Args
			r1, _, errno := unix.RawSyscall6(uintptr(d.NR), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]),
				uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
			if uint16(errno) != want.Data() || errno == 0 && r1 != 0 {
				t.Fatalf("errno %d, Eval %v for %+v\n%s", errno, want, d, p.Disassemble(nil))
			}
			compared++
			if shiftsFar(p, steps) {
				far++
			}
		}
	}
	if compared < programs || far == 0 {
		t.Errorf("only %d runs compared, %d of them with shifts beyond a word", compared, far)
	}
}

// answering returns a program that answers the call number nr by an ERRNO with the
// low nine bits of a random computation: from 512 on, some numbers have a meaning
// of their own when a signal is pending (linux/errno.h: ERESTARTSYS).
func (g generator) answering(nr uint32) []bpf.RawInstruction {
	raw := []bpf.RawInstruction{
		{Op: opLdAbs, K: OffNR},
		{Op: opJeqK, K: nr, Jt: 1},
		ret,
		{Op: opLdImm},
	}
	body := g.instructions(3 + g.IntN(15))
	for i := range body {
		switch {
		case body[i].Op == opRetK || body[i].Op == opRetA:
			body[i] = bpf.RawInstruction{Op: opRshK, K: 1}
		case body[i].Op == opLdAbs && (body[i].K == OffIP || body[i].K == OffIP+4):
			body[i].K = OffArgs
		}
	}
	for pc := range unwrittenReads(body) {
		body[pc] = bpf.RawInstruction{Op: opNeg}
	}
	raw = append(raw, body...)
	return append(raw,
		bpf.RawInstruction{Op: opLdxImm, K: g.Uint32N(70)},
		bpf.RawInstruction{Op: []uint16{opLshX, opRshX}[g.IntN(2)]},
		bpf.RawInstruction{Op: opTax},
		bpf.RawInstruction{Op: opRshK, K: 16},
		bpf.RawInstruction{Op: opXorX},
		bpf.RawInstruction{Op: opAndK, K: 0x1ff},
		bpf.RawInstruction{Op: opOrK, K: uint32(ErrnoClass)},
		bpf.RawInstruction{Op: opRetA})
}
