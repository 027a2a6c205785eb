package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A kernel is a kernel on disk.
type kernel struct {
	image string
	dtb   string // device tree, "" if the board needs none
}

// A store is the directory with everything that was fetched.
type store struct {
	dir    string
	mirror string // "" means that of the system
	say    func(format string, args ...any)
}

// kernel returns a guest's kernel from the store, or fetches it. Once it is there
// no network is needed, until it is fetched anew.
func (s *store) kernel(ctx context.Context, g *guest, anew bool) (kernel, error) {
	dir := filepath.Join(s.dir, "kernels", g.name)
	if !anew {
		if k, err := open(dir); err == nil {
			return k, nil
		}
	}
	if g.build != nil {
		if err := s.make(ctx, g, dir); err != nil {
			return kernel{}, err
		}
		return open(dir)
	}
	err := s.inArchive(ctx, g.suite, g.debian(), func(a *archive, tmp string) error {
		pkgs, err := a.kernelPackages(ctx, g.kernel)
		if err != nil {
			return err
		}
		debs, err := a.download(ctx, tmp, pkgs...)
		if err != nil {
			return err
		}
		made := filepath.Join(tmp, "kernel")
		for _, deb := range debs {
			size, err := unpackKernel(ctx, deb, made)
			if err != nil {
				return err
			}
			s.say("fetched %s: %s, %d MB", g.name, filepath.Base(deb), size>>20)
		}
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
		return errors.Join(os.RemoveAll(dir), os.Rename(made, dir))
	})
	if err != nil {
		return kernel{}, fmt.Errorf("%s: the kernel: %w", g.name, err)
	}
	return open(dir)
}

// open finds the kernel in a directory.
func open(dir string) (kernel, error) {
	k := kernel{image: filepath.Join(dir, "vmlinuz")}
	if _, err := os.Stat(k.image); err != nil {
		return kernel{}, err
	}
	if dtb := filepath.Join(dir, "board.dtb"); exists(dtb) {
		k.dtb = dtb
	}
	return k, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// inArchive calls f with an archive, by default of this machine's architecture, and
// a directory that lasts as long.
func (s *store) inArchive(ctx context.Context, suite, debArch string, f func(a *archive, tmp string) error) error {
	if err := canFetch(); err != nil {
		return err
	}
	if debArch == "" {
		out, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
		if err != nil {
			return fmt.Errorf("dpkg: %w", err)
		}
		debArch = strings.TrimSpace(string(out))
	}
	if s.mirror == "" {
		m, err := findMirror(ctx)
		if err != nil {
			return err
		}
		s.mirror = m
	}
	tmp, err := os.MkdirTemp(s.dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	s.say("fetching the lists of %s for %s", suite, debArch)
	a, err := openArchive(ctx, filepath.Join(tmp, "apt"), s.mirror, suite, debArch)
	if err != nil {
		return fmt.Errorf("%w\n(kernels come from %s; those fetched before need no network)", err, s.mirror)
	}
	return f(a, tmp)
}

// canFetch tells what is missing for fetching packages.
func canFetch() error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no %s: kernels can only be fetched on a system with Debian's package tools", program)
		}
	}
	if !exists(keyring) {
		return fmt.Errorf("no %s (apt-get install debian-archive-keyring)", keyring)
	}
	return nil
}

// unpackKernel takes the kernel and its device tree out of a package and returns
// the package's size.
func unpackKernel(ctx context.Context, deb, dir string) (int64, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	info, err := os.Stat(deb)
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = takeKernel(out, dir)
	_, _ = io.Copy(io.Discard, out) // to its end, so that dpkg-deb ends well
	return info.Size(), errors.Join(err, cmd.Wait())
}

func takeKernel(r io.Reader, dir string) error {
	found := false
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		switch {
		case err == io.EOF && !found:
			return errors.New("no kernel in the package")
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg:
			continue
		}
		name := kernelFile(h.Name)
		if name == "" {
			continue
		}
		found = found || name == "vmlinuz"
		if err := writeFile(filepath.Join(dir, name), files); err != nil {
			return err
		}
	}
}

// kernelFile returns what a file of a kernel package is called in the store, "" if
// it is of no use.
func kernelFile(path string) string {
	path = strings.TrimPrefix(path, ".")
	dir, name := filepath.Split(path)
	switch {
	case (dir == "/boot/" || strings.HasPrefix(dir, "/usr/lib/modules/")) && (strings.HasPrefix(name, "vmlinuz") || strings.HasPrefix(name, "vmlinux")):
		return "vmlinuz"
	case name == "bcm2835-rpi-zero.dtb":
		return "board.dtb"
	}
	return ""
}

func writeFile(path string, r io.Reader) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}
