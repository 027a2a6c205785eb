package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// keyring holds the keys that Debian signs its releases with.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// A source is one suite at one mirror.
type source struct{ mirror, suite string }

// sources returns where packages of a release may be, the release itself first.
// What a point release replaces stays in the other suites for some time.
func sources(mirror, release string) []source {
	mirror = strings.TrimSuffix(mirror, "/")
	all := []source{{mirror, release}}
	switch {
	case release == "sid":
		return append(all, source{mirror, "testing"})
	case strings.HasSuffix(release, "-backports"):
		return all
	}
	return append(all, source{mirror + "-security", release + "-security"},
		source{mirror, release + "-updates"}, source{mirror, release + "-proposed-updates"})
}

// An archive is apt's view of one source for one architecture, in a directory of
// its own: it shares no state with the system's apt.
type archive struct {
	dir      string
	patience time.Duration // limit for each program of apt's
}

// open fetches the source's package lists into the archive's directory. The option
// trust is the field of apt's list of sources that says what to trust.
func (a *archive) open(ctx context.Context, src source, debArch, trust string) error {
	for _, d := range []string{"etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "etc/sources.list.d", "lib/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return err
		}
	}
	settings, err := acquireSettings(ctx)
	if err != nil {
		return err
	}
	files := map[string]string{
		"status": "",
		"etc/sources.list.d/debian.sources": "Types: deb\nURIs: " + src.mirror + "\nSuites: " + src.suite + "\nComponents: main\n" +
			"Architectures: " + debArch + "\n" + trust + "\n",
		"apt.conf": fmt.Sprintf("Dir %q;\nDir::Etc \"etc\";\nDir::Etc::sourceparts \"sources.list.d\";\n", a.dir) +
			fmt.Sprintf("Dir::State \"lib\";\nDir::State::status %q;\n", filepath.Join(a.dir, "status")) +
			"Dir::Cache \"cache\";\nDir::Log \"log\";\n" +
			"Dir::Etc::netrc \"/etc/apt/auth.conf\";\nDir::Etc::netrcparts \"/etc/apt/auth.conf.d\";\n" +
			fmt.Sprintf("APT::Architecture %q;\nAPT::Architectures { %q; };\n", debArch, debArch) +
			"APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::PDiffs \"false\";\nAcquire::GzipIndexes \"true\";\n" +
			"Acquire::Retries \"1\";\n" + settings,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, err = a.run(ctx, "", "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")
	return err
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

// run runs a program of apt's in a directory and returns its output. At the limit
// it ends with all that it has started.
func (a *archive) run(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.patience, fmt.Errorf("%s did not end in %v (allow more: -patience)", args[0], a.patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"), "LC_ALL=C")
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", fmt.Errorf("%s: %s", args[0], complaint(stderr.String(), err))
	}
	return string(out), nil
}

// complaint returns the first error that a program of apt's printed, from which the
// others follow, or else how it ended.
func complaint(stderr string, end error) string {
	for line := range strings.Lines(stderr) {
		if e, ok := strings.CutPrefix(line, "E: "); ok {
			if rest, ok := strings.CutPrefix(e, "Failed to fetch "); ok {
				_, e, _ = strings.Cut(rest, " ") // behind the address
			}
			e, _, _ = strings.Cut(e, "[IP: ")
			return strings.Join(strings.Fields(e), " ")
		}
	}
	return fmt.Sprintf("%v: %s", end, tail(stderr, 1))
}

// tail returns the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// A version is a package as an archive lists it.
type version struct{ pkg, number string }

func (v version) String() string { return v.pkg + " " + v.number }

// versions returns what the archive lists of a package's kind, the newest first.
func (a *archive) versions(ctx context.Context, k kind) ([]version, error) {
	known, err := a.run(ctx, "", "apt-cache", "pkgnames")
	if err != nil {
		return nil, err
	}
	ask := []string{"apt-cache", "show", k.meta}
	for pkg := range strings.FieldsSeq(known) {
		if pkg != k.meta && k.matches(pkg) {
			ask = append(ask, pkg)
		}
	}
	records, err := a.run(ctx, "", ask...)
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
func (a *archive) download(ctx context.Context, dir string, v version, with ...string) ([]string, error) {
	args := []string{"apt-get", "-q", "download", v.pkg + "=" + v.number}
	for _, pkg := range with {
		args = append(args, pkg+"="+v.number)
	}
	if _, err := a.run(ctx, dir, args...); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err == nil && len(files) != 1+len(with) {
		err = fmt.Errorf("apt: %d files of %d packages", len(files), 1+len(with))
	}
	return files, err
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
