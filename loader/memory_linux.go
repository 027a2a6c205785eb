package loader

import (
	"bytes"
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// readMemory reads the memory of whatever thread has the target's id now.
func (n *Notification) readMemory(b []byte, addr uint64) (int, error) {
	if n.PID <= 0 {
		return 0, errors.New("loader: the target is not in this process's pid namespace (run the supervisor in the target's namespace or above it)")
	}
	if addr+uint64(len(b)) < addr { // beyond the end of any address space
		return 0, memoryError(unix.EFAULT)
	}
	var read int
	for read < len(b) {
		count, err := readPart(n.PID, b[read:], addr+uint64(read))
		if err == unix.EINTR {
			continue
		}
		if count <= 0 || err != nil {
			return read, memoryError(err)
		}
		read += count
	}
	return read, nil
}

// readPart reads some bytes, at least one, if it can.
func readPart(tid int, b []byte, addr uint64) (int, error) {
	// Only a 32-bit supervisor of a 64-bit target has addresses that do not fit.
	// Otherwise /proc, which may be missing or another namespace's, is not needed.
	if uint64(uintptr(addr)) != addr {
		return readProc(tid, b, addr)
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	return unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}, 0)
}

func readProc(tid int, b []byte, addr uint64) (int, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(tid)+"/mem", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	return unix.Pread(fd, b, int64(addr))
}

func memoryError(err error) error {
	e := &Error{Call: "process_vm_readv", Err: err}
	switch {
	case err == nil, errors.Is(err, unix.EFAULT), errors.Is(err, unix.EIO), errors.Is(err, unix.EINVAL):
		e.Err = unix.EFAULT
		e.Reason = "the target has no readable memory there (its call would fail with EFAULT, too)"
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Reason = "not permitted to trace the target (run the supervisor as its user or with CAP_SYS_PTRACE)"
	default:
		e.Reason = "cannot reach the target's memory (is process_vm_readv allowed here?)"
	}
	return e
}

// pageSize is the smallest that memory comes in on any ABI, in bytes.
const pageSize = 4096

func (n *Notification) readString(addr uint64, limit int) (string, error) {
	var s []byte
	var page [pageSize]byte
	for len(s) < limit {
		at := addr + uint64(len(s))
		part := page[:min(uint64(limit-len(s)), pageSize-at%pageSize)]
		read, err := n.readMemory(part, at)
		if end := bytes.IndexByte(part[:read], 0); end >= 0 {
			return string(append(s, part[:end]...)), nil
		}
		if err != nil {
			return "", err
		}
		s = append(s, part...)
	}
	return "", &Error{Call: "process_vm_readv", Err: unix.ENAMETOOLONG, Reason: "the string does not end within " + strconv.Itoa(limit) + " bytes (raise the limit, or fail the call)"}
}
