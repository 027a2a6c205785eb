package presets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// every reports whether to compare all releases, for all machines, or else the newest of
// each origin for this one.
func every() bool { return os.Getenv("SECCOMPILE_PRESETS") != "" }

// TestReleases compares the profiles with the files of the modules that have them. The
// proxies for modules lack Docker before 20.10 and from 29, and CRI-O.
func TestReleases(t *testing.T) {
	compared := 0
	for _, name := range preset.Names() {
		origin, version, _ := strings.Cut(name, "@")
		var file func(t *testing.T) string
		switch {
		case origin == "moby":
			file = func(t *testing.T) string {
				return download(t, "github.com/moby/profiles/seccomp@v"+version).Dir + "/default.json"
			}
		case origin == "docker" && regexp.MustCompile(`^2[0-8]\.`).MatchString(version):
			file = func(t *testing.T) string {
				return download(t, "github.com/docker/docker@v"+version+"+incompatible").Dir + "/profiles/seccomp/default.json"
			}
		case origin == "podman" && version != "":
			file = func(t *testing.T) string {
				return download(t, podmansCommon(t, version)).Dir + "/pkg/seccomp/seccomp.json"
			}
		default:
			continue
		}
		if !every() && !slices.Contains([]string{"moby@0.3.0", "podman@5.8.0"}, name) {
			continue
		}
		compared++
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(file(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := profile(t, name); !bytes.Equal(compact(t, got), compact(t, want)) {
				t.Error("differs from the module's")
			}
		})
	}
	if compared < 2 {
		t.Errorf("%d compared", compared)
	}
}

// podmansCommon returns the module that a release of Podman has the profile from.
func podmansCommon(t *testing.T, version string) string {
	major, _, _ := strings.Cut(version, ".")
	requirements, err := os.ReadFile(download(t, "github.com/containers/podman/v"+major+"@v"+version).GoMod)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^\s(go\.podman\.io/common|github\.com/containers/common) (v\S+)$`).FindSubmatch(requirements)
	if m == nil {
		t.Fatal("requires no module that has the profile")
	}
	return string(m[1]) + "@" + string(m[2])
}

func profile(t *testing.T, name string) []byte {
	t.Helper()
	b, err := preset.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A module is what `go mod download -json` says of one.
type module struct{ Dir, GoMod, Error string }

func download(t *testing.T, query string) module {
	t.Helper()
	out := goTool(t, t.TempDir(), "", "mod", "download", "-json", query)
	var m module
	if err := json.Unmarshal(out, &m); err != nil || m.Error != "" {
		t.Fatalf("%s: %s, error %v", query, m.Error, err)
	}
	return m
}

// goTool runs go in a directory outside this module, for a GOARCH.
func goTool(t *testing.T, dir, goarch string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0", "GOARCH="+goarch)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %q: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

// asker prints the profiles that containerd's code makes for the sets of capabilities
// that it reads, as JSON.
const asker = `package main

import (
	"encoding/json"
	"os"

	"%s/contrib/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func main() {
	var sets [][]string
	if err := json.NewDecoder(os.Stdin).Decode(&sets); err != nil {
		panic(err)
	}
	var made []*specs.LinuxSeccomp
	for _, caps := range sets {
		made = append(made, seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}}}))
	}
	if err := json.NewEncoder(os.Stdout).Encode(made); err != nil {
		panic(err)
	}
}
`

// TestContainerd proves the profiles equal to what containerd's code makes on each machine
// for each capability, with and without CAP_SYS_ADMIN, none, all and the default ones.
func TestContainerd(t *testing.T) {
	sets := [][]string{{}, policy.AllCaps(), preset.Caps("docker")}
	for _, c := range policy.AllCaps() {
		sets = append(sets, []string{c}, []string{c, "CAP_SYS_ADMIN"})
	}
	asked, err := json.Marshal(sets)
	if err != nil {
		t.Fatal(err)
	}
	machines := map[arch.ABI]string{arch.Native(): ""}
	if every() {
		for abi, qemu := range map[arch.ABI]string{arch.X86_64: "x86_64", arch.X86: "i386", arch.AArch64: "aarch64", arch.ARM: "arm",
			arch.RISCV64: "riscv64", arch.S390X: "s390x", arch.PPC64LE: "ppc64le", arch.MIPS64: "mips64"} {
			if abi != arch.Native() {
				machines[abi] = need.Program(t, "qemu-"+qemu+"-static", "qemu-user-static")
			}
		}
	}
	for _, name := range preset.Names() {
		origin, version, _ := strings.Cut(name, "@")
		if origin != "containerd" || version == "" || !every() && version != "2.4.2" {
			continue
		}
		dir := t.TempDir()
		path := "github.com/containerd/containerd"
		if version[0] != '1' {
			path += "/v" + version[:1]
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), fmt.Appendf(nil, asker, path), 0o644); err != nil {
			t.Fatal(err)
		}
		goTool(t, dir, "", "mod", "init", "asker")
		goTool(t, dir, "", "get", path+"@v"+version, path+"/contrib/seccomp@v"+version)
		for abi, emulator := range machines {
			t.Run(name+"/"+abi.String(), func(t *testing.T) {
				goTool(t, dir, abi.GOARCH(), "build", "-o", abi.String(), ".")
				cmd := exec.CommandContext(t.Context(), filepath.Join(dir, abi.String()))
				if emulator != "" {
					cmd = exec.CommandContext(t.Context(), emulator, filepath.Join(dir, abi.String()))
				}
				cmd.Stdin = bytes.NewReader(asked)
				out, err := cmd.Output()
				if err != nil {
					t.Fatal(err)
				}
				var made []json.RawMessage
				if err := json.Unmarshal(out, &made); err != nil || len(made) != len(sets) {
					t.Fatalf("%d profiles for %d sets, error %v", len(made), len(sets), err)
				}
				for i, caps := range sets {
					target := policy.Target{ABI: abi, Caps: caps}
					theirs, ours := resolve(t, made[i], target), resolve(t, profile(t, name), target)
					if r, err := proof.Equal(proof.Policy(theirs), proof.Policy(ours), proof.Limits{}); err != nil || r.Verdict != proof.Same {
						t.Errorf("%q: %v, %v, error %v", caps, r.Verdict, r.Witness, err)
					}
				}
			})
		}
	}
}

// resolve returns a profile as runc understands it on a machine.
func resolve(t *testing.T, text []byte, target policy.Target) *policy.Resolved {
	t.Helper()
	p, _, err := oci.Read(text, target)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(p.ABIs, target.ABI) {
		p.ABIs = append(p.ABIs, target.ABI)
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: p.ABIs})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
