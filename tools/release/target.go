package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// goRelease is the Go that compiles releases: another one makes other bytes. It is the
// newest that the Makefile tests with, and the go command fetches it where it is missing.
const goRelease = "go1.27.4"

// A target is a system that a release has a binary for.
type target struct {
	goos, goarch string
	processor    string // the variable that says for which processors, "" if there is none
	pkg          string // nfpm's name of the architecture, "" if Debian and Fedora do not have it
}

// targets returns the systems of a release. All processors that their Go supports can run
// the binaries; those for ARM need what Debian's armhf does.
func targets() []target {
	return []target{
		{"linux", "amd64", "GOAMD64=v1", "amd64"},
		{"linux", "386", "GO386=sse2", ""},
		{"linux", "arm64", "GOARM64=v8.0", "arm64"},
		{"linux", "arm", "GOARM=7,hardfloat", "arm7"},
		{"linux", "riscv64", "GORISCV64=rva20u64", "riscv64"},
		{"linux", "s390x", "", "s390x"},
		{"linux", "ppc64le", "GOPPC64=power8", "ppc64le"},
		{"linux", "mips64le", "GOMIPS64=hardfloat", ""},
		{"linux", "mipsle", "GOMIPS=softfloat", ""}, // routers have no floating point
		{"linux", "loong64", "", ""},
		{"darwin", "amd64", "GOAMD64=v1", ""},
		{"darwin", "arm64", "GOARM64=v8.0", ""},
		{"windows", "amd64", "GOAMD64=v1", ""},
	}
}

func (t target) String() string { return t.goos + "_" + t.goarch }

// binary returns the name of the command's file.
func (t target) binary() string {
	if t.goos == "windows" {
		return "seccompile.exe"
	}
	return "seccompile"
}

// environment returns the environment in which the go command builds for a target, whatever
// this user's says of flags, experiments and processors. It takes over where modules come
// from and are kept.
func (t target) environment(ctx context.Context, s *source) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json", "GOPATH", "GOMODCACHE", "GOCACHE",
		"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH")
	cmd.Dir = s.root
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	var kept map[string]string
	if err := json.Unmarshal(out, &kept); err != nil {
		return nil, err
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "CGO_") })
	for name, value := range kept {
		env = append(env, name+"="+value)
	}
	env = append(env, "GOENV=off", "GOWORK=off", "GOTOOLCHAIN="+goRelease, "CGO_ENABLED=0", "GOOS="+t.goos, "GOARCH="+t.goarch)
	if t.processor != "" {
		env = append(env, t.processor)
	}
	return env, nil
}

// compile builds the command for a target, with the page in it.
func (t target) compile(ctx context.Context, s *source, out string) error {
	env, err := t.environment(ctx, s)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags=webpage,nethttpomithttp2",
		"-ldflags=-s -w -X main.releaseVersion="+s.version+" -X main.releaseCommit="+s.revision(), "-o", out, "./cmd/seccompile")
	cmd.Dir, cmd.Env = s.root, env
	_, err = output(cmd)
	return err
}

// host returns the target that this machine is.
func host() target { return target{goos: runtime.GOOS, goarch: runtime.GOARCH} }
