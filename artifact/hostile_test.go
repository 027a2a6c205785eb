package artifact_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
)

const magic = "seccompile artifact 1\n"

// seal makes a file of a body with the right digest, as a forger would.
func seal(body []byte) []byte {
	return slices.Concat([]byte(magic), []byte(artifact.Digest(body)), []byte{'\n'}, body)
}

// body returns what seal takes.
func body(tb testing.TB, data []byte) []byte {
	tb.Helper()
	_, rest, ok := bytes.Cut(data, []byte("\n"))
	_, rest, again := bytes.Cut(rest, []byte("\n"))
	if !ok || !again {
		tb.Fatal("not an artifact")
	}
	return rest
}

func TestDamageIsFound(t *testing.T) {
	data := encode(t, example(t))
	for i := range len(data) * 8 {
		damaged := bytes.Clone(data)
		damaged[i/8] ^= 1 << (i % 8)
		if a, err := artifact.Decode(damaged); err == nil {
			t.Fatalf("bit %d of byte %d: %v", i%8, i/8, a)
		}
	}
	for i := range data {
		if a, err := artifact.Decode(data[:i]); err == nil {
			t.Fatalf("cut to %d bytes: %v", i, a)
		}
		if a, err := artifact.Decode(slices.Delete(bytes.Clone(data), i, i+1)); err == nil {
			t.Fatalf("without byte %d: %v", i, a)
		}
	}
	if a, err := artifact.Decode(append(bytes.Clone(data), 0)); err == nil {
		t.Fatalf("with a byte more: %v", a)
	}
}

// A change that has been given a new digest makes another artifact or none: there
// are no two files of one.
func TestEveryFileHasOneMeaning(t *testing.T) {
	original := body(t, encode(t, example(t)))
	other := 0
	for i := range len(original) * 8 {
		changed := bytes.Clone(original)
		changed[i/8] ^= 1 << (i % 8)
		if checkDecode(t, seal(changed)) {
			other++
		}
	}
	if other == 0 {
		t.Error("no change makes another artifact, not even one of a letter of the tool's name")
	}
}

// checkDecode fails if a file is taken that is not what its content is written as,
// and reports whether it is taken.
func checkDecode(t *testing.T, data []byte) bool {
	t.Helper()
	a, err := artifact.Decode(data)
	if (a == nil) == (err == nil) {
		t.Fatalf("%v, error %v", a, err)
	}
	if err != nil {
		if msg := err.Error(); !strings.HasPrefix(msg, "artifact: ") {
			t.Errorf("error %q", msg)
		}
		return false
	}
	if !bytes.Equal(encode(t, a), data) {
		t.Errorf("%q is written as something else", data)
	}
	for i := range a.Programs {
		if a.Programs[i].Filter.Len() == 0 {
			t.Error("a program without instructions")
		}
	}
	return true
}

func TestForgeries(t *testing.T) {
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	tests := []struct {
		name  string
		forge func(string) string
		want  string
	}{
		{"nothing", func(string) string { return "" }, `line 3: the line "tool" is missing`},
		{"one line", func(string) string { return "tool x\n" }, `line 4: the line "tables" is missing`},
		{"a line without an end", func(string) string { return "tool x" }, `line 3: the line "tool" is missing`},
		{"an unknown line", replace("tables ", "signature x\ntables "), `line 4: the line "tables" is missing`},
		{"a missing line", replace("compat strict\n", ""), `line 6: the line "compat" is missing`},
		{"a line twice", replace("compat strict\n", "compat strict\ncompat runc\n"), `line 7: the line "enosys" is missing`},
		{"lines in another order", replace("compat strict\nenosys kernel:6.1\n", "enosys kernel:6.1\ncompat strict\n"), `line 6: the line "compat"`},
		{"a line of DOS", replace("compat strict", "compat strict\r"), `compat: "strict\r" is not a word`},
		{"two spaces", replace("compat strict", "compat  strict"), `compat: " strict" is not a word`},
		{"a list with a gap", replace("x86_64 x32", "x86_64  x32"), `program 1: abis: "" is not a word`},
		{"neither yes nor no", replace("strictest-wins yes", "strictest-wins maybe"), `line 9: contradicts`},
		{"no programs", func(s string) string { return s[:strings.Index(s, "program")] + "end\n" }, `program: missing`},
		{"no end", replace("end\n", ""), `expected a program or the end`},
		{"a section of another kind", replace("program 1 big", "script 1 big"), `line 21: expected a program or the end`},
		{"a length with a zero", replace("program 1 little", "program 01 little"), `line 10: contradicts`},
		{"a length with a sign", replace("program 1 little", "program +1 little"), `line 10: program: "+1" is not a number`},
		{"a negative length", replace("program 1 little", "program -1 little"), `line 10: program: "-1" is not a number`},
		{"a length of nothing", replace("program 1 little", "program 0 little"), `line 10: program: cbpf: `},
		{"a length beyond the file", replace("program 1 little", "program 4 little"), `line 10: program: 4 instructions, but the file has fewer`},
		{"a length beyond the kernel's", replace("program 1 little", "program 65535 little"), `line 10: program: 65535 instructions, but the file has fewer`},
		{"a length beyond numbers", replace("program 1 little", "program 18446744073709551617 little"), `is not a number`},
		{"a length that overflows", replace("program 1 little", "program 2305843009213693952 little"), `is not a number`},
		{"no byte order", replace("program 1 little", "program 1"), `line 10: contradicts`},
		{"a byte order of its own", replace("program 1 little", "program 1 middle"), `line 10: contradicts`},
		{"the wrong byte order", replace("program 1 little", "program 1 big"), `line 10: program: cbpf: `},
		{"the other wrong byte order", replace("program 1 big", "program 1 little"), `line 21: program: cbpf: `},
		{"a listener that is not needed", replace("listener no", "listener yes"), `line 14: contradicts`},
		{"no listener", replace("listener yes", "listener no"), `line 25: contradicts`},
		{"a proof of another program", replace("digest sha256:40", "digest sha256:41"), `line 15: contradicts`},
		{"a later certificate", replace("certificate 1", "certificate 2"), `line 17: certificate: version "2" needs a later release`},
		{"a certificate without facts", replace("certificate none", "certificate 1"), `line 29: the line "longest-path" is missing`},
		{"a certificate of nothing", replace("certificate none", "certificate 1\nlongest-path 1"), `line 29: a certificate of a filter that is not proved`},
		{"a claim without a policy", replace("proved no", "proved yes"), `program 2: proved: "yes" is not`},
		{"no claim", replace("proved no\n", ""), `line 27: the line "proved" is missing`},
		{"a path of no length", replace("longest-path 1\nbitmap x86_64 0-1023\nbitmap x86 none", "longest-path 0"), `line 17: contradicts`},
		{"a bitmap of no path", replace("longest-path 1", "longest-path 0"), `program 1: longest-path: missing beside a bitmap`},
		{"a bitmap without numbers", replace("bitmap x86 none", "bitmap x86 "), `line 20: contradicts`},
		{"an ABI twice", replace("abis s390x", "abis x86_64"), `abis: "x86_64" is listed twice`},
		{"a program that the kernel refuses", func(s string) string { return s[:len(s)-8] + "\xff" + s[len(s)-7:] }, `line 29: program: cbpf: `},
		{"programs in another order", func(s string) string {
			return s[:len(s)-24] + s[len(s)-8:] + s[len(s)-16:len(s)-8] + s[len(s)-24:len(s)-16]
		}, `contradicts`},
		{"a program more", func(s string) string { return s + s[len(s)-8:] }, `bytes left over after the programs`},
	}
	original := string(body(t, encode(t, example(t))))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			forged := tt.forge(original)
			if forged == original {
				t.Fatal("nothing was forged")
			}
			a, err := artifact.Decode(seal([]byte(forged)))
			if a != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestNoArtifact(t *testing.T) {
	data := encode(t, example(t))
	tests := []struct {
		name string
		data []byte
		is   bool
		want string
	}{
		{"nothing", nil, false, "line 1: damaged or cut short: 0 bytes"},
		{"text", []byte("{}"), false, "not an artifact"},
		{"a filter", []byte{6, 0, 0, 0, 0, 0, 0xff, 0x7f}, false, "not an artifact"},
		{"a later version", bytes.Replace(data, []byte("artifact 1\n"), []byte("artifact 2\n"), 1), true, "line 1: the format needs a later release"},
		{"the magic alone", []byte(magic), true, "line 2: damaged or cut short: no digest"},
		{"a digest alone", data[:len(magic)+72], true, "line 2: damaged or cut short: the digest is not that of the content"},
		{"another digest", bytes.Replace(data, []byte("sha256:"), []byte("sha512:"), 1), true, "line 2: damaged or cut short"},
		{"more than there can be", append(data, make([]byte, artifact.MaxSize)...), true, "more than 1048576"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := artifact.Is(tt.data); got != tt.is {
				t.Errorf("Is: %v", got)
			}
			if a, err := artifact.Decode(tt.data); a != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, error %v, want %q", a, err, tt.want)
			}
		})
	}
}

// A caller tells a bad copy, a file of a later release and a wrong machine apart.
func TestErrorClasses(t *testing.T) {
	data := encode(t, example(t))
	original := string(body(t, data))
	class := func(err error) error {
		for _, c := range []error{artifact.ErrDamaged, artifact.ErrNewer, artifact.ErrNoFilter} {
			if errors.Is(err, c) {
				return c
			}
		}
		return nil
	}
	for n := range data {
		if _, err := artifact.Decode(data[:n]); class(err) != artifact.ErrDamaged {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	for i := len(magic); i < len(data); i++ {
		bad := bytes.Clone(data)
		bad[i] ^= 1
		if _, err := artifact.Decode(bad); class(err) != artifact.ErrDamaged {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"text", []byte("{}"), nil},
		{"too large", make([]byte, artifact.MaxSize+1), nil},
		{"forged", seal([]byte(strings.Replace(original, "listener no", "listener yes", 1))), nil},
		{"a later format", bytes.Replace(data, []byte("artifact 1\n"), []byte("artifact 12\n"), 1), artifact.ErrNewer},
		{"a later certificate", seal([]byte(strings.Replace(original, "certificate 1", "certificate 2", 1))), artifact.ErrNewer},
		{"a later flag", seal([]byte(strings.Replace(original, "flags SECCOMP_FILTER_FLAG_LOG", "flags SECCOMP_FILTER_FLAG_NEXT", 1))), artifact.ErrNewer},
	}
	for _, tt := range tests {
		if _, err := artifact.Decode(tt.data); err == nil || class(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if _, err := example(t).For("sparc64"); class(err) != artifact.ErrNoFilter {
		t.Errorf("For: %v", err)
	}
}

// What is too large to be read is not written either.
func TestAppendBinaryOfTooMuch(t *testing.T) {
	a := example(t)
	a.Programs = nil
	long := make([]byte, 0, cbpf.MaxInstructions*8)
	for range cbpf.MaxInstructions {
		long = append(long, 6, 0, 0, 0, 0, 0, 0, 0)
	}
	p, err := cbpf.Decode(long, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 32 {
		a.Programs = append(a.Programs, artifact.Program{Filter: p, ABIs: []string{fmt.Sprint("abi", i)}})
	}
	if _, err := a.AppendBinary(nil); err == nil || !strings.Contains(err.Error(), "more than 1048576") {
		t.Errorf("error %v", err)
	}
	a.Programs = a.Programs[:31]
	checkDecode(t, encode(t, a))
}

// A made-up artifact costs no more than a real one of its size.
func BenchmarkDecodeHostile(b *testing.B) {
	head := "tool x\ntables x\nprofile " + artifact.Digest(nil) + "\ncompat x\nenosys x\nbad-arch x\nstrictest-wins no\n"
	words := strings.Repeat("a ", artifact.MaxSize/2-1000)
	lines := strings.Repeat("bitmap a 1\n", artifact.MaxSize/11-100)
	const rest = "listener no\ndigest x\n"
	tests := []struct{ name, body string }{
		{"a list of words", head + "program 1 little\nabis " + words + "\ngoarch none\nflags none\n" + rest + "certificate none\nend\n\x06\x00\x00\x00\x00\x00\x00\x00"},
		{"a list of lines", head + "program 1 little\nabis a\ngoarch none\nflags none\n" + rest + "certificate 1\npolicy x\nlongest-path 1\n" + lines + "end\n\x06\x00\x00\x00\x00\x00\x00\x00"},
		{"programs", head + strings.Repeat("program 1 little\nabis a\ngoarch none\nflags none\n"+rest+"certificate none\n", 10000) + "end\n" + strings.Repeat("\x06\x00\x00\x00\x00\x00\x00\x00", 10000)},
	}
	for _, tt := range tests {
		data := seal([]byte(tt.body))
		b.Run(tt.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := artifact.Decode(data); err == nil {
					b.Fatal("taken")
				}
			}
		})
	}
}

// FuzzDecode feeds bytes to the reader, as they are and as the body of a file with
// the right digest. It must not panic, and what it takes must be what it writes.
func FuzzDecode(f *testing.F) {
	f.Add(body(f, encode(f, example(f))))
	f.Add(body(f, encode(f, family(f))))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkDecode(t, data)
		checkDecode(t, seal(data))
	})
}
