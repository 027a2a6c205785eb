package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/conformance/internal/debian"
)

// A version is a package as an archive lists it.
type version struct{ pkg, number string }

func (v version) String() string { return v.pkg + " " + v.number }

// listVersions returns what the archive lists of a package's kind, the newest first.
func listVersions(ctx context.Context, a *debian.Archive, k kind) ([]version, error) {
	known, err := a.Run(ctx, "", "apt-cache", "pkgnames")
	if err != nil {
		return nil, err
	}
	ask := []string{"apt-cache", "show", k.meta}
	for pkg := range strings.FieldsSeq(known) {
		if pkg != k.meta && k.matches(pkg) {
			ask = append(ask, pkg)
		}
	}
	records, err := a.Run(ctx, "", ask...)
	if err != nil {
		return nil, err
	}
	all := parseVersions(records)
	slices.SortStableFunc(all, func(a, b version) int { return compareNumbers(ctx, b.number, a.number) })
	return k.choose(slices.Compact(all))
}

// compareNumbers orders versions' numbers as Debian does.
func compareNumbers(ctx context.Context, a, b string) int {
	for op, order := range map[string]int{"lt": -1, "gt": 1} {
		if exec.CommandContext(ctx, "dpkg", "--compare-versions", a, op, b).Run() == nil {
			return order
		}
	}
	return 0
}

// parseVersions reads the records of packages.
func parseVersions(records string) []version {
	var all []version
	for line := range strings.Lines(records) {
		if pkg, ok := strings.CutPrefix(line, "Package: "); ok {
			all = append(all, version{pkg: strings.TrimSpace(pkg)})
		} else if number, ok := strings.CutPrefix(line, "Version: "); ok && len(all) > 0 {
			all[len(all)-1].number = strings.TrimSpace(number)
		}
	}
	return all
}

// A kind is packages any of which will do.
type kind struct {
	meta  string           // stands for the newest, whose series all must have
	names []*regexp.Regexp // of the packages; a name counts if none before matches any package
	with  []string         // packages that each needs beside itself, of its version
}

func kernelKind(meta string) kind {
	flavour := regexp.QuoteMeta(strings.TrimPrefix(meta, "linux-image-"))
	k := kind{meta: meta}
	// Debian has cut its images in pieces since Linux 6.17.
	for _, piece := range []string{"binary", "image"} {
		k.names = append(k.names, regexp.MustCompile("^linux-"+piece+`-[0-9][^-]*(-[0-9][^-]*)?-`+flavour+"$"))
	}
	return k
}

// packageKind returns the kind of a package that is its own.
func packageKind(pkg string, with ...string) kind {
	return kind{meta: pkg, names: []*regexp.Regexp{regexp.MustCompile("^" + regexp.QuoteMeta(pkg) + "$")}, with: with}
}

func (k kind) matches(pkg string) bool {
	return slices.ContainsFunc(k.names, func(n *regexp.Regexp) bool { return n.MatchString(pkg) })
}

// choose returns those of the kind, in the order given.
func (k kind) choose(all []version) ([]version, error) {
	newest := slices.IndexFunc(all, func(v version) bool { return v.pkg == k.meta })
	if newest < 0 {
		return nil, fmt.Errorf("apt: no %s", k.meta)
	}
	for _, name := range k.names {
		var found []version
		for _, v := range all {
			if name.MatchString(v.pkg) && series(v.number) == series(all[newest].number) {
				found = append(found, v)
			}
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("apt: %v stands for no package", all[newest])
}

// series returns the first two numbers of a version.
func series(number string) string {
	major, rest, _ := strings.Cut(number, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	return major + "." + rest[:end]
}

// download fetches a version, and what it needs beside it, into a directory and
// returns the files.
func download(ctx context.Context, a *debian.Archive, dir string, v version, with ...string) ([]string, error) {
	args := []string{"apt-get", "-q", "download", v.pkg + "=" + v.number}
	for _, pkg := range with {
		args = append(args, pkg+"="+v.number)
	}
	if _, err := a.Run(ctx, dir, args...); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err == nil && len(files) != 1+len(with) {
		err = fmt.Errorf("apt: %d files of %d packages", len(files), 1+len(with))
	}
	return files, err
}
