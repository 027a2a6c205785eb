package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
	"github.com/seccompile/seccompile/conformance/kernels/internal/foreign"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// checkVerdicts compiles every case, installs it and has each ABI make calls: the
// kernel's verdicts must be those of the policy.
func checkVerdicts(s *suite) error {
	all, err := cases.All(arch.Native())
	if err != nil {
		return err
	}
	for i := range all {
		c := &all[i]
		out, _, err := compiler.Compile(c.Resolved, compiler.Options{})
		if err != nil {
			return err
		}
		raw, _ := out.AppendBinary(nil) // never fails
		sum := sha256.Sum256(raw)
		s.report(console.Digest, c.Name, hex.EncodeToString(sum[:]))
		p, err := cases.Break(out, s.fault)
		if err != nil {
			return err
		}
		for _, abi := range s.callers {
			if err := s.do("verdicts/"+abi.String()+"/"+c.Name, func() error { return s.verdicts(c, p, abi) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// verdicts compares the kernel's verdicts on one ABI's calls under p with the
// case's policy.
func (s *suite) verdicts(c *cases.Case, p *cbpf.Program, abi arch.ABI) error {
	points := c.Points(arch.Native(), abi, p, s.orders.Points)
	if len(points) < 100 {
		return fmt.Errorf("only %d calls to make", len(points))
	}
	var wrong []string
	for i := range points {
		if got, want := p.Eval(&points[i]), c.Resolved.Eval(&points[i]); got != want && s.fault == cases.None {
			return fmt.Errorf("%s: our evaluator says %v, the policy %v", describe(&points[i]), got, want)
		}
	}
	calls := make([]foreign.Call, len(points))
	for i, d := range points {
		calls[i] = foreign.Call{NR: uint64(d.NR), Args: d.Args}
	}
	results, err := confined(abi, p, calls)
	if err != nil {
		return err
	}
	for i := range points {
		got, want := int64(0), -int64(c.Want(&points[i]))
		if results[i] < 0 {
			got = results[i]
		}
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s: the kernel says errno %d, the policy %d", describe(&points[i]), -got, -want))
		}
	}
	s.report(console.Calls, abi.String(), strconv.Itoa(len(points)))
	if len(wrong) > 0 {
		return fmt.Errorf("%d of %d calls: %s", len(wrong), len(points), strings.Join(wrong[:min(3, len(wrong))], "; "))
	}
	return nil
}

func describe(d *cbpf.Data) string {
	return fmt.Sprintf("nr %#x (%s), args %#x", d.NR, policy.Names().Syscall(d.Arch, d.NR), d.Args)
}

// confined makes calls through an ABI under p, on a thread or in a process that
// ends with them, and returns their results, negative error numbers for errors.
func confined(abi arch.ABI, p *cbpf.Program, calls []foreign.Call) (results []int64, err error) {
	if abi != arch.Native() {
		return foreign.Run(abi, p, calls)
	}
	// Nothing is allocated under p: that might start a garbage collection, in which
	// the runtime makes calls that p need not allow.
	results = make([]int64, len(calls))
	err = onThread(func() error {
		if err := loader.Install(p, loader.Options{ThisThread: true}); err != nil {
			return err
		}
		native(calls, results)
		return nil
	})
	return results, err
}

// onThread calls f on a new thread, which ends with it.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// native makes calls on the calling thread.
func native(calls []foreign.Call, results []int64) {
	for i := range calls {
		a := &calls[i].Args
		r, _, errno := unix.RawSyscall6(uintptr(calls[i].NR), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]),
			uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
		if results[i] = int64(r); errno != 0 {
			results[i] = -int64(errno)
		}
	}
}
