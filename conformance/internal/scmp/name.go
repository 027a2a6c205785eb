package scmp

/*
#include <stdlib.h>
#include <seccomp.h>
*/
import "C"

import (
	"unsafe"

	"github.com/seccompile/seccompile/arch"
)

// Name returns libseccomp's name for a number on one ABI, "" if it has none.
func Name(a arch.ABI, nr uint32) string {
	s := C.seccomp_syscall_resolve_num_arch(C.uint32_t(Token(a)), C.int(int32(nr)))
	if s == nil {
		return ""
	}
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}
