package release

import (
	"bytes"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A verifier is a signed release, and what checks it.
type verifier struct {
	script, path string // the script, and a PATH with cosign
	key          string // what the release is signed with: its public half
	other        string // another key: its private half
	dir          string // the release
	tool         string // the directory of the command that signs
}

// newVerifier signs a release with a new key.
func newVerifier(t *testing.T, root, dir string) *verifier {
	t.Helper()
	need.Wanted(t, "cosign")
	sid, err := debian.Packages(t.Context(), "cosign-sid", "sid", "cosign", "libc6")
	if err != nil {
		t.Fatalf("cosign of Debian sid: %v (or set CONFORMANCE_SKIP=cosign)", err)
	}
	tmp := t.TempDir()
	// A program of sid's, with the libraries of sid.
	words := debian.Command(sid, filepath.Join(sid, "usr/bin/cosign"))
	if err := os.WriteFile(filepath.Join(tmp, "cosign"), []byte("#!/bin/sh\nexec "+strings.Join(words, " ")+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	v := &verifier{
		script: filepath.Join(root, "tools/release/seccompile-verify.sh"), path: tmp + ":" + os.Getenv("PATH"),
		dir: dir, tool: filepath.Join(root, "tools/release"),
	}
	keys := func(name string) (private, public string) {
		cmd := v.offline("cosign", "generate-key-pair", "--output-key-prefix", name)
		cmd.Dir = tmp
		run(t, cmd)
		return filepath.Join(tmp, name+".key"), filepath.Join(tmp, name+".pub")
	}
	private, public := keys("ours")
	v.key = public
	v.other, _ = keys("other")
	v.sign(t, private, dir)
	return v
}

// offline returns a command that has cosign and cannot reach the network.
func (v *verifier) offline(args ...string) *exec.Cmd {
	cmd := exec.Command("unshare", append([]string{"--net", "--"}, args...)...)
	cmd.Env = append(os.Environ(), "PATH="+v.path, "COSIGN_PASSWORD=")
	return cmd
}

func (v *verifier) sign(t *testing.T, key, dir string) {
	t.Helper()
	cmd := v.offline("go", "run", ".", "sign", "-key", key, dir)
	cmd.Dir = v.tool
	run(t, cmd)
}

// verify returns what the script prints, and whether it agrees.
func (v *verifier) verify(args ...string) (string, error) {
	out, err := v.offline(append([]string{v.script}, args...)...).CombinedOutput()
	return string(out), err
}

// A release is a copy of one, to tamper with.
type release struct {
	t   *testing.T
	dir string
}

func (r release) path(name string) string { return filepath.Join(r.dir, name) }

func (r release) edit(name string, f func([]byte) []byte) {
	r.t.Helper()
	data, err := os.ReadFile(r.path(name))
	if err != nil {
		r.t.Fatal(err)
	}
	changed := f(data)
	if bytes.Equal(changed, data) {
		r.t.Fatalf("%s: nothing changed", name)
	}
	r.remove(name) // which is a hard link
	r.write(name, changed)
}

func (r release) write(name string, data []byte) {
	r.t.Helper()
	if err := os.WriteFile(r.path(name), data, 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r release) remove(name string) {
	r.t.Helper()
	if err := os.Remove(r.path(name)); err != nil {
		r.t.Fatal(err)
	}
}

func (r release) rename(from, to string) {
	r.t.Helper()
	if err := os.Rename(r.path(from), r.path(to)); err != nil {
		r.t.Fatal(err)
	}
}

// resum makes the checksums right again, as whoever tampers with files would.
func (r release) resum(name string) {
	r.t.Helper()
	sum := strings.Fields(run(r.t, exec.Command("sha256sum", r.path(name))))[0]
	r.edit("SHA256SUMS", func(text []byte) []byte {
		lines := strings.Split(string(text), "\n")
		for i, l := range lines {
			if strings.HasSuffix(l, "  "+name) {
				lines[i] = sum + "  " + name
			}
		}
		return []byte(strings.Join(lines, "\n"))
	})
}

// testVerification asks the script about the release, and about what was done to it.
func testVerification(t *testing.T, root, dir string) {
	v := newVerifier(t, root, dir)
	commit := strings.TrimSpace(run(t, exec.Command("git", "-C", root, "rev-parse", "HEAD")))
	if out, err := v.verify("-c", commit, v.key, dir); err != nil || out != "verified: seccompile "+version+", built from commit "+commit+": 41 files\n" {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := v.verify("-c", strings.Repeat("0", 40), v.key, dir); err == nil || !strings.Contains(out, "built from commit "+commit) {
		t.Errorf("another commit: %v: %s", err, out)
	}
	if out, err := v.verify(v.key, t.TempDir()); err == nil || !strings.Contains(out, "SHA256SUMS: missing") {
		t.Errorf("an empty directory: %v: %s", err, out)
	}
	// Outside a repository git rev-parse prints nothing, and for a tag that is missing it prints its argument.
	for _, c := range []string{"", version + "^{commit}", commit[:12]} {
		if out, err := v.verify("-c", c, v.key, dir); err == nil || !strings.Contains(out, "not a commit") {
			t.Errorf("-c %q: %v: %s", c, err, out)
		}
	}
	v.testPart(t)
	v.testSearchPath(t)
	for _, tt := range tamperings(v) {
		t.Run(tt.name, func(t *testing.T) {
			copied := t.TempDir()
			run(t, exec.Command("cp", "-al", dir+"/.", copied))
			tt.tamper(release{t, copied})
			out, err := v.verify("-c", commit, v.key, copied)
			if err == nil || !strings.Contains(out, tt.want) {
				t.Errorf("%v: %s\nwant: %s", err, out, tt.want)
			}
			t.Log(strings.TrimSpace(out))
		})
	}
}

// testPart checks one archive, downloaded alone.
func (v *verifier) testPart(t *testing.T) {
	part := t.TempDir()
	const archive = "seccompile_0.0.1_linux_amd64.tar.gz"
	for _, name := range []string{"SHA256SUMS", "SHA256SUMS.sigstore.json", "provenance.json", "provenance.sigstore.json", archive} {
		if err := os.Link(filepath.Join(v.dir, name), filepath.Join(part, name)); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := v.verify(v.key, part, archive); err != nil {
		t.Errorf("one file: %v: %s", err, out)
	}
	if out, err := v.verify(v.key, part); err == nil {
		t.Errorf("all files, of which one is there: %s", out)
	}
	for _, name := range []string{"seccompile_0.0.1_linux_arm.tar.gz", "SHA256SUMS", "../" + filepath.Base(part) + "/" + archive, ""} {
		if out, err := v.verify(v.key, part, name); err == nil {
			t.Errorf("%q: %s", name, out)
		}
	}
}

// testSearchPath has a directory of the release's name where the shell's cd looks first.
func (v *verifier) testSearchPath(t *testing.T) {
	here := t.TempDir()
	name := filepath.Base(v.dir)
	if err := os.Mkdir(filepath.Join(here, name), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := v.offline(v.script, v.key, name)
	cmd.Dir, cmd.Env = here, append(cmd.Env, "CDPATH="+filepath.Dir(v.dir))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "SHA256SUMS: missing") {
		t.Errorf("an empty directory, and CDPATH: %v: %s", err, out)
	}
}

// A tampering is something that must be noticed, and what the script says then.
type tampering struct {
	name   string
	tamper func(release)
	want   string
}

func tamperings(v *verifier) []tampering {
	const (
		archive = "seccompile_0.0.1_linux_amd64.tar.gz"
		deb     = "seccompile_0.0.1_amd64.deb"
		sbom    = "seccompile_0.0.1_linux_amd64.cdx.json"
	)
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b }
	otherCommit := func(b []byte) []byte {
		at := bytes.Index(b, []byte(`"gitCommit": "`)) + len(`"gitCommit": "`)
		b = bytes.Clone(b)
		copy(b[at:], strings.Repeat("0", 40))
		return b
	}
	return []tampering{
		{"a bit of an archive", func(r release) { r.edit(archive, flip) }, archive + ": not what was released"},
		{"a bit of a package", func(r release) { r.edit(deb, flip) }, deb + ": not what was released"},
		{"a bit, and its checksum", func(r release) { r.edit(archive, flip); r.resum(archive) }, "the signature is not of this key"},
		{"a truncated archive", func(r release) { r.edit(archive, func(b []byte) []byte { return b[:len(b)/2] }) }, archive + ": not what was released"},
		{"an empty archive", func(r release) { r.edit(archive, func([]byte) []byte { return nil }) }, archive + ": not what was released"},
		{"an archive swapped for another", func(r release) {
			r.rename(archive, "x")
			r.rename("seccompile_0.0.1_linux_arm64.tar.gz", archive)
			r.rename("x", "seccompile_0.0.1_linux_arm64.tar.gz")
		}, "not what was released"},
		{"swapped checksums", func(r release) {
			r.edit("SHA256SUMS", func(b []byte) []byte {
				lines := strings.SplitAfter(string(b), "\n")
				lines[0], lines[1] = lines[1][:64]+lines[0][64:], lines[0][:64]+lines[1][64:]
				return []byte(strings.Join(lines, ""))
			})
		}, "the signature is not of this key"},
		{"a missing archive", func(r release) { r.remove(archive) }, archive + ": missing"},
		{"a link for an archive", func(r release) {
			r.rename(archive, "../"+archive)
			if err := os.Symlink("../"+archive, r.path(archive)); err != nil {
				r.t.Fatal(err)
			}
		}, archive + ": missing"},
		{"a renamed archive", func(r release) { r.rename(archive, "seccompile_0.0.2_linux_amd64.tar.gz") }, "seccompile_0.0.2_linux_amd64.tar.gz: not a file of this release"},
		{"one file more", func(r release) { r.write("install.sh", []byte("x")) }, "install.sh: not a file of this release"},
		{"one hidden file more", func(r release) { r.write(".x", nil) }, ".x: not a file of this release"},
		{"one file more, whose name has a line that is a name", func(r release) { r.write(archive+"\nx", []byte("x")) }, "x: not a file of this release"},
		{"another SBOM", func(r release) {
			r.edit(sbom, func(b []byte) []byte { return bytes.Replace(b, []byte("cobra"), []byte("krait"), 1) })
		}, sbom + ": not what was released"},
		{"the provenance of another commit", func(r release) { r.edit("provenance.json", otherCommit) }, "provenance.json: not what was released"},
		{"the provenance of another commit, in the signed one as well", func(r release) {
			r.edit("provenance.json", otherCommit)
			r.edit("provenance.sigstore.json", func(b []byte) []byte { return repay(r.t, b, otherCommit) })
			r.resum("provenance.json")
		}, "the signature is not of this key"},
		{"another signed provenance", func(r release) {
			r.edit("provenance.sigstore.json", func(b []byte) []byte { return repay(r.t, b, otherCommit) })
		}, "signs another provenance"},
		{"the provenance's signature", func(r release) {
			r.edit("provenance.sigstore.json", func(b []byte) []byte {
				at := bytes.Index(b, []byte(`"sig":"`)) + 30
				b = bytes.Clone(b)
				b[at] = map[bool]byte{true: 'B', false: 'A'}[b[at] == 'A']
				return b
			})
		}, "the signed provenance does not have it"},
		{"a stripped signature", func(r release) { r.remove("SHA256SUMS.sigstore.json") }, "SHA256SUMS.sigstore.json: missing"},
		{"an empty signature", func(r release) { r.edit("SHA256SUMS.sigstore.json", func([]byte) []byte { return []byte("{}") }) }, "the signature is not of this key"},
		{"a stripped provenance", func(r release) { r.remove("provenance.json"); r.remove("provenance.sigstore.json") }, "provenance.json: missing"},
		{"all signed with another key", func(r release) {
			r.edit(archive, flip)
			r.resum(archive)
			r.remove("SHA256SUMS.sigstore.json")
			r.remove("provenance.sigstore.json")
			v.sign(r.t, v.other, r.dir)
		}, "the signature is not of this key"},
	}
}

// repay changes what an envelope says that it signs.
func repay(t *testing.T, bundle []byte, change func([]byte) []byte) []byte {
	t.Helper()
	before, rest, ok1 := strings.Cut(string(bundle), `"payload":"`)
	payload, after, ok2 := strings.Cut(rest, `"`)
	text, err := base64.StdEncoding.DecodeString(payload)
	if !ok1 || !ok2 || err != nil {
		t.Fatalf("no payload: %v", err)
	}
	return []byte(before + `"payload":"` + base64.StdEncoding.EncodeToString(change(text)) + `"` + after)
}
