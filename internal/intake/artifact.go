package intake

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/optimize"
	"github.com/seccompile/seccompile/language/snap"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/proof"
)

// Artifact reads the input as an artifact and chooses one of its programs: that for
// the first of the ABIs, or without any the only one, or the host's.
func (in *Input) Artifact(abis []string) (*artifact.Artifact, *artifact.Program, error) {
	file, err := artifact.Decode(in.Data)
	if err != nil {
		return nil, nil, in.No(err)
	}
	if len(abis) == 0 && len(file.Programs) == 1 {
		return file, &file.Programs[0], nil
	}
	abi := arch.Native()
	if len(abis) > 0 {
		if abi, err = ParseABI(abis[0]); err != nil {
			return nil, nil, err
		}
	}
	var known []string
	for i := range file.Programs {
		if p := &file.Programs[i]; slices.Contains(p.ABIs, abi.String()) {
			return file, p, in.oneProgram(file, p, abis)
		}
		known = append(known, file.Programs[i].ABIs...)
	}
	return nil, nil, failure.Usagef("%s: the artifact has no filter for %s", in.Name, abi).
		Hintf("choose one with -a: %s", strings.Join(known, ", "))
}

// oneProgram refuses ABIs that the artifact has another program for. This one says nothing
// about them.
func (in *Input) oneProgram(file *artifact.Artifact, chosen *artifact.Program, names []string) error {
	abis, err := ParseABIs(names)
	if err != nil {
		return err
	}
	for _, abi := range abis {
		if slices.Contains(chosen.ABIs, abi.String()) {
			continue
		}
		for _, p := range file.Programs {
			if slices.Contains(p.ABIs, abi.String()) {
				return failure.Usagef("%s: the artifact has one filter for %s, another for %s", in.Name, strings.Join(chosen.ABIs, ", "), abi).
					Hintf("name the ABIs of one kernel with -a, one kernel after another")
			}
		}
	}
	return nil
}

// OneKernel refuses an artifact with several filters unless -a says which one is meant.
func (in *Input) OneKernel(abis []string) error {
	if in.Kind != KindArtifact || len(abis) > 0 {
		return nil
	}
	file, err := artifact.Decode(in.Data)
	if err != nil {
		return in.No(err)
	}
	if len(file.Programs) == 1 {
		return nil
	}
	var known []string
	for _, p := range file.Programs {
		known = append(known, strings.Join(p.ABIs, ","))
	}
	return failure.Usagef("%s: the artifact has %d filters, of which diff compares one", in.Name, len(known)).
		Hintf("compare one after another: -a %s", strings.Join(known, ", -a "))
}

// together returns one program that is proved to mean what the two of a snap mean together.
func (in *Input) together() (*cbpf.Program, error) {
	f, err := snap.Decode(in.Data)
	switch {
	case err != nil:
		return nil, err
	case f.Unrestricted:
		return AllowEverything(binary.LittleEndian)
	}
	r, err := optimize.Merge([]optimize.Layer{{Name: in.Name, Program: f.Deny}, {Name: in.Name, Program: f.Allow}}, proof.Limits{})
	if err != nil {
		return nil, err
	}
	return r.Program, nil
}

// AllowEverything returns a filter that does what none does.
func AllowEverything(order binary.ByteOrder) (*cbpf.Program, error) {
	allow, err := bpf.RetConstant{Val: uint32(cbpf.Allow)}.Assemble()
	if err != nil {
		return nil, err
	}
	return cbpf.New([]bpf.RawInstruction{allow}, order)
}
