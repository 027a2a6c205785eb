// Command caller calls getppid and prints the error number to stderr. Built for
// another GOARCH, it makes the call in that ABI.
package main

import "syscall"

func main() {
	_, _, errno := syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
	println(int(errno))
}
