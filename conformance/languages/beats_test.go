package languages

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/beats"
)

// Each policy that go-seccomp-bpf compiles means the same here, and those that it refuses are
// refused.
func TestBeats(t *testing.T) {
	dir := corpus(t, "go-seccomp-bpf")
	var results []struct {
		Policy  string
		Results map[string]outcome
	}
	load(t, filepath.Join(dir, "results.json"), &results)
	var rows []row
	for _, a := range []arch.ABI{arch.X86_64, arch.AArch64, arch.X86} {
		r := row{set: "beats/" + a.String()}
		for _, f := range results {
			v := f.Results[a.String()].verdict(t, dir)
			if v.program == nil && v.length > 0 && a == arch.Native() {
				v.program = remake(t, filepath.Join(dir, f.Policy), v.length)
			}
			if v.program != nil && a.Bits() == 32 {
				v.program = lowWords(t, v.program)
			}
			r.judge(t, beats.Language{}, dir, f.Policy, a, v, held)
		}
		rows = append(rows, r)
	}
	table(t, rows)
}

// held is for policies whose filter is not given: the compiler proves ours.
func held(built) {}

// remake returns the filter that go-seccomp-bpf makes of a policy on this machine.
func remake(t *testing.T, file string, length int) *cbpf.Program {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := elastic(string(text))
	if err != nil || p.Len() != length {
		t.Fatalf("%s: %v, or not %d instructions", file, err, length)
	}
	return p
}

// lowWords returns a program for little-endian ABIs with arguments of 32 bits, for which the
// kernel makes the upper halves zero (include/linux/seccomp.h: struct seccomp_data).
func lowWords(t *testing.T, p *cbpf.Program) *cbpf.Program {
	t.Helper()
	const args, end = 16, 64 // offsets in struct seccomp_data
	code := p.Raw()
	for i, x := range code {
		if load := (bpf.LoadAbsolute{Off: x.K, Size: 4}); x.K >= args && x.K < end && x.K%8 == 4 && raw(t, load) == x {
			code[i] = raw(t, bpf.LoadConstant{Dst: bpf.RegA})
		}
	}
	low, err := cbpf.New(code, binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	return low
}

func raw(t *testing.T, x bpf.Instruction) bpf.RawInstruction {
	t.Helper()
	r, err := x.Assemble()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
