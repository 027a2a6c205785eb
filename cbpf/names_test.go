package cbpf

import (
	"slices"
)

// AUDIT_ARCH values of linux/audit.h.
const (
	auditX86_64  = 0xc000003e
	auditX86     = 0x40000003
	auditAArch64 = 0xc00000b7
	auditS390X   = 0x80000016
)

// vocabulary is a small kernel's: enough calls to name in tests.
type vocabulary struct{}

var _ Names = vocabulary{}

var abis = []struct {
	name  string
	audit uint32
	bit30 bool // the numbers have bit 30 set
	calls []string
	nrs   []uint32
}{
	{"x86_64", auditX86_64, false,
		[]string{"read", "write", "open", "close", "stat", "mmap", "ioctl", "sendfile", "socket", "clone", "personality", "rseq", "openat2", "clone3"},
		[]uint32{0, 1, 2, 3, 4, 9, 16, 40, 41, 56, 135, 334, 437, 435}},
	{"x32", auditX86_64, true,
		[]string{"read", "write", "ioctl"},
		[]uint32{0x40000000, 0x40000001, 0x40000202}},
	{"x86", auditX86, false,
		[]string{"restart_syscall", "exit", "fork", "read", "write", "ioctl", "socketcall", "clone", "personality", "clone3"},
		[]uint32{0, 1, 2, 3, 4, 54, 102, 120, 136, 435}},
	{"aarch64", auditAArch64, false,
		[]string{"ioctl", "read", "write", "personality"},
		[]uint32{29, 63, 64, 92}},
	{"s390x", auditS390X, false,
		[]string{"read", "write", "personality"},
		[]uint32{3, 4, 136}},
}

var arguments = map[string][]string{
	"personality": {"persona"},
	"socket":      {"family", "type", "protocol"},
	"ioctl":       {"fd", "cmd", "arg"},
	"clone":       {"flags"},
	"socketcall":  {"call", "args"},
}

func (vocabulary) ABI(audit, nr uint32) string {
	for _, a := range abis {
		if a.audit == audit && a.bit30 == (audit == auditX86_64 && nr&(1<<30) != 0) {
			return a.name
		}
	}
	return ""
}

func (vocabulary) Audit(abi string) (uint32, bool) {
	for _, a := range abis {
		if a.name == abi {
			return a.audit, true
		}
	}
	return 0, false
}

func (vocabulary) Syscall(audit, nr uint32) string {
	for _, a := range abis {
		if i := slices.Index(a.nrs, nr); a.audit == audit && i >= 0 {
			return a.calls[i]
		}
	}
	return ""
}

func (vocabulary) Number(abi, call string) (uint32, bool) {
	for _, a := range abis {
		if i := slices.Index(a.calls, call); a.name == abi && i >= 0 {
			return a.nrs[i], true
		}
	}
	return 0, false
}

func (v vocabulary) Arg(audit, nr uint32, index int) string {
	if args := arguments[v.Syscall(audit, nr)]; index < len(args) {
		return args[index]
	}
	return ""
}

func (vocabulary) Errno(audit uint32, n uint16) string {
	switch {
	case n == 1:
		return "EPERM"
	case n == 38:
		return "ENOSYS"
	case n == 97:
		return "EAFNOSUPPORT"
	}
	return ""
}
