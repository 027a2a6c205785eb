package scan_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/scan"
)

// Programs that a program starts are listed if their names are constants of code that is reached.
// glibc's functions that search PATH start the shell for a file that the kernel does not know.
func TestExecuted(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := func(body string) string {
		return "#define _GNU_SOURCE\n#include <spawn.h>\n#include <stdlib.h>\n#include <unistd.h>\nextern char **environ; char changes[] = \"/bin/false\";\n" +
			"__attribute__((noinline)) static int run(const char *path, char **v) { return execv(path, v) + getpid(); }\n" +
			"int unused(char **v) { return execv(\"/bin/unused\", v); }\nint main(int n, char **v) { " + body + "; return 0; }"
	}
	golang := func(imports, body string) string {
		return "package main\nimport (" + imports + ")\n//go:noinline\nfunc run(name string) { exec.Command(name).Run() }\nfunc main() { run(os.Args[1]); " + body + " }"
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a path", c(`execl("/bin/sh", "sh", 0)`), "/bin/sh"},
		{"through a function, of several names", c(`run(n > 1 ? "/bin/sh" : "/bin/true", v)`), "/bin/sh /bin/true"},
		{"a name to look for", c(`execvp("true", v)`), "/bin/sh true"},
		{"a name that is not looked for", c(`execv("true", v)`), ""},
		{"a path from where it runs", c(`execvp("./true", v)`), "/bin/sh"},
		{"spawned", c(`posix_spawn(0, "/bin/true", 0, 0, v, environ)`), "/bin/sh /bin/true"},
		{"by a shell", c(`system(v[1])`), "/bin/sh"},
		{"a name that can change", c(`execv(changes, v)`), ""},
		{"a name that it is given", c(`execv(v[1], v)`), ""},
		{"in Go", golang(`"os"; "os/exec"`, `run("true"); exec.Command("/bin/sh", "-c", "x").Run()`), "/bin/sh true"},
		{"in Go, with a context", golang(`"context"; "os"; "os/exec"`, `exec.CommandContext(context.Background(), "/bin/true").Run()`), "/bin/true"},
		{"in Go, instead of itself", golang(`"os"; "os/exec"; "syscall"`, `syscall.Exec("/bin/true", nil, nil)`), "/bin/true"},
		{"a script", c(fmt.Sprintf(`execl(%q, "x", 0)`, script)), script},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, res := calls(t, scan.Options{Paths: []string{build(t, tt.text)}, Cache: cache})
			var names []string
			for _, e := range res.Executed {
				names = append(names, e.Name)
				if len(e.Runs) != 1 || e.Scanned || e.By.Module == "" {
					t.Errorf("%+v", e)
				}
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
	program := build(t, c(fmt.Sprintf(`execl(%q, "x", 0); execl("/proc/self/exe", "x", 0); execl("/no/where", "x", 0)`, script)))
	_, res := calls(t, scan.Options{Paths: []string{program, script}, Cache: cache})
	var got []string
	for _, e := range res.Executed {
		if e.By.Module == program {
			got = append(got, fmt.Sprintf("%s%s%t", e.Name, e.Runs, e.Scanned))
		}
	}
	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err != nil {
		t.Skip(err)
	}
	if want := fmt.Sprintf("[/no/where[]false /proc/self/exe[%s]true %s[%s]true]", program, script, shell); fmt.Sprint(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
}
