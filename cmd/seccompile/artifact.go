package main

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// compileArtifact compiles a profile for each kernel that the flags name, and writes
// an artifact.
func (a *app) compileArtifact(t *target, s *proofFlags, o *output, in *input) error {
	if err := t.weights.read(); err != nil { // before each kernel gets a copy of t
		return err
	}
	kernels, err := t.kernels()
	if err != nil {
		return err
	}
	file := artifact.Artifact{
		Tool: toolName(), Tables: syscalltables.Kernel().String(), Profile: artifact.Digest(in.text()),
	}
	var seen []policy.Warning
	for _, kernel := range kernels {
		c, err := kernel.compile(in)
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(c.warnings, func(w policy.Warning) bool { return slices.Contains(seen, w) })
		a.warn(in, fresh)
		seen = append(seen, fresh...)
		proved, err := a.proof(s, in, c)
		if err != nil {
			return err
		}
		p, err := shipped(c, proved)
		if err != nil {
			return err
		}
		file.Programs = append(file.Programs, p)
		o := c.options
		file.Reading = artifact.Reading{
			Compat: kernel.compat, ENOSYS: o.ENOSYS.String(), BadArch: o.BadArch.String(), StrictestWins: o.StrictestWins,
		}
	}
	data, err := file.AppendBinary(nil)
	if err != nil {
		return err
	}
	return a.put(o, data)
}

// kernels returns a target for each kernel that has one of the ABIs of -a.
func (t *target) kernels() ([]*target, error) {
	abis, err := parseABIs(t.abis)
	if err != nil || len(abis) == 0 {
		return []*target{t}, err
	}
	var mains []arch.ABI
	byMain := map[arch.ABI]*target{}
	for _, abi := range abis {
		main := abi.Main()
		if byMain[main] == nil {
			kernel := *t
			kernel.abis = nil
			mains, byMain[main] = append(mains, main), &kernel
		}
		byMain[main].abis = append(byMain[main].abis, abi.String())
	}
	var kernels []*target
	for _, main := range mains {
		kernels = append(kernels, byMain[main])
	}
	return kernels, nil
}

// shipped returns a program as artifacts have them.
func shipped(c *compiled, proved *certificate.Certificate) (artifact.Program, error) {
	abis := c.resolved.ABIs()
	p := artifact.Program{
		Filter: c.program, ABIs: abiList(abis), Flags: loaderFlags(c.policy),
		Proof: &artifact.Proof{Policy: certificate.PolicyDigest(c.resolved)},
	}
	for _, abi := range abis {
		p.GOARCH = append(p.GOARCH, nonempty(abi.GOARCH())...)
	}
	if proved != nil {
		p.Proof.LongestPath = proved.LongestPath
		for _, b := range proved.Bitmap {
			p.Proof.Bitmap = append(p.Proof.Bitmap, artifact.CachedCalls(b))
		}
	}
	return p, nil
}

// artifact reads the input as an artifact and chooses one of its programs: that for
// the first of the ABIs, or without any the only one, or the host's.
func (in *input) artifact(abis []string) (*artifact.Artifact, *artifact.Program, error) {
	file, err := artifact.Decode(in.data)
	if err != nil {
		return nil, nil, in.no(err)
	}
	if len(abis) == 0 && len(file.Programs) == 1 {
		return file, &file.Programs[0], nil
	}
	abi := arch.Native()
	if len(abis) > 0 {
		if abi, err = parseABI(abis[0]); err != nil {
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
	return nil, nil, usagef("%s: the artifact has no filter for %s", in.name, abi).
		hintf("choose one with -a: %s", strings.Join(known, ", "))
}

// oneProgram refuses ABIs that the artifact has another program for. This one says nothing
// about them.
func (in *input) oneProgram(file *artifact.Artifact, chosen *artifact.Program, names []string) error {
	abis, err := parseABIs(names)
	if err != nil {
		return err
	}
	for _, abi := range abis {
		if slices.Contains(chosen.ABIs, abi.String()) {
			continue
		}
		for _, p := range file.Programs {
			if slices.Contains(p.ABIs, abi.String()) {
				return usagef("%s: the artifact has one filter for %s, another for %s", in.name, strings.Join(chosen.ABIs, ", "), abi).
					hintf("name the ABIs of one kernel with -a, one kernel after another")
			}
		}
	}
	return nil
}

// oneKernel refuses an artifact with several filters unless -a says which one is meant.
func (in *input) oneKernel(abis []string) error {
	if in.kind != kindArtifact || len(abis) > 0 {
		return nil
	}
	file, err := artifact.Decode(in.data)
	if err != nil {
		return in.no(err)
	}
	if len(file.Programs) == 1 {
		return nil
	}
	var known []string
	for _, p := range file.Programs {
		known = append(known, strings.Join(p.ABIs, ","))
	}
	return usagef("%s: the artifact has %d filters, of which diff compares one", in.name, len(known)).
		hintf("compare one after another: -a %s", strings.Join(known, ", -a "))
}

// certificate returns what an artifact claims to be proved.
func (in *input) certificate(abis []string) (*certificate.Certificate, error) {
	file, p, err := in.artifact(abis)
	if err != nil {
		return nil, err
	}
	if p.Proof == nil || p.Proof.LongestPath == 0 {
		return nil, nof("%s: the artifact has no certificate of this filter", in.name).hintf("make one with seccompile compile -f artifact --prove")
	}
	c := &certificate.Certificate{
		Version: certificate.Version, Tool: file.Tool, Tables: file.Tables, Profile: p.Proof.Policy, Program: p.Digest(),
		ABIs: p.ABIs, Options: certificate.Reading(file.Reading), Result: proof.Same.String(),
		Instructions: p.Filter.Len(), LongestPath: p.Proof.LongestPath, Bitmap: []certificate.CachedCalls{},
	}
	for _, b := range p.Proof.Bitmap {
		c.Bitmap = append(c.Bitmap, certificate.CachedCalls(b))
	}
	return c, nil
}
