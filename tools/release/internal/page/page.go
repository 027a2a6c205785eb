// Package page builds the playground of web/: the Go part here, the rest by web/build.mjs.
package page

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/tools/release/internal/licence"
)

// Options say what to build, and how.
type Options struct {
	Root    string   // the checkout
	Version string   // what the page says that it is, "" in development
	Env     []string // in which the go command builds, without the target; nil for this process's
	Log     io.Writer
}

// A Module is one of Go's or of npm's in the page.
type Module struct{ Name, Version, License string }

// A Page says what was built. Its files are in web/dist: the directory site for any static
// host, seccompile.html, and LICENCES.txt. The package internal/webpage has the site as well.
type Page struct {
	Go, NPM []Module // sorted by name; licences are known of npm's alone
	Sizes   []Size
}

// Build builds the page. The same sources give the same bytes on every machine: what is
// compressed, Go compresses, because zlib in Node.js differs from one processor to another.
func Build(ctx context.Context, o Options) (*Page, error) {
	var err error
	if o.Root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	b := &builder{Options: o, web: filepath.Join(o.Root, "web")}
	b.dist, b.engine = filepath.Join(b.web, "dist"), filepath.Join(b.web, "dist", "engine")
	if b.Env == nil {
		b.Env = os.Environ()
	}
	if err := b.node(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(b.dist), os.MkdirAll(b.engine, 0o755)); err != nil {
		return nil, err
	}
	p := new(Page)
	if p.Go, err = b.compile(ctx); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"}, {"node", "build.mjs"}} {
		if err := b.run(ctx, b.web, args...); err != nil {
			return nil, err
		}
	}
	if p.NPM, err = readModules(filepath.Join(b.dist, "packages.json")); err != nil {
		return nil, err
	}
	if err := embed(filepath.Join(b.dist, "site"), filepath.Join(o.Root, "internal", "webpage", "site")); err != nil {
		return nil, err
	}
	p.Sizes, err = sizes(b.dist)
	return p, err
}

type builder struct {
	Options
	web, dist, engine string // directories
}

// node says what to install if Node.js is missing or too old.
func (b *builder) node(ctx context.Context) error {
	const install = "install Node.js 18 or later with npm (Debian: apt-get install nodejs npm)"
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("page: %w: %s", err, install)
		}
	}
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return fmt.Errorf("page: node --version: %w", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(out), "v%d.", &major); err != nil || major < 18 {
		return fmt.Errorf("page: node --version: %q: %s", bytes.TrimSpace(out), install)
	}
	return nil
}

// compile writes what build.mjs takes: the engine, as it is and compressed, the script that
// starts it, and the licences of what is in it. It returns the modules in it.
func (b *builder) compile(ctx context.Context) ([]Module, error) {
	wasm := filepath.Join(b.engine, "engine.wasm")
	args := []string{"go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X main.releaseVersion=" + b.Version, "-o", wasm}
	for _, pkg := range cold() {
		args = append(args, "-gcflags="+pkg+"=-l")
	}
	if err := b.run(ctx, b.Root, append(args, "./web/engine")...); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(wasm)
	if err != nil {
		return nil, err
	}
	goroot, err := b.ask(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	start, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return nil, err
	}
	text, modules, err := b.licences(ctx, goroot)
	if err != nil {
		return nil, err
	}
	return modules, errors.Join(
		os.WriteFile(wasm+".gz", compress(data), 0o644),
		os.WriteFile(filepath.Join(b.engine, "wasm_exec.js"), start, 0o644),
		os.WriteFile(filepath.Join(b.engine, "LICENCES.txt"), text, 0o644),
	)
}

// cold returns the packages that are compiled without inlining: that makes the engine a tenth
// smaller, and they are not what the time of an answer goes into.
func cold() []string {
	list := []string{"bufio", "crypto/...", "encoding/base64", "encoding/hex", "fmt", "io/...", "math/big", "math/rand/...", "os", "regexp/...", "time", "go.yaml.in/yaml/..."}
	for _, pkg := range []string{
		"algebra", "artifact", "language/...", "preset", "internal/collected", "internal/combine", "internal/convert", "internal/edit", "internal/emit",
		"internal/expect", "internal/failure", "internal/grade", "internal/intake", "internal/keyed", "internal/kube", "internal/lint", "internal/listing",
		"internal/report", "internal/runtimes", "internal/stats", "internal/unknown",
	} {
		list = append(list, "github.com/seccompile/seccompile/"+pkg)
	}
	return list
}

// licences returns those of Go and of the modules in the engine, and these modules.
func (b *builder) licences(ctx context.Context, goroot string) (text []byte, modules []Module, err error) {
	version, err := b.ask(ctx, "go", "env", "GOVERSION")
	if err != nil {
		return nil, nil, err
	}
	var all bytes.Buffer
	if err := licence.Append(&all, "Go "+version, goroot); err != nil {
		return nil, nil, err
	}
	list, err := b.ask(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "./web/engine")
	if err != nil {
		return nil, nil, err
	}
	for _, line := range slices.Compact(slices.Sorted(strings.SplitSeq(list, "\n"))) {
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			continue // of this module
		}
		modules = append(modules, Module{Name: f[0], Version: f[1]})
		if err := licence.Append(&all, f[0]+" "+f[1], f[2]); err != nil {
			return nil, nil, err
		}
	}
	return all.Bytes(), modules, nil
}

// command returns one that builds for the browser. From Go 1.27 on encoding/json is made of
// its second version, which would add a fifteenth to the page.
func (b *builder) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(slices.Clip(b.Env), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOEXPERIMENT=nojsonv2")
	return cmd
}

// run runs a command, whose output is for the log.
func (b *builder) run(ctx context.Context, dir string, args ...string) error {
	cmd := b.command(ctx, dir, args...)
	cmd.Stdout, cmd.Stderr = b.Log, b.Log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("page: %s %s: %w", args[0], args[1], err)
	}
	return nil
}

// ask returns what a command in the checkout prints.
func (b *builder) ask(ctx context.Context, args ...string) (string, error) {
	cmd := b.command(ctx, b.Root, args...)
	cmd.Stderr = b.Log
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("page: %s %s: %w", args[0], args[1], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// readModules reads the list that build.mjs writes.
func readModules(path string) ([]Module, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var modules []Module
	if err := json.Unmarshal(text, &modules); err != nil {
		return nil, fmt.Errorf("page: %s: %w", path, err)
	}
	slices.SortFunc(modules, func(a, b Module) int { return cmp.Compare(a.Name, b.Name) })
	return modules, nil
}

// embed writes each file of a directory, compressed, to another, which it replaces.
func embed(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return eachFile(from, func(name string, data []byte) error {
		path := filepath.Join(to, name) + ".gz"
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, compress(data), 0o644)
	})
}

// compress returns gzip of data, without a name and a time.
func compress(data []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(data)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		panic("page: BUG: " + err.Error()) // the level exists, and memory takes all
	}
	return b.Bytes()
}
