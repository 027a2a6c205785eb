// Package oci is what a container runtime calls: from the seccomp object of a
// config.json to a filter on the calling thread, with its listener if the profile
// has a NOTIFY action.
//
//	fd, err := oci.Install(spec.Linux.Seccomp, oci.Options{})
//
// It reads a profile as runc does and needs neither cgo nor libseccomp. Start with
// [Install]. A runtime that compiles when a container is created and loads when it
// starts uses [Compile] and [Filter.Install] instead, and keeps the [Filter] as JSON in
// between. A [Cache] saves compiling the same profile again; [FromArtifact] takes a
// filter that was compiled elsewhere.
//
// A runtime passes the listener to the agent at the profile's listenerPath with
// [SendState]; the agent receives it with [ReceiveState].
package oci

import (
	"runtime/debug"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/policy"
)

// Options choose how a profile is compiled and installed. The zero value is what runc
// does, for the machine that it runs on.
type Options struct {
	// Policy says how the profile is read and for which ABIs. The zero value means
	// the profile's own ABIs and the native one.
	Policy policy.Options
	// Cache keeps filters from one process to the next. nil compiles each time.
	Cache *Cache
	// Debug receives the lines that a runtime writes to its debug log, without a
	// newline: warnings about the profile when it is compiled, and the flags for
	// seccomp(2) when the filter is installed. nil drops them.
	Debug func(line string)
}

// Install compiles a profile and installs the filter on the calling thread: it is
// [Compile] and [Filter.Install] in one. The goroutine stays locked to its thread, unless Install
// returns an error. fd is the listener's descriptor, or -1 if the filter has no NOTIFY
// action or Install returns an error.
func Install(s *specs.LinuxSeccomp, o Options) (fd int, err error) {
	f, err := Compile(s, o)
	if err != nil {
		return -1, err
	}
	return f.Install(o)
}

// Disabled reports whether s asks for no filter: it is nil, or it has neither a
// default action nor rules, which runc treats alike. [Compile] refuses such an s.
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
