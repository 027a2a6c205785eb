package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// platforms returns the platforms whose lines are compared, as GOOS-GOARCH.
func platforms() []string {
	return []string{"linux-amd64", "darwin-arm64", "windows-amd64"}
}

// A goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath, Name, Export string
	DepOnly                  bool
	GoFiles                  []string
	Module                   *struct{ Path string }
}

// path returns a package's path in its module, or the module's last element for the
// package at its root.
func (p *goPackage) path() string {
	if rel, ok := strings.CutPrefix(p.ImportPath, p.Module.Path+"/"); ok {
		return rel
	}
	return p.Module.Path[strings.LastIndex(p.Module.Path, "/")+1:]
}

// public reports whether programs of other modules are meant to import a package.
func (p *goPackage) public() bool {
	if p.DepOnly || p.Name == "main" || len(p.GoFiles) == 0 {
		return false
	}
	elements := strings.Split(p.path(), "/")
	return !slices.Contains(elements, "internal") && elements[0] != "examples"
}

// exported returns the sorted lines of all public packages of the module in a directory.
func exported(root string, platforms []string) ([]string, error) {
	where := map[string][]string{} // the platforms of each line
	for _, platform := range platforms {
		lines, err := exportedOn(root, platform)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			where[line] = append(where[line], platform)
		}
	}
	var all []string
	for line, on := range where {
		if len(on) < len(platforms) {
			pkg, name, _ := strings.Cut(line, ",")
			line = fmt.Sprintf("%s (%s),%s", pkg, strings.Join(on, ", "), name)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all, nil
}

// exportedOn reads the types of packages as the compiler exports them.
func exportedOn(root, platform string) ([]string, error) {
	pkgs, err := goList(root, platform)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, p := range pkgs {
		files[p.ImportPath] = p.Export
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(files[path])
	})
	var lines []string
	for _, p := range pkgs {
		if !p.public() {
			continue
		}
		pkg, err := imp.Import(p.ImportPath)
		if err != nil {
			return nil, err
		}
		for _, line := range exports(pkg) {
			lines = append(lines, "pkg "+p.path()+", "+line)
		}
	}
	return lines, nil
}

func goList(root, platform string) ([]goPackage, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Export,DepOnly,GoFiles,Module", "./...")
	goos, goarch, _ := strings.Cut(platform, "-")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w\n%s", platform, err, stderr.Bytes())
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}
