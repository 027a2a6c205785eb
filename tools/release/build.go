package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/seccompile/seccompile/tools/release/internal/page"
)

// The files that every release has. The signatures of the two others are next to them.
const (
	sumsFile       = "SHA256SUMS"
	provenanceFile = "provenance.json"
	signatureExt   = ".sigstore.json"
)

// A file is one of an archive or a package.
type file struct {
	name string // slash-separated
	data []byte
	mode fs.FileMode
}

// build writes a release to a directory, all of it or none. It reports the name of each
// file that is made.
func build(ctx context.Context, s *source, out string, made func(name string)) (err error) {
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: exists already (remove it, or name another directory)", out)
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(out), ".release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	// Not below tmp as it is: a release's files have the modes that others can read.
	stage, bins := filepath.Join(tmp, "stage"), filepath.Join(tmp, "bin")
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	if !s.dirty {
		if s, err = s.export(ctx, filepath.Join(tmp, "source")); err != nil {
			return err
		}
	}
	built, err := buildPage(ctx, s, stage)
	if err != nil {
		return err
	}
	docs, err := documents(ctx, s, filepath.Join(bins, "host"))
	if err != nil {
		return err
	}
	sbom, err := newSBOM(ctx, filepath.Join(s.root, "tools", "release"), filepath.Join(bins, "cyclonedx-gomod"), built)
	if err != nil {
		return err
	}
	bom, err := sbom.ofPage(s)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(stage, pageFile+".cdx.json"), bom, 0o644); err != nil {
		return err
	}
	g, ctx2 := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, t := range targets() {
		g.Go(func() error {
			return t.build(ctx2, s, filepath.Join(bins, t.String(), t.binary()), stage, docs, sbom)
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := finish(s, stage); err != nil {
		return err
	}
	entries, err := os.ReadDir(stage)
	if err != nil {
		return err
	}
	for _, e := range entries {
		made(filepath.Join(out, e.Name()))
	}
	return os.Rename(stage, out)
}

// pageFile is the playground in one file.
const pageFile = "seccompile.html"

// buildPage builds the playground, which the commands embed, and adds it to the release. Its
// size is a promise as well.
func buildPage(ctx context.Context, s *source, stage string) (*page.Page, error) {
	env, err := (target{goos: "js", goarch: "wasm"}).environment(ctx, s)
	if err != nil {
		return nil, err
	}
	var log, sizes bytes.Buffer
	built, err := page.Build(ctx, page.Options{Root: s.root, Version: s.version, Env: env, Log: &log})
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, bytes.TrimSpace(log.Bytes()))
	}
	if err := page.Judge(&sizes, built.Sizes); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, sizes.Bytes())
	}
	data, err := os.ReadFile(filepath.Join(s.root, "web", "dist", pageFile))
	if err != nil {
		return nil, err
	}
	return built, os.WriteFile(filepath.Join(stage, pageFile), data, 0o644)
}

// build compiles the command for a target, and writes its archive, packages and SBOM.
func (t target) build(ctx context.Context, s *source, binary, stage string, docs []file, sbom *sbom) error {
	if err := t.compile(ctx, s, binary); err != nil {
		return fmt.Errorf("%v: %w", t, err)
	}
	data, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("seccompile_%s_%v", s.number(), t)
	bom, err := sbom.describe(ctx, s, binary)
	if err != nil {
		return fmt.Errorf("%v: SBOM: %w", t, err)
	}
	licences, err := t.licences(ctx, s, binary)
	if err != nil {
		return fmt.Errorf("%v: licences: %w", t, err)
	}
	files := append([]file{{t.binary(), data, 0o755}, {"THIRD-PARTY-LICENCES", licences, 0o644}}, docs...)
	archive, err := tarball(name, files, s.time)
	if err != nil {
		return fmt.Errorf("%v: archive: %w", t, err)
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(stage, name+".cdx.json"), bom, 0o644),
		os.WriteFile(filepath.Join(stage, name+".tar.gz"), archive, 0o644),
	); err != nil {
		return err
	}
	if t.pkg == "" {
		return nil
	}
	for _, format := range []string{"deb", "rpm"} {
		if err := pack(s, t, format, stage, files); err != nil {
			return fmt.Errorf("%v: .%s: %w", t, format, err)
		}
	}
	return nil
}

// documents returns what goes with the command: the project's own files, and what the
// command itself writes, manual pages and completions of three shells.
func documents(ctx context.Context, s *source, binary string) ([]file, error) {
	var docs []file
	add := func(name string, data []byte, err error) error {
		docs = append(docs, file{name, data, 0o644})
		return err
	}
	for _, name := range []string{"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md"} {
		data, err := os.ReadFile(filepath.Join(s.root, name))
		if err := add(name, data, err); err != nil {
			return nil, err
		}
	}
	if err := host().compile(ctx, s, binary); err != nil {
		return nil, err
	}
	man := filepath.Join(filepath.Dir(binary), "man1")
	if _, err := output(exec.CommandContext(ctx, binary, "man", "-o", man)); err != nil {
		return nil, err
	}
	pages, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		data, err := os.ReadFile(page)
		if err := add("man/man1/"+filepath.Base(page), data, err); err != nil {
			return nil, err
		}
	}
	for shell, name := range map[string]string{"bash": "seccompile.bash", "fish": "seccompile.fish", "zsh": "_seccompile"} {
		data, err := output(exec.CommandContext(ctx, binary, "completion", shell))
		if err := add("completions/"+name, data, err); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// finish writes the provenance of the files in a directory, and the checksums of all. What
// was built from files that differ from the commit has no provenance.
func finish(s *source, dir string) error {
	sums, err := checksums(dir)
	if err != nil {
		return err
	}
	if !s.dirty {
		statement, err := provenance(s, sums)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, provenanceFile), statement, 0o644); err != nil {
			return err
		}
		if sums, err = checksums(dir); err != nil {
			return err
		}
	}
	var text strings.Builder
	for _, sum := range sums {
		fmt.Fprintf(&text, "%s  %s\n", sum.sha256, sum.name)
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(text.String()), 0o644)
}

// A checksum is that of one file.
type checksum struct{ name, sha256 string }

// checksums returns those of the files in a directory, sorted by name.
func checksums(dir string) ([]checksum, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var sums []checksum
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		sums = append(sums, checksum{e.Name(), hex.EncodeToString(sum[:])})
	}
	return sums, nil
}
