// Package seccompile_test checks the architecture: which package may import which,
// what a program pays for importing the library, and what no source file may
// contain. docs/ARCHITECTURE.md has the reasons.
package seccompile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/seccompile/seccompile"

// An arrow is a package and everything it may import directly besides the
// standard library. Tests are free.
type arrow struct {
	pkg    string
	ours   string // packages of this module
	theirs string // packages or, with /..., whole modules of others
}

func arrows() []arrow {
	return []arrow{
		{".", "cbpf policy language language/oci compiler loader", ""},
		{"arch", "", ""},
		{"syscalltables", "arch internal/unknown", ""},
		{"cbpf", "", "golang.org/x/net/bpf"},
		{"policy", "arch syscalltables cbpf internal/unknown", ""},
		{"language", "policy internal/document", ""},
		{"language/oci", "language arch syscalltables cbpf policy internal/document internal/unknown", "github.com/opencontainers/runtime-spec/..."},
		{"language/bionic", "language arch syscalltables cbpf policy internal/unknown", ""},
		{"language/kafel", "language arch cbpf policy internal/unknown internal/listing", ""},
		{"language/firejail", "internal/collected language arch syscalltables cbpf policy internal/unknown", ""},
		{"language/minijail", "language arch syscalltables cbpf policy internal/symbols internal/unknown internal/listing", ""},
		{"language/snap", "language arch syscalltables cbpf policy internal/symbols internal/unknown internal/listing", ""},
		{"language/systemd", "internal/collected language arch syscalltables cbpf policy internal/unknown internal/listing", ""},
		{"language/kubernetes", "language language/oci language/spo policy preset internal/document internal/kube internal/unknown", ""},
		{"language/spo", "arch cbpf language language/oci policy internal/document internal/kube internal/listing internal/unknown", "github.com/opencontainers/runtime-spec/..."},
		{"language/firecracker", "language arch syscalltables cbpf policy internal/document internal/keyed internal/listing internal/unknown", ""},
		{"language/beats", "language language/yaml arch syscalltables cbpf policy internal/document internal/keyed internal/listing internal/unknown", ""},
		{"language/yaml", "language policy internal/document", "go.yaml.in/yaml/v3"},
		{"language/lxc", "language arch syscalltables cbpf policy internal/unknown internal/listing", ""},
		{"language/moby", "language/oci policy", "github.com/moby/profiles/seccomp github.com/opencontainers/runtime-spec/..."},
		{"preset", "internal/unknown", ""},
		{"compiler", "cbpf policy internal/compile internal/proved", ""},
		{"loader", "cbpf", "golang.org/x/net/bpf golang.org/x/sys/..."},
		{"proof", "arch cbpf policy", "golang.org/x/net/bpf"},
		{"algebra", "arch syscalltables cbpf policy proof", ""},
		{"artifact", "cbpf", ""},
		{"oci", "arch syscalltables cbpf policy language/oci compiler loader artifact internal/certificate", "github.com/opencontainers/runtime-spec/... golang.org/x/sys/..."},
		{"cmd/seccompile", "arch syscalltables cbpf policy language language/oci language/snap preset proof loader artifact oci internal/advisory internal/agent internal/audit internal/certificate internal/compile internal/graph internal/host internal/lint internal/optimize internal/record internal/report internal/runtimes internal/scan internal/smt internal/stats internal/symbols internal/unknown internal/watch internal/webpage internal/convert internal/grade algebra internal/edit internal/failure internal/intake internal/answer internal/combine internal/emit internal/expect",
			"github.com/opencontainers/runtime-spec/... github.com/spf13/cobra/... github.com/spf13/pflag golang.org/x/net/bpf golang.org/x/sys/..."},
		{"examples/agent", "oci loader syscalltables internal/symbols arch cbpf", "github.com/opencontainers/runtime-spec/... golang.org/x/sys/..."},
		{"examples/runtime", "oci", "github.com/opencontainers/runtime-spec/... golang.org/x/sys/..."},
		{"examples/sandbox", ". policy", ""},
		{"examples/vectors", ". arch syscalltables cbpf policy language/oci", ""},
		{"fuzz", "", ""},
		{"internal/advisory", "arch syscalltables cbpf proof", "golang.org/x/net/bpf"},
		{"internal/agent", "loader oci", "github.com/opencontainers/runtime-spec/... golang.org/x/sys/..."},
		{"internal/answer", "arch cbpf internal/compile internal/failure internal/grade internal/intake internal/lint internal/proved internal/symbols/phrase language/oci policy proof syscalltables", ""},
		{"internal/audit", "arch syscalltables cbpf policy", ""},
		{"internal/certificate", "cbpf policy proof", ""},
		{"internal/collected", "language policy internal/unknown", ""},
		{"internal/combine", "algebra arch cbpf internal/answer internal/compile internal/emit internal/failure internal/intake internal/optimize internal/proved language/oci policy proof", ""},
		{"internal/compile", "arch syscalltables cbpf policy", "golang.org/x/net/bpf"},
		{"internal/convert", "arch syscalltables cbpf policy language language/kafel language/oci proof internal/listing", ""},
		{"internal/document", "", ""},
		{"internal/edit", "arch syscalltables cbpf policy language language/oci preset proof internal/document internal/listing internal/symbols internal/unknown", "github.com/opencontainers/runtime-spec/..."},
		{"internal/emit", "arch cbpf internal/answer internal/failure internal/intake internal/stats internal/symbols language/snap syscalltables", ""},
		{"internal/failure", "internal/unknown policy", ""},
		{"internal/expect", "arch cbpf policy internal/failure internal/intake internal/symbols", ""},
		{"internal/fleet", "arch cbpf policy language/oci preset compiler proof artifact oci internal/certificate", "github.com/opencontainers/runtime-spec/..."},
		{"internal/gen", "arch syscalltables cbpf policy", "golang.org/x/net/bpf"},
		{"internal/golden", "", "github.com/google/go-cmp/..."},
		{"internal/grade", "arch syscalltables cbpf policy proof internal/symbols", ""},
		{"internal/graph", "arch syscalltables cbpf internal/compile", ""},
		{"internal/host", "loader", "golang.org/x/sys/..."},
		{"internal/intake", "arch artifact cbpf internal/audit internal/compile internal/failure internal/lint internal/optimize internal/proved internal/stats internal/symbols internal/unknown language language/beats language/bionic language/firecracker language/firejail language/kafel language/kubernetes language/lxc language/minijail language/oci language/snap language/spo language/systemd language/yaml policy preset proof syscalltables", "golang.org/x/net/bpf"},
		{"internal/kube", "language language/oci language/yaml policy internal/document", ""},
		{"internal/lint", "arch syscalltables cbpf policy language language/oci preset compiler internal/document internal/runtimes internal/symbols", ""},
		{"internal/keyed", "policy internal/document internal/unknown", ""},
		{"internal/listing", "arch syscalltables cbpf policy", ""},
		{"internal/numbers", "arch syscalltables preset internal/lint", ""},
		{"internal/optimize", "arch cbpf policy internal/compile proof", "golang.org/x/net/bpf"},
		{"internal/playground", "algebra arch artifact cbpf internal/answer internal/combine internal/compile internal/document internal/edit internal/emit internal/expect internal/failure internal/grade internal/graph internal/intake internal/lint internal/optimize internal/proved internal/report internal/stats internal/symbols language language/oci policy preset proof syscalltables", ""},
		{"internal/proved", "cbpf policy internal/compile proof", ""},
		{"internal/record", "arch syscalltables cbpf policy language language/oci internal/document internal/lint internal/runtimes internal/symbols", "github.com/opencontainers/runtime-spec/..."},
		{"internal/reexec", "", ""},
		{"internal/report", "arch syscalltables cbpf policy proof internal/compile internal/grade internal/graph internal/lint internal/optimize internal/proved internal/stats internal/symbols internal/symbols/phrase", "golang.org/x/net/bpf"},
		{"internal/runtimes", "", ""},
		{"internal/scan", "arch syscalltables internal/scan/code internal/scan/object", ""},
		{"internal/scan/code", "internal/scan/object", "golang.org/x/arch/..."},
		{"internal/scan/object", "", ""},
		{"internal/smt", "cbpf policy", "golang.org/x/net/bpf"},
		{"internal/stats", "arch syscalltables cbpf internal/compile", "golang.org/x/net/bpf"},
		{"internal/symbols", "arch syscalltables cbpf policy internal/unknown", ""},
		{"internal/symbols/phrase", "arch proof syscalltables internal/symbols", ""},
		{"internal/unknown", "", ""},
		{"internal/vectors", "", ""},
		{"internal/watch", "arch syscalltables cbpf policy compiler loader internal/symbols", "golang.org/x/sys/... golang.org/x/net/bpf"},
		{"internal/webpage", "", "golang.org/x/net/netutil"},
	}
}

// A goPackage is what `go list -json` reports about a package.
type goPackage struct {
	ImportPath, Doc  string
	Standard         bool
	Imports, GoFiles []string
}

func goList(t *testing.T, goos string, args ...string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Doc,Standard,Imports,GoFiles"}, args...)...)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH=amd64", "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// name returns the path of a package inside this module, "." for the one at its root.
func name(importPath string) (string, bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// thirdParty reports whether an import path is neither ours nor the standard
// library's, whose first element has no dot.
func thirdParty(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(importPath, module)
}

func matches(pattern, importPath string) bool {
	prefix, tree := strings.CutSuffix(pattern, "/...")
	return importPath == prefix || tree && strings.HasPrefix(importPath, prefix+"/")
}

func TestArrows(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, p := range goList(t, goos, "./...") {
			pkg, ok := name(p.ImportPath)
			if !ok {
				continue
			}
			i := slices.IndexFunc(arrows(), func(a arrow) bool { return a.pkg == pkg })
			if i < 0 {
				t.Errorf("%s: not in arrows (add it, and say in docs/ARCHITECTURE.md what it is for)", pkg)
				continue
			}
			a := arrows()[i]
			for _, imp := range p.Imports {
				if q, ok := name(imp); ok && !slices.Contains(strings.Fields(a.ours), q) {
					t.Errorf("%s: %s may not import %s", goos, pkg, q)
				}
				if thirdParty(imp) && !slices.ContainsFunc(strings.Fields(a.theirs), func(s string) bool { return matches(s, imp) }) {
					t.Errorf("%s: %s may not import %s", goos, pkg, imp)
				}
			}
		}
	}
}

// Nothing leaves unproved: the compilers' ways in are called where their programs are
// proved, and in their own tests. Optimize and merge have a meaning without a policy, and
// prove what they make of it themselves.
func TestOneRoomCallsTheCompilers(t *testing.T) {
	called := map[string]int{}
	for _, file := range tracked(t) {
		if !strings.HasSuffix(file, ".go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for compiler, room := range map[string]string{"Compile": "internal/proved", "Plain": "internal/proved", "CompileDiagram": "internal/optimize"} {
			if !mentions(f, module+"/internal/compile", compiler) {
				continue
			}
			called[compiler]++
			dir := path.Dir(file)
			if dir == "proof" && strings.HasSuffix(file, "_test.go") { // the judge's tests want what is not judged yet
				continue
			}
			if dir != room && dir != "internal/compile" {
				t.Errorf("%s: calls compile.%s (call proved.Compile)", file, compiler)
			}
		}
	}
	if called["Compile"] == 0 || called["Plain"] == 0 || called["CompileDiagram"] == 0 {
		t.Errorf("calls found: %v", called)
	}
}

// mentions reports whether a file mentions a function of a package.
func mentions(file *ast.File, pkg, function string) bool {
	local := ""
	for _, i := range file.Imports {
		if strings.Trim(i.Path.Value, `"`) == pkg {
			if local = path.Base(pkg); i.Name != nil {
				local = i.Name.Name
			}
		}
	}
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == function {
			x, ok := s.X.(*ast.Ident)
			found = found || ok && local != "" && (x.Name == local || local == ".")
		}
		return !found
	})
	return found
}

// A program that compiles and loads pulls in three small modules and nothing else.
func TestDependencies(t *testing.T) {
	tests := []struct{ pkgs, allowed string }{
		{". ./policy ./language/oci ./compiler ./loader", "github.com/opencontainers/runtime-spec/... golang.org/x/net/bpf golang.org/x/sys/..."},
		{"./loader", "golang.org/x/net/bpf golang.org/x/sys/..."},
		{"./arch ./syscalltables ./preset", ""},
	}
	for _, tt := range tests {
		for _, p := range goList(t, "linux", append([]string{"-deps"}, strings.Fields(tt.pkgs)...)...) {
			if thirdParty(p.ImportPath) && !p.Standard &&
				!slices.ContainsFunc(strings.Fields(tt.allowed), func(s string) bool { return matches(s, p.ImportPath) }) {
				t.Errorf("%s: pulls in %s", tt.pkgs, p.ImportPath)
			}
		}
	}
}

// The loader must be linkable without tables, profiles and compiler.
func TestLoaderIsAlone(t *testing.T) {
	for _, p := range goList(t, "linux", "-deps", "./loader") {
		if pkg, ok := name(p.ImportPath); ok && pkg != "loader" && pkg != "cbpf" {
			t.Errorf("loader: pulls in %s", pkg)
		}
	}
}

func TestRequirements(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Module  struct{ Path string }
		Require []struct{ Path string }
		Replace []struct{ Old struct{ Path string } }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Module.Path != module {
		t.Errorf("go.mod: module %s, want %s", mod.Module.Path, module)
	}
	allowed := []string{
		"github.com/opencontainers/runtime-spec", "golang.org/x/net", "golang.org/x/sys", // the library
		"github.com/moby/profiles/seccomp",                 // language/moby
		"github.com/spf13/cobra", "github.com/spf13/pflag", // the command
		"golang.org/x/arch",                                                        // its scan
		"github.com/inconshreveable/mousetrap", "github.com/cpuguy83/go-md2man/v2", // cobra's
		"github.com/russross/blackfriday/v2",                                                // cobra's
		"go.yaml.in/yaml/v3",                                                                // language/yaml
		"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "golang.org/x/tools", // tests
	}
	for _, r := range mod.Require {
		if !slices.Contains(allowed, r.Path) {
			t.Errorf("go.mod: requires %s (move tools to tools/go.mod and peers to conformance/go.mod)", r.Path)
		}
	}
	for _, r := range mod.Replace {
		t.Errorf("go.mod: replaces %s, which has no effect for those who import the library", r.Old.Path)
	}
}

// Names that others use cannot be taken back. api.txt lists them (make api). The count
// is of types, functions and methods, including those of interfaces and embedded types.
func TestExportedNames(t *testing.T) {
	const (
		maxPackages = 14  // besides those of language
		maxNames    = 270 // of all these
		maxLanguage = 8   // of each package of language
	)
	text, err := os.ReadFile("api.txt")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^pkg (\S+?)(?: \(.*?\))?, (\w+) (\w+ struct, )?`)
	count := map[string]int{}
	for _, m := range line.FindAllStringSubmatch(string(text), -1) {
		pkg, kind, field := m[1], m[2], m[3] != ""
		count[pkg] += 0 // a package of constants is one, too
		if kind != "const" && kind != "var" && !field {
			count[pkg]++
		}
	}
	packages, names := 0, 0
	for _, pkg := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%4d %s", count[pkg], pkg)
		if !strings.HasPrefix(pkg, "language/") {
			packages, names = packages+1, names+count[pkg]
		} else if count[pkg] > maxLanguage {
			t.Errorf("%s: %d names, want at most %d", pkg, count[pkg], maxLanguage)
		}
	}
	t.Logf("%4d in the %d packages besides language", names, packages)
	if packages == 0 || packages > maxPackages {
		t.Errorf("%d public packages besides language, want at most %d", packages, maxPackages)
	}
	if names == 0 || names > maxNames {
		t.Errorf("%d names in packages besides language, want at most %d", names, maxNames)
	}
}

// Every package says what it is.
func TestPackageComments(t *testing.T) {
	for _, p := range goList(t, "linux", "./...") {
		if pkg, ok := name(p.ImportPath); ok && len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s: no package comment", pkg)
		}
	}
}

// Importing the library costs nothing at start-up: no init function runs, and no map
// or regular expression is built.
func TestNothingRunsAtStart(t *testing.T) {
	for _, file := range sources(t) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "conformance/") || strings.Contains(file, "_gen/") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.Name == "init" && d.Recv == nil {
					t.Errorf("%s: init function", fset.Position(d.Pos()))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkVar(t, fset, d)
				}
			}
		}
	}
}

func checkVar(t *testing.T, fset *token.FileSet, d *ast.GenDecl) {
	t.Helper()
	ast.Inspect(d, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.MapType:
			t.Errorf("%s: package-level map (use a sorted array)", fset.Position(n.Pos()))
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "regexp" {
				t.Errorf("%s: regular expression compiled at start-up", fset.Position(n.Pos()))
			}
		}
		return true
	})
}

// maxLines is the length from which a file probably has two subjects. Generated
// files, named z*, are exempt.
const maxLines = 600

func TestFilesAreSmall(t *testing.T) {
	for _, file := range sources(t) {
		if strings.HasPrefix(path.Base(file), "z") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("\n")); n > maxLines {
			t.Errorf("%s: %d lines, want at most %d", file, n, maxLines)
		}
	}
}

// A clone works anywhere: no file names a machine's directories or a package
// registry.
func TestNoMachineInTheText(t *testing.T) {
	// Spelt in halves, so that this file does not contain what it looks for.
	bad := regexp.MustCompile(`(^|[^\w.])/(wor` + `k|roo` + `t|hom` + `e/\w+)/|bash_` + `jobs|proxy\.gol` + `ang|sum\.gol` + `ang|pypi\.o` + `rg|npmjs\.c` + `om`)
	for _, file := range tracked(t) {
		b, err := os.ReadFile(file)
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			continue // a submodule, a dangling link or a binary
		}
		for i, line := range strings.Split(string(b), "\n") {
			if m := bad.FindString(line); m != "" {
				t.Errorf("%s:%d: names %q", file, i+1, m)
			}
		}
	}
}

// sources returns the Go files of the repository, slash-separated.
func sources(t *testing.T) []string {
	t.Helper()
	files := slices.DeleteFunc(tracked(t), func(f string) bool { return path.Ext(f) != ".go" })
	if len(files) < 10 {
		t.Fatalf("found only %d Go files", len(files))
	}
	return files
}

// tracked returns the files that belong to the repository, by walking it: a
// source archive has no git.
func tracked(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{".git", ".cache", "bin", "internal/webpage/site", "web/dist", "web/node_modules", "web/test/out"}, filepath.ToSlash(p)):
			return fs.SkipDir
		case d.Type().IsRegular():
			files = append(files, filepath.ToSlash(p))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Static, stripped programs under testdata/size: their sizes are goals of the
// project, and none of our packages runs anything before main.
func TestSmallPrograms(t *testing.T) {
	tests := []struct {
		program string
		limit   int64 // bytes
	}{
		{"compile", 3_000_000},
		{"load", 1_600_000},
		{"artifact", 1_900_000},
	}
	for _, tt := range tests {
		t.Run(tt.program, func(t *testing.T) {
			bin := filepath.Join(t.TempDir(), tt.program)
			build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", bin, "./testdata/size/"+tt.program)
			build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
			if msg, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			info, err := os.Stat(bin)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d bytes of %d", info.Size(), tt.limit)
			if info.Size() > tt.limit {
				t.Errorf("%d bytes, want at most %d", info.Size(), tt.limit)
			}
			if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
				checkInits(t, bin)
			}
		})
	}
}

// The Go code that README shows is part of a program that is built and tested. What QUICKSTART
// shows are programs: conformance/pages builds and runs them.
func TestReadmeShowsWorkingCode(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile("testdata/size/compile/main.go")
	if err != nil {
		t.Fatal(err)
	}
	examples := strings.Split(string(readme), "```go\n")[1:]
	if len(examples) == 0 {
		t.Error("no Go code")
	}
	for _, example := range examples {
		if example, _, ok := strings.Cut(example, "```"); !ok || !bytes.Contains(program, []byte(example)) {
			t.Errorf("not in testdata/size/compile/main.go:\n%s", example)
		}
	}
}

// checkInits runs a program so that it reports what runs before main. It is given
// a file that is neither profile nor filter and must fail.
func checkInits(t *testing.T, bin string) {
	t.Helper()
	cmd := exec.Command(bin, os.DevNull)
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("init runtime")) {
		t.Fatalf("error %v, want a failure and a trace:\n%s", err, out)
	}
	for _, line := range strings.Split(string(out), "\n") {
		if strings.HasPrefix(line, "init "+module) {
			t.Errorf("runs before main: %s", line)
		}
	}
}
