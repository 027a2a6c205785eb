package main

import (
	"strings"
	"testing"

	"github.com/seccompile/seccompile/internal/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"sandbox": func() error { main(); return nil }})
}

func TestSandboxStartsNoProgram(t *testing.T) {
	r := reexec.OK(t, "sandbox")
	lines := strings.Split(r.Stdout, "\n")
	if lines[0] != "before: <nil>" || !strings.HasSuffix(lines[1], "operation not permitted") {
		t.Errorf("%s", r.Stdout)
	}
}
