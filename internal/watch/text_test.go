package watch

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A page is readable memory; there is none around it.
type page struct {
	addr    uint64
	content string
}

func (p page) read(b []byte, addr uint64) (int, error) {
	if addr < p.addr || addr >= p.addr+uint64(len(p.content)) {
		return 0, errors.New("no memory")
	}
	n := copy(b, p.content[addr-p.addr:])
	if n < len(b) {
		return n, errors.New("no memory")
	}
	return n, nil
}

func TestTexts(t *testing.T) {
	little := func(words ...uint64) string {
		var b []byte
		for _, w := range words {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		return string(b)
	}
	const at = 0x10ff0 // 16 bytes before the end of a page
	for _, tt := range []struct {
		abi    arch.ABI
		call   string
		args   [6]uint64
		memory string
		want   [6]string
	}{
		{arch.X86_64, "openat", [6]uint64{0, at}, "/etc/passwd\x00more", [6]string{1: `"/etc/passwd"`}},
		{arch.X86_64, "mkdir", [6]uint64{at}, "\x1b[31m\u202e\xff\n\x00", [6]string{`"\x1b[31m\u202e\xff\n"`}},
		{arch.X86_64, "mkdir", [6]uint64{at}, "no end", [6]string{}},
		{arch.X86_64, "mkdir", [6]uint64{at}, strings.Repeat("x", 20) + "\x00", [6]string{`"` + strings.Repeat("x", 20) + `"`}},
		{arch.X86_64, "mkdir", [6]uint64{at}, strings.Repeat("x", 5000), [6]string{`"` + strings.Repeat("x", maxText) + `"...`}},
		{arch.X86_64, "mkdir", [6]uint64{}, "", [6]string{}},
		{arch.X86_64, "mkdir", [6]uint64{1<<64 - 1}, "", [6]string{}},
		{arch.X86_64, "read", [6]uint64{0, at}, "text\x00", [6]string{}},
		{arch.X86_64, "sethostname", [6]uint64{at, 4}, "text\x00", [6]string{}}, // has no end
		{arch.X86_64, "execve", [6]uint64{at, at + 16}, "/bin/sh\x00        " + little(1, 0), [6]string{`"/bin/sh"`, ``}},
		{arch.X86_64, "execve", [6]uint64{at, at + 16}, "/bin/sh\x00sh\x00     " + little(at+8, 0), [6]string{`"/bin/sh"`, `["sh"]`}},
		{arch.X86_64, "execve", [6]uint64{at, at + 16}, "/bin/sh\x00sh\x00     " + little(at+8, at), [6]string{`"/bin/sh"`, `["sh", ...]`}},
		{arch.X86, "execve", [6]uint64{at, at + 16}, "/bin/sh\x00sh\x00     " + little(at+8), [6]string{`"/bin/sh"`, `["sh"]`}},
		{arch.X32, "execve", [6]uint64{at, at + 16}, "/bin/sh\x00sh\x00     " + little(at+8), [6]string{`"/bin/sh"`, `["sh"]`}},
		{arch.X86_64, "fsconfig", [6]uint64{3, 1, at, at + 8}, "source\x00\x00tmpfs\x00", [6]string{2: `"source"`, 3: `"tmpfs"`}},
		{arch.X86_64, "fsconfig", [6]uint64{3, 2, at, at + 8}, "source\x00\x00tmpfs\x00", [6]string{2: `"source"`}}, // FSCONFIG_SET_BINARY
		{arch.X86_64, "connect", [6]uint64{3, at, 16}, "\x02\x00\x00\x50\x7f\x00\x00\x01........", [6]string{1: "127.0.0.1:80"}},
		{arch.X86_64, "connect", [6]uint64{3, at, 4}, "\x02\x00\x00\x50\x7f\x00\x00\x01........", [6]string{}},
		{arch.S390X, "connect", [6]uint64{3, at, 16}, "\x00\x02\x00\x50\x7f\x00\x00\x01........", [6]string{1: "127.0.0.1:80"}},
		{arch.X86_64, "bind", [6]uint64{3, at, 28}, "\x0a\x00\x1f\x90\x00\x00\x00\x00" + strings.Repeat("\x00", 15) + "\x01\x00\x00\x00\x00", [6]string{1: "[::1]:8080"}},
		{arch.X86_64, "sendto", [6]uint64{3, 0, 0, 0, at, 110}, "\x01\x00/run/x" + strings.Repeat("\x00", 102), [6]string{4: `"/run/x"`}},
		{arch.X86_64, "bind", [6]uint64{3, at, 6}, "\x01\x00\x00x\x00y", [6]string{1: `"@x\x00y"`}},
		{arch.X86_64, "bind", [6]uint64{3, at, 2}, "\x01\x00", [6]string{1: `""`}},
		{arch.X86_64, "bind", [6]uint64{3, at, 1}, "\x01", [6]string{}},
		{arch.X86_64, "bind", [6]uint64{3, at, 1 << 31}, "\x26\x00" + strings.Repeat("x", 200), [6]string{}},
		{arch.X86_64, "getpeername", [6]uint64{3, at, at}, "\x02\x00\x00\x50\x7f\x00\x00\x01........", [6]string{}},
	} {
		call, _ := syscalltables.Lookup(tt.call)
		nr, ok := call.Number(tt.abi)
		if !ok {
			t.Fatal(tt.call)
		}
		got := texts(&cbpf.Data{NR: nr, Arch: tt.abi.Audit(), Args: tt.args}, page{at, tt.memory}.read)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %s: %s", tt.abi, tt.call, diff)
		}
	}
	if got := texts(&cbpf.Data{Arch: 0x1234}, nil); got != [6]string{} {
		t.Errorf("of an unknown ABI: %q", got)
	}
}
