// Command libfuzzer builds the fuzz targets of a module as programs of libFuzzer, for
// OSS-Fuzz and ClusterFuzzLite (.clusterfuzzlite/build.sh):
//
//	go run ./libfuzzer [-C DIR] -o DIR [-match REGEXP]    build, with seeds
//	go run ./libfuzzer [-C DIR] -list                     print package, function and name of each
//
// The linker is $CXX $CXXFLAGS $LIB_FUZZING_ENGINE, as in their builders.
//
// Their own command rewrites the file of a target, from package testing to a package that
// resembles it. That does not work where targets are in packages of their own (x_test),
// share helpers with other tests, or pass *testing.T on as a testing.TB, as most of ours do.
// This command changes no source: it compiles a package's tests, plus one file that hands
// the target to package harness, to an archive for C.
package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/tools/libfuzzer/harness"
)

// harnessSources is package harness, as every module that is fuzzed gets it.
//
//go:embed harness/harness.go harness/values.go
var harnessSources embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "libfuzzer: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("libfuzzer", flag.ContinueOnError)
	dir := flags.String("C", "..", "the module is in `directory`")
	out := flags.String("o", "", "write programs and seeds to `directory`")
	match := flags.String("match", "", "only targets whose names match a regular `expression`")
	list := flags.Bool("list", false, "print the targets, and build nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*match)
	if err != nil {
		return err
	}
	if *out == "" && !*list || flags.NArg() != 0 {
		return errors.New("expected -o DIR or -list")
	}
	targets, err := find(ctx, *dir)
	if err != nil {
		return err
	}
	targets = slices.DeleteFunc(targets, func(t target) bool { return !pattern.MatchString(t.name) })
	if len(targets) == 0 {
		return fmt.Errorf("%s: no fuzz targets match", *dir)
	}
	for _, t := range targets {
		fmt.Fprintln(stdout, t.pkg, t.function, t.name)
		if *list {
			continue
		}
		if err := t.build(ctx, *out); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// A target is a fuzz target of a package's tests.
type target struct {
	root, goVersion string // the module's directory and its version of Go
	pkg, dir        string // the package's path and directory
	test            string // name of the package that has the target: with _test or not
	function        string
	name            string // of the program: unique in the module
}

// build compiles a target, links it with libFuzzer, and packs its seeds.
func (t target) build(ctx context.Context, out string) (err error) {
	out, err = filepath.Abs(out)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "libfuzzer-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	overlay, err := t.lay(tmp)
	if err != nil {
		return err
	}
	archive, program := filepath.Join(tmp, "target.a"), filepath.Join(out, t.name)
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-buildmode=c-archive", "-vet=off", "-tags=libfuzzer", "-gcflags=all=-d=libfuzzer",
		"-overlay="+overlay, "-o", archive, t.pkg)
	compile.Dir, compile.Env = t.root, append(os.Environ(), "CGO_ENABLED=1", "GOWORK="+filepath.Join(tmp, "go.work"))
	if err := do(compile); err != nil {
		return err
	}
	words := strings.Fields(cmp.Or(os.Getenv("CXX"), "clang++") + " " + os.Getenv("CXXFLAGS") + " " + cmp.Or(os.Getenv("LIB_FUZZING_ENGINE"), "-fsanitize=fuzzer"))
	if err := do(exec.CommandContext(ctx, words[0], append(words[1:], archive, "-o", program)...)); err != nil {
		return err
	}
	return t.seeds(ctx, tmp, program)
}

// lay writes what the go command needs besides the module: package harness as a module of
// its own, a workspace of both, and the file that hands the target to it. It returns the
// overlay that puts that file into the target's package.
func (t target) lay(tmp string) (string, error) {
	const module = "libfuzzer.invalid/harness"
	serve := filepath.Join(tmp, "serve_test.go")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(t.dir, "zlibfuzzer_test.go"): serve}})
	if err != nil {
		return "", err
	}
	files := map[string][]byte{
		"go.work":        fmt.Appendf(nil, "go %s\n\nuse (\n\t%q\n\t./harness\n)\n", t.goVersion, t.root),
		"harness/go.mod": fmt.Appendf(nil, "module %s\n\ngo %s\n", module, t.goVersion),
		"serve_test.go":  fmt.Appendf(nil, "package %s\n\nimport %q\n\nfunc init() { harness.Serve(%q, %s) }\n", t.test, module, t.function, t.function),
		"overlay.json":   overlay,
	}
	for _, name := range []string{"harness/harness.go", "harness/values.go"} {
		if files[name], err = harnessSources.ReadFile(name); err != nil {
			return "", err
		}
	}
	if err := os.Mkdir(filepath.Join(tmp, "harness"), 0o755); err != nil {
		return "", err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(tmp, "overlay.json"), nil
}

// seeds asks a program for the inputs that its target was written with, and packs them as
// libFuzzer's users expect them.
func (t target) seeds(ctx context.Context, tmp, program string) error {
	dir := filepath.Join(tmp, "seeds")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Dir, cmd.Env = t.dir, append(os.Environ(), harness.SeedsVariable+"="+dir, "ASAN_OPTIONS=detect_leaks=0")
	if err := do(cmd); err != nil {
		return err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if err := errors.Join(z.AddFS(os.DirFS(dir)), z.Close()); err != nil {
		return err
	}
	return os.WriteFile(program+"_seed_corpus.zip", b.Bytes(), 0o644)
}

// do runs a command, whose output is in the error.
func do(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}
