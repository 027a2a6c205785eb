package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What cosign needs to know so that it asks no server: which services sign along, and whom
// to trust besides the key. Both are nobody.
const (
	signingConfig = `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}`
	trustedRoot   = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`
)

// sign signs the checksums and the provenance of a release with cosign, whose password may be
// in COSIGN_PASSWORD. Nothing is sent anywhere, unless the key is at a key service. It signs
// only a complete release: one whose files are those of its checksums, with provenance.
func sign(ctx context.Context, key, dir string, stderr io.Writer) (err error) {
	if err := complete(dir); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	config, root := filepath.Join(tmp, "config.json"), filepath.Join(tmp, "root.json")
	if err := errors.Join(os.WriteFile(config, []byte(signingConfig), 0o600), os.WriteFile(root, []byte(trustedRoot), 0o600)); err != nil {
		return err
	}
	sums, statement := filepath.Join(dir, sumsFile), filepath.Join(dir, provenanceFile)
	for _, args := range [][]string{
		{"sign-blob", "--bundle", sums + signatureExt, sums},
		{"attest-blob", "--bundle", strings.TrimSuffix(statement, ".json") + signatureExt, "--statement", statement},
	} {
		cmd := exec.CommandContext(ctx, "cosign", append(args, "--yes", "--key", key, "--signing-config", config, "--trusted-root", root)...)
		cmd.Stdin, cmd.Stderr = os.Stdin, stderr // it may ask for the password
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("cosign %s: %w", args[0], err)
		}
	}
	return nil
}

// complete reports what a directory lacks to be a release that is not signed yet.
func complete(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return err
	}
	files, err := checksums(dir)
	if err != nil {
		return err
	}
	var want strings.Builder
	hasProvenance := false
	for _, f := range files {
		hasProvenance = hasProvenance || f.name == provenanceFile
		if f.name != sumsFile {
			fmt.Fprintf(&want, "%s  %s\n", f.sha256, f.name)
		}
	}
	if !hasProvenance {
		return fmt.Errorf("%s: no %s: it was built from files that differ from the commit (build it without -dirty)", dir, provenanceFile)
	}
	if want.String() != string(text) {
		return fmt.Errorf("%s: its files are not those of %s, or it is signed already (build it again)", dir, sumsFile)
	}
	return nil
}
