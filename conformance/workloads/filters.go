package main

import (
	"encoding/binary"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// A profile is what filters are made of, and for which ABIs.
type profile struct {
	name string
	spec *specs.LinuxSeccomp
	abis []arch.ABI
}

// docker is Docker's default profile, as a container gets it on x86_64.
func docker() (profile, error) {
	return read("docker", preset.Docker(), preset.Caps("docker"), arch.X86_64, arch.X86, arch.X32)
}

func read(name string, text []byte, caps []string, abis ...arch.ABI) (profile, error) {
	p, _, err := oci.Read(text, policy.Target{ABI: abis[0], Caps: caps})
	if err != nil {
		return profile{}, err
	}
	spec, err := oci.Spec(p)
	return profile{name, spec, abis}, err
}

// withoutBitmap returns the program behind a load of an argument.
func withoutBitmap(p *cbpf.Program) (*cbpf.Program, error) {
	const loadWord, args = 0x20, 16 // linux/bpf_common.h, linux/seccomp.h
	return cbpf.New(append([]bpf.RawInstruction{{Op: loadWord, K: args}}, p.Raw()...), p.Order())
}

func writeFilter(path string, p *cbpf.Program) error {
	text, err := p.AppendBinary(nil)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

func readFilter(path string) (*cbpf.Program, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return cbpf.Decode(text, binary.LittleEndian)
}
