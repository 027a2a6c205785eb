package oci_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/oci"
)

// shipped returns an artifact with a filter for a machine.
func shipped(t *testing.T, goarch string, flags []cbpf.Flag) *artifact.Artifact {
	t.Helper()
	f, err := oci.Compile(profile(t, `{"defaultAction": "SCMP_ACT_ALLOW"}`), oci.Options{Policy: x86_64()})
	if err != nil {
		t.Fatal(err)
	}
	return &artifact.Artifact{Programs: []artifact.Program{{
		Filter: f.Program, ABIs: []string{goarch}, GOARCH: []string{goarch}, Flags: flags, Proof: new(artifact.Proof),
	}}}
}

func TestFromArtifact(t *testing.T) {
	for _, flags := range [][]cbpf.Flag{nil, {}, {cbpf.LogFlag}} {
		a := shipped(t, runtime.GOARCH, flags)
		f, err := oci.FromArtifact(a)
		if err != nil {
			t.Fatal(err)
		}
		if f.Program != a.Programs[0].Filter || !slices.Equal(f.Flags, flags) || (f.Flags == nil) != (flags == nil) {
			t.Errorf("flags %#v, want %#v", f.Flags, flags)
		}
	}
	unproved := shipped(t, runtime.GOARCH, nil)
	unproved.Programs[0].Proof = nil
	for _, tt := range []struct {
		name string
		a    *artifact.Artifact
		want string
	}{
		{"another machine's", shipped(t, "pdp11", nil), "artifact: no filter for " + runtime.GOARCH + " (there are filters for pdp11)"},
		{"an unproved one", unproved, "artifact: the filter for " + runtime.GOARCH + " was not proved (compile its profile again)"},
		{"nothing", new(artifact.Artifact), "no filter for"},
	} {
		if f, err := oci.FromArtifact(tt.a); f != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, error %v, want %q", tt.name, f, err, tt.want)
		}
	}
}
