package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/internal/reexec"
)

func TestMain(m *testing.M) {
	reexec.Main(m, map[string]func() error{"runtime": func() error { main(); return nil }})
}

func TestProgramRunsUnderTheBundlesProfile(t *testing.T) {
	bundle := t.TempDir()
	errno := uint(100)
	config, err := json.Marshal(specs.Spec{
		Process: &specs.Process{
			Args:            []string{"sh", "-c", "mkdir made; grep Seccomp: /proc/self/status"},
			Env:             []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"},
			NoNewPrivileges: true,
		},
		Linux: &specs.Linux{Seccomp: &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: []string{"mkdir", "mkdirat"}, Action: specs.ActErrno, ErrnoRet: &errno}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	reexec.OK(t, "runtime", "create", bundle)
	r := reexec.Run(t, "runtime", "start", bundle)
	if r.Code != 0 || !strings.Contains(r.Stderr, "Network is down") || !strings.Contains(r.Stdout, "Seccomp:\t2") {
		t.Errorf("%+v", r)
	}
}
