package spo

import (
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
)

// layout returns the profile that a reference to a registry stands for, from an OCI image
// layout (image-spec: image-layout.md) in the directory of the source, or in one below it.
func (r *reader) layout(reference, at string) *profile {
	marks, err := r.source.Glob("*/oci-layout")
	if err != nil {
		r.fail(at, err.Error())
		return nil
	}
	for i, mark := range append([]string{"oci-layout"}, marks...) {
		if i == maxFiles {
			break
		}
		l := layout{reader: r, dir: path.Dir(mark), at: at}
		index, problem := r.include(path.Join(l.dir, "index.json"))
		if problem != "" {
			continue
		}
		doc, err := index.JSON()
		if err != nil {
			r.fail(at, index.Name()+": "+err.Error())
			return nil
		}
		for _, d := range doc.Root().Member("manifests").Elements() {
			if names(d, reference, path.Base(l.dir)) {
				return l.manifest(d, 0)
			}
		}
	}
	r.fail(at, "oci://"+unknown.Quote(reference)+": no OCI image layout here has it (copy it to a directory beside this file, for example with oras copy --to-oci-layout)")
	return nil
}

// names reports whether the descriptor of an index is what a reference names: by its whole
// name, by its tag in a directory that is named as the repository, or by its digest.
func names(d document.Value, reference, dir string) bool {
	if _, digest, ok := strings.Cut(reference, "@"); ok {
		return d.Member("digest").Exists() && d.Member("digest").Text() == digest
	}
	notes := d.Member("annotations")
	name := notes.Member("org.opencontainers.image.ref.name").Text()
	repository, tag := reference, "latest"
	if i := strings.LastIndexByte(reference, ':'); i > strings.LastIndexByte(reference, '/') {
		repository, tag = reference[:i], reference[i+1:]
	}
	return name == repository+":"+tag || name == reference || notes.Member("io.containerd.image.name").Text() == reference ||
		name == tag && path.Base(repository) == dir
}

type layout struct {
	*reader
	dir string
	at  string
}

// manifest returns the profile that a manifest holds, or that of an index for the target.
func (l *layout) manifest(d document.Value, depth int) *profile {
	s := l.blob(d)
	if s == nil {
		return nil
	}
	doc, err := s.JSON()
	if err != nil {
		l.fail(l.at, s.Name()+": "+err.Error())
		return nil
	}
	if manifests := doc.Root().Member("manifests"); manifests.Exists() && depth == 0 {
		goarch := l.target.ABI
		if goarch == 0 {
			goarch = arch.Native()
		}
		var chosen document.Value
		for _, m := range manifests.Elements() {
			p := m.Member("platform")
			if a := p.Member("architecture").Text(); !p.Exists() || a == goarch.GOARCH() && a != "" {
				chosen = m
				break
			}
		}
		if !chosen.Exists() {
			l.fail(l.at, s.Name()+": nothing for the target's platform (name another ABI)")
			return nil
		}
		return l.manifest(chosen, depth+1)
	}
	var layers []document.Value
	for _, layer := range doc.Root().Member("layers").Elements() {
		layers = append(layers, layer)
	}
	if len(layers) != 1 {
		l.fail(l.at, s.Name()+": not the manifest of a profile, which has one layer")
		return nil
	}
	return l.content(layers[0])
}

// content returns the profile in a layer: an object, or the JSON of runtime-spec.
func (l *layout) content(layer document.Value) *profile {
	s := l.blob(layer)
	if s == nil {
		return nil
	}
	if objects, err := kube.Objects(s); err == nil {
		if list := profiles(objects); len(list) == 1 {
			return list[0]
		}
	}
	doc, err := s.JSON()
	if err != nil || doc.Root().Kind() != document.Object || !doc.Root().Member("defaultAction").Exists() {
		l.fail(l.at, s.Name()+": neither a SeccompProfile nor a profile in JSON")
		return nil
	}
	return &profile{Object: kube.Object{APIVersion: "/", Name: s.Name(), Root: doc.Root(), Source: s}, spec: doc.Root()}
}

// blob opens what a descriptor names, and checks that it is that.
func (l *layout) blob(d document.Value) *language.Source {
	digest := d.Member("digest")
	hexes, ok := "", false
	if digest.Kind() == document.String {
		hexes, ok = strings.CutPrefix(digest.Text(), "sha256:")
	}
	if sum, err := hex.DecodeString(hexes); !ok || err != nil || len(sum) != sha256.Size {
		l.fail(l.at, path.Join(l.dir, "index.json")+": a descriptor without a digest of sha256")
		return nil
	}
	name := path.Join(l.dir, "blobs/sha256", hexes)
	s, problem := l.include(name)
	if problem != "" {
		l.fail(l.at, name+": "+problem+" (copy the whole layout)")
		return nil
	}
	if sum := sha256.Sum256(s.Data()); hex.EncodeToString(sum[:]) != hexes {
		l.fail(l.at, name+": its digest is another one (copy the layout again)")
		return nil
	}
	return s
}
