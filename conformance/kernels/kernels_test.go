package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/kernels/internal/cases"
	"github.com/seccompile/seccompile/conformance/kernels/internal/console"
)

func TestChoose(t *testing.T) {
	tests := []struct{ list, want string }{
		{"s390x", "s390x s390x-bookworm"},
		{"s390x-bookworm", "s390x-bookworm"},
		{"riscv64,amd64,amd64-bullseye", "amd64 amd64-bullseye riscv64"},
	}
	for _, tt := range tests {
		chosen, err := choose(tt.list)
		var names []string
		for _, g := range chosen {
			names = append(names, g.name)
		}
		if got := strings.Join(names, " "); got != tt.want || err != nil {
			t.Errorf("%s: %s, %v; want %s", tt.list, got, err, tt.want)
		}
	}
	if all, err := choose(""); len(all) < 13 || err != nil {
		t.Errorf("%d guests, %v", len(all), err)
	}
	if _, err := choose("arm64,vax"); err == nil || !strings.Contains(err.Error(), `no guest "vax" (known: amd64, `) {
		t.Error(err)
	}
}

func TestGuestsAreConsistent(t *testing.T) {
	for _, g := range append(guests(), localGuests()...) {
		if g.callers[0] != g.native || g.native.GOARCH() == "" || g.machine == "" || g.provider == "" || g.console == "" {
			t.Errorf("%+v", g)
		}
		for _, abi := range g.callers {
			if abi.ByteOrder() != g.native.ByteOrder() || abi.Main() != g.native.Main() {
				t.Errorf("%s: %v on a kernel of %v", g.name, abi, g.native)
			}
		}
	}
}

func TestMissingProgramsAreNamedWithTheirPackages(t *testing.T) {
	jobs := []job{
		{guest: guest{machine: "qemu-system-vax -M 780", provider: "qemu-system-old"}},
		{guest: guest{machine: "qemu-system-pdp", provider: "qemu-system-old"}},
		{guest: guest{machine: "go -M x", provider: "golang"}},
	}
	const want = "no qemu-system-pdp, qemu-system-vax (apt-get install qemu-system-old)"
	if err := missing(jobs); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTakeKernel(t *testing.T) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, text := range map[string]string{
		"./boot/System.map-6.1":                              "map",
		"./boot/vmlinuz-6.1":                                 "kernel",
		"./boot/bcm2835-zero.dtb":                            "another board",
		"./usr/lib/linux-image-6.1-rpi/bcm2835-rpi-zero.dtb": "board",
		"./lib/modules/6.1/vmlinux.ko":                       "module",
	} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := takeKernel(&archive, dir); err != nil {
		t.Fatal(err)
	}
	k, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{k.image: "kernel", k.dtb: "board"} {
		if got, err := os.ReadFile(file); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", filepath.Base(file), got, err, want)
		}
	}
	if err := takeKernel(&bytes.Buffer{}, dir); err == nil {
		t.Error("a package without a kernel is no error")
	}
	for path, want := range map[string]string{
		"./usr/lib/modules/7.2.13-s390x/vmlinuz": "vmlinuz",
		"./boot/vmlinux-6.1.0-5kc-malta":         "vmlinuz",
		"./usr/share/doc/vmlinuz":                "",
	} {
		if got := kernelFile(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// lines are the reports of a guest for which everything is right.
func lines() []console.Line {
	return []console.Line{
		{Kind: console.Start, Name: "6.1"},
		{Kind: console.Digest, Name: "docker", Text: "d1"},
		{Kind: console.Calls, Name: "s390", Text: "40"},
		{Kind: console.Calls, Name: "s390", Text: "2"},
		{Kind: console.Pass, Name: "verdicts/s390/docker"},
		{Kind: console.Skip, Name: "loader/x", Text: "why"},
		{Kind: console.Note, Name: "bitmap", Text: "a bitmap: fast"},
		{Kind: console.End, Name: "1", Text: "0"},
	}
}

func TestJudge(t *testing.T) {
	j := &job{guest: guest{name: "s390x", callers: []arch.ABI{arch.S390X, arch.S390}}}
	good := judge(j, session{lines: lines()}, map[string]string{"docker": "d1"})
	if !good.ok() || good.abis() != "s390x 0, s390 42" || good.bitmap() != "a bitmap" || good.release != "6.1" || len(good.skips) != 1 {
		t.Errorf("%+v", good)
	}
	tests := []struct {
		name string
		edit func(*session)
		want string // in what is broken
	}{
		{"a lost report", func(s *session) { s.lines = slices.Delete(s.lines, 4, 5) }, "reports got lost: 1 checks passed and 0 failed, 0 and 0 were heard of"},
		{"another program", func(s *session) { s.lines[1].Text = "d2" }, "docker: compiled here SHA-256 is d1, in the guest d2"},
		{"no program", func(s *session) { s.lines = slices.Delete(s.lines, 1, 2) }, "0 of 1 compiled programs are the same as here"},
		{"no end", func(s *session) { s.err = errors.New("did not come up") }, "did not come up"},
	}
	for _, tt := range tests {
		s := session{lines: lines()}
		tt.edit(&s)
		r := judge(j, s, map[string]string{"docker": "d1"})
		if r.ok() || !strings.Contains(strings.Join(r.broken, "\n"), tt.want) {
			t.Errorf("%s: ok %v, %q; want %q", tt.name, r.ok(), r.broken, tt.want)
		}
	}
	failed := judge(j, session{lines: []console.Line{{Kind: console.Fail, Name: "probe", Text: "x"}, {Kind: console.End, Name: "0", Text: "1"}}}, nil)
	if failed.ok() || len(failed.failures) != 1 {
		t.Errorf("%+v", failed)
	}
}

func TestFlawMustBeCaughtAndNothingElse(t *testing.T) {
	tests := []struct {
		name   string
		failed []string
		ok     bool
	}{
		{"caught", []string{"verdicts/mipsel/docker", "verdicts/mipsel/words"}, true},
		{"not caught", nil, false},
		{"caught elsewhere", []string{"verdicts/mipsel/docker", "verdicts/mipsel64/docker"}, false},
	}
	for _, tt := range tests {
		j := &job{guest: guest{callers: []arch.ABI{arch.MIPSEL64, arch.MIPSEL}}, flaw: flaw{cases.MIPSBase, []arch.ABI{arch.MIPSEL}}}
		s := session{lines: []console.Line{{Kind: console.Pass, Name: "verdicts/mipsel64/words"}}}
		for _, name := range tt.failed {
			s.lines = append(s.lines, console.Line{Kind: console.Fail, Name: name})
		}
		if r := judge(j, s, nil); r.ok() != tt.ok {
			t.Errorf("%s: ok %v: %+v", tt.name, r.ok(), r)
		}
	}
}

func TestListenEndsWithTheGuest(t *testing.T) {
	text := "[    0.0] Linux version 6.1\r\n" + lines()[0].String() + "\r\n" + console.Line{Kind: console.End, Name: "1", Text: "0"}.String() + "\r\nreboot: Power down\r\n"
	got, ended, err := listen(strings.NewReader(text), func() {})
	if len(got) != 2 || !ended || err != nil {
		t.Errorf("%+v, ended %v, %v", got, ended, err)
	}
	if _, ended, _ := listen(strings.NewReader(lines()[0].String()+"\n"), nil); ended {
		t.Error("ended without an end")
	}
}

// A guest is booted again if time is all that it ran out of.
func TestLate(t *testing.T) {
	timeout := fmt.Errorf("not at its end: %w", context.DeadlineExceeded)
	hang := console.Line{Kind: console.Fail, Name: "seen/x", Text: console.Hangs + "4m0s"}
	tests := console.Line{Kind: console.Fail, Name: "loader/all", Text: "exit status 2\npanic: test timed out after 4m0s\nrunning tests:"}
	wrong := console.Line{Kind: console.Fail, Name: "verdicts/x", Text: "ALLOW, want ERRNO(1)"}
	digest := console.Line{Kind: console.Digest, Name: "docker", Text: "of another program"}
	pass := console.Line{Kind: console.Pass, Name: "probe"}
	for _, tt := range []struct {
		name  string
		err   error
		lines []console.Line
		want  bool
	}{
		{"all good", nil, []console.Line{pass}, false},
		{"nothing but time", timeout, []console.Line{pass}, true},
		{"did not come up", errors.New("did not come up"), nil, false},
		{"a check hangs, which ends the guest", errors.New("qemu ended"), []console.Line{pass, hang}, true},
		{"a test of the loader hangs", nil, []console.Line{pass, tests}, true},
		{"a wrong verdict", nil, []console.Line{wrong}, false},
		{"a wrong verdict and a hang", nil, []console.Line{wrong, hang}, false},
		{"a wrong verdict and no end", timeout, []console.Line{wrong}, false},
		{"another program and no end", timeout, []console.Line{digest}, false},
	} {
		r := judge(&job{}, session{lines: tt.lines, err: tt.err}, nil)
		if got := r.late(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
