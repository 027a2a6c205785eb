package conformance

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/loader"
)

// sid returns the root directory of crun and libseccomp of Debian sid, fetched once. The
// test is skipped if CONFORMANCE_SKIP names sid, or the mirror lacks a package: sid is a
// second release, and changes.
func sid(t *testing.T) string {
	t.Helper()
	need.Wanted(t, "sid")
	root, err := debian.Packages(t.Context(), "crun-sid", "sid",
		"crun", "libseccomp2", "libblake3-0", "libc6", "libcap2", "libjson-c5", "libsystemd0")
	if err != nil {
		t.Skip(err)
	}
	return root
}

// The filters that crun makes and installs mean what its mode says.
func TestRuntimesCrun(t *testing.T) {
	t.Run("system", func(t *testing.T) {
		program := need.Program(t, "crun", "crun")
		compareCrun(t, []string{program}, agreed)
	})
	t.Run("sid", func(t *testing.T) {
		need.Program(t, "crun", "crun") // what else it needs is there, too
		root := sid(t)
		compareCrun(t, debian.Command(root, filepath.Join(root, "usr/bin/crun")), named(t, root))
	})
}

// named returns what the libseccomp in a root directory knows, judged by the names in its
// tables. Where they are, their numbers are compared elsewhere.
func named(t *testing.T, root string) knows {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "usr/lib/*/libseccomp.so.2"))
	if err != nil || len(files) != 1 {
		t.Fatalf("libseccomp: %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return func(_ arch.ABI, name string) bool { return bytes.Contains(text, []byte("\x00"+name+"\x00")) }
}

func compareCrun(t *testing.T, crun []string, known knows) {
	version, err := exec.Command(crun[0], append(crun[1:], "--version")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(version), "\n")
	r := row{runtime: line}
	var mu sync.Mutex // of r
	t.Run("profiles", func(t *testing.T) {
		for i, p := range profiles(t) {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				theirs, running, refusal := byCrun(t, crun, &p)
				mu.Lock()
				defer mu.Unlock()
				before := r.proved
				r.compare(t, &p, oci.Crun, theirs, refusal, known)
				if running && r.proved > before {
					r.dumped++
				}
			})
		}
	})
	t.Log(&r)
	if r.dumped == 0 {
		t.Error("no filter of a running container was compared")
	}
}

// byCrun returns the filter that crun makes of a profile. If its container runs under it,
// the filter is the one that the kernel has. The error is crun's refusal.
func byCrun(t *testing.T, crun []string, p *given) (program *cbpf.Program, running bool, refusal error) {
	t.Helper()
	c := newContainer(t, nil)
	c.before, c.program = crun[:len(crun)-1], crun[len(crun)-1]
	c.seccomp = p.text
	if path := regexp.MustCompile(`"listenerPath":"[^"]*"`); path.Match(p.text) { // crun connects to it first
		socket, err := net.Listen("unix", filepath.Join(c.dir, "agent"))
		if err != nil {
			t.Fatal(err)
		}
		defer socket.Close()
		c.seccomp = path.ReplaceAll(p.text, fmt.Appendf(nil, `"listenerPath":%q`, socket.Addr()))
	}
	c.spec.Process.Args = []string{"/bin/sleep", "1000"}
	out, err := c.crun("create", "--bundle", c.dir, c.id)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	defer func() {
		if out, err := c.crun("delete", "--force", c.id); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}()
	made, err := os.ReadFile(filepath.Join(c.dir, "state", c.id, "seccomp.bpf"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, false, errors.New("crun made no filter of it")
	}
	if err != nil {
		t.Fatal(err)
	}
	if program, err = cbpf.Decode(made, binary.NativeEndian); err != nil {
		t.Fatal(err)
	}
	state, err := os.ReadFile(filepath.Join(c.dir, "state", c.id, "status"))
	var status struct{ PID int }
	if err = errors.Join(err, json.Unmarshal(state, &status)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.crun("start", c.id); err != nil {
		return program, false, nil // the filter is there, and in the way
	}
	for range 200 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", status.PID))
		if err != nil || bytes.Contains(stat, []byte(") Z ")) {
			return program, false, nil
		}
		if bytes.Contains(stat, []byte("(sleep) ")) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	filters, err := loader.Dump(ctx, status.PID)
	if err != nil || len(filters) != 1 {
		return program, false, nil // it ended
	}
	if there, err := filters[0].Program.AppendBinary(nil); err != nil || !bytes.Equal(there, made) {
		t.Errorf("%s: the container has another filter than crun's file", p.name)
	}
	return filters[0].Program, true, nil
}
