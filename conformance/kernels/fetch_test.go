package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/conformance/internal/need"
)

// A fault serves a file badly.
type fault func(w http.ResponseWriter, r *http.Request, data []byte)

// A fakeMirror serves packages of one architecture.
type fakeMirror struct {
	t       *testing.T
	url     string
	files   map[string][]byte // by path
	faults  map[string]fault  // by part of a path
	indexes map[string]string // by directory of a suite
}

func newMirror(t *testing.T) *fakeMirror {
	need.Program(t, "apt-get", "apt")
	t.Setenv("no_proxy", "127.0.0.1")
	m := &fakeMirror{t: t, files: map[string][]byte{}, faults: map[string]fault{}, indexes: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := m.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		for part, fault := range m.faults {
			if strings.Contains(r.URL.Path, part) {
				fault(w, r, data)
				return
			}
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/debian"
	return m
}

// add lists a package, and has it with one file unless that has no name.
func (m *fakeMirror) add(archive, suite, pkg, number, file, text string) {
	dir := m.t.TempDir()
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: ppc64el\nMaintainer: Nobody <nobody@example.org>\nDescription: a test\n", pkg, number)
	for name, content := range map[string]string{"DEBIAN/control": control, file: text} {
		if name == "" {
			continue
		}
		name = filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(content), 0o644)); err != nil {
			m.t.Fatal(err)
		}
	}
	deb := filepath.Join(m.t.TempDir(), "deb")
	if out, err := exec.Command("dpkg-deb", "-Znone", "-b", dir, deb).CombinedOutput(); err != nil {
		m.t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(deb)
	if err != nil {
		m.t.Fatal(err)
	}
	pool := "pool/" + pkg + "_" + number + ".deb"
	m.files["/"+archive+"/"+pool] = data
	dists := "/" + archive + "/dists/" + suite
	m.indexes[dists] += fmt.Sprintf("%sFilename: %s\nSize: %d\nSHA256: %x\n\n", control, pool, len(data), sha256.Sum256(data))
	index := m.indexes[dists]
	m.files[dists+"/main/binary-ppc64el/Packages"] = []byte(index)
	m.files[dists+"/Release"] = fmt.Appendf(nil, "Origin: Debian\nSuite: %s\nCodename: %s\nDate: %s\nArchitectures: ppc64el\nComponents: main\nSHA256:\n %x %d main/binary-ppc64el/Packages\n",
		suite, suite, time.Now().UTC().Format(time.RFC1123), sha256.Sum256([]byte(index)), len(index))
}

// kernels returns a mirror as Debian's are: a release with two kernels, and another
// where the updates for its security are.
func kernels(t *testing.T) *fakeMirror {
	m := newMirror(t)
	m.add("debian", "trixie", "linux-image-powerpc64le", "6.12.117-1", "", "")
	m.add("debian", "trixie", "linux-image-6.12.107-powerpc64le", "6.12.107-1", "boot/vmlinux-6.12.107", "107")
	m.add("debian", "trixie", "linux-image-6.12.117-powerpc64le", "6.12.117-1", "boot/vmlinux-6.12.117", "117")
	m.add("debian", "trixie", "linux-image-6.13.2-powerpc64le", "6.13.2-1", "boot/vmlinux-6.13.2", "another series")
	m.add("debian-security", "trixie-security", "linux-image-powerpc64le", "6.12.113-1", "", "")
	m.add("debian-security", "trixie-security", "linux-image-6.12.113-powerpc64le", "6.12.113-1", "boot/vmlinux-6.12.113", "113")
	return m
}

const (
	newest = "linux-image-6.12.117-powerpc64le_6.12.117-1.deb"
	next   = "linux-image-6.12.107-powerpc64le_6.12.107-1.deb"
)

func (m *fakeMirror) store() *store {
	return &store{dir: m.t.TempDir(), mirror: m.url, trust: "Trusted: yes", patience: time.Minute, say: m.t.Logf}
}

func gone(w http.ResponseWriter, r *http.Request, _ []byte) { http.NotFound(w, r) }

func truncated(w http.ResponseWriter, _ *http.Request, data []byte) {
	_, _ = w.Write(data[:len(data)/2])
}

func altered(w http.ResponseWriter, _ *http.Request, data []byte) {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	_, _ = w.Write(data)
}

func stalling(w http.ResponseWriter, r *http.Request, data []byte) {
	truncated(w, r, data)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// trickling never pauses for as long as apt would notice.
func trickling(w http.ResponseWriter, r *http.Request, data []byte) {
	for ; len(data) > 0 && r.Context().Err() == nil; data = data[1:] {
		_, _ = w.Write(data[:1])
		_ = http.NewResponseController(w).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}

var testGuest = guest{name: "ppc64el-trixie", suite: "trixie", kernel: "linux-image-powerpc64le"}

func content(t *testing.T, k kernel) string {
	t.Helper()
	b, err := os.ReadFile(k.image)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// noLeftovers fails if the store has more than the directories named.
func noLeftovers(t *testing.T, s *store, names ...string) {
	t.Helper()
	var got []string
	for _, pattern := range []string{"*", "kernels/*"} {
		found, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			rel, _ := filepath.Rel(s.dir, f)
			got = append(got, rel)
		}
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the store has %q, want %q", got, names)
	}
}

func TestAnotherKernelIsTakenWhereOneIsMissing(t *testing.T) {
	tests := []struct {
		name   string
		faults map[string]fault
		want   string
	}{
		{"all is there", nil, "117"},
		{"the newest is missing", map[string]fault{newest: gone}, "107"},
		{"the newest is truncated", map[string]fault{newest: truncated}, "107"},
		{"the newest has another hash", map[string]fault{newest: altered}, "107"},
		{"the release has none", map[string]fault{newest: gone, next: truncated}, "113"},
		{"the release is missing", map[string]fault{"/dists/trixie/": gone}, "113"},
		{"the release's list has another hash", map[string]fault{"/dists/trixie/main/": altered}, "113"},
		{"the release's list is truncated", map[string]fault{"/dists/trixie/main/": truncated}, "113"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := kernels(t)
			m.faults = tt.faults
			s := m.store()
			k, err := s.kernel(t.Context(), &testGuest, false)
			if err != nil {
				t.Fatal(err)
			}
			if got := content(t, k); got != tt.want || k.kept != nil {
				t.Errorf("got the kernel %s, %v; want %s", got, k.kept, tt.want)
			}
			noLeftovers(t, s, "kernels", "kernels/ppc64el-trixie")
		})
	}
}

func TestAPackageWithoutAKernelIsNotHad(t *testing.T) {
	m := newMirror(t)
	m.add("debian", "trixie", "linux-image-powerpc64le", "6.12.3-1", "", "")
	m.add("debian", "trixie", "linux-image-6.12.3-powerpc64le", "6.12.3-1", "etc/other", "x")
	m.add("debian", "trixie", "linux-image-6.12.2-powerpc64le", "6.12.2-1", "boot/vmlinux-6.12.2", "2")
	k, err := m.store().kernel(t.Context(), &testGuest, false)
	if err != nil || content(t, k) != "2" {
		t.Errorf("%+v, %v", k, err)
	}
}

func TestWhatDoesNotEndIsNotHad(t *testing.T) {
	m := kernels(t)
	m.faults = map[string]fault{newest: stalling, next: trickling}
	s := m.store()
	s.patience = 12 * time.Second
	k, err := s.kernel(t.Context(), &testGuest, false)
	if err != nil || content(t, k) != "113" {
		t.Errorf("%+v, %v", k, err)
	}
	noLeftovers(t, s, "kernels", "kernels/ppc64el-trixie")
}

func TestFetchingAnewKeepsWhatItCannotReplace(t *testing.T) {
	m := kernels(t)
	s := m.store()
	m.faults = map[string]fault{newest: truncated}
	if k, err := s.kernel(t.Context(), &testGuest, false); err != nil || content(t, k) != "107" {
		t.Fatalf("%+v, %v", k, err)
	}
	m.faults = map[string]fault{".deb": truncated}
	k, err := s.kernel(t.Context(), &testGuest, true)
	if err != nil || content(t, k) != "107" || k.kept == nil {
		t.Errorf("nothing to be had: %+v, %v", k, err)
	}
	m.faults = nil
	k, err = s.kernel(t.Context(), &testGuest, true)
	if err != nil || content(t, k) != "117" || k.kept != nil {
		t.Errorf("all there again: %+v, %v", k, err)
	}
	noLeftovers(t, s, "kernels", "kernels/ppc64el-trixie")
}

func TestOneMissingKernelStopsNoOther(t *testing.T) {
	m := kernels(t)
	m.faults = map[string]fault{"6.12.1": gone}
	m.add("debian", "sid", "linux-image-powerpc64le", "7.2.13-1", "", "")
	m.add("debian", "sid", "linux-binary-7.2.13-powerpc64le", "7.2.13-1", "usr/lib/modules/7.2.13/vmlinux", "sid")
	m.add("debian", "sid", "linux-image-7.2.13-powerpc64le", "7.2.13-1", "", "")
	s := m.store()
	jobs := []job{{guest: testGuest}, {guest: guest{name: "ppc64el", suite: "sid", kernel: "linux-image-powerpc64le"}}}
	if err := equip(t.Context(), options{patience: s.patience}, s, &machine{}, jobs); err != nil {
		t.Fatal(err)
	}
	if jobs[1].absent != nil || content(t, jobs[1].kernel) != "sid" {
		t.Errorf("%+v", jobs[1])
	}
	if jobs[0].absent == nil {
		t.Fatal("a kernel that no source has is there")
	}
	for _, want := range []string{"trixie: linux-image-6.12.117-powerpc64le 6.12.117-1: apt-get: 404 Not Found\n", "trixie-security: linux-image-6.12.113-powerpc64le 6.12.113-1: apt-get: 404 Not Found\n", "trixie-updates: apt-get: 404 Not Found\n"} {
		if got := jobs[0].absent.Error(); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	noLeftovers(t, s, "kernels", "kernels/ppc64el")
}

func TestUnpackingThatFailsLeavesNothing(t *testing.T) {
	m := kernels(t)
	s := m.store()
	dir := filepath.Join(s.dir, "firmware")
	half := func(ctx context.Context, deb, dir string) error {
		return errors.Join(unpackAll(ctx, deb, dir), errors.New("the disk is full"))
	}
	err := s.fetch(t.Context(), "trixie", "ppc64el", packageKind("linux-image-6.13.2-powerpc64le"), dir, half)
	if !errors.As(err, new(unavailable)) || !strings.Contains(err.Error(), "the disk is full") {
		t.Error(err)
	}
	noLeftovers(t, s)
	err = s.fetch(t.Context(), "trixie", "ppc64el", packageKind("linux-image-6.13.2-powerpc64le"), dir, unpackAll)
	if err != nil || !exists(filepath.Join(dir, "boot/vmlinux-6.13.2")) {
		t.Error(err)
	}
	noLeftovers(t, s, "firmware")
}

func TestPackagesOfOneVersionComeTogether(t *testing.T) {
	m := newMirror(t)
	for _, number := range []string{"1:10.0.1-1", "1:10.0.2-1"} {
		m.add("debian", "x-backports", "qemu", number, "usr/bin/qemu", number)
	}
	m.add("debian", "x-backports", "qemu-data", "1:10.0.1-1", "usr/share/qemu", "data")
	s := m.store()
	dir := filepath.Join(s.dir, "qemu")
	if err := s.fetch(t.Context(), "x-backports", "ppc64el", packageKind("qemu", "qemu-data"), dir, unpackAll); err != nil {
		t.Fatal(err)
	}
	if got := content(t, kernel{image: filepath.Join(dir, "usr/bin/qemu")}); got != "1:10.0.1-1" || !exists(filepath.Join(dir, "usr/share/qemu")) {
		t.Errorf("got %s", got)
	}
}

func TestKindsOfKernels(t *testing.T) {
	all := func(pkgs ...string) (versions []version) {
		for _, p := range pkgs {
			pkg, number, _ := strings.Cut(p, " ")
			versions = append(versions, version{pkg, number})
		}
		return versions
	}
	tests := []struct {
		meta string
		all  []version
		want string
	}{
		{"linux-image-amd64", all("linux-image-6.12.9-amd64 6.12.9-1", "linux-image-amd64 6.1.170-3", "linux-image-6.1.0-50-amd64 6.1.170-3", "linux-image-6.1.0-50-rt-amd64 6.1.170-3",
			"linux-image-6.1.0-50-cloud-amd64 6.1.170-3", "linux-image-6.1.0-50-amd64-dbg 6.1.170-3", "linux-image-6.1.0-47-amd64 6.1.160-1"),
			"[linux-image-6.1.0-50-amd64 6.1.170-3 linux-image-6.1.0-47-amd64 6.1.160-1] <nil>"},
		{"linux-image-686-pae", all("linux-image-686-pae 6.1.170-3", "linux-image-6.1.0-50-686-pae 6.1.170-3", "linux-image-6.1.0-50-686 6.1.170-3"), "[linux-image-6.1.0-50-686-pae 6.1.170-3] <nil>"},
		{"linux-image-amd64", all("linux-image-amd64 7.2.13-1", "linux-image-7.2.13+deb14-amd64 7.2.13-1", "linux-binary-7.2.13+deb14-amd64 7.2.13-1", "linux-binary-unsigned-7.2.13+deb14-amd64 7.2.13-1"),
			"[linux-binary-7.2.13+deb14-amd64 7.2.13-1] <nil>"},
		{"linux-image-rpi", all("linux-image-rpi 6.1.1-1"), "[] apt: linux-image-rpi 6.1.1-1 stands for no package"},
		{"linux-image-rpi", all("linux-image-6.1.0-50-rpi 6.1.1-1"), "[] apt: no linux-image-rpi"},
	}
	for _, tt := range tests {
		found, err := kernelKind(tt.meta).choose(tt.all)
		if got := fmt.Sprintf("%v %v", found, err); got != tt.want {
			t.Errorf("%s of %v: %s, want %s", tt.meta, tt.all, got, tt.want)
		}
	}
}
