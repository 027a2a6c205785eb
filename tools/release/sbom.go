package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"

	"github.com/CycloneDX/cyclonedx-go"

	"github.com/seccompile/seccompile/tools/release/internal/page"
)

// An sbom writes what programs consist of, as CycloneDX documents.
type sbom struct {
	program string     // which lists the modules in a binary
	page    *page.Page // which the commands embed
}

// newSBOM builds the program, of the version that the go.mod in a directory names.
func newSBOM(ctx context.Context, dir, program string, p *page.Page) (*sbom, error) {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	_, err := output(cmd)
	return &sbom{program, p}, err
}

// describe returns a document about a binary, as JSON: its modules, and the packages of npm
// in the page that it embeds. It leaves out what differs from one build to the next: a serial
// number, the time, and the hashes of the program that wrote it.
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
	add(&bom, npmComponents(b.page.NPM))
	return encode(&bom)
}

// ofPage returns a document about the page alone.
func (b *sbom) ofPage(s *source) ([]byte, error) {
	bom := cyclonedx.NewBOM()
	ref := "pkg:golang/github.com/seccompile/seccompile@" + s.version + "#web"
	bom.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{
		BOMRef: ref, Type: cyclonedx.ComponentTypeApplication, Name: pageFile, Version: s.version, PackageURL: ref,
	}}
	modules := []cyclonedx.Component{component("golang", page.Module{Name: "std", Version: strings.TrimPrefix(goRelease, "go")})}
	for _, m := range b.page.Go {
		modules = append(modules, component("golang", m))
	}
	add(bom, append(modules, npmComponents(b.page.NPM)...))
	return encode(bom)
}

// add adds components that the document's subject depends on.
func add(bom *cyclonedx.BOM, components []cyclonedx.Component) {
	all, dependencies := []cyclonedx.Component{}, []cyclonedx.Dependency{}
	if bom.Components != nil {
		all = *bom.Components
	}
	if bom.Dependencies != nil {
		dependencies = *bom.Dependencies
	}
	subject := bom.Metadata.Component.BOMRef
	at := 0
	for at < len(dependencies) && dependencies[at].Ref != subject {
		at++
	}
	if at == len(dependencies) {
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: subject})
	}
	refs := []string{}
	if dependencies[at].Dependencies != nil {
		refs = *dependencies[at].Dependencies
	}
	for _, c := range components {
		all, refs = append(all, c), append(refs, c.BOMRef)
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: c.BOMRef})
	}
	dependencies[at].Dependencies = &refs
	bom.Components, bom.Dependencies = &all, &dependencies
}

func npmComponents(modules []page.Module) (list []cyclonedx.Component) {
	for _, m := range modules {
		list = append(list, component("npm", m))
	}
	return list
}

// component describes a module by its package URL (https://github.com/package-url/purl-spec).
func component(kind string, m page.Module) cyclonedx.Component {
	purl := "pkg:" + kind + "/" + strings.Replace(m.Name, "@", "%40", 1) + "@" + m.Version
	c := cyclonedx.Component{BOMRef: purl, Type: cyclonedx.ComponentTypeLibrary, Name: m.Name, Version: m.Version, PackageURL: purl}
	if m.License != "" {
		c.Licenses = &cyclonedx.Licenses{{Expression: m.License}}
	}
	return c
}

func encode(bom *cyclonedx.BOM) ([]byte, error) {
	var text bytes.Buffer
	err := cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(bom)
	return text.Bytes(), err
}
