package loader

import (
	"errors"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A 32-bit supervisor of a 64-bit target reads /proc instead, to the same effect.
func TestBothWaysToReadMemory(t *testing.T) {
	page := os.Getpagesize()
	m, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(m)
	if err := unix.Mprotect(m[page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	copy(m[page-5:], "hello")
	end := uint64(uintptr(unsafe.Pointer(&m[page-1]))) + 1
	for _, read := range []func(int, []byte, uint64) (int, error){readPart, readProc} {
		b := make([]byte, 5)
		if n, err := read(os.Getpid(), b, end-5); n != 5 || err != nil || string(b) != "hello" {
			t.Errorf("%d bytes, %q, %v", n, b, err)
		}
		for _, addr := range []uint64{0, 1<<63 - 8, 1 << 63, 1<<64 - 8} {
			n, err := read(os.Getpid(), b, addr)
			if err := memoryError(err); n > 0 || !errors.Is(err, unix.EFAULT) {
				t.Errorf("at %#x: %d bytes, %v", addr, n, err)
			}
		}
	}
}
