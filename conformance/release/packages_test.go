package release

import (
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A machine is an architecture as Debian, Fedora and ELF call it.
type machine struct {
	deb, rpm string
	elf      elf.Machine
}

func machines() []machine {
	return []machine{
		{"amd64", "x86_64", elf.EM_X86_64},
		{"arm64", "aarch64", elf.EM_AARCH64},
		{"armhf", "armv7hl", elf.EM_ARM},
		{"riscv64", "riscv64", elf.EM_RISCV},
		{"s390x", "s390x", elf.EM_S390},
		{"ppc64el", "ppc64le", elf.EM_PPC64},
	}
}

func testPackages(t *testing.T, root, dir string) {
	for _, m := range machines() {
		t.Run(m.deb, func(t *testing.T) {
			deb, rpm := only(t, dir, "*_"+m.deb+".deb"), only(t, dir, "*."+m.rpm+".rpm")
			if got := strings.TrimSpace(run(t, exec.Command("dpkg-deb", "-f", deb, "Architecture"))); got != m.deb {
				t.Errorf("%s: architecture %s", deb, got)
			}
			need.Program(t, "rpm", "rpm")
			query := exec.Command("rpm", "-qp", "--nosignature", "--qf", "%{NAME} %{VERSION} %{ARCH} %{LICENSE}", rpm)
			if got, want := run(t, query), "seccompile 0.0.1 "+m.rpm+" Apache-2.0"; got != want {
				t.Errorf("%s: %s, want %s", rpm, got, want)
			}
			// Both have the same binary, and the digests in them are right.
			run(t, exec.Command("rpm", "-K", "--nosignature", rpm))
			debTree, rpmTree := t.TempDir(), t.TempDir()
			run(t, exec.Command("dpkg-deb", "-x", deb, debTree))
			unpack := exec.Command("sh", "-c", `rpm2cpio "$0" | cpio -idm --quiet --no-absolute-filenames`, rpm)
			unpack.Dir = rpmTree
			run(t, unpack)
			for _, tree := range []string{debTree, rpmTree} {
				f, err := elf.Open(filepath.Join(tree, "usr/bin/seccompile"))
				if err != nil {
					t.Fatal(err)
				}
				if f.Machine != m.elf {
					t.Errorf("%s: a binary for %v", tree, f.Machine)
				}
				f.Close()
			}
			if digests(t, debTree)["/usr/bin/seccompile"] != digests(t, rpmTree)["/usr/bin/seccompile"] {
				t.Error("another binary in .rpm than in .deb")
			}
			if _, err := os.Stat(filepath.Join(rpmTree, "usr/share/man/man1/seccompile.1.gz")); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("lintian", func(t *testing.T) {
		need.Program(t, "lintian", "lintian")
		args := []string{"--allow-root", "--fail-on", "error"}
		for _, m := range machines() {
			args = append(args, only(t, dir, "*_"+m.deb+".deb"))
		}
		if out := run(t, exec.Command("lintian", args...)); out != "" {
			t.Log(out)
		}
	})
	t.Run("install", func(t *testing.T) { testInstall(t, root, dir) })
}

// testInstall installs this machine's package in a new Debian, and removes it.
func testInstall(t *testing.T, root, dir string) {
	need.Program(t, "debootstrap", "debootstrap")
	arch := strings.TrimSpace(run(t, exec.Command("dpkg", "--print-architecture")))
	deb := only(t, dir, "*_"+arch+".deb")
	mirror, err := debian.FindMirror(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "bookworm")
	start := time.Now()
	// It mounts file systems, which must not outlive it.
	run(t, exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "debootstrap", "--variant=minbase", "bookworm", made, mirror))
	t.Logf("debootstrap took %v", time.Since(start).Round(time.Second))
	before := digests(t, filepath.Join(made, "usr"))

	data, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(made, "seccompile.deb"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	chroot := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("chroot", append([]string{made}, args...)...)
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
		return run(t, cmd)
	}
	chroot("dpkg", "-i", "/seccompile.deb")
	var said struct{ Seccompile, Commit string }
	if err := json.Unmarshal([]byte(chroot("seccompile", "version", "--json")), &said); err != nil {
		t.Fatal(err)
	}
	commit := strings.TrimSpace(run(t, exec.Command("git", "-C", root, "rev-parse", "HEAD")))
	if said.Seccompile != version || said.Commit != commit {
		t.Errorf("version --json: %+v", said)
	}
	if got := strings.TrimSpace(chroot("seccompile", "run", "--", "uname", "-s")); got != "Linux" {
		t.Errorf("run: %q", got)
	}
	chroot("bash", "-n", "/usr/share/bash-completion/completions/seccompile")
	chroot("sh", "-c", "zcat /usr/share/man/man1/seccompile.1.gz | grep -q '^.TH'")
	chroot("dpkg", "--verify", "seccompile")
	chroot("dpkg", "--purge", "seccompile")
	after := digests(t, filepath.Join(made, "usr"))
	for name := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("left over: /usr%s", name)
		}
	}
	if _, err := os.Stat(filepath.Join(made, "usr/share/doc/seccompile")); err == nil {
		t.Error("left over: /usr/share/doc/seccompile")
	}
}

// testSBOMs asks whether each archive's SBOM names the release, Go and the modules.
func testSBOMs(t *testing.T, dir string) {
	files, err := filepath.Glob(filepath.Join(dir, "seccompile_*.cdx.json"))
	if err != nil || len(files) != 13 {
		t.Fatalf("%d SBOMs, %v", len(files), err)
	}
	for _, file := range files {
		bom, versions := readSBOM(t, file)
		c := bom.Metadata.Component
		if bom.BOMFormat != "CycloneDX" || c.Name != "github.com/seccompile/seccompile" || c.Version != version ||
			versions["std"] == "" || versions["github.com/spf13/cobra"] == "" || versions["@codemirror/view"] == "" {
			t.Errorf("%s: %s %+v, components %v", filepath.Base(file), bom.BOMFormat, c, versions)
		}
		for module, system := range map[string]string{"github.com/inconshreveable/mousetrap": "windows", "golang.org/x/sys": "linux"} {
			if _, ok := versions[module]; ok != strings.Contains(file, "_"+system+"_") {
				t.Errorf("%s: %s: %v", filepath.Base(file), module, ok)
			}
		}
	}
}

// testPage asks whether the page is whole, says what is in it, and has its licences in it.
func testPage(t *testing.T, dir string) {
	bom, versions := readSBOM(t, filepath.Join(dir, "seccompile.html.cdx.json"))
	if c := bom.Metadata.Component; c.Name != "seccompile.html" || c.Version != version ||
		versions["std"] == "" || versions["github.com/opencontainers/runtime-spec"] == "" || versions["@codemirror/view"] == "" {
		t.Errorf("%+v, components %v", c, versions)
	}
	text, err := os.ReadFile(filepath.Join(dir, "seccompile.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"</html>", "Content-Security-Policy", "@codemirror/view " + versions["@codemirror/view"], "Copyright 2009 The Go Authors"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("seccompile.html does not have %q", want)
		}
	}
}

type document struct {
	BOMFormat, SpecVersion string
	Metadata               struct {
		Component struct{ Name, Version string }
	}
	Components []struct{ Name, Version string }
}

// readSBOM returns an SBOM, and the versions of its components by name.
func readSBOM(t *testing.T, file string) (bom document, versions map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	versions = map[string]string{}
	for _, c := range bom.Components {
		versions[c.Name] = c.Version
	}
	return bom, versions
}
