package main

import (
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
	"github.com/seccompile/seccompile/syscalltables"
)

// compileArtifact compiles a profile for each kernel that the flags name, and writes
// an artifact.
func (a *app) compileArtifact(t *targetFlags, s *proofFlags, o *output, in *intake.Input) error {
	if err := t.readWeights(); err != nil {
		return err
	}
	kernels, err := eachKernel(&t.Target)
	if err != nil {
		return err
	}
	file := artifact.Artifact{
		Tool: toolName(), Tables: syscalltables.Kernel().String(), Profile: artifact.Digest(in.Whole()),
	}
	var seen []policy.Warning
	for _, kernel := range kernels {
		c, err := kernel.Compile(in)
		if err != nil {
			return err
		}
		fresh := slices.DeleteFunc(c.Warnings, func(w policy.Warning) bool { return slices.Contains(seen, w) })
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
		o := c.Options
		file.Reading = artifact.Reading{
			Compat: kernel.Compat, ENOSYS: o.ENOSYS.String(), BadArch: o.BadArch.String(), StrictestWins: o.StrictestWins,
		}
	}
	data, err := file.AppendBinary(nil)
	if err != nil {
		return err
	}
	return a.put(o, data)
}

// eachKernel returns a target for each kernel that has one of the ABIs of -a.
func eachKernel(t *intake.Target) ([]*intake.Target, error) {
	abis, err := intake.ParseABIs(t.ABIs)
	if err != nil || len(abis) == 0 {
		return []*intake.Target{t}, err
	}
	var mains []arch.ABI
	byMain := map[arch.ABI]*intake.Target{}
	for _, abi := range abis {
		main := abi.Main()
		if byMain[main] == nil {
			kernel := *t
			kernel.ABIs = nil
			mains, byMain[main] = append(mains, main), &kernel
		}
		byMain[main].ABIs = append(byMain[main].ABIs, abi.String())
	}
	var kernels []*intake.Target
	for _, main := range mains {
		kernels = append(kernels, byMain[main])
	}
	return kernels, nil
}

// shipped returns a program as artifacts have them.
func shipped(c *intake.Compiled, proved *certificate.Certificate) (artifact.Program, error) {
	abis := c.Resolved.ABIs()
	p := artifact.Program{
		Filter: c.Program, ABIs: intake.ABINames(abis), Flags: loaderFlags(c.Policy),
		Proof: &artifact.Proof{Policy: certificate.PolicyDigest(c.Resolved)},
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

// claimed returns what an artifact claims to be proved.
func claimed(in *intake.Input, abis []string) (*certificate.Certificate, error) {
	file, p, err := in.Artifact(abis)
	if err != nil {
		return nil, err
	}
	if p.Proof == nil || p.Proof.LongestPath == 0 {
		return nil, failure.Nof("%s: the artifact has no certificate of this filter", in.Name).Hintf("make one with seccompile compile -f artifact --prove")
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
