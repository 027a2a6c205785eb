package foreign

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"runtime"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// filter answers a to one number of an ABI and allows all others.
func filter(t *testing.T, abi arch.ABI, nr uint32, a cbpf.Action) *cbpf.Program {
	t.Helper()
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: cbpf.OffNR, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: nr, SkipFalse: 1},
		bpf.RetConstant{Val: uint32(a)},
		bpf.RetConstant{Val: uint32(cbpf.Allow)},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := cbpf.New(raw, abi.ByteOrder())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestExecutablesAreELF(t *testing.T) {
	made := 0
	for abi := range arch.All() {
		x, ok := assemble(abi, filter(t, abi, 1, cbpf.Errno(7)), []Call{{NR: 1}, {NR: 2}})
		if !ok {
			continue
		}
		made++
		f, err := elf.NewFile(bytes.NewReader(x.image))
		if err != nil {
			t.Errorf("%v: %v", abi, err)
			continue
		}
		if f.ByteOrder != abi.ByteOrder() || f.Class != elf.ELFCLASS32 || f.Entry != base+codeOff || len(f.Progs) != 1 {
			t.Errorf("%v: %+v", abi, f.FileHeader)
		}
		if x.count != 4 || x.records%recordSize != 0 || len(x.image) != x.records+4*recordSize {
			t.Errorf("%v: %d records at %#x of %#x bytes", abi, x.count, x.records, len(x.image))
		}
	}
	if made < 9 {
		t.Errorf("code for %d ABIs", made)
	}
}

// An x86_64 kernel runs i386 programs.
func TestRun(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("needs the kernel of an x86_64 machine")
	}
	getpid, getppid := number(arch.X86, "getpid"), number(arch.X86, "getppid")
	calls := []Call{{NR: uint64(getppid)}, {NR: uint64(getpid)}, {NR: 0xfff}}
	tests := []struct {
		name   string
		filter *cbpf.Program
		want   [3]int64 // 1 stands for a positive result
		death  unix.Signal
	}{
		{"no filter", nil, [3]int64{int64(os.Getpid()), 1, -int64(unix.ENOSYS)}, 0},
		{"errno", filter(t, arch.X86, getppid, cbpf.Errno(200)), [3]int64{-200, 1, -int64(unix.ENOSYS)}, 0},
		{"kill", filter(t, arch.X86, getpid, cbpf.KillProcess), [3]int64{}, unix.SIGSYS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Run(arch.X86, tt.filter, calls)
			if errors.Is(err, unix.ENOEXEC) {
				t.Skip("this kernel runs no i386 programs")
			}
			var death Death
			if errors.As(err, &death); death.Signal != tt.death || err != nil && tt.death == 0 {
				t.Fatalf("error %v, want signal %v", err, tt.death)
			}
			for i := range got {
				if got[i] != tt.want[i] && (tt.want[i] != 1 || got[i] <= 0) {
					t.Errorf("call %d: %d, want %d", i, got[i], tt.want[i])
				}
			}
		})
	}
}
