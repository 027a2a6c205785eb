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
// is taken if it is new enough; otherwise it is fetched into the store, qemu from the
// backports of the system's own release, because it runs with the system's
// libraries.
func (s *store) loong(ctx context.Context) (qemu string, err error) {
	const program = "qemu-system-loongarch64"
	version, err := qemuVersion(ctx, program)
	if err != nil {
		return "", err
	}
	bios := firmware
	if !exists(bios) {
		root := filepath.Join(s.dir, "firmware-loong64")
		if bios = filepath.Join(root, firmware); !exists(bios) {
			if err := s.fetch(ctx, "trixie", "", packageKind("qemu-efi-loongarch64"), root, unpackAll); err != nil {
				return "", err
			}
		}
	}
	if version >= oldestLoong {
		return program + " -bios " + bios, nil
	}
	root := filepath.Join(s.dir, "qemu-loong64")
	if !exists(filepath.Join(root, "usr/bin", program)) {
		k := packageKind("qemu-system-misc", "qemu-system-common", "qemu-system-data")
		if err := s.fetch(ctx, release()+"-backports", "", k, root, unpackAll); err != nil {
			return "", fmt.Errorf("needs qemu %d or later, and this machine has %d: %w", oldestLoong, version, err)
		}
	}
	return filepath.Join(root, "usr/bin", program) + " -L " + filepath.Join(root, "usr/share/qemu") + " -bios " + bios, nil
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
