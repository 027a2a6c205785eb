package main

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

// checkLimits asks the kernel itself for the length at which it refuses a filter:
// package cbpf makes none that is longer.
func checkLimits(s *suite) error {
	for _, t := range []struct {
		name   string
		length int
		want   unix.Errno
	}{
		{"0 instructions", 0, unix.EINVAL},
		{"1 instruction", 1, 0},
		{"4096 instructions", cbpf.MaxInstructions, 0},
		{"4097 instructions", cbpf.MaxInstructions + 1, unix.EINVAL},
		{"65535 instructions", 65535, unix.EINVAL},
	} {
		err := s.do("limits/"+t.name, func() error {
			if errno := install(t.length); errno != t.want {
				return fmt.Errorf("errno %d, want %d", errno, t.want)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// install installs a filter of a length that allows every call, on a thread that
// ends with it.
func install(length int) (errno unix.Errno) {
	filter := make([]unix.SockFilter, max(1, length))
	for i := range filter {
		filter[i] = unix.SockFilter{Code: unix.BPF_LD | unix.BPF_IMM}
	}
	filter[len(filter)-1] = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: uint32(cbpf.Allow)}
	prog := unix.SockFprog{Len: uint16(length), Filter: &filter[0]}
	_ = onThread(func() error {
		_, _, errno = unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
		runtime.KeepAlive(filter)
		return nil
	})
	return errno
}
