package intake

import (
	"errors"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func TestKind(t *testing.T) {
	filter := []byte{6, 0, 0, 0, 0, 0, 0xff, 0x7f}
	tests := []struct {
		name string
		data string
		want Kind
	}{
		{"empty", " \n", KindProfile},
		{"json", `{"defaultAction": "SCMP_ACT_ALLOW"}`, KindProfile},
		{"unit", "[Service]\nSystemCallFilter=@system-service\n", KindProfile},
		{"byte order mark", "\ufeff{}", KindProfile},
		{"filter", string(filter), KindFilter},
		{"half an instruction", string(filter[:7]), 0},
		{"assembly", ".order little\n\tret #0x7fff0000\n", KindAssembly},
		{"ELF", "\x7fELF\x02\x01\x01", 0},
		{"UTF-16", "\xff\xfe{\x00", 0},
		{"audit log", "type=SECCOMP msg=audit(1700000000.000:1): auid=0 uid=0 gid=0 ses=1 pid=1 comm=\"a\" exe=\"/a\" sig=0 arch=c000003e syscall=1 compat=0 ip=0x0 code=0x0\n", 0},
		{"noise", "\x01\x01\x00\x03\x04\x05\x06\x07", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := New("f", "f", []byte(tt.data))
			if in.Kind != tt.want {
				t.Errorf("kind %d, want %d", in.Kind, tt.want)
			}
			if in.Kind == 0 && (in.Unknown().Status != failure.Usage || in.Unknown().Hint == "") {
				t.Errorf("%+v: want a usage error with a hint", in.Unknown())
			}
		})
	}
}

// The zero Target has the defaults of the command's flags.
func TestZeroTarget(t *testing.T) {
	zero := &Target{ABIs: []string{"x86_64"}}
	stated := &Target{
		ABIs: []string{"x86_64"}, Caps: []string{"default"}, ENOSYS: policy.ENOSYS{}.String(), Compat: "runc", Effort: "fast",
	}
	var texts []string
	for _, target := range []*Target{zero, stated} {
		c, err := target.Compile(New(DockerDefault, DockerDefault, preset.Docker()))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, c.Program.Disassemble(policy.Names()))
	}
	if texts[0] != texts[1] {
		t.Errorf("the zero Target means something else:\n%s\n%s", texts[0], texts[1])
	}
}

// Where no ABI is the host's, an input that names none is refused with a cure.
func TestNoABI(t *testing.T) {
	if arch.Native() != 0 {
		t.Skip("this host has an ABI (GOOS=js does not)")
	}
	for _, text := range []string{`{"defaultAction": "SCMP_ACT_ALLOW"}`, string(preset.Docker()), "[Service]\nSystemCallFilter=read\n"} {
		_, err := new(Target).Compile(New("p", "p", []byte(text)))
		var f *failure.Error
		if !errors.As(err, &f) || !strings.Contains(f.Error(), "ABI") || !strings.Contains(f.Error(), "(name the ") {
			t.Errorf("%.40q: error %v, want one that says to name an ABI", text, err)
		}
	}
}

func TestHostIsAsked(t *testing.T) {
	in := New("p.json", "p.json", []byte(`{"defaultAction": "SCMP_ACT_ALLOW"}`))
	refused := errors.New("refused")
	target := &Target{ABIs: []string{"x86_64"}, Root: "dir", Host: Host{Include: func(got *Input, root string, outside bool) error {
		if got != in || root != "dir" || outside {
			t.Errorf("include %v, %q, %v", got, root, outside)
		}
		return refused
	}}}
	if _, err := target.Meaning(in); !errors.Is(err, refused) {
		t.Errorf("error %v, want the host's", err)
	}
}

func TestParseCall(t *testing.T) {
	tests := []struct{ name, args, want, hint string }{
		{"socket", "AF_ALG SOCK_SEQPACKET 0", "x86_64 socket(family=AF_ALG, type=SOCK_SEQPACKET, protocol=0)", ""},
		{"1", "", "x86_64 write()", ""},
		{"-1", "", "x86_64 -1()", ""},
		{"sokcet", "", `unknown system call "sokcet"`, "did you mean socket?"},
		{"9999999999", "", "9999999999: a system call number has 32 bits", ""},
		{"read", "1 2 3 4 5 6 7", "a system call has at most 6 arguments, not 7", ""},
		{"clone", "CLONE_NEWUSR", "", "did you mean CLONE_NEWUSER?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := ParseCall(arch.X86_64, tt.name, strings.Fields(tt.args))
			var f *failure.Error
			switch {
			case err == nil && q.Text(false) != tt.want:
				t.Errorf("%s, want %s", q.Text(false), tt.want)
			case err != nil && (!errors.As(err, &f) || !strings.Contains(err.Error(), tt.want) || tt.hint != "" && f.Hint != tt.hint):
				t.Errorf("%v (%+v), want %s (%s)", err, f, tt.want, tt.hint)
			}
		})
	}
}
