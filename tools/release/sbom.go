package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"

	"github.com/CycloneDX/cyclonedx-go"
)

// An sbom is the program that lists the modules in a binary.
type sbom struct{ program string }

// newSBOM builds that program, of the version that the go.mod in a directory names.
func newSBOM(ctx context.Context, dir, program string) (*sbom, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return &sbom{program}, err
}

// describe returns a CycloneDX document about a binary, as JSON. It leaves out what differs
// from one build to the next: a serial number, the time, and the hashes of the program that
// wrote it.
func (b *sbom) describe(ctx context.Context, s *source, binary string) ([]byte, error) {
	out, err := output(exec.CommandContext(ctx, b.program, "bin", "-json", "-std", "-noserial", "-notimestamp", "-version", s.version, binary))
	if err != nil {
		return nil, err
	}
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(out), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		return nil, err
	}
	if m := bom.Metadata; m != nil && m.Tools != nil && m.Tools.Tools != nil {
		for i := range *m.Tools.Tools {
			(*m.Tools.Tools)[i].Hashes = nil
		}
	}
	var text bytes.Buffer
	err = cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(&bom)
	return text.Bytes(), err
}
