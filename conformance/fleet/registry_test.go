package fleet

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
)

// tools returns a directory with oras and cosign of Debian sid, the first release of Debian's
// that has them: scripts that run them with sid's libraries. The test is skipped if
// CONFORMANCE_SKIP names sid, or the mirror lacks a package: sid changes.
func tools(t *testing.T) string {
	t.Helper()
	need.Wanted(t, "sid")
	root, err := debian.Packages(t.Context(), "registry-sid", "sid", "oras", "cosign", "libc6")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"oras", "cosign"} {
		words := debian.Command(root, filepath.Join(root, "usr/bin", name))
		script := "#!/bin/sh\nexec " + strings.Join(words, " ") + ` "$@"` + "\n"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A registry is one that runs on this machine, and the directory that it keeps everything in.
type registry struct{ address, dir string }

// newRegistry starts a registry on a free port. It ends with the test.
func newRegistry(t *testing.T) *registry {
	t.Helper()
	r := &registry{dir: t.TempDir()}
	config := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: info, formatter: json}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: 127.0.0.1:0}\n", r.dir)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(need.Program(t, "docker-registry", "docker-registry"), "serve", config)
	cmd.Env = []string{"OTEL_TRACES_EXPORTER=none"}
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // or it has ended
		<-ended
		_ = cmd.Wait() // it was killed
	})
	port := make(chan string, 2)
	go func() {
		defer close(ended)
		listening := regexp.MustCompile(`listening on 127\.0\.0\.1:([0-9]+)`)
		said := ""
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				port <- m[1]
				break
			}
			said += lines.Text() + "\n"
		}
		_, err := io.Copy(io.Discard, log) // so that it can go on to write
		port <- fmt.Sprintf("the registry does not listen: %v\n%s", err, said)
	}()
	p := <-port
	if strings.Contains(p, " ") {
		t.Fatal(p)
	}
	r.address = "localhost:" + p // the name makes oras and cosign speak HTTP
	return r
}

// blob returns the file in which the registry keeps what has a digest.
func (r *registry) blob(t *testing.T, digest string) string {
	t.Helper()
	hex, ok := strings.CutPrefix(digest, "sha256:")
	if !ok || len(hex) != 64 {
		t.Fatalf("digest %q", digest)
	}
	return filepath.Join(r.dir, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data")
}
