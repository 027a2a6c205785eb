package oci

import (
	"fmt"
	"runtime"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/loader"
)

// FromArtifact returns the filter that an artifact has for the kernel of the running
// program. Where an agent listens is not in it: that is for the container's
// configuration to say.
func FromArtifact(a *artifact.Artifact) (*Filter, error) {
	p, err := a.For(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	return fromProgram(p)
}

func fromProgram(p *artifact.Program) (*Filter, error) {
	f := &Filter{Program: p.Filter}
	if p.Flags != nil {
		f.Flags = make([]loader.Flag, len(p.Flags))
	}
	for i, name := range p.Flags {
		var err error
		if f.Flags[i], err = loader.ParseFlag(name); err != nil {
			return nil, fmt.Errorf("oci: artifact: %w", err)
		}
	}
	return f, nil
}
