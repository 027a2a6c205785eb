package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// samples is how many profiles are compiled. They stand for all others.
const samples = 12

// kernels returns the main ABIs of the fleet's kernels. Each artifact has a filter for
// each of them.
func kernels() []arch.ABI { return []arch.ABI{arch.X86_64, arch.AArch64, arch.S390X} }

// The artifactSizes are how many bytes a profile becomes in each form.
type artifactSizes struct {
	profile  int // the resolved profile as JSON, for x86_64
	raw      int // the filter, for x86_64
	artifact int // for all kernels
	manifest int
	single   int // an artifact for one kernel alone, with its manifest and a share of an index
}

// pack compiles and proves real profiles: Docker's default, with the capabilities of
// different workloads.
func pack() ([]artifactSizes, error) {
	r := rand.New(rand.NewPCG(1, 1)) // the sizes do not depend on the fleet
	sizes := make([]artifactSizes, samples)
	for i := range sizes {
		caps := preset.Caps("docker")
		for _, c := range policy.AllCaps() {
			if i > 0 && r.IntN(8) == 0 {
				caps = append(caps, c)
			}
		}
		var err error
		if sizes[i], err = packOne(caps); err != nil {
			return nil, err
		}
	}
	return sizes, nil
}

// packOne makes the artifact of Docker's profile for a container with capabilities.
func packOne(caps []string) (artifactSizes, error) {
	asked, programs, err := compileAll(caps)
	if err != nil {
		return artifactSizes{}, err
	}
	spec, err := oci.Spec(asked)
	if err != nil {
		return artifactSizes{}, err
	}
	profile, err1 := json.Marshal(spec)
	file, err2 := encode(programs)
	single, err3 := encode(programs[:1])
	g := artifactSizes{len(profile), programs[0].Filter.Len() * 8, len(file), len(manifest(file)), 0}
	g.single = len(single) + len(manifest(single)) + len(index(single))
	return g, cmp.Or(err1, err2, err3)
}

// compileAll returns Docker's profile as it was asked for on x86_64, and a program for
// each kernel.
func compileAll(caps []string) (*policy.Policy, []artifact.Program, error) {
	var asked *policy.Policy
	var programs []artifact.Program
	for _, main := range kernels() {
		a, p, err := proved(main, caps)
		if err != nil {
			return nil, nil, err
		}
		asked, programs = cmp.Or(asked, a), append(programs, p)
	}
	return asked, programs, nil
}

func encode(programs []artifact.Program) ([]byte, error) {
	a := artifact.Artifact{
		Tool: "seccompile v1.0.0", Tables: "7.2", Profile: artifact.Digest(preset.Docker()),
		Reading: artifact.Reading{
			Compat: policy.Runc.String(), ENOSYS: policy.ENOSYS{}.String(), BadArch: cbpf.KillThread.String(),
		},
		Programs: programs,
	}
	return a.AppendBinary(nil)
}

// proved returns Docker's profile as it was asked for, and the filter for one kernel.
func proved(main arch.ABI, caps []string) (*policy.Policy, artifact.Program, error) {
	asked, _, err := oci.Read(preset.Docker(), policy.Target{ABI: main, Caps: caps})
	if err != nil {
		return nil, artifact.Program{}, err
	}
	o := policy.Options{ABIs: main.Family()}
	meant, _, err := policy.Resolve(asked, o)
	if err != nil {
		return nil, artifact.Program{}, err
	}
	made, _, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		return nil, artifact.Program{}, err
	}
	c, report, err := certificate.New(meant, o, made, proof.Limits{})
	if err == nil && !report.OK() {
		err = fmt.Errorf("not proved: %v", report.Verdict)
	}
	if err != nil {
		return nil, artifact.Program{}, err
	}
	p := artifact.Program{
		Filter: made, ABIs: c.ABIs,
		Proof: &artifact.Proof{Policy: c.Profile, LongestPath: c.LongestPath},
	}
	for _, b := range c.Bitmap {
		p.Proof.Bitmap = append(p.Proof.Bitmap, artifact.CachedCalls(b))
	}
	for _, abi := range main.Family() {
		if name := abi.GOARCH(); name != "" {
			p.GOARCH = append(p.GOARCH, name)
		}
	}
	return asked, p, nil
}

// A descriptor is how the documents of a registry refer to each other.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    map[string]string `json:"platform,omitempty"`
}

// manifest returns what a registry has for an artifact besides the file itself, as
// oras push writes it.
func manifest(file []byte) []byte {
	return document(struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		ArtifactType  string            `json:"artifactType"`
		Config        descriptor        `json:"config"`
		Layers        []descriptor      `json:"layers"`
		Annotations   map[string]string `json:"annotations"`
	}{
		2, "application/vnd.oci.image.manifest.v1+json", artifact.MediaType,
		descriptor{MediaType: "application/vnd.oci.empty.v1+json", Digest: artifact.Digest([]byte("{}")), Size: 2},
		[]descriptor{{
			MediaType: artifact.MediaType, Digest: artifact.Digest(file), Size: len(file),
			Annotations: map[string]string{"org.opencontainers.image.title": "docker-default.artifact"},
		}},
		map[string]string{"org.opencontainers.image.created": "2026-01-01T00:00:00Z"},
	})
}

// index returns what a registry would have besides, if each kernel had a file of its
// own, all of this one's size.
func index(file []byte) []byte {
	var manifests []descriptor
	for _, main := range kernels() {
		manifests = append(manifests, descriptor{
			MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: artifact.Digest(file), Size: len(manifest(file)),
			Platform: map[string]string{"os": "linux", "architecture": main.GOARCH()},
		})
	}
	return document(struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []descriptor `json:"manifests"`
	}{2, "application/vnd.oci.image.index.v1+json", manifests})
}

func document(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: " + err.Error()) // strings and numbers
	}
	return text
}
