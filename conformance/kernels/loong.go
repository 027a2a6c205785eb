package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// firmware boots loong64 machines. It is the same file for every host.
const firmware = "/usr/share/qemu-efi-loongarch64/QEMU_EFI.fd"

// oldestLoong is the first major version of qemu that boots today's loong64
// kernels.
const oldestLoong = 9

// loong returns the qemu and the firmware that loong64 needs. What the system has
// is taken if it is new enough; otherwise both are fetched into the store, qemu
// from the backports of the system's own release, because it runs with the
// system's libraries.
func (s *store) loong(ctx context.Context) (qemu string, err error) {
	dir := filepath.Join(s.dir, "qemu-loong64")
	root := func(path string) string { return filepath.Join(dir, path) }
	const program = "/usr/bin/qemu-system-loongarch64"
	version, err := qemuVersion(ctx, filepath.Base(program))
	switch {
	case err != nil:
		return "", err
	case version >= oldestLoong:
		if exists(firmware) {
			return filepath.Base(program) + " -bios " + firmware, nil
		}
		if !exists(root(firmware)) {
			if err := s.unpack(ctx, dir, "trixie", "qemu-efi-loongarch64"); err != nil {
				return "", err
			}
		}
		return filepath.Base(program) + " -bios " + root(firmware), nil
	}
	if !exists(root(program)) || !exists(root(firmware)) {
		backports := release() + "-backports"
		if err := s.unpack(ctx, dir, backports, "qemu-system-misc", "qemu-system-common", "qemu-system-data"); err != nil {
			return "", fmt.Errorf("loong64: %w\n(needs qemu %d or later, and this machine has %d)", err, oldestLoong, version)
		}
		if err := s.unpack(ctx, dir, "trixie", "qemu-efi-loongarch64"); err != nil {
			return "", err
		}
	}
	return root(program) + " -L " + root("/usr/share/qemu") + " -bios " + root(firmware), nil
}

// unpack fetches packages for this machine and unpacks them into a directory.
func (s *store) unpack(ctx context.Context, dir, suite string, pkgs ...string) error {
	return s.inArchive(ctx, suite, "", func(a *archive, tmp string) error {
		debs, err := a.download(ctx, tmp, pkgs...)
		if err != nil {
			return err
		}
		for _, deb := range debs {
			if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, dir).CombinedOutput(); err != nil {
				return fmt.Errorf("dpkg-deb: %w\n%s", err, out)
			}
			s.say("fetched %s", filepath.Base(deb))
		}
		return nil
	})
}

// qemuVersion returns the major version of a qemu.
func qemuVersion(ctx context.Context, program string) (int, error) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", program, err)
	}
	_, rest, _ := strings.Cut(string(out), "version ")
	major, _, _ := strings.Cut(rest, ".")
	v, err := strconv.Atoi(major)
	if err != nil {
		return 0, errors.New(program + ": no version: " + string(out))
	}
	return v, nil
}

// release returns the code name of this system's release.
func release() string {
	b, _ := os.ReadFile("/etc/os-release") // without it there is no name
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return ""
}
