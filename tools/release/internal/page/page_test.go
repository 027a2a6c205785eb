package page

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// noise returns bytes that do not become smaller.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func TestEmbed(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "site")
	files := map[string]string{"index.html": "<html>", "a/b.js": strings.Repeat("let x;", 1000)}
	for name, text := range files {
		write(t, filepath.Join(from, name), []byte(text))
	}
	write(t, filepath.Join(to, "stale.js.gz"), nil)
	if err := embed(from, to); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := eachFile(to, func(name string, data []byte) error {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(z)
		if z.Name != "" || !z.ModTime.IsZero() {
			t.Errorf("%s: has the name %q and the time %v in it", name, z.Name, z.ModTime)
		}
		got[filepath.ToSlash(strings.TrimSuffix(name, ".gz"))] = string(text)
		return err
	})
	if err != nil || !maps.Equal(got, files) {
		t.Errorf("%v, %v", slices.Sorted(maps.Keys(got)), err)
	}
}

func TestBudgets(t *testing.T) {
	dist := t.TempDir()
	write(t, filepath.Join(dist, "site", "engine.wasm"), noise(maxSite-10_000))
	write(t, filepath.Join(dist, "seccompile.html"), noise(100))
	var out bytes.Buffer
	list, err := sizes(dist)
	if err != nil {
		t.Fatal(err)
	}
	if err := Judge(&out, list); err != nil {
		t.Errorf("within: %v", err)
	}
	if !strings.Contains(out.String(), "compressed of 3500000: site\n") || !strings.Contains(out.String(), " 100 bytes, ") {
		t.Error(out.String())
	}
	write(t, filepath.Join(dist, "site", "more.js"), noise(10_000))
	write(t, filepath.Join(dist, "seccompile.html"), noise(maxFile+1))
	if list, err = sizes(dist); err != nil {
		t.Fatal(err)
	}
	err = Judge(io.Discard, list)
	if err == nil || !strings.Contains(err.Error(), "page: site: ") || !strings.Contains(err.Error(), "page: seccompile.html: ") {
		t.Errorf("beyond: %v", err)
	}
}

func TestModules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "packages.json")
	write(t, path, []byte(`[{"name": "b", "version": "1.0.0", "license": "MIT"}, {"name": "@a/a", "version": "2.0.0", "license": "ISC"}]`))
	got, err := readModules(path)
	if want := []Module{{"@a/a", "2.0.0", "ISC"}, {"b", "1.0.0", "MIT"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	write(t, path, []byte(`{}`))
	if _, err := readModules(path); err == nil {
		t.Error("an object")
	}
}

// Who lacks Node.js hears what to install, and keeps what an earlier build left.
func TestNodeIsMissingOrOld(t *testing.T) {
	bin, root := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin)
	kept := filepath.Join(root, "web", "dist", "seccompile.html")
	write(t, kept, []byte("x"))
	refused := func(want string) {
		t.Helper()
		_, err := Build(t.Context(), Options{Root: root, Log: io.Discard})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "install Node.js 18 or later with npm") {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Error(err)
		}
	}
	refused(`"node": executable file not found`)
	for _, name := range []string{"node", "npm"} {
		write(t, filepath.Join(bin, name), []byte("#!/bin/sh\necho v16.1.0\n"))
		if err := os.Chmod(filepath.Join(bin, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	refused(`"v16.1.0"`)
}
