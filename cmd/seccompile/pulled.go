package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
)

// maxIndexes bounds how many indexes may lead to a manifest: an image layout has one, and an
// artifact with a manifest for each platform another.
const maxIndexes = 2

// manifestOf returns the file that a path stands for: for an image layout (image-spec:
// image-layout.md) its index, for a directory that skopeo writes the manifest, else the path.
func manifestOf(path string) string {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return path
	}
	for _, name := range []string{"index.json", "manifest.json"} {
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return file
		}
	}
	return path
}

// unpacked returns what an artifact holds if the input is its manifest, or an index that leads
// to it, and else the input.
func unpacked(in *intake.Input) (*intake.Input, error) {
	var err error
	for range maxIndexes + 2 { // the manifest, and its layer
		if in.Kind != intake.KindProfile || !lint.IsManifest(in.Source) {
			return in, nil
		}
		if in, err = inside(in); err != nil {
			return nil, err
		}
	}
	return nil, failure.Usagef("%s: an index that leads to nothing but indexes", in.Name).Hintf("name a manifest")
}

// inside returns the only thing that a manifest or an index lists.
func inside(in *intake.Input) (*intake.Input, error) {
	parts, what, err := lint.Parts(in.Source)
	if err != nil {
		return nil, in.No(err)
	}
	if len(parts) != 1 {
		f := failure.Usagef("%s: expected one %s, got %d", in.Name, what, len(parts))
		if len(parts) == 0 {
			return nil, f
		}
		return nil, f.Hintf("name one: %s", choices(in, parts))
	}
	path, data, err := beside(in.Path, parts[0])
	if err != nil {
		return nil, failure.Usagef("%s: %w", in.Name, err).Hintf("put it there, in a file called %s", parts[0].Hex)
	}
	if err := parts[0].Verify(data); err != nil {
		return nil, failure.Usagef("%s: %w", failure.Shown(path), err).Hintf("pull it again: it is not what %s names", in.Name)
	}
	part := intake.New(path, failure.Shown(path), data)
	if part.Kind == 0 {
		return nil, part.Unknown()
	}
	return part, nil
}

// choices lists where parts of an artifact are, and what tells one from another.
func choices(in *intake.Input, parts []lint.Blob) string {
	const most = 8
	var list []string
	for _, b := range parts[:min(most, len(parts))] {
		path, _, err := beside(in.Path, b)
		if err != nil {
			path = b.String()
		}
		choice := failure.Shown(path)
		if b.About != "" {
			choice += " (" + failure.Shown(b.About) + ")"
		}
		list = append(list, choice)
	}
	if more := len(parts) - most; more > 0 {
		list = append(list, fmt.Sprintf("%d more", more))
	}
	return strings.Join(list, ", ")
}

// beside reads a blob from the directory of its manifest, where it has the name of its digest, as
// in an image layout and in the directories of skopeo, or of the file that it was made of.
func beside(manifest string, b lint.Blob) (path string, data []byte, err error) {
	dir := filepath.Dir(manifest)
	paths := []string{filepath.Join(dir, b.Hex), filepath.Join(dir, "..", b.Algorithm, b.Hex), filepath.Join(dir, "blobs", b.Algorithm, b.Hex)}
	if b.Title != "" && b.Title == filepath.Base(b.Title) && filepath.IsLocal(b.Title) {
		paths = append(paths, filepath.Join(dir, b.Title))
	}
	for _, path := range paths {
		data, err := readFile(path)
		if !errors.Is(err, os.ErrNotExist) {
			return path, data, err
		}
	}
	return "", nil, fmt.Errorf("%v is not beside the manifest", b)
}
