package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seccompile/seccompile/internal/lint"
)

// checkInput reads what to check: a profile or, if a runtime is to pull it, perhaps its manifest.
// Of that it returns the review, and the layer as the profile, if there is one to review.
func (a *app) checkInput(c *checkFlags, arg string) (in *input, manifest *checked, err error) {
	if c.pulled() {
		in, manifest, err = a.pulledInput(arg)
	} else {
		in, err = a.read(arg)
	}
	if err == nil && in != nil && (!c.asked() || c.fix || c.consumer != "") { // else it may be anything that has a grade
		err = in.profile()
	}
	if err == nil && in != nil && in.kind == kindProfile && len(c.languages) == 0 {
		_, err = sniffLanguage(in)
	}
	return in, manifest, err
}

// pulledInput is checkInput for what a runtime is to pull.
func (a *app) pulledInput(arg string) (in *input, manifest *checked, err error) {
	if info, err := os.Stat(arg); err == nil && info.IsDir() {
		if arg, err = manifestOf(arg); err != nil {
			return nil, nil, err
		}
	}
	in, err = a.read(arg)
	if err != nil || !lint.IsManifest(in.source) {
		return in, nil, err
	}
	var name string
	report, layer := lint.CheckManifest(in.source, func(b lint.Blob) (data []byte, err error) {
		name, data, err = beside(in.path, b)
		return data, err
	})
	manifest = &checked{in: in, report: report}
	if layer == nil {
		return nil, manifest, nil
	}
	profile := newInput(name, shown(name), layer)
	if profile.kind == 0 {
		return nil, manifest, profile.unknown()
	}
	return profile, manifest, nil
}

// beside reads a blob from the directory of its manifest, where it has the name of its digest, as
// in an image layout and in the directories of skopeo, or of the file that it was made of.
func beside(manifest string, b lint.Blob) (name string, data []byte, err error) {
	dir := filepath.Dir(manifest)
	names := []string{filepath.Join(dir, b.Hex), filepath.Join(dir, "..", b.Algorithm, b.Hex)}
	if b.Title != "" && b.Title == filepath.Base(b.Title) && filepath.IsLocal(b.Title) {
		names = append(names, filepath.Join(dir, b.Title))
	}
	for _, name := range names {
		data, err := readFile(name)
		if !errors.Is(err, os.ErrNotExist) {
			return name, data, err
		}
	}
	return "", nil, fmt.Errorf("the layer %v is not beside the manifest", b)
}

// manifestOf returns the manifest in a directory: that of an image layout (image-spec:
// image-layout.md), or of a directory that skopeo writes.
func manifestOf(dir string) (string, error) {
	index := filepath.Join(dir, "index.json")
	data, err := readFile(index)
	if errors.Is(err, os.ErrNotExist) {
		manifest := filepath.Join(dir, "manifest.json")
		if _, err := os.Stat(manifest); err == nil {
			return manifest, nil
		}
		return "", usagef("%s: the directory has no manifest", shown(dir)).hintf("expected an OCI image layout, with index.json in it")
	}
	if err != nil {
		return "", unreadable(index, err)
	}
	var list struct {
		Manifests []struct{ Digest string }
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return "", usagef("%s: %v", shown(index), err)
	}
	if n := len(list.Manifests); n != 1 {
		return "", usagef("%s: expected one manifest, got %d", shown(index), n).hintf("name one of the files in %s", shown(filepath.Join(dir, "blobs")))
	}
	b, ok := lint.ParseDigest(list.Manifests[0].Digest)
	if !ok {
		return "", usagef("%s: the digest %q is not one", shown(index), list.Manifests[0].Digest)
	}
	return filepath.Join(dir, "blobs", b.Algorithm, b.Hex), nil
}
