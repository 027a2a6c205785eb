package main

import (
	"encoding/binary"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/peers"
)

func TestCallsInLinesOfStrace(t *testing.T) {
	for _, tt := range []struct {
		line string
		nr   uint32
		args [6]uint64
	}{
		{"18008 brk(0)                            = 0x563a1e1ac000", unix.SYS_BRK, [6]uint64{}},
		{"18008 mmap(0, 0x2000, 0x3, 0x22, 0xffffffff, 0) = 0x7ff3fc8ff000", unix.SYS_MMAP, [6]uint64{0, 0x2000, 3, 0x22, 0xffffffff}},
		{"7 clone(0x1200011, 0, 0, 0x7f7b62d5aa10 <unfinished ...>", unix.SYS_CLONE, [6]uint64{0x1200011, 0, 0, 0x7f7b62d5aa10}},
		{"18009 exit_group(0)                     = ?", unix.SYS_EXIT_GROUP, [6]uint64{}},
		{"18009 getppid()                         = 0x1", unix.SYS_GETPPID, [6]uint64{}},
	} {
		d, ok := call(tt.line)
		if want := (cbpf.Data{NR: tt.nr, Arch: arch.X86_64.Audit(), Args: tt.args}); !ok || d != want {
			t.Errorf("%s: %v, %v", tt.line, d, ok)
		}
	}
	for _, line := range []string{
		"", "18008 <... close resumed>)              = 0", "18009 +++ exited with 0 +++", "1 syscall_0x1f7(0, 0) = -1 ENOSYS", "no_call(1)",
	} {
		if d, ok := call(line); ok {
			t.Errorf("%q: %v", line, d)
		}
	}
}

func TestExecutedInstructions(t *testing.T) {
	const load, equal, ret = 0x20, 0x15, 0x06
	p, err := cbpf.New([]bpf.RawInstruction{
		{Op: load}, {Op: equal, K: unix.SYS_READ, Jt: 2}, // 3 executed, always allowed
		{Op: load, K: 16}, {Op: ret, K: uint32(cbpf.ErrnoClass)}, {Op: ret, K: uint32(cbpf.Allow)},
	}, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	var calls []cbpf.Data
	for _, nr := range []uint32{unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READ} {
		calls = append(calls, cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()})
	}
	if got, want := executed(p, calls), (sum{missed: 1, ofMissed: 4, all: 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// A filter without bitmap means the same, is one instruction longer, and is in no bitmap.
func TestWithoutBitmap(t *testing.T) {
	profile, err := docker()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []peers.Compiler{peers.Seccompile{}, peers.Libseccomp{}} {
		p, err := c.Compile(profile.spec, profile.abis)
		if err != nil {
			t.Fatal(err)
		}
		q, err := withoutBitmap(p)
		if err != nil {
			t.Fatal(err)
		}
		for nr := range uint32(600) {
			d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit(), Args: [6]uint64{1 << 31}}
			if cached, _ := q.ConstAllow(d.Arch, nr); cached {
				t.Fatalf("the bitmap has %d", nr)
			}
			if got, want := q.Eval(&d), p.Eval(&d); got != want {
				t.Fatalf("%d gets %v, want %v", nr, got, want)
			}
		}
	}
}
