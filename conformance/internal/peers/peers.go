// Package peers puts the compilers of seccomp filters behind one interface, for
// comparing what their programs mean and cost.
package peers

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// A Compiler turns a profile into the filter for a set of ABIs.
type Compiler interface {
	Compile(s *specs.LinuxSeccomp, abis []arch.ABI) (*cbpf.Program, error)
}

// ErrInexpressible is wrapped by the errors of compilers that cannot say what a
// profile says.
var ErrInexpressible = errors.New("not expressible")

// Seccompile is this project.
type Seccompile struct {
	Resolve  policy.Options // but for ABIs
	Compiler compiler.Options
}

// Compile implements [Compiler].
func (c Seccompile) Compile(s *specs.LinuxSeccomp, abis []arch.ABI) (*cbpf.Program, error) {
	asked, err := oci.FromSpec(s)
	if err != nil {
		return nil, err
	}
	o := c.Resolve
	o.ABIs = abis
	meant, _, err := policy.Resolve(asked, o)
	if err != nil {
		return nil, err
	}
	program, defects, err := compiler.Compile(meant, c.Compiler)
	if len(defects) > 0 {
		return nil, fmt.Errorf("%v", defects)
	}
	return program, err
}

// Libseccomp is libseccomp with the calls that runc makes.
type Libseccomp struct {
	Options scmp.Options
}

// Compile implements [Compiler].
func (c Libseccomp) Compile(s *specs.LinuxSeccomp, abis []arch.ABI) (*cbpf.Program, error) {
	return scmp.Compile(s, abis, c.Options)
}

// onlyX8664 reports whether the ABIs are x86_64 alone, which is all that some
// compilers do on this host.
func onlyX8664(abis []arch.ABI) bool { return len(abis) == 1 && abis[0] == arch.X86_64 }
