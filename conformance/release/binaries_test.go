package release

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// emulators are the programs that run binaries of Linux, by what Go calls their processors.
var emulators = map[string]string{
	"amd64": "qemu-x86_64", "386": "qemu-i386", "arm64": "qemu-aarch64", "arm": "qemu-arm", "riscv64": "qemu-riscv64", "s390x": "qemu-s390x",
	"ppc64le": "qemu-ppc64le", "mips64le": "qemu-mips64el", "mipsle": "qemu-mipsel", "loong64": "qemu-loongarch64",
}

// testBinaries unpacks each archive, and runs the binaries for Linux.
func testBinaries(t *testing.T, root, dir string) {
	commit := strings.TrimSpace(run(t, exec.Command("git", "-C", root, "rev-parse", "HEAD")))
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(archives) != 13 {
		t.Fatalf("%d archives, %v", len(archives), err)
	}
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			run(t, exec.Command("tar", "-xzf", archive, "-C", tmp))
			tree := filepath.Join(tmp, name)
			for _, file := range []string{"LICENSE", "README.md", "THIRD-PARTY-LICENCES", "man/man1/seccompile.1", "man/man1/seccompile-run.1",
				"completions/seccompile.bash", "completions/seccompile.fish", "completions/_seccompile"} {
				if info, err := os.Stat(filepath.Join(tree, file)); err != nil || info.Size() < 100 {
					t.Errorf("%s: %v", file, err)
				}
			}
			f := strings.Split(name, "_")
			goos, goarch := f[2], f[3]
			binary := only(t, tree, "seccompile*")
			info, err := buildinfo.ReadFile(binary)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range info.Settings {
				if s.Key == "GOOS" && s.Value != goos || s.Key == "GOARCH" && s.Value != goarch || s.Key == "CGO_ENABLED" && s.Value != "0" {
					t.Errorf("built with %s=%s", s.Key, s.Value)
				}
			}
			if goos == "linux" {
				isStatic(t, binary)
				runsAndSays(t, binary, goarch, commit)
			}
		})
	}
}

func isStatic(t *testing.T, binary string) {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("linked dynamically: %v", p.Type)
		}
	}
}

// runsAndSays runs a binary, which must know from what it was built, and compile a profile.
func runsAndSays(t *testing.T, binary, goarch, commit string) {
	t.Helper()
	var prefix []string
	if runs := goarch == runtime.GOARCH || goarch == "386" && runtime.GOARCH == "amd64"; !runs {
		prefix = []string{need.Program(t, emulators[goarch], "qemu-user")}
	}
	command := func(args ...string) *exec.Cmd {
		words := append(append(prefix[:len(prefix):len(prefix)], binary), args...)
		return exec.Command(words[0], words[1:]...)
	}
	var said struct{ Seccompile, Commit, Platform, Syscalls string }
	if err := json.Unmarshal([]byte(run(t, command("version", "--json"))), &said); err != nil {
		t.Fatal(err)
	}
	if said.Seccompile != version || said.Commit != commit || said.Platform != "linux/"+goarch || said.Syscalls == "" {
		t.Errorf("version --json: %+v, want version %s, commit %s", said, version, commit)
	}
	if goarch == runtime.GOARCH {
		servesPage(t, binary)
	}
	if out := run(t, command("compile", "-a", "s390x", "-f", "asm", "docker-default")); !strings.Contains(out, ".order big") {
		t.Errorf("compile: %s", out)
	}
}

// servesPage asks a binary for the page that it has in it.
func servesPage(t *testing.T, binary string) {
	t.Helper()
	cmd := exec.Command(binary, "web", "--port", "0")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(strings.TrimSpace(address))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !bytes.Contains(text, []byte("<title>seccompile")) || answer.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("web: %s, %v, %v: %.100s", answer.Status, answer.Header, err, text)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("web, interrupted: %v", err)
	}
}
