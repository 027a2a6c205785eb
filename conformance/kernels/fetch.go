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
	"strconv"
	"strings"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/debian"
)

// A kernel is a kernel on disk.
type kernel struct {
	image string
	dtb   string // device tree, "" if the board needs none
	kept  error  // why it was not fetched anew, nil if that was not asked for
}

// A store is the directory with everything that was fetched.
type store struct {
	dir      string
	mirror   string        // "" means that of the system
	trust    string        // how apt knows who signed: a field of its list of sources
	patience time.Duration // limit for each program of apt's
	say      func(format string, args ...any)
}

// unavailable is why something could not be fetched.
type unavailable struct{ error }

// kernel returns a guest's kernel from the store, or fetches it. Once it is there
// no network is needed, until it is fetched anew; if that is impossible it is kept.
func (s *store) kernel(ctx context.Context, g *guest, anew bool) (kernel, error) {
	dir := filepath.Join(s.dir, "kernels", g.name)
	cached, missing := open(dir)
	if missing == nil && !anew {
		return cached, nil
	}
	var err error
	if g.build != nil {
		err = s.make(ctx, g, dir)
	} else {
		err = s.fetch(ctx, g.suite, g.debian(), kernelKind(g.kernel), dir, unpackKernel)
	}
	if missing == nil && errors.As(err, new(unavailable)) {
		cached.kept = err
		return cached, nil
	}
	if err != nil {
		return kernel{}, err
	}
	return open(dir)
}

// fetch fetches packages of a kind, by default for this machine, and unpacks them
// into a directory of the store, which stays as it was unless all goes well. An
// error is unavailable.
func (s *store) fetch(ctx context.Context, release, debArch string, k kind, dir string, unpack unpacker) error {
	if err := s.tryFetch(ctx, release, debArch, k, dir, unpack); err != nil {
		return unavailable{err}
	}
	return nil
}

func (s *store) tryFetch(ctx context.Context, release, debArch string, k kind, dir string, unpack unpacker) error {
	if err := s.canFetch(ctx); err != nil {
		return err
	}
	if debArch == "" {
		out, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
		if err != nil {
			return fmt.Errorf("dpkg: %w", err)
		}
		debArch = strings.TrimSpace(string(out))
	}
	tmp, err := os.MkdirTemp(s.dir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	var problems []error
	for _, src := range debian.Sources(s.mirror, release) {
		s.say("fetching %s of %s for %s from %s", k.meta, src.Suite, debArch, src.Mirror)
		made, err := s.fetchFrom(ctx, src, debArch, k, filepath.Join(tmp, src.Suite), unpack)
		if err == nil {
			return replace(dir, made, filepath.Join(tmp, "old"))
		}
		problems = append(problems, fmt.Errorf("%s: %w", src.Suite, err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(problems...)
}

// fetchFrom fetches the newest version that a source really has, and returns the
// directory with what was in it.
func (s *store) fetchFrom(ctx context.Context, src debian.Source, debArch string, k kind, tmp string, unpack unpacker) (string, error) {
	const most = 3 // a mirror that lacks as many is not worth more time
	a := &debian.Archive{Dir: filepath.Join(tmp, "apt"), Patience: s.patience}
	err := a.Open(ctx, src, debArch, s.trust)
	var versions []version
	if err == nil {
		versions, err = listVersions(ctx, a, k)
	}
	if err != nil {
		s.say("  %v", err)
		return "", err
	}
	var problems []error
	for i, v := range versions[:min(most, len(versions))] {
		dir := filepath.Join(tmp, strconv.Itoa(i))
		made := filepath.Join(dir, "made")
		if err := os.MkdirAll(made, 0o755); err != nil {
			return "", err
		}
		debs, err := download(ctx, a, dir, v, k.with...)
		for _, deb := range debs {
			err = errors.Join(err, unpack(ctx, deb, made))
		}
		if err == nil {
			s.say("  fetched %v", v)
			return made, nil
		}
		problems = append(problems, fmt.Errorf("%v: %w", v, err))
		s.say("  %v: %v", v, err)
	}
	return "", errors.Join(problems...)
}

// replace puts a directory in the place of another, which it moves to old first so
// that never a mix of both is there.
func replace(dir, made, old string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(made, dir); err != nil {
		_ = os.Rename(old, dir)
		return err
	}
	return nil
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

// canFetch finds the mirror, and says what is missing for fetching packages.
func (s *store) canFetch(ctx context.Context) error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("no %s: kernels can only be fetched on a system with Debian's package tools", program)
		}
	}
	if key, ok := strings.CutPrefix(s.trust, "Signed-By: "); ok && !exists(key) {
		return fmt.Errorf("no %s (apt-get install debian-archive-keyring)", key)
	}
	if s.mirror != "" {
		return nil
	}
	var err error
	s.mirror, err = debian.FindMirror(ctx)
	return err
}

// An unpacker takes what is needed out of a package into a directory.
type unpacker func(ctx context.Context, deb, dir string) error

// unpackAll takes everything.
func unpackAll(ctx context.Context, deb, dir string) error {
	if out, err := exec.CommandContext(ctx, "dpkg-deb", "-x", deb, dir).CombinedOutput(); err != nil {
		return fmt.Errorf("dpkg-deb: %w: %s", err, debian.Tail(string(out), 1))
	}
	return nil
}

// unpackKernel takes the kernel and its device tree.
func unpackKernel(ctx context.Context, deb, dir string) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	err = takeKernel(out, dir)
	_, _ = io.Copy(io.Discard, out) // to its end, so that dpkg-deb ends well
	return errors.Join(err, cmd.Wait())
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
