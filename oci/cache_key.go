package oci

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
)

// entryName returns the name of a cache entry: the SHA-256, in hexadecimal, of
// everything that decides a filter. Each part has a length or a fixed size, so that no
// two profiles make the same text.
func entryName(s *specs.LinuxSeccomp, o *policy.Options) string {
	k := make(key, 0, 16<<10) // more than Docker's profile takes
	k = k.text(compilerVersion).number(uint64(arch.Native())).options(o).profile(s)
	sum := sha256.Sum256(k)
	return hex.EncodeToString(sum[:])
}

// A key is everything that decides a filter.
type key []byte

func (k key) number(n uint64) key { return binary.AppendUvarint(k, n) }

func (k key) text(s string) key { return append(k.number(uint64(len(s))), s...) }

func (k key) bool(b bool) key {
	if b {
		return k.number(1)
	}
	return k.number(0)
}

func (k key) optional(n *uint) key {
	if n == nil {
		return k.bool(false)
	}
	return k.bool(true).number(uint64(*n))
}

func (k key) options(o *policy.Options) key {
	k = k.number(uint64(len(o.ABIs)))
	for _, a := range o.ABIs {
		k = k.number(uint64(a))
	}
	k = k.number(uint64(o.Mode)).number(uint64(o.BadArch)).bool(o.StrictestWins).bool(o.Exact)
	return k.bool(o.ENOSYS.Off).number(uint64(o.ENOSYS.Kernel.Major)).number(uint64(o.ENOSYS.Kernel.Minor))
}

func (k key) profile(s *specs.LinuxSeccomp) key {
	k = k.text(string(s.DefaultAction)).optional(s.DefaultErrnoRet)
	k = k.number(uint64(len(s.Architectures)))
	for _, a := range s.Architectures {
		k = k.text(string(a))
	}
	k = k.bool(s.Flags != nil).number(uint64(len(s.Flags)))
	for _, f := range s.Flags {
		k = k.text(string(f))
	}
	// Their values decide nothing, but metadata without a path can be an error.
	k = k.bool(s.ListenerPath != "").bool(s.ListenerMetadata != "")
	k = k.number(uint64(len(s.Syscalls)))
	for i := range s.Syscalls {
		k = k.rule(&s.Syscalls[i])
	}
	return k
}

func (k key) rule(s *specs.LinuxSyscall) key {
	k = k.number(uint64(len(s.Names)))
	for _, name := range s.Names {
		k = k.text(name)
	}
	k = k.text(string(s.Action)).optional(s.ErrnoRet)
	k = k.number(uint64(len(s.Args)))
	for _, a := range s.Args {
		k = k.number(uint64(a.Index)).number(a.Value).number(a.ValueTwo).text(string(a.Op))
	}
	return k
}
