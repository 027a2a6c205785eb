package scan

import (
	"os"
	"syscall"
)

// mapFile maps the contents of a file; false if that is not possible, as for empty ones.
func mapFile(f *os.File, size int64) ([]byte, bool) {
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	return data, err == nil
}

func unmap(data []byte) { _ = syscall.Munmap(data) }

// unload drops what was read of a mapping.
func unload(data []byte) { _ = syscall.Madvise(data, syscall.MADV_DONTNEED) }
