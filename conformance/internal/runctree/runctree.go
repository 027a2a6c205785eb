// Package runctree makes copies of runc's source, as it is released and as docs/RUNC.md
// changes it.
package runctree

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// The sections of docs/RUNC.md that have commands.
const (
	Adopt = "Put it into runc"
	Build = "Build it"
	Tests = "Test it"
	Bats  = "Run runc's integration tests"
)

// A Tree is a copy of runc's source.
type Tree struct {
	Dir  string
	ours string // where this project's source is
}

// Copy writes the source of runc, of the release that conformance/go.mod names, to a new
// directory, and makes it a git repository, as a checkout of runc is.
func Copy(ctx context.Context, dir string) (*Tree, error) {
	source, err := moduleDir(ctx, "github.com/opencontainers/runc")
	if err != nil {
		return nil, err
	}
	ours, err := moduleDir(ctx, "github.com/seccompile/seccompile")
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		return nil, err
	}
	t := &Tree{dir, ours}
	if err := executable(dir); err != nil {
		return nil, err
	}
	_, err = t.Run(ctx, "git init -q")
	return t, err
}

func moduleDir(ctx context.Context, module string) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w", module, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// executable makes scripts executable, which they are not in a module's archive.
func executable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".sh" {
			return err
		}
		return os.Chmod(path, 0o755)
	})
}

// Follow executes the commands that docs/RUNC.md has in a section, and returns what they
// print.
func (t *Tree) Follow(ctx context.Context, section string) (string, error) {
	page, err := os.ReadFile(filepath.Join(t.ours, "docs/RUNC.md"))
	if err != nil {
		return "", err
	}
	_, text, ok := strings.Cut(string(page), "\n## "+section+"\n")
	if !ok {
		return "", fmt.Errorf("docs/RUNC.md: no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	blocks := strings.Split(text, "```sh\n")[1:]
	if len(blocks) == 0 {
		return "", fmt.Errorf("docs/RUNC.md: %s: no commands", section)
	}
	var output strings.Builder
	for _, block := range blocks {
		commands, _, _ := strings.Cut(block, "```")
		out, err := t.Run(ctx, commands)
		output.WriteString(out)
		if err != nil {
			return output.String(), fmt.Errorf("docs/RUNC.md: %s: %w", section, err)
		}
	}
	return output.String(), nil
}

// Run executes commands of a shell in the tree, and returns what they print. Debian's stable
// release has no libpathrs, so that make builds without it.
func (t *Tree) Run(ctx context.Context, commands string) (string, error) {
	cmd := exec.CommandContext(ctx, "sh", "-eu", "-c", commands)
	cmd.Dir = t.Dir
	cmd.Env = append(os.Environ(), "SECCOMPILE="+t.ours, "RUNC_BUILDTAGS=-libpathrs", "COMMIT=test", "CGO_ENABLED=1", "LC_ALL=C")
	cmd.WaitDelay = 10 * time.Second // for what is left in the background of a killed shell
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%w\n%s\n%s", err, commands, out.Bytes())
	}
	return out.String(), err
}

// Images puts the root file systems where runc's tests look for them before they fetch any:
// busybox's is made of a static busybox, and Debian's, which no test of seccomp uses, is empty.
func (t *Tree) Images(ctx context.Context, busybox string) error {
	list, err := exec.CommandContext(ctx, busybox, "--list").Output()
	if err != nil {
		return fmt.Errorf("%s --list: %w", busybox, err)
	}
	root := filepath.Join(t.Dir, "tests/integration/testdata/root")
	for _, dir := range []string{"bin", "dev", "etc", "proc", "root", "sys", "tmp", "var"} {
		err = errors.Join(err, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	program, readErr := os.ReadFile(busybox)
	err = errors.Join(err, readErr,
		os.WriteFile(filepath.Join(root, "bin/busybox"), program, 0o755),
		os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0:root:/root:/bin/sh\n"), 0o644))
	for _, applet := range strings.Fields(string(list)) {
		if applet != "busybox" {
			err = errors.Join(err, os.Symlink("busybox", filepath.Join(root, "bin", applet)))
		}
	}
	if err != nil {
		return err
	}
	arch := runtime.GOARCH
	_, err = t.Run(ctx, "cd tests/integration/testdata\ntar -C root -cf busybox-"+arch+".tar.xz .\n: >debian-"+arch+".tar.xz")
	return err
}
