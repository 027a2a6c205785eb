//go:build !linux

package oci_test

import (
	"errors"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/policy"
)

// A cache is not needed to compile, and says that there is none.
func TestNoCacheHere(t *testing.T) {
	var reported error
	c := &oci.Cache{Dir: t.TempDir(), Report: func(err error) { reported = err }}
	f, err := oci.Compile(&specs.LinuxSeccomp{DefaultAction: specs.ActAllow},
		oci.Options{Policy: policy.Options{ABIs: []arch.ABI{arch.X86_64}}, Cache: c})
	if err != nil || f.Program.Len() == 0 {
		t.Errorf("%v, error %v", f, err)
	}
	if !errors.Is(reported, errors.ErrUnsupported) {
		t.Errorf("reported %v", reported)
	}
}
