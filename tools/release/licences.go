package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seccompile/seccompile/tools/release/internal/licence"
)

// licences returns the licences of the modules in a binary, of Go, and of what is in the
// page, which all want to be passed on with it.
func (t target) licences(ctx context.Context, s *source, binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	env, err := t.environment(ctx, s)
	if err != nil {
		return nil, err
	}
	list := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Env = s.root, env
		out, err := output(cmd)
		return strings.TrimSpace(string(out)), err
	}
	goroot, err := list("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := licence.Append(&text, "Go "+goRelease, goroot); err != nil {
		return nil, err
	}
	for _, m := range info.Deps { // sorted by path
		dir, err := list("list", "-m", "-f", "{{.Dir}}", m.Path)
		if err != nil {
			return nil, err
		}
		if err := licence.Append(&text, m.Path+" "+m.Version, dir); err != nil {
			return nil, err
		}
	}
	inPage, err := os.ReadFile(filepath.Join(s.root, "web", "dist", "LICENCES.txt"))
	if err != nil {
		return nil, err
	}
	text.WriteString(strings.Repeat("=", 80) + "\n")
	text.Write(inPage)
	return text.Bytes(), nil
}
