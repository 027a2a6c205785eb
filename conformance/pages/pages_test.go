package pages

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/conformance/internal/page"
)

// reader returns a session of somebody who has the command.
func reader(t *testing.T) *page.Session {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the pages show what x86_64 has")
	}
	for _, p := range [][2]string{{"python3", "python3"}, {"unshare", "util-linux"}, {"dmesg", "util-linux"}, {"jq", "jq"}, {"git", "git"}, {"make", "make"}} {
		need.Program(t, p[0], p[1])
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(status), "\nSeccomp:\t0\n") {
		t.Skip("a filter is in force already: the commands would tell of it, too")
	}
	return &page.Session{Dir: t.TempDir(), Env: []string{
		"PATH=" + page.Command(t) + ":" + os.Getenv("PATH"), "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0",
	}}
}

// README is true: its session, its commands, and the way to install. Where it clones from is
// this repository, which may belong to another user, and where it installs to is not the system.
func TestReadme(t *testing.T) {
	s, root := reader(t), page.Root(t)
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is not a clone: ", err)
	}
	config := filepath.Join(t.TempDir(), "gitconfig")
	text := fmt.Sprintf("[safe]\n\tdirectory = *\n[url %q]\n\tinsteadOf = https://github.com/seccompile/seccompile\n", root)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	installed := t.TempDir()
	s.Env = append(s.Env, "DESTDIR="+installed, "GIT_CONFIG_GLOBAL="+config)
	elsewhere := func(*testing.T, page.Block) {} // the house test finds the code in a program
	ran := s.Run(t, filepath.Join(root, "README.md"), map[string]func(*testing.T, page.Block){"go": elsewhere})
	if ran["console"] < 2 || ran["sh"] < 2 {
		t.Errorf("ran %v", ran)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(installed, "usr/local/bin/seccompile"), "version").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "seccompile") {
		t.Errorf("what was installed: %v\n%s", err, out)
	}
}

// Every block of QUICKSTART runs as it is printed. The library is in a clone beside the programs
// of the page, and PID is a process that a filter confines.
func TestQuickstart(t *testing.T) {
	s, root := reader(t), page.Root(t)
	if err := os.Symlink(root, filepath.Join(s.Dir, "seccompile")); err != nil {
		t.Fatal(err)
	}
	s.Env = append(s.Env, "PID="+confined(t, s))
	ran := s.Run(t, filepath.Join(root, "docs/QUICKSTART.md"), nil)
	if ran["console"] < 3 || ran["sh"] < 10 || ran["go"] != 2 {
		t.Errorf("ran %v", ran)
	}
}

// confined starts a process under Docker's default profile, which ends with the test, and returns
// its ID when the filter is in force.
func confined(t *testing.T, s *page.Session) string {
	t.Helper()
	dir, _, _ := strings.Cut(strings.TrimPrefix(s.Env[0], "PATH="), ":")
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "seccompile"), "run", "--", "sh", "-c", "echo here; exec sleep 3600")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // or the context has
		_ = cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "here\n" {
		t.Fatalf("the confined process says %q, %v", line, err)
	}
	return strconv.Itoa(cmd.Process.Pid)
}
