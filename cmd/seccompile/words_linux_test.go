package main

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// renamed takes names that a terminal would obey, one after the other, and under each
// makes another call that Docker's profile denies.
func renamed() {
	runtime.LockOSThread()
	calls := []uintptr{unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_ACCT}
	for i, name := range []string{"\x1b[31mX\u009b5m\x9b\n", "a\u202eb", "\x1b]0;P\a"} {
		text, err := unix.BytePtrFromString(name)
		if err == nil {
			err = unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(text)), 0, 0, 0)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "renamed:", err)
			os.Exit(1)
		}
		_, _, _ = unix.RawSyscall(calls[i], 0, 0, 0)
	}
}
