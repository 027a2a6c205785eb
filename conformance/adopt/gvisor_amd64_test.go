package adopt

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gvisor.dev/gvisor/pkg/abi/linux"
	"gvisor.dev/gvisor/pkg/bpf"
	"gvisor.dev/gvisor/pkg/seccomp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// gVisor's own interpreter of filters decides calls as the profile says.
func TestGVisorExecutesOurPrograms(t *testing.T) {
	for name, s := range map[string]string{
		"arguments": `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
			{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 3, "op": "SCMP_CMP_LT"}]},
			{"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 7, "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
			{"names": ["ptrace"], "action": "SCMP_ACT_KILL"}]}`,
		"docker": "",
	} {
		spec := docker(t)
		if s != "" {
			spec = profile(t, s)
		}
		spec.Architectures = nil // gVisor runs programs of 64 bits only
		program, err := BuildProgram(spec)
		if err != nil {
			t.Fatal(err)
		}
		source, err := read(spec)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		buffer := make([]byte, 64)
		for nr := range uint32(600) {
			for range 20 {
				d := cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()}
				for i := range d.Args {
					d.Args[i] = random.Uint64() >> (random.UintN(8) * 8)
				}
				call := linux.SeccompData{Nr: int32(nr), Arch: d.Arch, Args: d.Args}
				got, err := bpf.Exec[bpf.NativeEndian](program, seccomp.DataAsBPFInput(&call, buffer))
				if want := source.Meaning.Eval(&d); err != nil || cbpf.Action(got) != want {
					t.Fatalf("%s: %+v: %v, %v; want %v", name, d, cbpf.Action(got), err, want)
				}
			}
		}
	}
}

// What its kernel does not have is refused.
func TestGVisorRefuses(t *testing.T) {
	for _, action := range []string{"LOG", "NOTIFY", "KILL_PROCESS"} {
		s := profile(t, `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_`+action+`"}]}`)
		if _, err := BuildProgram(s); err == nil || !strings.Contains(err.Error(), action) {
			t.Errorf("%s: %v", action, err)
		}
	}
}
