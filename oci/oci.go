// Package oci is what a container runtime calls: from the seccomp object of a
// config.json to a filter on the calling thread, with its listener if the profile
// has a NOTIFY action.
//
//	fd, err := oci.Install(spec.Linux.Seccomp, oci.Options{})
//
// It reads a profile as runc does and needs neither cgo nor libseccomp. A runtime
// that compiles when a container is created and loads when it starts uses
// [Compile] and [Filter.Install].
//
// The listener reaches the agent that the profile's listenerPath names by
// [SendState]; an agent takes it by [ReceiveState].
package oci

import (
	"runtime/debug"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/policy"
)

// Options choose how a profile is compiled. The zero value is what runc does, for
// the machine that it runs on.
type Options struct {
	// Policy says how the profile is read and for which ABIs. The zero value means
	// the profile's own ABIs and the native one.
	Policy policy.Options
	// Cache keeps filters from one process to the next. nil compiles each time.
	Cache *Cache
	// Debug gets the lines that a runtime writes to its debug log, without a
	// newline: what the profile's author may not have meant, and the flags. nil
	// drops them.
	Debug func(line string)
}

// Install compiles a profile and puts the filter in force on the calling thread:
// [Compile] and [Filter.Install] in one. fd is the listener's descriptor, or -1 if
// the filter has no NOTIFY action or an error is returned.
func Install(s *specs.LinuxSeccomp, o Options) (fd int, err error) {
	f, err := Compile(s, o)
	if err != nil {
		return -1, err
	}
	return f.Install(o.Debug)
}

// Disabled reports whether s asks for no filter: it is nil, or has neither a
// default action nor rules, which runc takes for the same. [Compile] refuses it.
func Disabled(s *specs.LinuxSeccomp) bool {
	return s == nil || s.DefaultAction == "" && len(s.Syscalls) == 0
}

// Version returns the version of this module that the running program was built
// with, such as "v1.2.3", or "(devel)" if that is unknown.
func Version() string {
	const path, unknown = "github.com/seccompile/seccompile", "(devel)"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path != path {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if strings.HasPrefix(m.Version, "v") {
			return m.Version
		}
	}
	return unknown
}
