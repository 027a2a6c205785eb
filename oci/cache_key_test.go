package oci

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

var update = flag.Bool("update", false, "write the golden files")

// Whatever can change the bytes of a filter changes the names of all entries, and
// nobody has to remember it: the constant is a digest of the sources that decide
// them, comments aside. A digest of sample filters would keep the entries of a
// compiler that was wrong about others.
func TestCompilerVersion(t *testing.T) {
	const file = "cache_version.go"
	h := sha256.New()
	for _, dir := range []string{"../arch", "../syscalltables", "../cbpf", "../policy", "../language/oci", "../compiler", "../internal/compile", "."} {
		sources, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(sources) == 0 {
			t.Fatal(dir, err)
		}
		for _, path := range sources {
			if strings.HasSuffix(path, "_test.go") || path == file {
				continue
			}
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			hashTokens(h, source)
		}
	}
	version := fmt.Sprintf("%x", h.Sum(nil)[:8])
	if *update {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		constant := regexp.MustCompile(`compilerVersion = "[^"]*"`)
		source = constant.ReplaceAllLiteral(source, fmt.Appendf(nil, "compilerVersion = %q", version))
		if err := os.WriteFile(file, source, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if version != compilerVersion {
		t.Errorf("%s has version %s and the sources are of %s: caches might return the filters of yesterday (go test ./oci -update)",
			file, compilerVersion, version)
	}
}

// hashTokens hashes what a compiler sees of a source file.
func hashTokens(h io.Writer, source []byte) {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(source)), source, nil, 0)
	for {
		_, tok, text := s.Scan()
		if tok == token.EOF {
			return
		}
		fmt.Fprintf(h, "%v %q\n", tok, text)
	}
}

// sample returns a profile and options that have everything, so that everything can
// be changed.
func sample() (*specs.LinuxSeccomp, *policy.Options) {
	errno := func(n uint) *uint { return &n }
	return &specs.LinuxSeccomp{
			DefaultAction: specs.ActErrno, DefaultErrnoRet: errno(1),
			Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
			Flags:         []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog},
			ListenerPath:  "/agent", ListenerMetadata: "container",
			Syscalls: []specs.LinuxSyscall{
				{Names: []string{"read", "write"}, Action: specs.ActAllow},
				{Names: []string{"socket"}, Action: specs.ActErrno, ErrnoRet: errno(2),
					Args: []specs.LinuxSeccompArg{{Index: 1, Value: 3, ValueTwo: 4, Op: specs.OpMaskedEqual}}},
			},
		}, &policy.Options{
			ABIs: []arch.ABI{arch.X86_64}, Mode: policy.Strict, BadArch: 1, StrictestWins: true, Exact: true,
			ENOSYS: policy.ENOSYS{Off: true, Kernel: syscalltables.Version{Major: 6, Minor: 1}},
		}
}

// Every field is in the name: those of types that grow, too.
func TestEntryNameHasEverything(t *testing.T) {
	s, o := sample()
	names := map[string]string{entryName(s, o): "unchanged"}
	check := func(place string) {
		name := entryName(s, o)
		if other, known := names[name]; known {
			t.Errorf("%s and %s have one entry", place, other)
		}
		names[name] = place
	}
	vary(t, "profile", reflect.ValueOf(s).Elem(), check)
	vary(t, "options", reflect.ValueOf(o).Elem(), check)
	if len(names) < 40 {
		t.Errorf("only %d variations", len(names))
	}
}

// vary calls check for each change that can be made to one place of v, and takes it
// back.
func vary(t *testing.T, place string, v reflect.Value, check func(place string)) {
	t.Helper()
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	set := func(what string, value reflect.Value) {
		v.Set(value)
		check(place + " " + what)
		v.Set(old)
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := place + "." + v.Type().Field(i).Name
			switch field {
			case "profile.ListenerPath", "profile.ListenerMetadata": // see TestListenerIsNotInTheName
			default:
				vary(t, field, v.Field(i), check)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			vary(t, fmt.Sprintf("%s[%d]", place, i), v.Index(i), check)
		}
		set("longer", reflect.Append(v.Slice3(0, v.Len(), v.Len()), reflect.Zero(v.Type().Elem())))
		for i := range v.Len() {
			set(fmt.Sprintf("without %d", i), reflect.AppendSlice(v.Slice3(0, i, i), v.Slice(i+1, v.Len())))
		}
	case reflect.Pointer:
		if v.IsNil() {
			set("present", reflect.New(v.Type().Elem()))
			return
		}
		set("missing", reflect.Zero(v.Type()))
		vary(t, place, v.Elem(), check)
	case reflect.String:
		set("longer", reflect.ValueOf(v.String()+"x").Convert(v.Type()))
	case reflect.Bool:
		set("inverted", reflect.ValueOf(!v.Bool()))
	case reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		set("larger", reflect.ValueOf(v.Uint()+1).Convert(v.Type()))
	default:
		t.Errorf("%s: a %v is not varied", place, v.Kind())
	}
}

// What the options have besides is no matter of the filter's bytes.
func TestOptionsOutsideOfTheName(t *testing.T) {
	known := []string{"Policy", "Cache", "Debug"}
	for i := range reflect.TypeFor[Options]().NumField() {
		if name := reflect.TypeFor[Options]().Field(i).Name; !slices.Contains(known, name) {
			t.Errorf("does Options.%s decide the bytes of a filter? If so it belongs into entryName", name)
		}
	}
}

// Words do not run into each other, and neither do lists.
func TestEntryNameKeepsPartsApart(t *testing.T) {
	rule := func(names ...string) specs.LinuxSyscall {
		return specs.LinuxSyscall{Names: names, Action: specs.ActAllow}
	}
	profiles := []specs.LinuxSeccomp{
		{},
		{Flags: []specs.LinuxSeccompFlag{}}, // asks for none, where no list does not say
		{Syscalls: []specs.LinuxSyscall{rule("read", "write")}},
		{Syscalls: []specs.LinuxSyscall{rule("readwrite")}},
		{Syscalls: []specs.LinuxSyscall{rule("write", "read")}},
		{Syscalls: []specs.LinuxSyscall{rule("read"), rule("write")}},
		{Syscalls: []specs.LinuxSyscall{rule("write"), rule("read")}},
		{Syscalls: []specs.LinuxSyscall{rule("read", "")}},
		{Architectures: []specs.Arch{"SECCOMP_FILTER_FLAG_LOG"}},
		{Flags: []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_LOG"}},
	}
	seen := map[string]int{}
	for i := range profiles {
		name := entryName(&profiles[i], new(policy.Options))
		if j, ok := seen[name]; ok {
			t.Errorf("profiles %d and %d have one entry", j, i)
		}
		seen[name] = i
	}
}

// Containers that differ in where their agent listens share a filter.
func TestListenerIsNotInTheName(t *testing.T) {
	s, o := sample()
	name := entryName(s, o)
	s.ListenerPath, s.ListenerMetadata = "/other", "other"
	if entryName(s, o) != name {
		t.Error("another listener has another entry")
	}
	s.ListenerPath = "" // policy.Strict refuses it
	if entryName(s, o) == name {
		t.Error("metadata without a path has the same entry")
	}
}

// Docker's profile fits into what entryName allocates.
func TestEntryNameAllocatesOnce(t *testing.T) {
	p, _, err := ocijson.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ocijson.Spec(p)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(10, func() { entryName(s, new(policy.Options)) }); n > 3 {
		t.Errorf("%v allocations", n)
	}
}
