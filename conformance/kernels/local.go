package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/debian"
)

// configs are what kernels that are built here have beyond the least: for all, and
// for each architecture.
//
//go:embed configs
var configs embed.FS

// localGuests returns the guests whose kernels Debian does not ship. They are big-
// endian and their kernels are built here from Debian's sources.
func localGuests() []guest {
	return []guest{
		{name: "ppc64", native: arch.PPC64, callers: []arch.ABI{arch.PPC64, arch.PPC},
			build:   &build{source: "powerpc", prefix: "powerpc64-linux-gnu-", provider: "gcc-powerpc64-linux-gnu"},
			machine: "qemu-system-ppc64 -M pseries -cpu power9 -m 512 -vga none", provider: "qemu-system-ppc", console: "hvc0"},
		{name: "mips64", native: arch.MIPS64, callers: []arch.ABI{arch.MIPS64, arch.MIPS64N32, arch.MIPS}, env: "GOMIPS64=softfloat",
			build:   &build{source: "mips", prefix: "mips64-linux-gnuabi64-", provider: "gcc-mips64-linux-gnuabi64"},
			machine: "qemu-system-mips64 -M malta -cpu 5KEf -m 256", provider: "qemu-system-mips", console: "ttyS0", append: "nokaslr", restart: true},
	}
}

// A build says how a kernel is compiled.
type build struct {
	source   string // the kernel's name of the architecture
	prefix   string // of the cross compiler's programs
	provider string // Debian package of the cross compiler
}

// sourceRelease is the release of Debian that has the kernels' sources.
const sourceRelease = "trixie"

// make compiles a guest's kernel into a directory of the store.
func (s *store) make(ctx context.Context, g *guest, dir string) error {
	for _, program := range []string{g.build.prefix + "gcc", "make", "gcc", "flex", "bison", "bc"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no %s (apt-get install make gcc libc6-dev flex bison bc %s)", program, g.build.provider)
		}
	}
	source, err := s.source(ctx)
	if err != nil {
		return err
	}
	out, err := os.MkdirTemp(s.dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	config, err := g.config()
	if err != nil {
		return err
	}
	all := filepath.Join(out, "allconfig")
	if err := os.WriteFile(all, config, 0o644); err != nil {
		return err
	}
	s.say("building the kernel of %s: some minutes", g.name)
	run := func(target string) error {
		cmd := exec.CommandContext(ctx, "make", "-s", "-C", source, "O="+out, "ARCH="+g.build.source, "CROSS_COMPILE="+g.build.prefix,
			"KCONFIG_ALLCONFIG="+all, "-j"+strconv.Itoa(runtime.NumCPU()), target)
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make %s: %w\n%s", target, err, debian.Tail(string(text), 20))
		}
		return nil
	}
	if err := run("allnoconfig"); err != nil {
		return err
	}
	if err := missingOptions(filepath.Join(out, ".config"), config); err != nil {
		return err
	}
	if err := run("vmlinux"); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(out, "vmlinux"), filepath.Join(dir, "vmlinuz"))
}

// config returns the options of the guest's kernel.
func (g *guest) config() ([]byte, error) {
	common, err := configs.ReadFile("configs/common")
	if err != nil {
		return nil, err
	}
	own, err := configs.ReadFile("configs/" + g.name)
	return append(common, own...), err
}

// missingOptions names the options that the kernel's configuration did not take.
func missingOptions(file string, want []byte) error {
	got, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var problems []error
	for line := range strings.Lines(string(want)) {
		line = strings.TrimSpace(line)
		if strings.HasSuffix(line, "=y") && !strings.Contains("\n"+string(got), "\n"+line+"\n") {
			problems = append(problems, errors.New("this kernel does not take "+line))
		}
	}
	return errors.Join(problems...)
}

// source returns the directory of the kernel's sources, which it fetches unless
// they are there.
func (s *store) source(ctx context.Context) (string, error) {
	dir := filepath.Join(s.dir, "source")
	if exists(filepath.Join(dir, "Makefile")) {
		return dir, nil
	}
	k := kind{meta: "linux-source", names: []*regexp.Regexp{regexp.MustCompile(`^linux-source-[0-9.]+$`)}}
	return dir, s.fetch(ctx, sourceRelease, "", k, dir, unpackSource)
}

// unpackSource takes the sources of a kernel.
func unpackSource(ctx context.Context, deb, dir string) error {
	const script = `dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards './usr/src/*.tar.xz' | tar -xJ -C "$2" --strip-components=1`
	if text, err := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", script, "bash", deb, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("the sources: %w: %s", err, debian.Tail(string(text), 1))
	}
	return nil
}
