package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// keyring holds the keys that Debian signs its releases with.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// An archive is apt's view of one release of Debian for one architecture, in a
// directory of its own: it shares no state with the system's apt.
type archive struct {
	dir, suite string
}

// openArchive fetches the release's package lists into dir.
func openArchive(ctx context.Context, dir, mirror, suite, debArch string) (*archive, error) {
	a := &archive{dir: dir, suite: suite}
	for _, d := range []string{"etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "etc/sources.list.d", "lib/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	settings, err := acquireSettings(ctx)
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		"status": "",
		"etc/sources.list.d/debian.sources": "Types: deb\nURIs: " + mirror + "\nSuites: " + suite + "\nComponents: main\n" +
			"Architectures: " + debArch + "\nSigned-By: " + keyring + "\n",
		"apt.conf": fmt.Sprintf("Dir %q;\nDir::Etc \"etc\";\nDir::Etc::sourceparts \"sources.list.d\";\n", dir) +
			fmt.Sprintf("Dir::State \"lib\";\nDir::State::status %q;\n", filepath.Join(dir, "status")) +
			"Dir::Cache \"cache\";\nDir::Log \"log\";\n" +
			"Dir::Etc::netrc \"/etc/apt/auth.conf\";\nDir::Etc::netrcparts \"/etc/apt/auth.conf.d\";\n" +
			fmt.Sprintf("APT::Architecture %q;\nAPT::Architectures { %q; };\n", debArch, debArch) +
			"APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::PDiffs \"false\";\nAcquire::GzipIndexes \"true\";\n" +
			settings,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	_, err = a.run(ctx, "", "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")
	return a, err
}

// acquireSettings returns how the system's apt reaches the network: proxies,
// certificates, whether it insists on fresh releases.
func acquireSettings(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-config", "dump", "Acquire").Output()
	if err != nil {
		return "", fmt.Errorf("apt-config: %w", err)
	}
	return reachSettings(string(out)), nil
}

func reachSettings(dump string) string {
	var kept strings.Builder
	for line := range strings.Lines(dump) {
		for _, prefix := range []string{"http", "https", "socks", "Check-", "Retries", "ForceIPv"} {
			if strings.HasPrefix(line, "Acquire::"+prefix) {
				kept.WriteString(line)
				break
			}
		}
	}
	return kept.String()
}

// run runs a program of apt's in a directory and returns its output.
func (a *archive) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"), "LC_ALL=C")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, tail(stderr.String(), 10))
	}
	return string(out), nil
}

// tail returns the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// depends returns the names of the packages that a package depends on, the first
// of alternatives.
func (a *archive) depends(ctx context.Context, pkg string) ([]string, error) {
	out, err := a.run(ctx, "", "apt-cache", "--no-all-versions", "show", pkg)
	if err != nil {
		return nil, err
	}
	return parseDepends(out), nil
}

// parseDepends reads the Depends field of a package's record.
func parseDepends(record string) []string {
	var names []string
	for line := range strings.Lines(record) {
		list, ok := strings.CutPrefix(line, "Depends: ")
		if !ok {
			continue
		}
		for dep := range strings.SplitSeq(list, ",") {
			if fields := strings.FieldsFunc(dep, func(r rune) bool { return strings.ContainsRune(" \n(|:", r) }); len(fields) > 0 {
				names = append(names, fields[0])
			}
		}
	}
	return names
}

// kernelPackages returns the packages that hold a kernel: those behind the one
// that stands for the newest. Debian has cut its images in pieces since Linux 6.17.
func (a *archive) kernelPackages(ctx context.Context, meta string) ([]string, error) {
	var found []string
	for todo := []string{meta}; len(todo) > 0; todo = todo[1:] {
		deps, err := a.depends(ctx, todo[0])
		if err != nil {
			return nil, err
		}
		for _, d := range deps {
			if (strings.HasPrefix(d, "linux-image-") || strings.HasPrefix(d, "linux-binary-")) && !slices.Contains(found, d) {
				found = append(found, d)
				todo = append(todo, d)
			}
		}
	}
	if i := slices.IndexFunc(found, func(p string) bool { return strings.HasPrefix(p, "linux-binary-") }); i >= 0 {
		return found[i : i+1], nil
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("apt: %s of %s depends on no kernel", meta, a.suite)
	}
	return found, nil
}

// download fetches packages into a directory and returns the files, in order.
func (a *archive) download(ctx context.Context, dir string, pkgs ...string) ([]string, error) {
	if _, err := a.run(ctx, dir, append([]string{"apt-get", "-q", "download"}, pkgs...)...); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(files) < len(pkgs) {
		return nil, errors.Join(err, fmt.Errorf("apt: %d files of %d packages", len(files), len(pkgs)))
	}
	return files, nil
}

// findMirror returns the Debian mirror that the system's apt uses.
func findMirror(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)", "Created-By: Packages")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	if m, ok := pickMirror(string(out)); ok {
		return m, nil
	}
	return "", errors.New("this machine's apt has no Debian mirror (name one: MIRROR=http://...)")
}

// pickMirror picks from a list of what the sources offer.
func pickMirror(targets string) (uri string, ok bool) {
	releases := []string{"bullseye", "bookworm", "trixie", "forky", "sid", "oldoldstable", "oldstable", "stable", "testing", "unstable"}
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		// The origin is known once lists have been fetched.
		if len(f) >= 3 && f[2] == "main" && slices.Contains(releases, f[1]) && (len(f) == 3 || f[3] == "Debian") {
			return f[0], true
		}
	}
	return "", false
}
