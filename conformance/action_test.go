package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A pull is a pull request: a repository with two commits, and the service that keeps the
// comments.
type pull struct {
	t        *testing.T
	dir      string
	base     string
	command  string
	service  *httptest.Server
	mu       sync.Mutex
	comments map[int]string
}

func newPull(t *testing.T) *pull {
	t.Helper()
	for _, name := range []string{"git", "jq", "curl", "bash"} {
		need.Program(t, name, name)
	}
	p := &pull{t: t, dir: t.TempDir(), command: buildCommand(t), comments: map[int]string{}}
	p.service = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.service.Close)
	p.git("init", "-q")
	return p
}

// serve is what the action uses of the service's API. There is a page of other comments
// before ours.
func (p *pull) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	type comment struct {
		ID   int    `json:"id"`
		Body string `json:"body"`
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		http.Error(w, "not authorized", http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodGet {
		list := []comment{}
		if r.URL.Query().Get("page") == "1" {
			for i := range 100 {
				list = append(list, comment{i + 1, "hello"})
			}
		} else {
			for _, id := range slices.Sorted(maps.Keys(p.comments)) {
				list = append(list, comment{id, p.comments[id]})
			}
		}
		json.NewEncoder(w).Encode(list)
		return
	}
	var c comment
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || len(c.Body) > 65536 {
		http.Error(w, fmt.Sprint("bad comment: ", err, len(c.Body)), http.StatusUnprocessableEntity)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /repos/some/where/issues/7/comments":
		p.comments[1000+len(p.comments)] = c.Body
	case "PATCH /repos/some/where/issues/comments/1000":
		p.comments[1000] = c.Body
	default:
		http.Error(w, r.Method+" "+r.URL.Path, http.StatusNotFound)
	}
	io.WriteString(w, "{}")
}

func (p *pull) git(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p *pull) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// commit makes what was written the base of the pull request.
func (p *pull) commit() {
	p.t.Helper()
	p.git("add", "-A")
	p.git("commit", "-q", "-m", "x")
	p.base = p.git("rev-parse", "HEAD")
}

// run runs the action's script, and returns its exit status, what it printed, and what it
// says of being weaker.
func (p *pull) run(env ...string) (status int, printed, weaker string) {
	p.t.Helper()
	script, err := filepath.Abs("../action/diff.sh")
	if err != nil {
		p.t.Fatal(err)
	}
	output := filepath.Join(p.t.TempDir(), "output")
	cmd := exec.CommandContext(p.t.Context(), script)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), append([]string{
		"SECCOMPILE=" + p.command, "PROFILES=profiles/*.json\n\n*.policy\n", "FLAGS=-a x86_64", "BASE=" + p.base, "PULL_REQUEST=7", "COMMENT=true",
		"GITHUB_TOKEN=secret", "GITHUB_REPOSITORY=some/where", "GITHUB_API_URL=" + p.service.URL, "GITHUB_OUTPUT=" + output, "GITHUB_STEP_SUMMARY=",
	}, env...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	said, _ := os.ReadFile(output)
	return cmd.ProcessState.ExitCode(), string(out), strings.TrimSpace(string(said))
}

// allowing is a profile that allows some calls.
func allowing(calls ...string) string {
	names, _ := json.Marshal(calls)
	return `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ` + string(names) + `, "action": "SCMP_ACT_ALLOW"}]}`
}

// The action says on a pull request what a changed profile allows that it did not, in one
// comment that it keeps up to date.
func TestAction(t *testing.T) {
	p := newPull(t)
	basic := []string{"read", "write", "exit_group", "execve"}
	p.write("profiles/a b.json", allowing(basic...))
	p.write("profiles/gone.json", allowing(basic...))
	p.write("other.json", allowing(basic...))
	p.commit()

	check := func(what string, status int, weaker, comment string, env ...string) {
		t.Helper()
		got, printed, said := p.run(env...)
		if got != status || said != "weaker="+weaker {
			t.Errorf("%s: status %d and %q, want %d and weaker=%s\n%s", what, got, said, status, weaker, printed)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if body := p.comments[1000]; len(p.comments) > 1 || comment == "" && body != "" || !strings.Contains(body, comment) {
			t.Errorf("%s: %d comments, without %q:\n%s", what, len(p.comments), comment, body)
		}
	}
	p.write("other.json", allowing("mount"))
	check("nothing that is watched", 0, "false", "")
	if err := os.Remove(filepath.Join(p.dir, "profiles/gone.json")); err != nil {
		t.Fatal(err)
	}
	check("a profile is gone", 0, "false", "")
	p.write("profiles/a b.json", allowing(append(basic, "mount", "bpf")...))
	check("weaker, without comments", 0, "true", "", "COMMENT=false")
	check("weaker", 0, "true", "<!-- seccompile diff -->\n### The new profile allows 2 calls that the old profile denies: bpf and mount.\n")
	check("weaker, which is to fail", 1, "true", "bpf and mount", "FAIL_ON_WEAKER=true")
	p.write("profiles/a b.json", allowing("read"))
	check("stricter", 0, "false", "allows nothing that the old profile denies", "FAIL_ON_WEAKER=true")
	p.write("profiles/-new.json", allowing("read"))
	p.git("add", "-N", ".")
	check("a new one", 0, "false", "### Seccomp profile `-new.json`", "FAIL_ON_WEAKER=true")
	p.write("profiles/a b.json", "{")
	check("a broken one", 2, "false", "cannot be compared")
	p.git("checkout", "-q", "--", "profiles/a b.json")
	p.git("rm", "-q", "-f", "profiles/-new.json")
	check("as it was", 0, "false", "are again what they were")

	p.write("calls", "x86_64 read: allow\n")
	expected := "EXPECT=calls profiles/a b.json\n"
	check("as expected", 0, "false", "are again what they were", expected)
	p.write("calls", "x86_64 read: errno:ENOSYS\n")
	check("not as expected", 1, "false", "    calls:1: x86_64 read(): expected errno:ENOSYS, got ALLOW\n", expected)
	p.write("calls", "read errno\n")
	check("broken expectations", 2, "false", "    seccompile: calls:1:1: expected a colon", expected)

	var many []string
	for i := range 3000 {
		many = append(many, fmt.Sprintf(`{"names": ["openat"], "action": "SCMP_ACT_ERRNO", "errnoRet": %d, "args": [{"index": 0, "value": %d, "op": "SCMP_CMP_EQ"}]}`, 2+i%100, 7*i))
	}
	p.write("profiles/a b.json", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`+strings.Join(many, ",")+`]}`)
	check("more than a comment holds", 0, "false", "too many for a comment")
	if status, printed, _ := p.run("PROFILES="); status != 2 || !strings.Contains(printed, `"profiles"`) {
		t.Errorf("without profiles: %d, %s", status, printed)
	}
	if status, _, _ := p.run("GITHUB_TOKEN=wrong"); status == 0 {
		t.Error("the script succeeds although its comment was refused")
	}
}
