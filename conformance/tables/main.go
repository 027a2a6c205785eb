// Command tables brings the tables of system calls and of constants up to date with the
// newest kernel headers that Debian has: those of its experimental suite, which has release
// candidates at times, or else of sid.
//
//	go run ./tables           refresh the tables: review the difference, and commit it
//	go run ./tables -check    print what would change; status 1 if the tables are stale
//
// It needs apt-get, Debian's keyring, and gcc for x86-64.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/syscalltables"
)

func main() {
	check := flag.Bool("check", false, "change nothing, and say whether the tables are stale")
	root := flag.String("C", "..", "the checkout is in `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	stale, err := run(ctx, *root, *check, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "tables: %v\n", err)
		os.Exit(2)
	}
	if *check && stale {
		os.Exit(1)
	}
}

// run refreshes the tables, or a copy of them, and reports whether that changed anything.
func run(ctx context.Context, root string, check bool, stdout io.Writer) (stale bool, err error) {
	headers, kernel, err := newest(ctx)
	if err != nil {
		return false, err
	}
	fmt.Fprintf(stdout, "the tables are of Linux %v, Debian's newest headers of %v\n", syscalltables.Kernel(), kernel)
	for _, p := range packages() {
		changed, err := p.refresh(ctx, root, headers, kernel, check, stdout)
		if err != nil {
			return false, fmt.Errorf("%s: %w", p.dir, err)
		}
		stale = stale || changed
	}
	if !stale {
		fmt.Fprintln(stdout, "nothing to change")
	}
	return stale, nil
}

// newest fetches the newest headers, and returns where they are and of which kernel.
func newest(ctx context.Context) (dir string, kernel syscalltables.Version, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", kernel, err
	}
	var problems []error
	for _, suite := range []string{"experimental", "sid"} {
		name := "headers-" + suite
		if err := os.RemoveAll(filepath.Join(cache, "seccompile", name)); err != nil { // it would be kept
			return "", kernel, err
		}
		root, err := debian.Packages(ctx, name, suite, "linux-libc-dev")
		var v syscalltables.Version
		if err == nil {
			v, err = headersVersion(root)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", suite, err))
			continue
		}
		if v.Compare(kernel) > 0 {
			dir, kernel = root, v
		}
	}
	if dir == "" {
		return "", kernel, errors.Join(problems...)
	}
	return dir, kernel, nil // experimental may well have none
}

// headersVersion reads which kernel headers are of.
func headersVersion(root string) (syscalltables.Version, error) {
	text, err := os.ReadFile(filepath.Join(root, "usr/include/linux/version.h"))
	if err != nil {
		return syscalltables.Version{}, err
	}
	return parseVersion(string(text))
}

func parseVersion(text string) (syscalltables.Version, error) {
	number := func(name string) string {
		m := regexp.MustCompile(`(?m)^#define LINUX_VERSION_` + name + ` (\d+)$`).FindStringSubmatch(text)
		if m == nil {
			return ""
		}
		return m[1]
	}
	return syscalltables.ParseVersion(number("MAJOR") + "." + number("PATCHLEVEL"))
}

// A tablePackage is a package that has tables and, in _gen, what refreshes them.
type tablePackage struct {
	dir   string
	facts []string // the files that a refresh rewrites or reads
}

func packages() []tablePackage {
	return []tablePackage{
		{"syscalltables", []string{"syscalls.tsv"}},
		{"internal/symbols", []string{"constants.tsv", "arguments.tsv"}},
	}
}

// refresh runs a package's refresh on its tables, or on a copy, and reports whether that
// changed them beyond the name of the kernel.
func (p tablePackage) refresh(ctx context.Context, root, headers string, kernel syscalltables.Version, check bool, stdout io.Writer) (changed bool, err error) {
	dir, err := filepath.Abs(filepath.Join(root, p.dir))
	if err != nil {
		return false, err
	}
	before, err := os.MkdirTemp("", "tables-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(before)) }()
	for _, name := range p.facts {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return false, err
		}
		if err := os.WriteFile(filepath.Join(before, name), text, 0o644); err != nil {
			return false, err
		}
	}
	old, refreshed := before, dir
	if check {
		old, refreshed = dir, before
	}
	cmd := exec.CommandContext(ctx, "go", "run", ".", "-pkg", refreshed, "refresh", kernel.String(), headers)
	cmd.Dir, cmd.Stdout, cmd.Stderr = filepath.Join(dir, "_gen"), stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return false, fmt.Errorf("refresh: %w", err)
	}
	for _, name := range p.facts {
		diff := exec.CommandContext(ctx, "diff", "-u", "--label", p.dir+"/"+name, "--label", name+" of Linux "+kernel.String(),
			filepath.Join(old, name), filepath.Join(refreshed, name))
		text, err := diff.Output()
		if err != nil && diff.ProcessState.ExitCode() != 1 {
			return false, fmt.Errorf("diff: %w", err)
		}
		if len(text) > 0 {
			changed = true
			if _, err := stdout.Write(text); err != nil {
				return false, err
			}
		}
	}
	return changed, nil
}
