package languages

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/debian"
)

// A liblxc is a real liblxc with its lxc-execute.
type liblxc struct {
	version int // the major one, as the reader takes it
	command []string
	preload string // its option, "" for the environment
}

// installedLXC returns the system's own.
func installedLXC(t *testing.T) liblxc {
	t.Helper()
	path, err := exec.LookPath("lxc-execute")
	if err != nil {
		t.Skip("lxc-execute is not installed (Debian's package lxc)")
	}
	return liblxc{command: []string{path}}.identified(t)
}

// sidLXC returns that of Debian's unstable release, from the user's cache directory. It is
// fetched only if that is asked for.
func sidLXC(t *testing.T, fetch bool) liblxc {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip(err)
	}
	const name = "lxc-sid"
	if _, err := os.Stat(filepath.Join(cache, "seccompile", name)); err != nil && !fetch {
		t.Skip("the packages of Debian's unstable release are not fetched (make lxc)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	root, err := debian.Packages(ctx, name, "sid", "lxc", "liblxc1t64", "libseccomp2", "libc6", "libcap2", "libapparmor1",
		"libdbus-1-3", "libgcc-s1", "libselinux1", "libsystemd0", "libpcre2-8-0")
	if err != nil {
		t.Fatal(err)
	}
	return liblxc{
		command: debian.Command(root, filepath.Join(root, "usr/bin/lxc-execute")),
		preload: "--preload",
	}.identified(t)
}

// identified fills in the version.
func (l liblxc) identified(t *testing.T) liblxc {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), l.command[0], append(l.command[1:], "--version")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(string(out), ".")
	if l.version, err = strconv.Atoi(major); err != nil || l.version != 5 && l.version != 7 {
		t.Skipf("lxc %s: the reader knows versions 5 and 7", bytes.TrimSpace(out))
	}
	t.Logf("lxc %s", bytes.TrimSpace(out))
	return l
}

// shim compiles what is preloaded into lxc-execute.
func shim(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("lxc-execute needs root")
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc")
	}
	file := filepath.Join(t.TempDir(), "liblxc.so")
	if out, err := exec.CommandContext(t.Context(), gcc, "-shared", "-fPIC", "-O1", "-Wall", "-o", file, "testdata/liblxc.c", "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// filters returns what liblxc makes of policies.
func (l liblxc) filters(t *testing.T, shim string, policies [][]byte) []verdict {
	t.Helper()
	dir := t.TempDir()
	file := func(i int) string { return filepath.Join(dir, strconv.Itoa(i)) }
	for i, text := range policies {
		if err := os.WriteFile(file(i), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	policy, config := filepath.Join(dir, "policy"), filepath.Join(dir, "config")
	settings := "lxc.rootfs.path = dir:" + dir + "/none\nlxc.seccomp.profile = " + policy + "\nlxc.seccomp.allow_nesting = 1\n"
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	args := l.command
	if l.preload != "" {
		args = append([]string{args[0], l.preload, shim}, args[1:]...)
	}
	args = append(args[:len(args):len(args)], "-P", dir, "-n", "x", "-f", config, "--", "/bin/true")
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "POLICY="+policy, "POLICIES="+dir, fmt.Sprintf("COUNT=%d", len(policies)))
	if l.preload == "" {
		cmd.Env = append(cmd.Env, "LD_PRELOAD="+shim)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("lxc-execute: %v\n%s", err, out)
	}
	verdicts := make([]verdict, len(policies))
	for i := range policies {
		made, err := os.ReadFile(file(i) + ".out")
		if err != nil {
			t.Fatal(err)
		}
		head, rest, _ := bytes.Cut(made, []byte("\n"))
		switch string(head) {
		case "refused":
			verdicts[i].reason = string(rest)
		case "read":
			p, err := cbpf.Decode(rest, binary.LittleEndian)
			if err != nil {
				t.Fatalf("%q: %v", policies[i], err)
			}
			verdicts[i] = verdict{program: p, length: p.Len()}
		default:
			t.Fatalf("%q: no outcome: %q", policies[i], made)
		}
	}
	return verdicts
}
