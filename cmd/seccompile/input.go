package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/policy/docker"
	"github.com/seccompile/seccompile/syscalltables"
)

// dockerDefault is the name that stands for Docker's own profile wherever a
// profile is taken. A file of that name is ./docker-default.
const dockerDefault = "docker-default"

// maxInput bounds the size of inputs: what is larger is a mistake.
const maxInput = 64 << 20

// A kind is what an input holds, as its content shows.
type kind uint8

const (
	kindProfile  kind = iota + 1 // JSON
	kindFilter                   // an array of struct sock_filter
	kindAssembly                 // text
	kindArtifact                 // filters of a profile, as compile -f artifact writes them
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
	}
	return "unknown"
}

// An input is what a command was given to work on.
type input struct {
	path string // as it was given
	name string // for messages
	kind kind
	data []byte
}

// read reads the input that an argument names: a path, "-", docker-default, or,
// if there is no argument, whatever is piped in.
func (a *app) read(arg string) (*input, error) {
	in := &input{path: arg, name: shown(arg)}
	var err error
	switch {
	case arg == dockerDefault:
		in.data = docker.Default()
	case arg == "-" || arg == "":
		if arg == "" && isTerminal(a.stdin) {
			return nil, usagef("no input").hintf("name a file or %s, or pipe one in", dockerDefault)
		}
		if a.stdinTaken {
			return nil, usagef("standard input can be read only once")
		}
		a.stdinTaken = true
		in.path, in.name = standardInput, standardInput
		in.data, err = readAll(a.stdin)
	default:
		in.data, err = readFile(arg)
	}
	if err != nil {
		return nil, unreadable(in.path, err)
	}
	if in.kind = sniff(in.data); in.kind == 0 {
		return nil, usagef("%s: %s", in.name, strange(in.data)).
			hintf("an input is a profile (JSON), a raw filter (8 bytes an instruction), an artifact or assembly text")
	}
	return in, nil
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

// sniff tells kinds apart. A text has no NUL bytes and a filter always has some:
// opcodes are 16 bits wide and below 256.
func sniff(data []byte) kind {
	text := bytes.TrimSpace(data)
	switch {
	case len(text) == 0:
		return 0
	case artifact.Is(data):
		return kindArtifact
	case bytes.IndexByte(data, 0) < 0 && utf8.Valid(data):
		if text[0] == '{' || text[0] == '[' {
			return kindProfile
		}
		return kindAssembly
	case len(data)%8 == 0:
		return kindFilter
	}
	return 0
}

// strange says why data is no input at all.
func strange(data []byte) string {
	if len(bytes.TrimSpace(data)) == 0 {
		return "empty"
	}
	return "neither text nor a filter"
}

// policy reads the input as a profile for a target.
func (in *input) policy(t policy.Target) (*policy.Policy, []policy.Warning, error) {
	if in.kind != kindProfile {
		return nil, nil, usagef("%s: a profile is wanted and this is %s", in.name, in.kind).
			hintf("seccompile disasm and eval take filters")
	}
	p, warnings, err := policy.Read(in.data, t)
	if err != nil {
		return nil, nil, in.no(err)
	}
	return p, warnings, nil
}

// program reads the input as a filter, raw, as text or in an artifact, from which
// abis choose.
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
		p, err = cbpf.Assemble(in.data, syscalltables.Names{})
	case kindArtifact:
		_, chosen, err := in.artifact(abis)
		if err != nil {
			return nil, err
		}
		return chosen.Filter, nil
	default:
		return nil, usagef("%s: a filter is wanted and this is %s", in.name, in.kind).
			hintf("seccompile compile makes a filter of a profile, -f asm shows it")
	}
	if err != nil {
		return nil, in.no(err)
	}
	return p, nil
}

// no says that the input can be read and is wrong.
func (in *input) no(err error) error {
	return &failure{code: exitNo, err: &fileError{in.name, err}}
}
