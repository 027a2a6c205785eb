package oci

import (
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// A Filter is a compiled profile: everything needed to confine a container, on this or
// another machine. The zero Filter cannot be installed.
type Filter struct {
	Program *cbpf.Program
	// Flags are the filter flags that the profile asks for. nil means that it does
	// not say, empty that it asks for none.
	Flags []cbpf.Flag
	// ListenerPath is the socket of the agent that receives the listener, and
	// ListenerMetadata what the agent receives with it.
	ListenerPath, ListenerMetadata string
}

// Compile turns a profile into a filter that is proved to mean the same, without asking
// the running kernel anything. It reports all problems of the profile together, as [policy.Errors]; a filter that would
// be too long is a [*compiler.TooLongError]. [errors.As] finds both.
//
// Compile accepts what runc accepts, unless the mode is [policy.Strict].
func Compile(s *specs.LinuxSeccomp, o Options) (*Filter, error) {
	if o.Cache != nil && s != nil {
		return o.Cache.compile(s, o)
	}
	f, _, err := compileUncached(s, o)
	return f, err
}

// compileUncached is Compile without a cache. It also returns what the filter was proved
// to mean.
func compileUncached(s *specs.LinuxSeccomp, o Options) (*Filter, *policy.Resolved, error) {
	p, err := ocijson.FromSpec(s)
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	resolved, warnings, err := policy.Resolve(p, o.Policy)
	o.debug(warnings)
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	program, defects, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	o.debug(defects)
	return &Filter{
		Program:          program,
		Flags:            flags(p, program),
		ListenerPath:     s.ListenerPath,
		ListenerMetadata: s.ListenerMetadata,
	}, resolved, nil
}

// debug writes warnings to the debug log.
func (o *Options) debug(warnings []policy.Warning) {
	for _, w := range warnings {
		if o.Debug != nil {
			o.Debug(w.String())
		}
	}
}

// flags returns the flags of a policy that go with its program.
func flags(p *policy.Policy, program *cbpf.Program) []cbpf.Flag {
	notifies := func(r policy.Rule) bool { return r.Action == cbpf.Notify }
	if program.Returns(cbpf.Notify) || !slices.ContainsFunc(p.Rules, notifies) {
		return p.Flags
	}
	// The rules notify of calls that these ABIs lack. A listener would receive nothing,
	// so there is none, and the kernel would refuse this flag.
	return slices.DeleteFunc(p.Flags, func(f cbpf.Flag) bool { return f == cbpf.WaitKillableRecv })
}
