package oci

import (
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
)

// podmanName returns Podman's name of an ABI: libseccomp's, but for three that have
// Go's (libseccomp-golang: ScmpArch.String).
func podmanName(a arch.ABI) string {
	switch a {
	case arch.X86_64:
		return "amd64"
	case arch.AArch64:
		return "arm64"
	case arch.LoongArch64:
		return "loong64"
	default:
		return a.String()
	}
}

// podmanMaps reports whether Podman looks at archMap on hosts of an ABI
// (containers/common: pkg/seccomp/seccomp_linux.go: nativeToSeccomp).
func podmanMaps(a arch.ABI) bool {
	switch a {
	case arch.X86_64, arch.AArch64, arch.MIPS64, arch.MIPS64N32, arch.MIPSEL64, arch.MIPSEL64N32, arch.S390X:
		return true
	default:
		return false
	}
}

// maxHints is how many unknown names get a hint: finding one takes long.
const maxHints = 32

// errnoName reads an error by its name, as the target's kernel numbers it, or by its
// number in a string.
func (r *reader) errnoName(v document.Value) (errno uint, ok bool) {
	s, ok := r.text(v)
	if !ok {
		return 0, false
	}
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return uint(n), true
	}
	n, known := r.target.ABI.Errno(s)
	if !known && r.target.ABI.Valid() { // otherwise the target is the problem
		near := ""
		if len(r.problems) < maxHints {
			near = unknown.Nearest(s, errnoNames(r.target.ABI))
		}
		r.fail(v, unknown.Quote(s)+": "+r.target.ABI.String()+" has no such error"+unknown.DidYouMean(near))
	}
	return uint(n), known
}

// errnoNames returns the names of the ABI's errors.
func errnoNames(a arch.ABI) (names []string) {
	const last = 1133 // EDQUOT on MIPS
	for n := range uint16(last + 1) {
		if name := a.ErrnoName(n); name != "" {
			names = append(names, name)
		}
	}
	return names
}
