// Package lxc reads and writes the seccomp policies of LXC and Incus, versions 1 and 2 of the
// language. Start with a [Language].
package lxc

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Language reads policies as one version of LXC does. It implements [language.Language].
// Its zero value is the newest that this package knows.
//
// lxc.seccomp.allow_nesting and the keys of LXC for listeners change nothing in a filter.
type Language struct {
	// Version is the major version of LXC, 5 or 7, each with the libseccomp of the same
	// Debian release: they differ in the calls and the headings that they know. Zero means 7.
	Version int
}

// A release is what decides how a version of LXC reads a policy.
type release struct {
	version int
	kernel  syscalltables.Version // the newest whose calls its libseccomp knows
}

var releases = [...]release{
	{5, syscalltables.Version{Major: 6, Minor: 7}}, // libseccomp 2.5.4
	{7, syscalltables.Version{Major: 7, Minor: 1}}, // libseccomp 2.6.1
}

// Read reads a policy for a container host of the target's ABI; nothing else of the target
// counts. A policy of version 2 is for all ABIs of which LXC makes a filter on this host, and
// one of version 1 for the host's own.
//
// It refuses what LXC refuses, and warns of what LXC ignores. The error is [policy.Errors].
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	release, err := l.release()
	native := cmp.Or(t.ABI, arch.Native())
	switch {
	case err != nil:
		return language.Reading{}, err
	case !native.Valid():
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: "no target ABI (name the ABI of the container's host)"}}
	}
	r := &reader{release: release, source: s, rest: s.Data(), hints: 32}
	r.host = r.hostOf(native)
	r.policy = policy.Policy{NoBound: true, ABIs: r.host.abis}
	r.read()
	r.countMore()
	s.Locate(r.warnings, r.problems)
	if len(r.problems) > 0 {
		return language.Reading{Warnings: r.warnings}, r.problems
	}
	return language.Reading{Policy: &r.policy, Warnings: r.warnings}, nil
}

func (l Language) release() (release, error) {
	i := slices.IndexFunc(releases[:], func(x release) bool { return x.version == cmp.Or(l.Version, 7) })
	if i < 0 {
		return release{}, policy.Errors{{Kind: policy.Invalid, Reason: "LXC " + strconv.Itoa(l.Version) + ": unknown version (use 5 or 7, the nearest one that is not newer)"}}
	}
	return releases[i], nil
}

// A host is what LXC knows about the machine that it runs on.
type host struct {
	abis     []arch.ABI // of the filter, the host's own first
	headings []string   // below which rules count
}

// hostOf returns the host that has an ABI: the kernel's own, or an older machine's.
func (r *reader) hostOf(a arch.ABI) host {
	switch a {
	case arch.X32, arch.MIPS64N32, arch.MIPSEL64N32: // no kernel is one of these alone
		a = a.Main()
	case arch.LoongArch64:
		if r.version < 7 {
			return host{abis: []arch.ABI{a}}
		}
	}
	h := host{abis: []arch.ABI{a}}
	switch a {
	case arch.X86_64, arch.AArch64, arch.PPC64, arch.MIPS64, arch.MIPSEL64: // the others get no filter for their 32-bit ABIs
		h.abis = a.Family()
	}
	for _, a := range h.abis {
		for _, x := range headings() {
			if x.abi == a {
				h.headings = append(h.headings, x.name)
			}
		}
	}
	return h
}

// A heading is the name of one, for rules that count on hosts with an ABI.
type heading struct {
	name string
	abi  arch.ABI
}

func headings() []heading {
	return []heading{
		{"x86", arch.X86}, {"x32", arch.X32}, {"x86_64", arch.X86_64}, {"arm", arch.ARM}, {"arm64", arch.AArch64},
		{"ppc64le", arch.PPC64LE}, {"ppc64", arch.PPC64}, {"ppc", arch.PPC},
		{"mips64", arch.MIPS64}, {"mips64n32", arch.MIPS64N32}, {"mips", arch.MIPS},
		{"mipsel64", arch.MIPSEL64}, {"mipsel64n32", arch.MIPSEL64N32}, {"mipsel", arch.MIPSEL},
		{"s390x", arch.S390X}, {"s390", arch.S390}, {"loongarch64", arch.LoongArch64},
	}
}
