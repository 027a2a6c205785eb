package seccomp

import (
	"bufio"
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/conformance/internal/runctree"
)

const ours = "github.com/seccompile/seccompile"

// A runc as docs/RUNC.md makes it has this module, and nothing of libseccomp any more.
func checkRunc(t *testing.T, p programs) {
	modules := modulesOf(t, p.runc)
	if !slices.Contains(modules, ours) {
		t.Error("runc was built without our package")
	}
	if i := slices.IndexFunc(modules, func(path string) bool { return strings.Contains(path, "libseccomp") }); i >= 0 {
		t.Errorf("runc has module %s in it", modules[i])
	}
	f, err := elf.Open(p.runc)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libraries, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libraries {
		if strings.Contains(l, "seccomp") {
			t.Errorf("runc needs %s", l)
		}
	}
	if out := run(t, ".", p.runc, "--version"); strings.Contains(out, "libseccomp") {
		t.Errorf("runc --version: %s", out)
	}
	f1 := featuresOf(t, p.runc)
	if s := f1.Linux.Seccomp; s == nil || !s.Enabled || !slices.Contains(s.SupportedFlags, "SECCOMP_FILTER_FLAG_LOG") {
		t.Errorf("runc features: %+v", s)
	}
	if version, ok := f1.Annotations["io.github.seccomp.libseccomp.version"]; ok {
		t.Errorf("runc features: libseccomp %s", version)
	}
	for _, file := range []string{"go.mod", "go.sum", "vendor/modules.txt"} {
		text, err := os.ReadFile(filepath.Join(p.tree.Dir, file))
		if err != nil || bytes.Contains(text, []byte("libseccomp")) {
			t.Errorf("%s: libseccomp is in it, or %v", file, err)
		}
	}
}

// modulesOf returns the paths of the modules that a program is made of.
func modulesOf(t *testing.T, program string) (paths []string) {
	t.Helper()
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		paths = append(paths, m.Path)
	}
	return paths
}

// features is what runc features prints about seccomp.
type features struct {
	Linux struct {
		Seccomp *struct {
			Enabled        bool
			SupportedFlags []string
		}
	}
	Annotations map[string]string
}

func featuresOf(t *testing.T, runc string) (f features) {
	t.Helper()
	if err := json.Unmarshal([]byte(run(t, ".", runc, "features")), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Without its tag runc has no seccomp: nothing of this module, and it refuses profiles.
func checkWithoutTag(t *testing.T, p programs) {
	without := p
	without.runc = filepath.Join(t.TempDir(), "runc")
	if _, err := p.tree.Run(t.Context(), "go build -o "+without.runc+" ."); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(modulesOf(t, without.runc), ours) {
		t.Error("this module is in it")
	}
	if s := featuresOf(t, without.runc).Linux.Seccomp; s != nil {
		t.Errorf("runc features: %+v", s)
	}
	b := newBundle(t, without, scenario{profile: rules(`{` + mkdirs + `, "action": "SCMP_ACT_ERRNO"}`), script: "true"})
	out, err := b.runc(t, without, "run", "--bundle", b.dir, b.id).CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("seccomp not supported")) {
		t.Errorf("%v\n%s", err, out)
	}
}

// docs/RUNC.md says what becomes of go.mod and how much is vendored.
func checkGuide(t *testing.T, p programs) {
	page, err := os.ReadFile("../../docs/RUNC.md")
	if err != nil {
		t.Fatal(err)
	}
	source := strings.TrimSpace(run(t, ".", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runc"))
	directive, before := requirements(t, filepath.Join(source, "go.mod"))
	now, after := requirements(t, filepath.Join(p.tree.Dir, "go.mod"))
	if said := "`" + directive + "`"; directive != now || !bytes.Contains(page, []byte(said)) {
		t.Errorf("the directive was %s and is %s; or docs/RUNC.md does not say %s", directive, now, said)
	}
	delete(before, "github.com/seccomp/libseccomp-golang")
	delete(after, ours)
	if !maps.Equal(before, after) {
		t.Errorf("go.mod required %v, and requires %v", before, after)
	}
	files, lines := vendored(t, filepath.Join(p.tree.Dir, "vendor", ours))
	said := regexp.MustCompile(`\*\*([\d,]+) files, ([\d,]+) lines\*\*`).FindSubmatch(page)
	if said == nil {
		t.Fatal("docs/RUNC.md does not say how much is vendored")
	}
	for i, n := range []int{files, lines} {
		text := strings.ReplaceAll(string(said[i+1]), ",", "")
		if claim, err := strconv.Atoi(text); err != nil || n > claim+claim/10 || n < claim-claim/10 {
			t.Errorf("%d files with %d lines are vendored, docs/RUNC.md says %s", files, lines, said[0])
		}
	}
}

// requirements returns the go directive of a go.mod, and the version of each module.
func requirements(t *testing.T, file string) (directive string, versions map[string]string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	versions = map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(?:\t|require )(\S+\.\S+) (v\S+)`).FindAllStringSubmatch(string(text), -1) {
		versions[m[1]] = m[2]
	}
	return regexp.MustCompile(`(?m)^go \S+$`).FindString(string(text)), versions
}

// vendored counts the files of Go below a directory, and their lines.
func vendored(t *testing.T, dir string) (files, lines int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		files, lines = files+1, lines+bytes.Count(text, []byte("\n"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, lines
}

// runc's own tests of seccomp pass.
func checkOwnTests(t *testing.T, p programs) {
	if err := p.tree.Images(t.Context(), p.busybox); err != nil {
		t.Fatal(err)
	}
	passed := regexp.MustCompile(`(?m)^--- PASS: (\S+)`).FindAllStringSubmatch(follow(t, p.tree, runctree.Tests), -1)
	var names []string
	for _, m := range passed {
		names = append(names, m[1])
	}
	for _, want := range []string{ // of each package, here and in runc
		"TestENOSYS", "TestInitSeccompRefuses", "TestProfileOfNames",
		"TestSetupSeccomp", "TestSeccompDenySyslog", "TestSeccompPermitWriteConditional", "TestSeccompMultipleConditionSameArgDeniesStdout",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("%s did not run: %d others did", want, len(names))
		}
	}
	t.Run("bats", func(t *testing.T) { checkBats(t, p) })
}

// runc's integration tests of seccomp pass, and those that a machine cannot run say why.
func checkBats(t *testing.T, p programs) {
	need.Program(t, "bats", "bats")
	need.Program(t, "jq", "jq")
	need.Program(t, "script", "bsdutils")
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("runc's integration tests need a terminal: %v", err)
	}
	_ = terminal.Close()
	dir, err := os.MkdirTemp("", "bats") // whose name is short enough for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv("TMPDIR", dir)
	out := follow(t, p.tree, runctree.Bats)
	var passed, skipped int
	for line := bufio.NewScanner(strings.NewReader(out)); line.Scan(); {
		switch text := strings.TrimSpace(line.Text()); {
		case strings.HasPrefix(text, "not ok "):
			t.Error(text)
		case strings.HasPrefix(text, "ok ") && strings.Contains(text, " # skip"):
			skipped++
			t.Log(text)
		case strings.HasPrefix(text, "ok "):
			passed++
		}
	}
	planned := regexp.MustCompile(`(?m)^1\.\.(\d+)`).FindStringSubmatch(out)
	if planned == nil || planned[1] != fmt.Sprint(passed+skipped) || passed == 0 {
		t.Errorf("%d passed, %d skipped, of %q", passed, skipped, planned)
	}
	if page, err := os.ReadFile("../../docs/RUNC.md"); err != nil || !bytes.Contains(page, fmt.Appendf(nil, "All %d pass", passed+skipped)) {
		t.Errorf("docs/RUNC.md does not say that all %d pass, or %v", passed+skipped, err)
	}
	if t.Failed() {
		t.Log(out)
	}
}
