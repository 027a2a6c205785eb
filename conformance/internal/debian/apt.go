// Package debian fetches packages from Debian's archives, of any release, without touching
// the packages of this machine.
package debian

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
	"time"

	"golang.org/x/sys/unix"
)

// Keyring holds the keys that Debian signs its releases with.
const Keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// A Source is one suite at one mirror.
type Source struct{ Mirror, Suite string }

// Sources returns where packages of a release may be, the release itself first.
// What a point release replaces stays in the other suites for some time.
func Sources(mirror, release string) []Source {
	mirror = strings.TrimSuffix(mirror, "/")
	all := []Source{{mirror, release}}
	switch {
	case release == "sid":
		return append(all, Source{mirror, "testing"})
	case strings.HasSuffix(release, "-backports"):
		return all
	}
	return append(all, Source{mirror + "-security", release + "-security"},
		Source{mirror, release + "-updates"}, Source{mirror, release + "-proposed-updates"})
}

// An Archive is apt's view of one source for one architecture, in a directory of
// its own: it shares no state with the system's apt.
type Archive struct {
	Dir      string
	Patience time.Duration // limit for each program of apt's
}

// Open fetches the source's package lists into the archive's directory. The option
// trust is the field of apt's list of sources that says what to trust.
func (a *Archive) Open(ctx context.Context, src Source, debArch, trust string) error {
	for _, d := range []string{"etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "etc/sources.list.d", "lib/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(a.Dir, d), 0o755); err != nil {
			return err
		}
	}
	settings, err := acquireSettings(ctx)
	if err != nil {
		return err
	}
	files := map[string]string{
		"status": "",
		"etc/sources.list.d/debian.sources": "Types: deb\nURIs: " + src.Mirror + "\nSuites: " + src.Suite + "\nComponents: main\n" +
			"Architectures: " + debArch + "\n" + trust + "\n",
		"apt.conf": fmt.Sprintf("Dir %q;\nDir::Etc \"etc\";\nDir::Etc::sourceparts \"sources.list.d\";\n", a.Dir) +
			fmt.Sprintf("Dir::State \"lib\";\nDir::State::status %q;\n", filepath.Join(a.Dir, "status")) +
			"Dir::Cache \"cache\";\nDir::Log \"log\";\n" +
			"Dir::Etc::netrc \"/etc/apt/auth.conf\";\nDir::Etc::netrcparts \"/etc/apt/auth.conf.d\";\n" +
			fmt.Sprintf("APT::Architecture %q;\nAPT::Architectures { %q; };\n", debArch, debArch) +
			"APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\nAcquire::PDiffs \"false\";\nAcquire::GzipIndexes \"true\";\n" +
			"Acquire::Retries \"1\";\n" + settings,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(a.Dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, err = a.Run(ctx, "", "apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update")
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

// Run runs a program of apt's in a directory and returns its output. At the limit
// it ends with all that it has started.
func (a *Archive) Run(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.Patience, fmt.Errorf("%s did not end in %v (allow more: -patience)", args[0], a.Patience))
	defer cancel()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.Dir, "apt.conf"), "LC_ALL=C")
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
	return fmt.Sprintf("%v: %s", end, Tail(stderr, 1))
}

// Tail returns the last lines of a text.
func Tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// FindMirror returns the Debian mirror that the system's apt uses.
func FindMirror(ctx context.Context) (string, error) {
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
