package artifact_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/certificate"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

var update = flag.Bool("update", false, "write the golden files")

// program returns a filter that gives one answer to every call.
func program(tb testing.TB, a cbpf.Action, order binary.ByteOrder) *cbpf.Program {
	tb.Helper()
	p, err := cbpf.New([]bpf.RawInstruction{{Op: 0x06, K: uint32(a)}}, order)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// example returns an artifact that has everything that one can have.
func example(tb testing.TB) *artifact.Artifact {
	tb.Helper()
	return &artifact.Artifact{
		Tool: "seccompile v1.2.3 (test)", Tables: "7.2", Profile: artifact.Digest([]byte("{}\n")),
		Reading: artifact.Reading{Compat: "strict", ENOSYS: "kernel:6.1", BadArch: "ERRNO(1)", StrictestWins: true},
		Programs: []artifact.Program{
			{
				Filter: program(tb, cbpf.Allow, binary.LittleEndian),
				ABIs:   []string{"x86_64", "x32", "x86"}, GOARCH: []string{"amd64", "386"},
				Flags: []cbpf.Flag{cbpf.LogFlag, cbpf.SpecAllow},
				Proof: &artifact.Proof{
					Policy: artifact.Digest([]byte("meaning")), LongestPath: 1,
					Bitmap: []artifact.CachedCalls{{ABI: "x86_64", Numbers: "0-1023"}, {ABI: "x86"}},
				},
			},
			{
				Filter: program(tb, cbpf.Notify, binary.BigEndian),
				ABIs:   []string{"s390x"}, GOARCH: []string{"s390x"}, Flags: []cbpf.Flag{},
			},
			{
				Filter: program(tb, cbpf.Errno(1), binary.LittleEndian), ABIs: []string{"sh"}, GOARCH: []string{},
				Proof: &artifact.Proof{Policy: artifact.Digest([]byte("meaning of sh"))},
			},
		},
	}
}

func encode(tb testing.TB, a *artifact.Artifact) []byte {
	tb.Helper()
	data, err := a.AppendBinary(nil)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

var programs = cmp.Comparer(func(a, b *cbpf.Program) bool {
	x, _ := a.AppendBinary(nil)
	y, _ := b.AppendBinary(nil)
	return a.Order() == b.Order() && bytes.Equal(x, y)
})

// The format is a promise to those who have stored artifacts.
func TestFormat(t *testing.T) {
	const golden = "testdata/example.artifact"
	a := example(t)
	data := encode(t, a)
	if *update {
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want) {
		t.Errorf("got\n%q\nwant\n%q", data, want)
	}
	b, err := artifact.Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b, programs); d != "" {
		t.Error(d)
	}
}

// docker-default for every kernel that Go runs on, proved.
func family(tb testing.TB) *artifact.Artifact {
	tb.Helper()
	a := &artifact.Artifact{
		Tool: "seccompile", Tables: "7.2", Profile: artifact.Digest(preset.Docker()),
		Reading: artifact.Reading{Compat: "runc", ENOSYS: "profile", BadArch: "KILL_THREAD"},
	}
	for abi := range arch.All() {
		if abi.Main() == abi && abi.GOARCH() != "" {
			a.Programs = append(a.Programs, compiled(tb, abi))
		}
	}
	return a
}

func compiled(tb testing.TB, main arch.ABI) artifact.Program {
	tb.Helper()
	asked, _, err := oci.Read(preset.Docker(), policy.Target{ABI: main, Caps: preset.Caps("docker")})
	if err != nil {
		tb.Fatal(err)
	}
	options := policy.Options{ABIs: main.Family()}
	resolved, _, err := policy.Resolve(asked, options)
	if err != nil {
		tb.Fatal(err)
	}
	res, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	c, _, err := certificate.New(resolved, options, res, proof.Limits{})
	if err != nil || c.Result != "same" {
		tb.Fatal(c.Result, err)
	}
	p := artifact.Program{
		Filter: res, ABIs: c.ABIs,
		Proof: &artifact.Proof{Policy: c.Profile, LongestPath: c.LongestPath},
	}
	for _, abi := range main.Family() {
		if name := abi.GOARCH(); name != "" {
			p.GOARCH = append(p.GOARCH, name)
		}
	}
	for _, b := range c.Bitmap {
		p.Proof.Bitmap = append(p.Proof.Bitmap, artifact.CachedCalls(b))
	}
	if p.Digest() != c.Program {
		tb.Errorf("the artifact's digest is %s and the certificate's %s", p.Digest(), c.Program)
	}
	return p
}

func TestEveryKernelInOneArtifact(t *testing.T) {
	a := family(t)
	data := encode(t, a)
	b, err := artifact.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(a, b, programs); d != "" {
		t.Error(d)
	}
	t.Logf("%d bytes for %d programs", len(data), len(a.Programs))
	for i := range a.Programs {
		for _, name := range a.Programs[i].GOARCH {
			p, err := b.For(name)
			if err != nil {
				t.Error(err)
			} else if d := cmp.Diff(&a.Programs[i], p, programs); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	if runtime.GOOS == "linux" {
		if _, err := b.For(runtime.GOARCH); err != nil {
			t.Error(err)
		}
	}
}

func TestEmptyArtifactHasNoFilter(t *testing.T) {
	_, err := new(artifact.Artifact).For("amd64")
	if want := "artifact: no filter for amd64 (there are none at all)"; !errors.Is(err, artifact.ErrNoFilter) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Nothing is loaded where nothing was made for.
func TestForeignMachine(t *testing.T) {
	for _, goarch := range []string{"riscv64", "x32", "x86_64", "none", ""} {
		p, err := example(t).For(goarch)
		if p != nil || err == nil || !strings.Contains(err.Error(), "(there are filters for x86_64, x32, x86, s390x, sh)") {
			t.Errorf("%q: %v, %v", goarch, p, err)
		}
	}
}

// The facts of a certificate that an artifact has are those of this version.
func TestCertificateVersion(t *testing.T) {
	line := "\ncertificate " + strconv.Itoa(certificate.Version) + "\n"
	if !bytes.Contains(encode(t, example(t)), []byte(line)) {
		t.Errorf("no line %q: a new version of certificates needs one of artifacts", line)
	}
}

func TestAppendBinaryRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*artifact.Artifact)
		want  string
	}{
		{"no tool", func(a *artifact.Artifact) { a.Tool = "" }, `tool: "" is not`},
		{"a tool with a second line", func(a *artifact.Artifact) { a.Tool = "x\ny" }, `tool: "x\ny" is not`},
		{"a tool that is not ASCII", func(a *artifact.Artifact) { a.Tool = "\u00e9" }, `tool: "\u00e9" is not`},
		{"an endless tool", func(a *artifact.Artifact) { a.Tool = strings.Repeat("x", 1000) }, `"... is not`},
		{"two words", func(a *artifact.Artifact) { a.Tables = "7 2" }, `tables: "7 2" is not a word`},
		{"no digest", func(a *artifact.Artifact) { a.Profile = "sha256:00" }, `profile: "sha256:00" is not`},
		{"an upper-case digest", func(a *artifact.Artifact) { a.Profile = strings.ToUpper(a.Profile) }, `profile: "SHA256:`},
		{"no reading", func(a *artifact.Artifact) { a.Reading = artifact.Reading{} }, `compat: "" is not`},
		{"no programs", func(a *artifact.Artifact) { a.Programs = nil }, `program: missing`},
		{"too many programs", func(a *artifact.Artifact) { a.Programs = make([]artifact.Program, 33) }, `program: 33 of them`},
		{"no filter", func(a *artifact.Artifact) { a.Programs[1].Filter = nil }, `program 2: no instructions`},
		{"an empty filter", func(a *artifact.Artifact) { a.Programs[1].Filter = new(cbpf.Program) }, `program 2: no instructions`},
		{"no ABI", func(a *artifact.Artifact) { a.Programs[1].ABIs = nil }, `program 2: abis: missing`},
		{"an ABI in two programs", func(a *artifact.Artifact) { a.Programs[1].ABIs = []string{"x86"} }, `abis: "x86" is listed twice`},
		{"a GOARCH in two programs", func(a *artifact.Artifact) { a.Programs[1].GOARCH = []string{"386"} }, `goarch: "386" is listed twice`},
		{"a flag twice", func(a *artifact.Artifact) { a.Programs[1].Flags = []cbpf.Flag{cbpf.LogFlag, cbpf.LogFlag} }, `program 2: flags: "SECCOMP_FILTER_FLAG_LOG" is listed twice`},
		{"a flag of the loader's", func(a *artifact.Artifact) { a.Programs[1].Flags = []cbpf.Flag{cbpf.NewListener} }, `program 2: flags: SECCOMP_FILTER_FLAG_NEW_LISTENER is not a flag`},
		{"too many flags", func(a *artifact.Artifact) { a.Programs[1].Flags = make([]cbpf.Flag, 33) }, `program 2: a list of more than 32`},
		{"a proof of nothing", func(a *artifact.Artifact) { a.Programs[1].Proof = new(artifact.Proof) }, `program 2: proved: "" is not`},
		{"too long a path", func(a *artifact.Artifact) { a.Programs[0].Proof.LongestPath = 2 }, `program 1: longest-path: 2`},
		{"a path of negative length", func(a *artifact.Artifact) { a.Programs[0].Proof.LongestPath = -1 }, `program 1: longest-path: -1`},
		{"a bitmap without a path", func(a *artifact.Artifact) { a.Programs[0].Proof.LongestPath = 0 }, `program 1: longest-path: missing beside a bitmap`},
		{"a bitmap of another ABI", func(a *artifact.Artifact) { a.Programs[0].Proof.Bitmap[0].ABI = "s390x" }, `program 1: bitmap: "s390x" is not among`},
		{"a bitmap of words", func(a *artifact.Artifact) { a.Programs[0].Proof.Bitmap[0].Numbers = "all" }, `program 1: bitmap: "all" is not a list`},
		{"two bitmaps of an ABI", func(a *artifact.Artifact) { a.Programs[0].Proof.Bitmap[1].ABI = "x86_64" }, `program 1: bitmap: "x86_64" is listed twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := example(t)
			tt.spoil(a)
			b, err := a.AppendBinary([]byte("kept"))
			if err == nil || !strings.HasPrefix(err.Error(), "artifact: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if string(b) != "kept" {
				t.Errorf("appended %q", b)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	one := family(b)
	one.Programs = one.Programs[:1]
	for name, a := range map[string]*artifact.Artifact{"1": one, "all": family(b)} {
		data := encode(b, a)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := artifact.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
