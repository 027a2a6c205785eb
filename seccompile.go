// Package seccompile confines programs with seccomp: [Compile] turns a profile into a
// small filter and proves that the two mean the same for every system call, and
// [Filter.Install] puts it in force. It is pure Go, for 23 Linux ABIs, from any host.
//
//	filter, err := seccompile.Compile(profile, seccompile.Options{})
//	if err != nil {
//		return err // each problem with its place in the profile
//	}
//	return filter.Install() // all threads, no_new_privs, the profile's own flags
//
// A profile is what container tools use: the linux.seccomp object of runtime-spec, a
// whole config.json, or a file in Docker's or Podman's format. Other languages are
// packages below [github.com/seccompile/seccompile/language], and a program links those
// that it names in [Options].
//
// # Where to start
//
// Programs that confine themselves need only this package. Container runtimes start at
// [github.com/seccompile/seccompile/oci], whose Install does the job of runc's InitSeccomp,
// listener included. Tools that compile on one machine and load on others carry filters
// with [github.com/seccompile/seccompile/artifact]. The steps in between can be called one
// by one: a language reads a profile, policy resolves it, compiler makes a program of it,
// proof compares the two, loader installs it.
//
// # Kernels
//
// Compiling asks nothing of the host and works wherever Go does. Installing needs
// Linux 3.17 or later, and what the profile uses: for its actions and flags see
// package loader, which refuses what the running kernel does not have.
//
// # Backwards compatibility
//
// Before v1 an exported name can change or go in a minor release, v0.N. Each such
// change is in CHANGELOG.md under Changed or Removed, with what to use instead; api.txt
// lists every exported name, so that the difference between two releases is that of one
// file. From v1 on, names stay, and files that a release wrote (artifacts, certificates,
// cache entries) are read or refused by later ones, never misread. The bytes of a
// compiled filter are not part of the promise: they may get fewer. That a filter means
// what its profile says is.
package seccompile

import (
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// Options say how a profile is understood. The zero value reads a container profile for
// this program: its ABI, a container without capabilities, the newest kernel, and what
// runc makes of the profile.
type Options struct {
	// Language is the language of the profile; nil means [oci.Language], which tells the
	// formats of OCI, Docker and Podman apart.
	Language language.Language
	// Target is the ABI, the capabilities and the kernel that conditions in the profile
	// are resolved for.
	Target policy.Target
	// Policy says which ABIs the filter is for and which reading counts. Without ABIs they
	// are the profile's own and that of this program. [policy.Strict] makes errors of names
	// that Linux does not have and of other mistakes.
	Policy policy.Options
	// Compiler says how long to look for a better program. It never changes the meaning.
	Compiler compiler.Options
}

// A Filter is a compiled profile that was proved to mean what the profile says. The
// zero Filter cannot be installed.
type Filter struct {
	// Program is what the kernel runs for each system call.
	Program *cbpf.Program
	// Flags are the filter flags that the profile asks for. nil means that it does not
	// say, empty that it asks for none.
	Flags []cbpf.Flag
	// Warnings are what the profile's author may not have meant. One of kind
	// [policy.Defect] is about this module instead: please report it.
	Warnings []policy.Warning
}

// Compile makes the filter of a profile and proves it equal to the profile for every
// system call. It looks at nothing but its arguments and the ABI that this program was
// built for, so that the same input gives the same filter anywhere.
//
// All problems of a profile are reported together, as [policy.Errors]: what cannot be
// read, or else what cannot be meant. A [*compiler.TooLongError] says that the filter
// would be longer than the kernel takes.
func Compile(profile []byte, o Options) (*Filter, error) {
	lang := o.Language
	if lang == nil {
		lang = oci.Language{}
	}
	source := language.NewSource(profile)
	reading, err := lang.Read(source, o.Target)
	if err != nil {
		return nil, err
	}
	resolved, warnings, err := policy.Resolve(reading.Policy, o.Policy)
	warnings = append(reading.Warnings, warnings...)
	source.Locate(warnings, err)
	if err != nil {
		return nil, err
	}
	program, defects, err := compiler.Compile(resolved, o.Compiler)
	if err != nil {
		return nil, err
	}
	return &Filter{Program: program, Flags: reading.Policy.Flags, Warnings: append(warnings, defects...)}, nil
}

// Install puts the filter in force on all threads of this program, for good, and sets
// no_new_privs, with the flags that the profile asks for. The errors are those of
// [loader.Install].
//
// It refuses a filter that returns NOTIFY, because such calls wait for somebody who
// answers: [loader.InstallListener] installs Program with a listener to serve, and
// package oci hands the listener of a container to its agent.
func (f *Filter) Install() error {
	if f.Program != nil && f.Program.Returns(cbpf.Notify) {
		return fmt.Errorf("seccompile: the filter returns NOTIFY, which needs a listener "+
			"(use loader.InstallListener, or package oci in a container runtime): %w", loader.ErrNotify)
	}
	return loader.Install(f.Program, loader.Options{Flags: f.Flags})
}
