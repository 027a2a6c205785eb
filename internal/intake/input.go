// Package intake takes in what its users give it: it finds out what bytes hold, and in which
// language, reads them for a target, and resolves and compiles the policy. It asks the machine
// that it runs on for nothing but what [Host] offers.
package intake

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/audit"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
	ocijson "github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/language/yaml"
	"github.com/seccompile/seccompile/policy"
)

// A Kind is what an input holds, detected from its content.
type Kind uint8

// The kinds. The zero Kind is none of them.
const (
	KindProfile  Kind = iota + 1 // JSON, or text of no other kind
	KindFilter                   // an array of struct sock_filter
	KindAssembly                 // text
	KindArtifact                 // filters of a profile, as compile -f artifact writes them
	KindSnap                     // the two filters of a snap, as compile -f bin2 writes them
)

// String names the kind with its article.
func (k Kind) String() string {
	switch k {
	case KindProfile:
		return "a profile"
	case KindFilter:
		return "a raw filter"
	case KindAssembly:
		return "assembly text"
	case KindArtifact:
		return "an artifact"
	case KindSnap:
		return "the filters of a snap"
	}
	return "unknown"
}

// An Input is bytes to work on, and where they are from.
type Input struct {
	Path string // as it was given
	Name string // for messages
	Kind Kind
	Data []byte
	// Source is data as a policy, parsed once for all readers.
	Source  *language.Source
	Presets []*Input // that hold as well: they come before it
	// YAML says that it is a profile of OCI, Docker or Podman in YAML.
	YAML bool
}

// New returns an input with its content; its kind is 0 if it is none of the kinds.
func New(path, name string, data []byte) *Input {
	in := &Input{Path: path, Name: name, Kind: sniff(data), Data: data, Source: language.NewSource(data)}
	if in.Kind == KindProfile && isYAML(data) {
		if s, err := yaml.NewSource(data); err == nil && ocijson.Detect(s) != "" {
			in.Source, in.YAML = s, true
		}
	}
	return in
}

// Unknown says why an input is of no kind.
func (in *Input) Unknown() *failure.Error {
	return failure.Usagef("%s: %s", in.Name, strange(in.Data)).
		Hintf("expected a profile (JSON), a raw filter (8 bytes per instruction), an artifact, the filters of a snap or assembly text")
}

// WantProfile returns an error unless the input is a profile.
func (in *Input) WantProfile() error {
	if in.Kind == KindProfile {
		return nil
	}
	return failure.Usagef("%s: expected a profile, got %s", in.Name, in.Kind).Hintf("to look at a filter, use seccompile explain, eval or disasm")
}

// Read reads the input as a profile for a target.
func (in *Input) Read(l language.Language, t policy.Target) (language.Reading, error) {
	if err := in.WantProfile(); err != nil {
		return language.Reading{}, err
	}
	reading, err := l.Read(in.Source, t)
	if err != nil {
		lint.NameNumbers(in.Source, cmp.Or(t.ABI, arch.Native()), err)
		return language.Reading{}, in.No(err)
	}
	return reading, nil
}

// Program reads the input as a filter: raw, as text, or in an artifact, of which abis
// choose one. The filters of a snap are one that means the same as both.
func (in *Input) Program(abis ...string) (*cbpf.Program, error) {
	var p *cbpf.Program
	var err error
	switch in.Kind {
	case KindFilter:
		order, ok := cbpf.Sniff(in.Data)
		if !ok {
			order = binary.NativeEndian // it is wrong in both: say why in ours
		}
		p, err = cbpf.Decode(in.Data, order)
	case KindAssembly:
		p, err = cbpf.Assemble(in.Data, policy.Names())
	case KindArtifact:
		_, chosen, err := in.Artifact(abis)
		if err != nil {
			return nil, err
		}
		return chosen.Filter, nil
	case KindSnap:
		p, err = in.together()
	default:
		if len(trimmed(in.Data)) == 0 {
			return nil, in.Unknown()
		}
		if _, err := in.Source.JSON(); err != nil {
			return nil, failure.Usagef("%s: expected a filter, got text that is not assembly", in.Name).
				Hintf("seccompile compile turns a policy into a filter")
		}
		return nil, failure.Usagef("%s: expected a filter, got %s", in.Name, in.Kind).
			Hintf("seccompile compile turns a profile into a filter; -f asm shows it as text")
	}
	if err != nil {
		return nil, in.No(err)
	}
	return p, nil
}

// No reports that the input is readable but wrong.
func (in *Input) No(err error) *failure.Error {
	in.Source.Locate(nil, err)
	return &failure.Error{Status: failure.No, Err: &failure.InFile{Name: in.Name, Err: err}}
}

// sniff detects the kind. Text has no NUL bytes and a filter always has some:
// opcodes are 16 bits wide and below 256. Text in another encoding than UTF-8 begins with ASCII
// all the same; what is wrong with the rest is for its reader to say. No text at all is a
// policy in some languages.
func sniff(data []byte) Kind {
	text := trimmed(data)
	switch {
	case len(text) == 0:
		return KindProfile
	case bytes.HasPrefix(data, []byte("\x7fELF")), bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return 0
	case audit.Is(text):
		return 0
	case artifact.Is(data):
		return KindArtifact
	case snap.IsFilters(data):
		return KindSnap
	case bytes.IndexByte(data, 0) < 0 && (text[0] < utf8.RuneSelf || utf8.Valid(data)):
		if text[0] != '{' && text[0] != '[' && isAssembly(text) {
			return KindAssembly
		}
		return KindProfile // or what is wrong with it
	case isFilter(data):
		return KindFilter
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
