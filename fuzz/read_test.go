package fuzz

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// profiles are the edges of the formats, short enough to be mutated well.
var profiles = []string{
	`{"defaultAction":"SCMP_ACT_ALLOW"}`,
	`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
	"flags":[],"syscalls":[{"names":["read","write"],"action":"SCMP_ACT_ALLOW"},
	{"names":["clone"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]}]}`,
	`{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["ioctl"],"action":"SCMP_ACT_TRACE","errnoRet":7,
	"args":[{"index":1,"value":18446744073709551615,"op":"SCMP_CMP_LT"},{"index":1,"value":5,"op":"SCMP_CMP_NE"}]}]}`,
	`{"ociVersion":"1.2.0","linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["nope"],"action":"SCMP_ACT_KILL"}]}}}`,
	`{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
	"syscalls":[{"name":"socket","action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_NET_RAW"],"minKernel":"4.8"},"excludes":{"arches":["s390x"]},
	"args":[{"index":0,"value":40,"op":"SCMP_CMP_GE"}]}]}`,
	`{"defaultAction":"SCMP_ACT_NOTIFY","listenerMetadata":"x","syscalls":null}`,
}

// texts are assembly.
var texts = []string{
	".order little\n ld arch\n jeq #0xc000003e jf bad\n ld nr\n jset #0x40000000, bad\n ret ALLOW\nbad: ret ERRNO(1)\n",
	".order big\n ldx len; txa; neg; st M[3]; ldx M[3]; add x; div #3; jgt x jf 9; ja 9\n9: ret a ; end\n",
	".order little\n .raw 6 1 2 0x7fff0000\n",
}

func FuzzRead(f *testing.F) {
	for _, s := range append(profiles, texts...) {
		f.Add([]byte(s), uint8(arch.X86_64))
	}
	f.Add(preset.Docker(), uint8(arch.S390X))
	files, err := filepath.Glob("../testdata/profiles/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(arch.AArch64))
	}
	for seed := range uint64(8) {
		p, err := cbpf.New(gen.Program(gen.New(seed), 10), binary.BigEndian)
		if err != nil {
			f.Fatal(err)
		}
		b, err := p.AppendBinary(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, target uint8) {
		readProfile(t, data, arch.ABI(target%32))
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if p, err := cbpf.Decode(data, order); err == nil {
				textIsFaithful(t, p)
			} else if p != nil {
				t.Errorf("Decode returns a program and %v", err)
			}
		}
		for _, names := range []cbpf.Names{nil, policy.Names()} {
			if p, err := cbpf.Assemble(data, names); err == nil {
				textIsFaithful(t, p)
			} else if p != nil {
				t.Errorf("Assemble returns a program and %v", err)
			}
		}
	})
}

// readProfile reads a profile, resolves and compiles it, proves the program equal
// to it, and holds it against its own print.
func readProfile(t *testing.T, data []byte, target arch.ABI) {
	t.Helper()
	p, _, err := oci.Read(data, policy.Target{ABI: target, Caps: preset.Caps("docker")})
	if err != nil {
		var problems policy.Errors
		if p != nil || !errors.As(err, &problems) {
			t.Errorf("Read: %v, %v", p, err)
		}
		return
	}
	var abis []arch.ABI
	if target.Valid() {
		abis = target.Family()
	}
	res, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		return
	}
	c, _, err := compiler.Compile(res, compiler.Options{})
	var tooLong *compiler.TooLongError
	if err != nil {
		if !errors.As(err, &tooLong) {
			t.Errorf("Compile: %v", err)
		}
		return
	}
	same(t, proof.Policy(res), proof.Program(c))
	spec, err := oci.Spec(p)
	if err != nil {
		t.Errorf("Spec: %v", err)
		return
	}
	again, err := oci.FromSpec(spec)
	if err != nil {
		t.Errorf("FromOCI of OCI: %v", err)
		return
	}
	reread, _, err := policy.Resolve(again, policy.Options{ABIs: abis})
	if err != nil {
		t.Errorf("the printed policy does not resolve: %v", err)
		return
	}
	same(t, proof.Policy(res), proof.Policy(reread))
}

// same fails if two subjects are proved to be different.
func same(t *testing.T, a, b proof.Subject) {
	t.Helper()
	res, err := proof.Equal(a, b, proof.Limits{})
	if err != nil || res.Verdict == proof.Different {
		t.Errorf("%v %v", res.Witness, err)
	}
}
