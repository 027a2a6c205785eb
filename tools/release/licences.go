package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licences returns the licences of the modules in a binary and of Go, which all want to be
// passed on with it.
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
	if err := appendLicences(&text, "Go "+goRelease, goroot); err != nil {
		return nil, err
	}
	for _, m := range info.Deps { // sorted by path
		dir, err := list("list", "-m", "-f", "{{.Dir}}", m.Path)
		if err != nil {
			return nil, err
		}
		if err := appendLicences(&text, m.Path+" "+m.Version, dir); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// appendLicences adds the licences and notices in a module's directory, of which there must
// be one.
func appendLicences(text *bytes.Buffer, module, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := regexp.MustCompile(`^(LICEN[CS]E|COPYING|NOTICE|PATENTS)(\.\w+)?$`)
	found := false
	for _, e := range entries {
		if !names.MatchString(e.Name()) || e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		fmt.Fprintf(text, "%s\n%s: %s\n\n%s\n\n", strings.Repeat("=", 80), module, e.Name(), bytes.TrimRight(data, "\n"))
	}
	if !found {
		return fmt.Errorf("%s: no licence in %s", module, dir)
	}
	return nil
}
