package main

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"unicode/utf8"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kubernetes"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/yaml"
	"github.com/seccompile/seccompile/policy"
)

// maxInput bounds the size of inputs: a larger one is a mistake.
const maxInput = 64 << 20

// A kind is what an input holds, detected from its content.
type kind uint8

const (
	kindProfile  kind = iota + 1 // JSON, or text of no other kind
	kindFilter                   // an array of struct sock_filter
	kindAssembly                 // text
	kindArtifact                 // filters of a profile, as compile -f artifact writes them
	kindSnap                     // the two filters of a snap, as compile -f bin2 writes them
)

func (k kind) String() string {
	switch k {
	case kindProfile:
		return "a profile"
	case kindFilter:
		return "a raw filter"
	case kindAssembly:
		return "assembly text"
	case kindArtifact:
		return "an artifact"
	case kindSnap:
		return "the filters of a snap"
	}
	return "unknown"
}

// An input is what a command was given to work on.
type input struct {
	path string // as it was given
	name string // for messages
	kind kind
	data []byte
	// source is data as a policy, parsed once for all readers.
	source  *language.Source
	presets []*input // that hold as well: they come before it
	// yaml says that it is a profile of OCI, Docker or Podman in YAML.
	yaml bool
}

// read reads the input that an argument names: a path, "-", a built-in profile, or, if
// no argument is given, whatever is piped in. Of an artifact that was pulled from a registry it
// is what the artifact holds.
func (a *app) read(arg string) (*input, error) {
	in, err := a.open(arg)
	if err != nil {
		return nil, err
	}
	return in.unpacked()
}

// open is read without looking into artifacts: their manifest is the input.
func (a *app) open(arg string) (*input, error) {
	var name string
	var data []byte
	var err error
	switch {
	case isBuiltIn(arg):
		return builtIn(arg)
	case arg == "-" || arg == "":
		if arg == "" && isTerminal(a.stdin) {
			return nil, usagef("no input").hintf("give the name of a file, or %s, or pipe one in", dockerDefault)
		}
		if a.stdinTaken {
			return nil, usagef("standard input can only be read once")
		}
		a.stdinTaken = true
		arg, name = standardInput, standardInput
		data, err = readAll(a.stdin)
	default:
		arg = manifestOf(arg)
		name = shown(arg)
		data, err = readFile(arg)
	}
	if err != nil {
		return nil, unreadable(arg, err)
	}
	in := newInput(arg, name, data)
	if in.kind == 0 {
		return nil, in.unknown()
	}
	return in, nil
}

// unknown says why an input is of no kind.
func (in *input) unknown() *failure {
	return usagef("%s: %s", in.name, strange(in.data)).
		hintf("expected a profile (JSON), a raw filter (8 bytes per instruction), an artifact, the filters of a snap or assembly text")
}

// newInput returns an input with its content; its kind is 0 if it is none of the kinds.
func newInput(path, name string, data []byte) *input {
	in := &input{path: path, name: name, kind: sniff(data), data: data, source: language.NewSource(data)}
	if in.kind == kindProfile && isYAML(data) {
		if s, err := yaml.NewSource(data); err == nil && ocijson.Detect(s) != "" {
			in.source, in.yaml = s, true
		}
	}
	return in
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f)
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("larger than %d MiB", maxInput>>20)
	}
	return data, err
}

// sniff detects the kind. Text has no NUL bytes and a filter always has some:
// opcodes are 16 bits wide and below 256. Text in another encoding than UTF-8 begins with ASCII
// all the same; what is wrong with the rest is for its reader to say. No text at all is a
// policy in some languages.
func sniff(data []byte) kind {
	text := trimmed(data)
	switch {
	case len(text) == 0:
		return kindProfile
	case bytes.HasPrefix(data, []byte("\x7fELF")), bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return 0
	case audit.Is(text):
		return 0
	case artifact.Is(data):
		return kindArtifact
	case snap.IsFilters(data):
		return kindSnap
	case bytes.IndexByte(data, 0) < 0 && (text[0] < utf8.RuneSelf || utf8.Valid(data)):
		if text[0] != '{' && text[0] != '[' && isAssembly(text) {
			return kindAssembly
		}
		return kindProfile // or what is wrong with it
	case isFilter(data):
		return kindFilter
	}
	return 0
}

// trimmed returns a text without a byte order mark and white space around it.
func trimmed(text []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
}

// isAssembly reports whether a text is assembly, perhaps with mistakes: it has the
// directive that assembly begins with, or the instruction that it ends with.
func isAssembly(text []byte) bool {
	return regexp.MustCompile(`(?m)^\s*([^\s:;]+:\s*)*(\.order|ret)\b`).Match(text)
}

// isFilter reports whether data can be a filter, perhaps a bad one: the opcodes of all
// instructions are below 256 in one byte order.
func isFilter(data []byte) bool {
	var little, big byte
	for i := 0; i+8 <= len(data); i += 8 {
		little, big = little|data[i+1], big|data[i]
	}
	return len(data)%8 == 0 && (little == 0 || big == 0)
}

// strange says why data is not an input of any kind.
func strange(data []byte) string {
	switch {
	case len(trimmed(data)) == 0:
		return "empty"
	case bytes.HasPrefix(data, []byte("\x7fELF")):
		return "a program or library, not a profile or filter"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "UTF-16 text (save it as UTF-8)"
	case audit.Is(bytes.TrimSpace(data)):
		return "a log of the audit system (seccompile denials explains it)"
	}
	if len(data)%8 != 0 {
		return fmt.Sprintf("neither text nor a raw filter: %d bytes are not a multiple of 8", len(data))
	}
	return "neither text nor a raw filter: no instructions have such opcodes"
}

// profile returns an error unless the input is a profile.
func (in *input) profile() error {
	if in.kind == kindProfile {
		return nil
	}
	return usagef("%s: expected a profile, got %s", in.name, in.kind).hintf("to look at a filter, use seccompile explain, eval or disasm")
}

// policy reads the input as a profile for a target.
func (in *input) policy(l language.Language, t policy.Target) (language.Reading, error) {
	if err := in.profile(); err != nil {
		return language.Reading{}, err
	}
	reading, err := l.Read(in.source, t)
	if err != nil {
		lint.NameNumbers(in.source, cmp.Or(t.ABI, arch.Native()), err)
		return language.Reading{}, in.no(err)
	}
	return reading, nil
}

// program reads the input as a filter: raw, as text, or in an artifact, of which abis
// choose one. The filters of a snap are one that means the same as both.
func (in *input) program(abis ...string) (*cbpf.Program, error) {
	var p *cbpf.Program
	var err error
	switch in.kind {
	case kindFilter:
		order, ok := cbpf.Sniff(in.data)
		if !ok {
			order = binary.NativeEndian // it is wrong in both: say why in ours
		}
		p, err = cbpf.Decode(in.data, order)
	case kindAssembly:
		p, err = cbpf.Assemble(in.data, policy.Names())
	case kindArtifact:
		_, chosen, err := in.artifact(abis)
		if err != nil {
			return nil, err
		}
		return chosen.Filter, nil
	case kindSnap:
		p, err = in.together()
	default:
		if len(trimmed(in.data)) == 0 {
			return nil, in.unknown()
		}
		if _, err := in.source.JSON(); err != nil {
			return nil, usagef("%s: expected a filter, got text that is not assembly", in.name)
		}
		return nil, usagef("%s: expected a filter, got %s", in.name, in.kind).
			hintf("seccompile compile turns a profile into a filter; -f asm shows it as text")
	}
	if err != nil {
		return nil, in.no(err)
	}
	return p, nil
}

// no reports that the input is readable but wrong.
func (in *input) no(err error) *failure {
	in.source.Locate(nil, err)
	return &failure{code: exitNo, err: &fileError{in.name, err}}
}

// include lets an input include files: those of its own directory, or of --root. A Pod names
// files of the root, and need not be in it.
func (t *target) include(in *input, l language.Language) error {
	_, pod := l.(kubernetes.Language)
	if pod && t.root != "" {
		root, err := os.OpenRoot(t.root)
		if err != nil {
			return inaccessible(t.root, err, "--root takes a directory")
		}
		in.source = in.source.In(root.FS(), filepath.Base(in.path))
		return nil
	}
	if _, err := os.Stat(in.path); err != nil || t.root == "" && in.kind != kindProfile {
		return nil // what is not a file, such as docker-default, includes nothing
	}
	dir := t.root
	if dir == "" {
		dir = filepath.Dir(in.path)
	}
	absolute, err1 := filepath.Abs(dir)
	file, err2 := filepath.Abs(in.path)
	if err1 != nil || err2 != nil {
		return nil
	}
	name, err := filepath.Rel(absolute, file)
	if err != nil || !filepath.IsLocal(name) {
		return usagef("--root %s: %s is not in it", shown(t.root), in.name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return unreadable(dir, err)
	}
	in.source = in.source.In(root.FS(), filepath.ToSlash(name)) // the root stays open for it
	return nil
}
