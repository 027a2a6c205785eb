// Package docker brings Docker's own default seccomp profile, and reads profiles
// that are values of moby's type.
package docker

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/policy"
)

// defaultProfile is the JSON of seccomp.DefaultProfile of
// github.com/moby/profiles/seccomp, version 0.2.4, which exists on Linux only.
// Copyright The Moby Authors, licensed under the Apache License 2.0. A test
// fails when it is not what the required version of the module gives.
//
//go:embed default.json
var defaultProfile string

// Default returns Docker's default profile, for [policy.Read]. It is in Docker's
// format: what it allows depends on the target. The slice is fresh.
func Default() []byte { return []byte(defaultProfile) }

// Read resolves a profile of moby's type for t, as [policy.Read] does for its
// JSON. It neither keeps nor changes s. The pointers of the rules and of the
// problems are relative to s, and no problem has a line.
func Read(s *seccomp.Seccomp, t policy.Target) (*policy.Policy, []policy.Warning, error) {
	if s == nil {
		return nil, nil, policy.Errors{{Kind: policy.Invalid, Reason: "no seccomp object, so no filter is asked for (do not install one)"}}
	}
	if len(s.LinuxSeccomp.Syscalls) > 0 {
		return nil, nil, policy.Errors{{Kind: policy.Invalid, Pointer: "/syscalls", Reason: "rules in the embedded LinuxSeccomp do not count (move them into Syscalls)"}}
	}
	text, err := json.Marshal(profile{s, s.ArchMap, s.Flags})
	if err != nil {
		return nil, nil, fmt.Errorf("policy/docker: %w", err)
	}
	p, warnings, err := policy.Read(text, t)
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, e := range problems {
			e.Line, e.Column = 0, 0 // of a text that the caller has never seen
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
