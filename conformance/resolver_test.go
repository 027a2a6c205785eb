package conformance

import (
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/syscalltables"
)

// A difference is a name on which libseccomp's tables and ours differ.
type difference struct {
	abi  arch.ABI // 0 for all
	name string
	why  string
}

// differences are those with Debian's libseccomp 2.5.4, whose table is of Linux 6.7.
func differences() []difference {
	var d []difference
	for _, name := range []string{
		"statmount", "listmount", "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules", // 6.8
		"mseal",                                                    // 6.10
		"uretprobe",                                                // 6.11
		"setxattrat", "getxattrat", "listxattrat", "removexattrat", // 6.13
		"open_tree_attr",               // 6.15
		"file_getattr", "file_setattr", // 6.17
		"uprobe",           // 6.18
		"listns",           // 6.19
		"rseq_slice_yield", // 7.0
	} {
		d = append(d, difference{0, name, "came after Linux 6.7"})
	}
	return append(d,
		difference{arch.RISCV64, "riscv_hwprobe", "libseccomp has it from 2.6 on"},
		difference{arch.X32, "map_shadow_stack", "libseccomp has it for x86_64 only; asm/unistd_x32.h has it"},
	)
}

// TestTablesAgreeWithLibseccomp compares names and numbers in both directions on
// every ABI that libseccomp knows.
func TestTablesAgreeWithLibseccomp(t *testing.T) {
	explained, used := differences(), map[difference]bool{}
	excuse := func(a arch.ABI, name string) bool {
		i := slices.IndexFunc(explained, func(d difference) bool { return d.name == name && (d.abi == a || d.abi == 0) })
		if i >= 0 {
			used[explained[i]] = true
		}
		return i >= 0
	}
	var unknown []arch.ABI
	for a := range arch.All() {
		if !scmp.Supports(a) {
			unknown = append(unknown, a)
			continue
		}
		t.Run(a.String(), func(t *testing.T) {
			for c := syscalltables.Call(1); c.Valid(); c++ {
				theirs, known := scmp.Resolve(a, c.Name())
				ours, ok := c.Number(a)
				switch {
				case !known:
					if ok && !excuse(a, c.Name()) {
						t.Errorf("%v is %d, libseccomp does not know the name", c, ours)
					}
				case multiplexed(a, theirs): // the number is compared below
				case theirs < 0:
					if ok && !excuse(a, c.Name()) {
						t.Errorf("%v is %d, libseccomp says that this ABI lacks it", c, ours)
					}
				case !ok || uint32(theirs) != ours:
					t.Errorf("%v is %d, %v, libseccomp says %d", c, ours, ok, theirs)
				}
			}
			for _, nr := range numbers(a) {
				c, _ := syscalltables.ByNumber(a, nr)
				if theirs := scmp.Name(a, nr); theirs != c.Name() && !excuse(a, c.Name()) {
					t.Errorf("%d is %q, libseccomp says %q", nr, c, theirs)
				}
			}
		})
	}
	if scmp.Version() != "2.5.4" {
		t.Logf("libseccomp %s does not know %v; the differences named here are those with 2.5.4", scmp.Version(), unknown)
		return
	}
	if want := []arch.ABI{arch.LoongArch64, arch.M68K, arch.SH, arch.SHEB}; !slices.Equal(unknown, want) {
		t.Errorf("libseccomp does not know %v, want %v", unknown, want)
	}
	for _, d := range explained {
		if !used[d] {
			t.Errorf("%v: %s is no difference: drop it here", d.abi, d.name)
		}
	}
}

// multiplexed reports whether libseccomp's number is one of those below zero
// that it gives, on ABIs with socketcall and ipc, to the calls that these
// multiplex, also where they have a number of their own
// (seccomp-syscalls.h: __PNR_socket to __PNR_shmctl).
func multiplexed(a arch.ABI, nr int32) bool {
	_, mux := a.Socketcall()
	return mux && -224 <= nr && nr <= -101
}

// numbers returns all numbers of an ABI that are or could be given to a call.
func numbers(a arch.ABI) []uint32 {
	var n []uint32
	for i := range uint32(1000) {
		n = append(n, a.Base()+i)
	}
	for i := range uint32(16) {
		n = append(n, 0xf0000+i) // arm's private calls
	}
	return n
}
