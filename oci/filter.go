package oci

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// A Filter is a compiled profile: all that is needed to confine a container, on
// this or another machine. The zero Filter cannot be installed.
type Filter struct {
	Program *cbpf.Program
	// Flags are the filter flags that the profile asks for. nil means that it does
	// not say, empty that it asks for none.
	Flags []loader.Flag
	// ListenerPath is the socket of the agent that is to get the listener, and
	// ListenerMetadata what the agent is to get with it.
	ListenerPath, ListenerMetadata string
}

// Compile turns a profile into a filter. It asks nothing of the running kernel.
// All problems of the profile are reported together; [errors.As] finds
// [policy.Errors] and *[compiler.TooLongError] among them.
//
// What runc overlooks is overlooked, unless the mode is [policy.Strict]: rules
// without names, listenerMetadata without a listenerPath, and all that
// [policy.Runc] means.
func Compile(s *specs.LinuxSeccomp, o Options) (*Filter, error) {
	if o.Cache != nil && s != nil {
		return o.Cache.compile(s, o)
	}
	f, _, err := compileUncached(s, o)
	return f, err
}

// compileUncached is Compile without a cache. It also returns the ABIs that the
// filter is for.
func compileUncached(s *specs.LinuxSeccomp, o Options) (*Filter, []arch.ABI, error) {
	p, err := read(s, o.Policy.Mode)
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	resolved, warnings, err := policy.Resolve(p, o.Policy)
	if o.Debug != nil {
		for _, w := range warnings {
			o.Debug(w.String())
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	compiled, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		return nil, nil, fmt.Errorf("oci: %w", err)
	}
	var abis []arch.ABI
	for i := range resolved.Spaces {
		abis = append(abis, resolved.Spaces[i].ABIs...)
	}
	return &Filter{
		Program:          compiled.Program,
		Flags:            flags(p, compiled.Program),
		ListenerPath:     s.ListenerPath,
		ListenerMetadata: s.ListenerMetadata,
	}, abis, nil
}

// read returns the policy of a profile.
func read(s *specs.LinuxSeccomp, mode policy.Mode) (*policy.Policy, error) {
	if s == nil || mode != policy.Runc {
		return policy.FromOCI(s)
	}
	t, places := tolerant(s)
	p, err := policy.FromOCI(t)
	switch {
	case t == s:
		return p, err
	case err != nil:
		return policy.FromOCI(s) // whose pointers are right
	}
	for i, place := range places {
		p.Rules[i].Pointer = "/syscalls/" + strconv.Itoa(place)
	}
	return p, nil
}

// tolerant returns s without what runc overlooks and package policy refuses, and
// where the rules that are left stood. If there is no such thing it returns s
// itself.
func tolerant(s *specs.LinuxSeccomp) (t *specs.LinuxSeccomp, places []int) {
	overlooked := func(call specs.LinuxSyscall) bool {
		_, err := cbpf.ParseOCIAction(string(call.Action)) // runc reads that much
		return len(call.Names) == 0 && err == nil
	}
	metadataAlone := s.ListenerPath == "" && s.ListenerMetadata != ""
	if !metadataAlone && !slices.ContainsFunc(s.Syscalls, overlooked) {
		return s, nil
	}
	c := *s
	c.Syscalls = nil
	for i, call := range s.Syscalls {
		if !overlooked(call) {
			c.Syscalls = append(c.Syscalls, call)
			places = append(places, i)
		}
	}
	if metadataAlone {
		c.ListenerMetadata = ""
	}
	return &c, places
}

// flags returns the flags of a policy that go with its program.
func flags(p *policy.Policy, program *cbpf.Program) []loader.Flag {
	if p.Flags == nil {
		return nil
	}
	notifies := func(r policy.Rule) bool { return r.Action == cbpf.Notify }
	chosen := make([]loader.Flag, 0, len(p.Flags))
	for _, name := range p.Flags {
		f, err := loader.ParseFlag(name)
		if err != nil {
			panic("BUG: " + err.Error()) // policy knows the flags that loader knows
		}
		// If the calls to be notified of are none of these ABIs, a listener would hear
		// nothing, so there is none, and the kernel would refuse this flag.
		if f != loader.WaitKillableRecv || program.Returns(cbpf.Notify) || !slices.ContainsFunc(p.Rules, notifies) {
			chosen = append(chosen, f)
		}
	}
	return chosen
}
