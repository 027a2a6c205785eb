package oci

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// FlagSupported returns nil if a profile may ask for a flag, because the running kernel
// supports it or because it is TSYNC, which is ignored. The error wraps
// [errors.ErrUnsupported] if the flag exists but the kernel does not support it.
func FlagSupported(flag specs.LinuxSeccompFlag) error {
	f, err := cbpf.ParseFlag(string(flag))
	if err != nil {
		return fmt.Errorf("oci: seccomp flag %s is not known (known: %s)", flag, strings.Join(knownFlags(), ", "))
	}
	if f == cbpf.TSync {
		return nil
	}
	return supported(f)
}

// supported returns nil if the running kernel supports a flag. The error wraps a
// [*loader.UnsupportedError] if it does not.
func supported(f cbpf.Flag) error {
	found, err := loader.Probe()
	if err != nil {
		return fmt.Errorf("oci: %w", err)
	}
	if !slices.Contains(found.Flags, f) {
		return fmt.Errorf("oci: %w", &loader.UnsupportedError{Flags: f})
	}
	return nil
}

// Features returns the seccomp object of the document that a runtime's command
// "features" prints. Only SupportedFlags depends on the running kernel. It is nil, which
// means unknown, if the kernel cannot be asked.
func Features() *features.Seccomp {
	enabled := runtime.GOOS == "linux"
	f := &features.Seccomp{
		Enabled: &enabled,
		Actions: []string{
			string(specs.ActAllow), string(specs.ActErrno), string(specs.ActKill),
			string(specs.ActKillProcess), string(specs.ActKillThread), string(specs.ActLog),
			string(specs.ActNotify), string(specs.ActTrace), string(specs.ActTrap),
		},
		KnownFlags: knownFlags(),
	}
	for op := policy.NotEqual; op <= policy.MaskedEqual; op++ {
		f.Operators = append(f.Operators, op.String())
	}
	for a := range arch.All() {
		f.Archs = append(f.Archs, a.OCI())
	}
	slices.Sort(f.Operators)
	slices.Sort(f.Archs)
	for _, flag := range f.KnownFlags {
		if FlagSupported(specs.LinuxSeccompFlag(flag)) == nil {
			f.SupportedFlags = append(f.SupportedFlags, flag)
		}
	}
	return f
}

func knownFlags() []string {
	var names []string
	for _, f := range cbpf.ProfileFlags() {
		names = append(names, f.String())
	}
	return names
}
