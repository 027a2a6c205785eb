package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
	"github.com/seccompile/seccompile/conformance/kernels/internal/newc"
)

// programs are the files that a guest runs.
type programs struct {
	init  string
	tests string // the loader's
}

// A builder builds what guests run, each program once.
type builder struct {
	dir  string
	made map[string]programs // by target
}

// programs builds the programs of a guest.
func (b *builder) programs(ctx context.Context, g *guest) (programs, error) {
	const module = "github.com/seccompile/seccompile"
	key := strings.TrimSpace(g.native.GOARCH() + " " + g.env)
	if p, ok := b.made[key]; ok {
		return p, nil
	}
	p := programs{filepath.Join(b.dir, "init "+key), filepath.Join(b.dir, "loader.test "+key)}
	for _, args := range [][]string{
		{"build", "-trimpath", "-ldflags=-s -w", "-o", p.init, module + "/conformance/kernels/guest"},
		{"test", "-c", "-trimpath", "-ldflags=-s -w", "-o", p.tests, module + "/loader"},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+g.native.GOARCH())
		if g.env != "" {
			cmd.Env = append(cmd.Env, g.env)
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return programs{}, fmt.Errorf("%s: go %s: %w\n%s", g.name, args[0], err, out)
		}
	}
	if b.made == nil {
		b.made = map[string]programs{}
	}
	b.made[key] = p
	return p, nil
}

// initramfs writes a guest's first and only file system.
func initramfs(path string, p programs, o console.Orders) error {
	o.Time = time.Now().Unix()
	orders, err := json.Marshal(o)
	if err != nil {
		return err
	}
	entries := []newc.Entry{
		{Name: "dev", Mode: newc.Directory | 0o755},
		{Name: "dev/console", Mode: newc.Character | 0o600, Major: 5, Minor: 1},
		{Name: "proc", Mode: newc.Directory | 0o755},
		{Name: "sys", Mode: newc.Directory | 0o755},
		{Name: "tmp", Mode: newc.Directory | 0o777},
		{Name: console.OrdersFile[1:], Mode: newc.Regular | 0o644, Data: orders},
	}
	for _, f := range []struct{ name, from string }{{"init", p.init}, {"loader.test", p.tests}} {
		data, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		entries = append(entries, newc.Entry{Name: f.name, Mode: newc.Regular | 0o755, Data: data})
	}
	var b bytes.Buffer
	if err := newc.Write(&b, entries); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// orders returns what a guest is told.
func (g *guest) orders(fault cases.Fault, only string, points int) console.Orders {
	o := console.Orders{Fault: string(fault), Only: only, Points: points, Restart: g.restart, LostValues: g.lostValues}
	for _, abi := range g.callers {
		o.Callers = append(o.Callers, abi.String())
	}
	return o
}
