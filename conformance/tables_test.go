package conformance

import (
	"testing"

	peer "github.com/elastic/go-seccomp-bpf/arch"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// go-seccomp-bpf numbers system calls as we do, but for its X32, which is x86_64's
// table with bit 30 set and so lacks the numbers from 512 up that x32 has of its own.
func TestNumbersAreThoseOfGoSeccompBPF(t *testing.T) {
	type difference struct {
		abi  string // "" for any
		name string
	}
	const age = "its tables are of Linux 6.16"
	explained := map[difference]string{
		{"x86_64", "uprobe"}:                 age,
		{"", "file_getattr"}:                 age,
		{"", "file_setattr"}:                 age,
		{"", "listns"}:                       age,
		{"", "rseq_slice_yield"}:             age,
		{"aarch64", "arch_specific_syscall"}: "__NR_arch_specific_syscall starts a range",
		{"aarch64", "fstatat"}:               "the name of 64-bit ABIs is newfstatat (asm-generic/unistd.h until Linux 6.10)",
		{"aarch64", "newfstatat"}:            "see fstatat",
	}
	for nr, c := range syscalltables.All(arch.X86) {
		if 403 <= nr && nr <= 423 {
			explained[difference{"aarch64", c.Name()}] = "it has the calls of asm-generic/unistd.h that are for 32 bits only"
		}
	}
	used := map[difference]bool{}
	differs := func(a arch.ABI, name string) bool {
		for _, d := range []difference{{a.String(), name}, {"", name}} {
			if explained[d] != "" {
				used[d] = true
				return false
			}
		}
		return true
	}
	for _, p := range []struct {
		abi  arch.ABI
		info *peer.Info
	}{{arch.X86_64, peer.X86_64}, {arch.X86, peer.I386}, {arch.ARM, peer.ARM}, {arch.AArch64, peer.AARCH64}} {
		for name, nr := range p.info.SyscallNames {
			c, _ := syscalltables.Lookup(name)
			if got, ok := c.Number(p.abi); (!ok || got != uint32(nr)) && differs(p.abi, name) {
				t.Errorf("%v: %s is %d there, but %d, %v here", p.abi, name, nr, got, ok)
			}
		}
		for nr, c := range syscalltables.All(p.abi) {
			if _, ok := p.info.SyscallNames[c.Name()]; !ok && differs(p.abi, c.Name()) {
				t.Errorf("%v: %v is %d here, but not there", p.abi, c, nr)
			}
		}
	}
	for d := range explained {
		if !used[d] {
			t.Errorf("%s %s does not differ any more: drop it here", d.abi, d.name)
		}
	}
}
