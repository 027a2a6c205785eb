// Package moby reads profiles that are values of the Go type of
// github.com/moby/profiles/seccomp, whose JSON is Docker's format. Like that package it
// exists on Linux only; package language/oci reads the JSON everywhere.
package moby

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// Read resolves a profile for t, as [oci.Read] does for its JSON. It neither keeps nor
// changes s. The pointers of the rules, the problems and the warnings are relative to s,
// and none has a line. Problems are [policy.Errors].
func Read(s *seccomp.Seccomp, t policy.Target) (*policy.Policy, []policy.Warning, error) {
	if s == nil {
		return nil, nil, policy.Errors{{Kind: policy.Invalid, Reason: "no seccomp object, so no filter is asked for (do not install one)"}}
	}
	if len(s.LinuxSeccomp.Syscalls) > 0 {
		return nil, nil, policy.Errors{{Kind: policy.Invalid, Pointer: "/syscalls", Reason: "rules in the embedded LinuxSeccomp have no effect (move them into Syscalls)"}}
	}
	text, err := json.Marshal(profile{s, s.ArchMap, s.Flags})
	if err != nil {
		return nil, nil, fmt.Errorf("moby: %w", err)
	}
	p, warnings, err := oci.Read(text, t)
	// The lines are those of a text that the caller has never seen.
	for i := range warnings {
		warnings[i].Line, warnings[i].Column = 0, 0
	}
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, e := range problems {
			e.Line, e.Column = 0, 0
		}
	}
	return p, warnings, err
}

// A profile writes out two members even when they are empty: archMap marks the
// format, and no flags is not the same as not saying.
type profile struct {
	*seccomp.Seccomp
	ArchMap []seccomp.Architecture   `json:"archMap"`
	Flags   []specs.LinuxSeccompFlag `json:"flags"`
}
