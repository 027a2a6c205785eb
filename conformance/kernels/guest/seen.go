package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
	"github.com/seccompile/seccompile/conformance/kernels/internal/foreign"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/syscalltables"
)

// checkSeen finds out what a filter sees of a call through each ABI: its number,
// its AUDIT_ARCH value and both halves of its arguments.
func checkSeen(s *suite) error {
	for _, abi := range s.callers {
		if err := s.do("seen/"+abi.String()+"/arguments", func() error { return s.arguments(abi) }); err != nil {
			return err
		}
		for _, t := range numbers(abi) {
			if err := s.do("seen/"+abi.String()+"/"+t.name, func() error { return t.check(s, abi) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// number returns the number of a call that every ABI has.
func number(abi arch.ABI, name string) uint32 {
	c, _ := syscalltables.Lookup(name)
	nr, _ := c.Number(abi)
	return nr
}

// on returns the program that answers a to one number of one ABI and allows all
// other calls.
func on(abi arch.ABI, nr uint32, a cbpf.Action) (*cbpf.Program, error) {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: cbpf.OffArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: abi.Audit(), SkipTrue: 3},
		bpf.LoadAbsolute{Off: cbpf.OffNR, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: nr, SkipTrue: 1},
		bpf.RetConstant{Val: uint32(a)},
		bpf.RetConstant{Val: uint32(cbpf.Allow)},
	})
	if err != nil {
		return nil, err
	}
	return cbpf.New(raw, abi.ByteOrder())
}

// arguments has a listener tell what it sees of a call with six arguments, the
// halves of which all differ.
func (s *suite) arguments(abi arch.ABI) error {
	nr := number(abi, "getppid")
	p, err := on(abi, nr, cbpf.Notify)
	if err != nil {
		return err
	}
	call := foreign.Call{NR: uint64(nr)}
	for i := range call.Args {
		call.Args[i] = 0x8000_0001_8000_0002 + 0x10_0000_0010*uint64(i)
	}
	want, _ := cases.Seen(arch.Native(), abi, cbpf.Data{NR: nr, Arch: abi.Audit(), Args: call.Args})

	const answer = 4711
	var results []int64
	listener, called := make(chan *loader.Listener, 1), make(chan error, 1)
	go func() {
		called <- onThread(func() error {
			l, err := loader.InstallListener(p, loader.Options{ThisThread: true})
			listener <- l
			if err != nil {
				return err
			}
			if abi != arch.Native() { // inherits the filter
				results, err = foreign.Run(abi, nil, []foreign.Call{call})
				return err
			}
			results = blocking(call)
			return nil
		})
	}()
	l := <-listener
	if l == nil {
		return <-called
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		n, err := l.Receive(ctx)
		if err != nil {
			return err
		}
		got := n.Data
		got.IP = 0
		if err := n.Return(answer); errors.Is(err, loader.ErrGone) {
			continue // a signal: the call is made again
		} else if err != nil {
			return err
		}
		if err := <-called; err != nil {
			return err
		}
		if s.orders.LostValues && results[0] == 0 {
			s.report(console.Skip, "seen/"+abi.String()+"/answer", "this kernel loses the value of a listener's answer")
			results[0] = answer
		}
		s.note("seen by a filter through "+abi.String(), "args[0] %#x of %#x", got.Args[0], call.Args[0])
		if got != want || results[0] != answer {
			return fmt.Errorf("seen %+v, result %d; want %+v, %d", got, results[0], want, answer)
		}
		return nil
	}
}

// blocking makes a call that waits for another goroutine.
func blocking(c foreign.Call) []int64 {
	a := &c.Args
	r, _, errno := unix.Syscall6(uintptr(c.NR), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]), uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
	if errno != 0 {
		return []int64{-int64(errno)}
	}
	return []int64{int64(r)}
}

// A numberTest is a call whose number a filter sees as another.
type numberTest struct {
	name string
	call foreign.Call
	seen uint32 // which is getppid's
}

// numbers returns the tests of an ABI.
func numbers(abi arch.ABI) []numberTest {
	nr := number(abi, "getppid")
	var tests []numberTest
	if cases.Wide(abi) {
		tests = append(tests, numberTest{"bits above 31 of the number", foreign.Call{NR: 1<<32 | uint64(nr)}, nr})
	}
	switch abi {
	case arch.X86_64:
		x32 := number(arch.X32, "getppid")
		tests = append(tests, numberTest{"number of x32", foreign.Call{NR: uint64(x32)}, x32})
	case arch.S390, arch.S390X:
		tests = append(tests, numberTest{"bits above 15 of the number", foreign.Call{NR: 1<<16 | uint64(nr)}, nr})
	case arch.MIPS, arch.MIPSEL, arch.MIPS64, arch.MIPSEL64, arch.MIPS64N32, arch.MIPSEL64N32:
		// Whatever the task's ABI, the number 4000 is o32's syscall(2).
		const syscall, getppid = 4000, 4064
		tests = append(tests, numberTest{"syscall(2)", foreign.Call{NR: syscall, Args: [6]uint64{getppid}}, getppid})
	}
	return tests
}

// check sees that a filter decides the call by the number that it sees, and that
// the kernel then executes that call or none.
func (t *numberTest) check(s *suite, abi arch.ABI) error {
	const errno = 200
	var results [2]int64
	for i, action := range []cbpf.Action{cbpf.Errno(errno), cbpf.Allow} {
		p, err := on(abi, t.seen, action)
		if err != nil {
			return err
		}
		got, err := confined(abi, p, []foreign.Call{t.call})
		if err != nil {
			return err
		}
		results[i] = got[0]
	}
	parent := int64(os.Getppid())
	if abi != arch.Native() {
		parent = int64(os.Getpid())
	}
	enosys, _ := abi.Errno("ENOSYS")
	s.note(fmt.Sprintf("number %#x through %v", t.call.NR, abi), "with ERRNO(%d) for %#x: %d; allowed: %d", errno, t.seen, results[0], results[1])
	if results[0] != -errno || results[1] != parent && results[1] != -int64(enosys) {
		return fmt.Errorf("seen as %#x and refused: result %d, want %d; allowed: result %d, want %d or %d",
			t.seen, results[0], -errno, results[1], parent, -int64(enosys))
	}
	return nil
}
