package page

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds how long a block may take, on a machine that does much else.
const patience = 5 * time.Minute

// A Session is a directory in which the commands of pages run.
type Session struct {
	Dir string
	Env []string // beside that of the test
}

// Run runs the blocks of a page, and returns how many of each kind there were. A block of another
// kind than those of this package is for the function of that kind.
func (s *Session) Run(t *testing.T, path string, others map[string]func(*testing.T, Block)) map[string]int {
	t.Helper()
	blocks, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	output := ""
	for _, b := range blocks {
		ran[b.Kind]++
		switch other := others[b.Kind]; {
		case b.Name != "":
			s.write(t, b.Name, b.Text)
		case other != nil:
			other(t, b)
		case b.Kind == "sh":
			output, err = s.shell(t.Context(), "-e", b.Text)
			if t.Logf("%s:%d:\n%s%s", path, b.Line, b.Text, output); err != nil {
				t.Fatalf("%s:%d: %v: the commands after it may need what this one makes", path, b.Line, err)
			}
		case b.Kind == "text":
			compare(t, path, b.Line, b.Text, output)
		case b.Kind == "console":
			s.console(t, path, b)
		default:
			t.Errorf("%s:%d: nothing runs a block of the kind %q", path, b.Line, b.Kind)
		}
	}
	return ran
}

func (s *Session) write(t *testing.T, name, text string) {
	t.Helper()
	if !filepath.IsLocal(name) {
		t.Fatalf("%s: not a file in the directory of the session", name)
	}
	path := filepath.Join(s.Dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

func (s *Session) console(t *testing.T, path string, b Block) {
	t.Helper()
	list, err := b.commands()
	if err != nil {
		t.Fatalf("%s:%v", path, err)
	}
	for _, c := range list {
		printed, err := s.shell(t.Context(), "+e", c.text)
		t.Logf("%s:%d:\n$ %s%s", path, b.Line, c.text, printed)
		var exit *exec.ExitError
		if err != nil && (c.output == "" || !errors.As(err, &exit)) {
			t.Fatalf("%s:%d: %s: %v", path, b.Line, strings.TrimSpace(c.text), err)
		}
		compare(t, path, b.Line, c.output, printed)
	}
}

func compare(t *testing.T, path string, line int, page, printed string) {
	t.Helper()
	if !Matches(page, printed) {
		t.Errorf("%s:%d: the page says\n%sand the commands print\n%s", path, line, page, printed)
	}
}

// shell runs commands as if they followed those that ran before: with the variables that these
// have set. It returns all that they print.
func (s *Session) shell(ctx context.Context, flag, commands string) (output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before, err := os.ReadFile(s.state())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	script := string(before) + "\ncd " + quote(s.Dir) + "\ntrap 'export -p >" + quote(s.state()) + "' EXIT\nset -a " + flag + "\n" + commands
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TERM=dumb", "NO_COLOR=1")
	cmd.Env = append(cmd.Env, s.Env...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.New("not done after " + patience.String())
	}
	return string(out), err
}

// state is the file in which variables outlive a shell: beside the directory, where no command
// of a page looks.
func (s *Session) state() string { return filepath.Clean(s.Dir) + ".variables" }

// quote returns a path as one word of a shell script, in double quotes so that it can stand in
// a trap, which has single ones.
func quote(path string) string { return strconv.Quote(path) }

// Root returns the directory of the module that the pages are of.
func Root(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/seccompile/seccompile").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Command builds the command, and returns the directory that it is in.
func Command(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "./cmd/seccompile")
	cmd.Dir, cmd.Env = Root(t), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
