package scan

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A workload is a program and a shell script that exercises it. The script's first lines
// say in comments ("# KEY: VALUE") what it needs.
type workload struct {
	name    string
	list    string   // the directory of the script, under testdata: when the program was chosen
	program string   // "program": its path; by default it is built
	real    string   // the program's file, behind symbolic links
	pkg     string   // "package": Debian's packages that have it
	golang  string   // "go": the package of a module, with its version, that it is built from
	build   string   // "build": a shell command that builds it as $PROGRAM, in testdata
	runs    []string // "runs": other programs that it runs
	with    []string // "with": files which only its configuration names
	user    string   // "user": who runs it, if not root
	script  string
}

// readWorkload parses a script.
func readWorkload(path string) (*workload, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w := &workload{
		name:   strings.TrimSuffix(filepath.Base(path), ".sh"),
		list:   filepath.Base(filepath.Dir(path)),
		script: string(text),
	}
	for line := range strings.Lines(w.script) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "# "), ": ")
		if !strings.HasPrefix(line, "# ") || !ok {
			break
		}
		switch key {
		case "program":
			w.program = value
		case "package":
			w.pkg = value
		case "go":
			w.golang = value
		case "build":
			w.build = value
		case "runs":
			w.runs = strings.Fields(value)
		case "with":
			w.with = strings.Fields(value)
		case "user":
			w.user = value
		default:
			return nil, fmt.Errorf("%s: unknown key %q", path, key)
		}
	}
	return w, nil
}

// find makes sure that the program exists, building it if need be. What is fetched to be
// built stays in the user's cache.
func (w *workload) find(t *testing.T) {
	t.Helper()
	switch {
	case w.golang != "":
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		_, version, _ := strings.Cut(w.golang, "@")
		w.program = filepath.Join(cache, "seccompile", "scan", version, w.name)
		if _, err := os.Stat(w.program); err != nil {
			w.install(t)
		}
	case w.build != "":
		w.program = filepath.Join(t.TempDir(), w.name)
		w.shell(t, w.build)
	}
	if files, err := filepath.Glob(w.program); err == nil && len(files) > 0 {
		w.program = files[len(files)-1] // of the newest release, if its path says which
	}
	path, err := exec.LookPath(w.program)
	if err == nil {
		w.real, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		t.Fatalf("%v: install Debian's package %s, or set CONFORMANCE_SKIP=%s", err, w.pkg, w.name)
	}
}

// install builds a Go program from its module.
func (w *workload) install(t *testing.T) {
	t.Helper()
	dir := filepath.Dir(w.program)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.shell(t, `out=$(mktemp -d) && cd "$out" && GOBIN=$out go install `+w.golang+` && mv "$out"/* "$PROGRAM"; status=$?; rm -rf "$out"; exit $status`)
}

// shell runs a command that builds the program.
func (w *workload) shell(t *testing.T, command string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "nice", "sh", "-c", command)
	cmd.Dir = "testdata"
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "PROGRAM="+w.program)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// preamble is in front of every script.
const preamble = `set -eu
p() { $UNDER "$PROGRAM" "$@"; }
# fails COMMAND...: the command must fail.
fails() { if "$@"; then echo "$*: did not fail"; exit 1; fi; }
# start ARGUMENT...: starts the program in the background.
start() { $UNDER "$PROGRAM" "$@" >>log 2>&1 & job=$!; }
# signal NAME: sends the started program a signal, not what it runs under, once that has started it.
signal() {
	pid=$job
	[ "$MODE" = run ] || until child; do kill -0 "$job" || return; sleep 0.1; done
	kill -s "$1" "$pid"
}
child() { pid=$(grep -l "^PPid:[[:space:]]$job\$" /proc/[0-9]*/status 2>/dev/null | sed 's,[^0-9],,g'); [ "$pid" ]; }
# finish: waits until the started program has ended, however.
finish() { wait "$job" || true; }
# await COMMAND...: repeats the command until it succeeds or the started program has ended.
await() { until "$@" >/dev/null 2>&1; do kill -0 "$job" || { cat log; exit 1; }; sleep 0.1; done; }
`

// run runs the script in a fresh directory, the program behind the words of under, and
// fails the test if the script fails.
func (w *workload) run(t *testing.T, mode string, under ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	dir := shared(t)
	cmd := exec.CommandContext(ctx, "sh", "-c", preamble+w.script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "UNDER="+strings.Join(under, " "), "MODE="+mode, "PROGRAM="+w.program, "HOME="+dir, "LC_ALL=C.UTF-8",
		"XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir, "TMPDIR="+dir, "HTTP="+website(t).URL, "HTTPS="+secure(t).URL)
	for i, port := range ports(t, 3) {
		cmd.Env = append(cmd.Env, fmt.Sprintf("PORT%d=%d", i+1, port))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if w.user != "" {
		cmd.SysProcAttr.Credential = credential(t, w.user)
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := os.Create(filepath.Join(t.TempDir(), "output")) // a pipe would have to be closed by all
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	if cmd.Process != nil { // what a failed script leaves behind
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	if err != nil {
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("%s, %s: %v\n%s", w.name, mode, err, text[max(0, len(text)-4000):])
	}
}

// ports returns free TCP ports. Something else may take them until they are used, but only
// by bad luck.
func ports(t *testing.T, n int) (free []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		free = append(free, l.Addr().(*net.TCPAddr).Port)
	}
	return free
}

// shared returns a new directory that every user may use.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "scan")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// credential returns the identity of a user.
func credential(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// executables returns the other programs that the workload runs. Their names may have
// patterns of the shell and $GOROOT.
func (w *workload) executables(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range w.runs {
		if strings.HasPrefix(pattern, "$GOROOT") {
			pattern = strings.Replace(pattern, "$GOROOT", goEnv(t, "GOROOT"), 1)
		}
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s runs %s: not there, %v", w.name, pattern, err)
		}
		for _, file := range files {
			all = append(all, resolved(file))
		}
	}
	return all
}

// goEnv returns a setting of the go command.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
