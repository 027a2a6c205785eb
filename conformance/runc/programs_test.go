package seccomp

import (
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// programs are what the scenarios need.
type programs struct {
	runc, agent, busybox string
	// calls are runc's own test programs, and profiles what they are run under.
	calls, profiles [2]string
	docker          string // Docker's default profile, as its daemon hands it over
}

// build makes the programs, runc with our package in place of its own among them.
func build(t *testing.T) programs {
	t.Helper()
	need.Wanted(t, "runc")
	if os.Getuid() != 0 {
		t.Fatal("only root can run these containers: be root, or set CONFORMANCE_SKIP=runc")
	}
	busybox := need.Program(t, "busybox", "busybox-static")
	dir := t.TempDir()
	p := programs{busybox: busybox, runc: filepath.Join(dir, "runc"), agent: filepath.Join(dir, "agent"), docker: dockerProfile(t)}
	source := strings.TrimSpace(run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runc"))
	for i := range p.calls {
		name := []string{"seccomp_syscall_test1", "seccomp_syscall_test2"}[i]
		data := filepath.Join(source, "tests/integration/testdata", name)
		p.calls[i] = filepath.Join(dir, name)
		run(t, ".", "gcc", "-static", "-o", p.calls[i], data+".c")
		profile, err := os.ReadFile(data + ".json")
		if err != nil {
			t.Fatal(err)
		}
		p.profiles[i] = string(profile)
	}
	run(t, ".", "go", "build", "-o", p.agent, "github.com/seccompile/seccompile/examples/agent")
	buildRunc(t, source, p.runc)
	return p
}

// buildRunc builds runc from its source with this package's file in it.
func buildRunc(t *testing.T, source, binary string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "runc")
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	seccomp := filepath.Join(dir, "libcontainer/seccomp")
	for _, theirs := range []string{"seccomp_linux.go", "seccomp_unsupported.go", "patchbpf"} {
		if _, err := os.Stat(filepath.Join(seccomp, theirs)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(seccomp, theirs)); err != nil {
			t.Fatal(err)
		}
	}
	ours, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(seccomp, "seccomp.go"), "seccomp.go")
	copyFile(t, filepath.Join(dir, "go.sum"), filepath.Join(source, "go.sum"), "../go.sum", "../../go.sum")
	const module = "github.com/seccompile/seccompile"
	run(t, dir, "go", "mod", "edit", "-require="+module+"@v0.0.0", "-replace="+module+"="+ours)
	run(t, dir, "go", "build", "-mod=mod", "-trimpath", "-o", binary, ".")
	// Its own tests of the two packages that meet here.
	run(t, dir, "go", "test", "-mod=mod", "-trimpath", "-run", "Seccomp", "./libcontainer/specconv", "./libcontainer/seccomp")
}

// Nothing of libseccomp is in runc any more.
func checkRunc(t *testing.T, p programs) {
	info, err := buildinfo.ReadFile(p.runc)
	if err != nil {
		t.Fatal(err)
	}
	var ours bool
	for _, m := range info.Deps {
		ours = ours || m.Path == "github.com/seccompile/seccompile"
		if strings.Contains(m.Path, "libseccomp") {
			t.Errorf("runc has module %s in it", m.Path)
		}
	}
	if !ours {
		t.Error("runc was built without our package")
	}
	f, err := elf.Open(p.runc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if strings.Contains(l, "seccomp") {
			t.Errorf("runc needs %s", l)
		}
	}
	if out := run(t, ".", p.runc, "--version"); strings.Contains(out, "libseccomp") {
		t.Errorf("runc --version: %s", out)
	}
	var features struct {
		Linux struct {
			Seccomp struct {
				Enabled        bool
				SupportedFlags []string
			}
		}
	}
	if err := json.Unmarshal([]byte(run(t, ".", p.runc, "features")), &features); err != nil {
		t.Fatal(err)
	}
	if s := features.Linux.Seccomp; !s.Enabled || !slices.Contains(s.SupportedFlags, "SECCOMP_FILTER_FLAG_LOG") {
		t.Errorf("runc features: %+v", s)
	}
}

func dockerProfile(t *testing.T) string {
	t.Helper()
	p, _, err := oci.Read(preset.Docker(), policy.Target{Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := oci.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rootfs makes a root directory in which every command is busybox, and the test
// programs.
func (p programs) rootfs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"bin", "proc", "sys", "dev/shm"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, filepath.Join(dir, "dev/null")) // enough of one to be read
	copyFile(t, filepath.Join(dir, "bin/busybox"), p.busybox)
	for _, applet := range []string{"sh", "mkdir", "ls", "stat", "true", "wc", "chmod", "touch", "dmesg", "pwd", "sleep", "unshare", "env"} {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range p.calls {
		copyFile(t, filepath.Join(dir, filepath.Base(program)), program)
	}
	return dir
}

// copyFile writes an executable file that is several others, one after the other.
func copyFile(t *testing.T, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, name := range from {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(to, all, 0o755); err != nil {
		t.Fatal(err)
	}
}

// run returns the output of a command, which must not fail.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
