package main

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/loader"
)

var update = flag.Bool("update", false, "rewrite the outputs in the scripts from what the command prints now")

// TestMain gives the scripts the command itself and small programs to use with it.
func TestMain(m *testing.M) {
	programs := map[string]func(){
		"seccompile":   main,
		"hexdump":      hexdump,
		"long-profile": longProfile,
		"browse":       browse,
	}
	addPrograms(programs)
	testscript.Main(m, programs)
}

// hexdump prints the files that it is given, 8 bytes a line.
func hexdump() {
	for _, path := range os.Args[1:] {
		b, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, "hexdump:", err)
			os.Exit(1)
		}
		for len(b) > 0 {
			n := min(8, len(b))
			fmt.Println(hex.EncodeToString(b[:n]))
			b = b[n:]
		}
	}
}

// longProfile prints a profile that needs more instructions than a filter can
// have: 5000 ioctl requests, none next to another.
func longProfile() {
	fmt.Print(`{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [`)
	for i := range 5000 {
		if i > 0 {
			fmt.Print(",")
		}
		fmt.Printf(`{"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 1, "value": %d, "op": "SCMP_CMP_EQ"}]}`, i*i*i)
	}
	fmt.Println("]}")
}

// The transcripts in testdata/script show what the command does. Their
// conditions besides testscript's: [seccomp], the kernel installs filters; [free],
// no filter and no no_new_privs are in force already, as they are in containers;
// [root], the user is root with all the privileges of one. The command terminal
// stands before ttyin, which fails without saying why the machine has none.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "seccomp":
				_, err := loader.Probe()
				return err == nil, nil
			case "free":
				return processStatus("Seccomp") == "0" && processStatus("NoNewPrivs") == "0", nil
			case "root":
				const sysAdmin = 1 << 21 // linux/capability.h: CAP_SYS_ADMIN
				caps, err := strconv.ParseUint(processStatus("CapEff"), 16, 64)
				return os.Geteuid() == 0 && err == nil && caps&sysAdmin != 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"terminal": func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(openTerminal("/dev")) },
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TERM", "xterm")
			env.Setenv("NO_COLOR", "")
			if cache, err := os.UserCacheDir(); err == nil && os.Getenv("GOCACHE") == "" {
				env.Setenv("GOCACHE", filepath.Join(cache, "go-build")) // for scripts that build programs
			}
			env.Setenv("HOSTILE", "\x1b[31mx\u202e")
			return os.CopyFS(filepath.Join(env.WorkDir, "profiles"), os.DirFS("../../testdata/profiles"))
		},
	})
}

// processStatus returns a field of /proc/self/status, "" where there is none.
func processStatus(field string) string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// A file that no line of its script mentions is a leftover.
func TestScriptsAreWhole(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range scripts {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !bytes.Contains(archive.Comment, []byte(f.Name)) {
				t.Errorf("%s: %s is not used", path, f.Name)
			}
		}
		before, _, typed := strings.Cut(string(archive.Comment), "ttyin ")
		if typed && !strings.Contains(before, "terminal\n") {
			t.Errorf("%s: ttyin without the command terminal before it", path)
		}
	}
}

func TestEveryCommandHasAScript(t *testing.T) {
	for _, c := range newApp(nil, io.Discard, io.Discard).rootCommand().Commands() {
		path := "testdata/script/" + c.Name() + ".txtar"
		if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), "seccompile "+c.Name()) {
			t.Errorf("%s has no transcript in %s (%v)", c.Name(), path, err)
		}
	}
}

// Help is what people read first: every command shows at least one example, and
// every example is one of this command.
func TestExamples(t *testing.T) {
	for _, c := range newApp(nil, io.Discard, io.Discard).rootCommand().Commands() {
		if c.Name() == "help" || c.Name() == "completion" {
			continue // the first is a flag by another name, the other is cobra's
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.Name())
		}
		for line := range strings.Lines(c.Example) {
			if !strings.Contains(line, "seccompile "+c.Name()) {
				t.Errorf("%s: example %q does not use it", c.Name(), strings.TrimSpace(line))
			}
		}
	}
}

// A write error must not look like success.
func TestWriteErrorIsReported(t *testing.T) {
	var stderr bytes.Buffer
	if code := run([]string{"syscalls", "-a", "x86_64"}, strings.NewReader(""), failing{}, &stderr); code != failure.Usage {
		t.Errorf("exit status %d, want %d", code, failure.Usage)
	}
	if got, want := stderr.String(), "seccompile: disk full\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

// The README of the profiles lists each of them, and nothing else.
func TestProfilesAreListed(t *testing.T) {
	const dir = "../../testdata/profiles/"
	readme, err := os.ReadFile(dir + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(readme)) {
		if file, _, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); ok && file != line {
			listed = append(listed, file)
		}
	}
	var files []string
	for _, pattern := range []string{"*.json", "bad/*.json"} {
		paths, err := filepath.Glob(dir + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			files = append(files, strings.TrimPrefix(filepath.ToSlash(path), dir))
		}
	}
	slices.Sort(listed)
	slices.Sort(files)
	if !slices.Equal(listed, files) {
		t.Errorf("listed %q\nfiles  %q", listed, files)
	}
}
