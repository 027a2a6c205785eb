package symbols_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/syscalltables"
)

func TestSplit(t *testing.T) {
	tests := []struct{ text, name, args, err string }{
		{text: "clone3", name: "clone3"},
		{text: " clone3 ( ) ", name: "clone3"},
		{text: "getpid();", name: "getpid"},
		{text: "-1()", name: "-1"},
		{text: "socket(AF_ALG,SOCK_STREAM , 0)", name: "socket", args: "AF_ALG SOCK_STREAM 0"},
		{text: "openat(dirfd=(long)AT_FDCWD, flags=O_RDWR|O_CLOEXEC)", name: "openat", args: "dirfd=(long)AT_FDCWD flags=O_RDWR|O_CLOEXEC"},
		{text: "", err: "the name of the call is missing"},
		{text: "(1)", err: "the name of the call is missing"},
		{text: "read write", err: "expected one call"},
		{text: "read(1", err: "the parenthesis after the arguments is missing"},
		{text: "read(1) + 1", err: "the parenthesis after the arguments is missing"},
		{text: "read(1,,2)", err: "argument 1 is empty"},
		{text: "read(,)", err: "argument 0 is empty"},
		{text: `open("/etc/passwd, O_RDONLY)`, err: "sees the address of a text"},
	}
	for _, tt := range tests {
		name, args, err := symbols.Split(tt.text)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q: error %v, want %q", tt.text, err, tt.err)
			}
			continue
		}
		if err != nil || name != tt.name || strings.Join(args, " ") != tt.args {
			t.Errorf("%q: %q %q %v", tt.text, name, args, err)
		}
	}
}

func TestArrange(t *testing.T) {
	tests := []struct{ call, args, want, err string }{
		{call: "read"},
		{call: "socket", args: "AF_ALG", want: "AF_ALG"},
		{call: "socket", args: "type=SOCK_RAW", want: "0 SOCK_RAW"},
		{call: "socket", args: "protocol=1 family=AF_ALG", want: "AF_ALG 0 1"},
		{call: "socket", args: "AF_ALG protocol=1", want: "AF_ALG 0 1"},
		{call: "socket", args: "AF_ALG 0 0 0 arg4=7", want: "AF_ALG 0 0 0 7"},
		{call: "socket", args: "1 2 3 4 5 6 7", err: "at most 6 arguments, not 7"},
		{call: "socket", args: "AF_ALG family=AF_ALG", err: "socket: family has a value twice"},
		{call: "socket", args: "type=", err: "socket: type has no value"},
		{call: "socket", args: "familly=2", err: `has no argument "familly" (did you mean family?)`},
		{call: "socket", args: "domain=2", err: `has no argument "domain" (it has family, type, protocol)`},
		{call: "getpid", args: "x=2", err: "the place counts"},
	}
	for _, tt := range tests {
		call, _ := syscalltables.Lookup(tt.call)
		nr, _ := call.Number(arch.X86_64)
		got, err := symbols.Arrange(arch.X86_64, nr, strings.Fields(tt.args))
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s %s: error %v, want %q", tt.call, tt.args, err, tt.err)
			}
			continue
		}
		if err != nil || !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s %s: %q %v", tt.call, tt.args, got, err)
		}
	}
}

// What Call writes, Split, Arrange and Parse read.
func TestSplitReadsCall(t *testing.T) {
	for a := range arch.All() {
		for nr, call := range syscalltables.All(a) {
			values := [6]uint64{1, 2, 0x802, 3, 0xffffff9c, 0x7fff}
			text := symbols.Call(a, nr, values)
			name, args, err := symbols.Split(text)
			if err != nil || name != call.Name() {
				t.Fatalf("%v %s: %q %v", a, text, name, err)
			}
			list, err := symbols.Arrange(a, nr, args)
			if err != nil || len(list) != len(args) {
				t.Fatalf("%v %s: %q %v", a, text, list, err)
			}
			for i, s := range list {
				arg := symbols.At(a, call, i)
				for j, v := range values {
					arg = arg.Given(j, v)
				}
				if v, err := arg.Parse(s); err != nil || v != values[i] {
					t.Fatalf("%v %s: argument %d: %#x %v", a, text, i, v, err)
				}
			}
		}
	}
}
