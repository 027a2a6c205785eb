package oci

import (
	"runtime"

	"github.com/seccompile/seccompile/artifact"
)

// FromArtifact returns the filter that an artifact has for the kernel of the running
// program. Its ListenerPath is empty, since the container's configuration names the
// agent. The error wraps [artifact.ErrNoFilter].
func FromArtifact(a *artifact.Artifact) (*Filter, error) {
	p, err := a.For(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	return &Filter{Program: p.Filter, Flags: p.Flags}, nil
}
