// Package kernel measures what a filter costs the running kernel. Filters are
// installed in forked children only.
package kernel

/*
#include "kernel.h"
*/
import "C"

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"github.com/seccompile/seccompile/cbpf"
)

// A Syscall is a call to measure: a number of the host and its arguments.
type Syscall struct {
	NR   uintptr
	Args [6]uintptr
}

// Load returns how long seccomp(2) takes to install p, in a fresh child.
func Load(p *cbpf.Program) (time.Duration, error) {
	t, err := measure(p, nil, 0)
	if err != nil {
		return 0, err
	}
	return t[0], nil
}

// Calls returns how much processor time each of the calls takes under p, the
// mean of n, in a fresh child. A nil p measures without any filter.
func Calls(p *cbpf.Program, calls []Syscall, n int) ([]time.Duration, error) {
	t, err := measure(p, calls, n)
	if err != nil {
		return nil, err
	}
	for i := range t[1:] {
		t[i+1] /= time.Duration(n)
	}
	return t[1:], nil
}

func measure(p *cbpf.Program, calls []Syscall, n int) ([]time.Duration, error) {
	var filter []byte
	if p != nil {
		if p.Order() != binary.ByteOrder(binary.LittleEndian) {
			return nil, fmt.Errorf("kernel: the filter is for another byte order")
		}
		filter, _ = p.AppendBinary(nil)
	}
	in := make([]C.struct_call, len(calls))
	for i, c := range calls {
		in[i].nr = C.long(c.NR)
		for j, a := range c.Args {
			in[i].args[j] = C.long(a)
		}
	}
	out := make([]C.long, 1+len(calls))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	rc := C.measure(unsafe.Pointer(unsafe.SliceData(filter)), C.int(len(filter)/8),
		unsafe.SliceData(in), C.int(len(in)), C.int(n), unsafe.SliceData(out))
	if rc > 0 {
		return nil, fmt.Errorf("kernel: measuring child: %w", syscall.Errno(rc))
	}
	if rc < 0 {
		return nil, fmt.Errorf("kernel: measuring child: killed by %v", syscall.Signal(-rc))
	}
	t := make([]time.Duration, len(out))
	for i, ns := range out {
		t[i] = time.Duration(ns)
	}
	return t, nil
}
