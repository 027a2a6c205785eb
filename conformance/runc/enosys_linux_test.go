package seccomp

import (
	"fmt"
	"slices"
	"testing"

	"github.com/opencontainers/runc/libcontainer/configs"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/oci"
	"github.com/seccompile/seccompile/syscalltables"
)

// A call that is newer than the newest in a profile fails with ENOSYS, on every
// ABI: what runc's tests of its stub in front of libseccomp's filters check
// (libcontainer/seccomp/patchbpf/enosys_linux_test.go), for our filters as a whole.
func TestENOSYS(t *testing.T) {
	// As runc knows them, grouped by what one filter can be for.
	groups := [][]string{
		{"x86", "amd64", "x32", "arm", "arm64", "mipsel", "mipsel64", "mipsel64n32", "ppc64le", "riscv64", "loong64"},
		{"mips", "mips64", "mips64n32", "ppc", "ppc64", "s390", "s390x"},
	}
	for _, group := range groups {
		for end := range group {
			for start := range end + 1 {
				names := group[start : end+1]
				t.Run(fmt.Sprint(names), func(t *testing.T) {
					for _, action := range []configs.Action{configs.Allow, configs.Log, configs.Errno, configs.Kill} {
						checkWindows(t, names, group, action)
					}
				})
			}
		}
	}
}

// newer are calls in the order in which Linux got them, on every ABI.
var newer = []string{"setns", "kcmp", "renameat2", "copy_file_range"}

// checkWindows looks at profiles that name some of the newer calls.
func checkWindows(t *testing.T, names, all []string, fallback configs.Action) {
	for _, window := range [][2]int{{0, 1}, {0, 2}, {1, 2}, {1, 3}, {1, 4}, {3, 4}} {
		named := newer[window[0]:window[1]]
		f := compile(t, names, named, fallback)
		for _, name := range all {
			abi := parse(t, name)
			if !slices.Contains(names, name) {
				// x86_64 and x32 look the same to a filter that is for both.
				if d := data(t, abi, "read"); abi.Main() != arch.X86_64 || !slices.Contains(names, "amd64") && !slices.Contains(names, "x32") {
					expect(t, f, &d, cbpf.KillThread, name, "read")
				}
				continue
			}
			checkABI(t, f, abi, window[1], named, fallback)
		}
	}
}

// checkABI looks at one ABI of a filter for a profile that names some of the newer
// calls, the last of which is before newer[end].
func checkABI(t *testing.T, f *oci.Filter, abi arch.ABI, end int, named []string, fallback configs.Action) {
	enosys, _ := abi.Errno("ENOSYS")
	missing, denied := cbpf.Errno(enosys), map[configs.Action]cbpf.Action{configs.Errno: cbpf.Errno(1), configs.Kill: cbpf.KillThread}
	other, denies := denied[fallback]
	if !denies {
		other = map[configs.Action]cbpf.Action{configs.Allow: cbpf.Allow, configs.Log: cbpf.Log}[fallback]
		missing = other
	}
	for i, call := range newer {
		want := other
		switch {
		case slices.Contains(named, call) && fallback == configs.Allow:
			want = cbpf.KillThread
		case slices.Contains(named, call):
			want = cbpf.Allow
		case i >= end:
			want = missing
		}
		d := data(t, abi, call)
		expect(t, f, &d, want, abi.String(), call)
	}
	for _, call := range []string{"clone", "openat", "read", "write"} {
		d := data(t, abi, call)
		expect(t, f, &d, other, abi.String(), call)
	}
	for _, beyond := range []uint32{1000, 7331} {
		d := data(t, abi, "copy_file_range")
		d.NR += beyond
		expect(t, f, &d, missing, abi.String(), fmt.Sprint(d.NR))
	}
	if abi == arch.S390 || abi == arch.S390X { // what unknown calls of their multiplexer become
		d := cbpf.Data{Arch: abi.Audit()}
		expect(t, f, &d, missing, abi.String(), "setup")
	}
}

// compile returns the filter of a profile that names calls, on a machine of the ABIs
// that it names.
func compile(t *testing.T, archs, calls []string, fallback configs.Action) *oci.Filter {
	t.Helper()
	action := configs.Allow
	if fallback == action {
		action = configs.Kill
	}
	config := &configs.Seccomp{DefaultAction: fallback, Architectures: archs}
	for _, call := range calls {
		config.Syscalls = append(config.Syscalls, &configs.Syscall{Name: call, Action: action})
	}
	profile, err := profileOf(config)
	if err != nil {
		t.Fatal(err)
	}
	o := oci.Options{}
	for _, name := range archs {
		o.Policy.ABIs = append(o.Policy.ABIs, parse(t, name))
	}
	f, err := oci.Compile(profile, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parse(t *testing.T, name string) arch.ABI {
	t.Helper()
	abi, err := arch.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return abi
}

// data is a call through an ABI.
func data(t *testing.T, abi arch.ABI, name string) cbpf.Data {
	t.Helper()
	call, _ := syscalltables.Lookup(name)
	nr, ok := call.Number(abi)
	if !ok {
		t.Fatalf("%v has no %s", abi, name)
	}
	return cbpf.Data{NR: nr, Arch: abi.Audit(), IP: 0xdeadbeefcafe, Args: [6]uint64{0x1337, 0xf00ba5}}
}

func expect(t *testing.T, f *oci.Filter, d *cbpf.Data, want cbpf.Action, abi, call string) {
	t.Helper()
	if got := f.Program.Eval(d); got != want {
		t.Errorf("%s %s: %v, want %v", abi, call, got, want)
	}
}

// libseccomp has an error for it, too.
func TestMixedByteOrder(t *testing.T) {
	profile, err := profileOf(&configs.Seccomp{DefaultAction: configs.Allow, Architectures: []string{"amd64", "s390x"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := oci.Compile(profile, oci.Options{}); err == nil {
		t.Error("a filter for both byte orders")
	}
}
