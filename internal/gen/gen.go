// Package gen makes the random policies, programs and calls that the tests of
// all packages share. Everything is drawn from a generator that the caller
// seeds, so a seed names a case for ever.
package gen

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// New returns the generator of a numbered case.
func New(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x7365_6363_6f6d_7021)) }

// ABIs draws target ABIs for one compile: one to four, distinct, of one byte
// order. One time in four it is x86_64 with x32, which share a number space, and
// mostly x86; else half of the time ABIs of one kernel.
func ABIs(r *rand.Rand) []arch.ABI {
	if chance(r, 4) {
		return arch.X86_64.Family()[:pick(r, []int{2, 3, 3})]
	}
	main := pick(r, collect(func(arch.ABI) bool { return true }))
	var from []arch.ABI
	if chance(r, 2) {
		from = main.Family()
	} else {
		from = collect(func(a arch.ABI) bool { return a.ByteOrder() == main.ByteOrder() })
	}
	r.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
	return from[:1+r.IntN(min(4, len(from)))]
}

func collect(keep func(arch.ABI) bool) []arch.ABI {
	var s []arch.ABI
	for a := range arch.All() {
		if keep(a) {
			s = append(s, a)
		}
	}
	return s
}

// ResolveOptions draws options for [policy.Resolve]: any mode, any rule for
// unknown numbers, any action for foreign ABIs.
func ResolveOptions(r *rand.Rand) policy.Options {
	o := policy.Options{ABIs: ABIs(r), StrictestWins: chance(r, 4)}
	if chance(r, 3) {
		o.Mode = policy.Strict
	}
	switch r.IntN(3) {
	case 0:
		o.ENOSYS.Off = true
	case 1:
		o.ENOSYS.Kernel = syscalltables.Version{Major: 5 + uint8(r.IntN(3)), Minor: uint8(r.IntN(13))}
	}
	if chance(r, 2) {
		o.BadArch = word(pick(r, classes), uint16(1+r.IntN(200)))
	}
	return o
}

// chance is true once in n.
func chance(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

func pick[T any](r *rand.Rand, s []T) T { return s[r.IntN(len(s))] }

// FromBytes returns a generator whose first draws are taken from data, two bytes
// each, so that a fuzzer that changes the data changes single decisions.
func FromBytes(data []byte) *rand.Rand {
	s := &bytesSource{data: data, rest: rand.NewPCG(uint64(len(data)), 0)}
	return rand.New(s)
}

type bytesSource struct {
	data []byte
	rest *rand.PCG
}

// Uint64 implements rand.Source.
func (s *bytesSource) Uint64() uint64 {
	if len(s.data) < 2 {
		return s.rest.Uint64()
	}
	v := uint64(binary.LittleEndian.Uint16(s.data)) * 0x0001_0001_0001_0001
	s.data = s.data[2:]
	return v
}
