// Package compiler turns a resolved policy into a filter program that is proved to mean
// the same. Start with [Compile]. It never looks at the running kernel, the clock or the
// environment, so equal input gives equal bytes on any host.
//
// Package policy makes the input, package proof is the judge of the output, and package
// loader installs it.
package compiler

import (
	"fmt"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/policy"
)

// Options tune the program. They never change its meaning. The zero value is
// right for almost everybody.
type Options struct {
	Effort Effort
	// Weights are how often each system call is made, by name and in any unit. The most
	// frequent calls get the shortest paths. nil means that nothing is known: then calls
	// decided by their arguments count most, because the others skip the filter on Linux
	// 5.11 and later (kernel/seccomp.c: seccomp_cache_check_allow).
	Weights map[string]uint64
}

// An Effort is how hard the compiler looks for a better program.
type Effort uint8

const (
	// Fast takes a fraction of a millisecond for a usual profile and is within a
	// few instructions of the best.
	Fast Effort = iota
	// Exhaustive considers every tree of the kind that the compiler makes, and every
	// order of the arguments' words, unless there are too many.
	Exhaustive
)

// Compile returns a program that returns r.Eval(d) for every call d, and is proved to:
// see Walk of package proof. The warnings are defects of this module, [policy.Defect], that make
// the program longer than it might be and never wrong; please report them.
//
// The error is for an Effort that is not declared here; that of [policy.Resolved.Validate]; wraps a [*TooLongError] if the program
// would exceed the kernel's limit; or wraps a *proof.LimitError if the only program
// that fits has too many paths to be proved.
func Compile(r *policy.Resolved, o Options) (*cbpf.Program, []policy.Warning, error) {
	if o.Effort > Exhaustive {
		return nil, nil, fmt.Errorf("compiler: Options.Effort: %d is not an Effort (use Fast or Exhaustive)", o.Effort)
	}
	result, err := proved.Compile(r, compile.Options{Exhaustive: o.Effort == Exhaustive, Weights: o.Weights})
	if long, ok := err.(*compile.TooLongError); ok { // not where it is only one of the reasons
		return nil, nil, (*TooLongError)(long)
	}
	if err != nil {
		return nil, nil, err
	}
	return result.Program, result.Warnings, nil
}

// A TooLongError says that a policy needs more than [cbpf.MaxInstructions].
type TooLongError struct {
	Len       int      // instructions needed
	Costliest []string // the calls that cost most, as "x86_64 ioctl (about 812)"
}

// Error names the costliest calls.
func (e *TooLongError) Error() string { return (*compile.TooLongError)(e).Error() }
