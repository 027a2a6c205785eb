package preset_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/syscalltables"
)

// fineVerdicts are what the presets for sandboxes must stop and must let through: lines of
// ABIs, a call, its arguments and the verdict. Where the ABIs are "all", it is those that
// have the call; those behind a minus sign are left out.
var fineVerdicts = map[string]string{
	"no-network": `
all                socket      1 1 0                  ALLOW
all                socket      1 0x80801 0            ALLOW
all                socket      0 1 0                  EAFNOSUPPORT
all                socket      2 1 0                  EAFNOSUPPORT
all                socket      10 2 17                EAFNOSUPPORT
all                socket      16 3 0                 EAFNOSUPPORT
all                socket      17 3 0                 EAFNOSUPPORT
all                socket      45 1 0                 EAFNOSUPPORT
all                socket      0xffffffff 1 0         EAFNOSUPPORT
x86_64             socket      0x7f0000000002 1 0     EAFNOSUPPORT
x86_64,s390x       socket      0x7f0000000001 1 0     EAFNOSUPPORT
all                socketpair  1 1 0                  ALLOW
all                socketpair  30 4 0                 EAFNOSUPPORT
all                socketcall  1 0x10000              EAFNOSUPPORT
all                socketcall  8 0x10000              EAFNOSUPPORT
all                socketcall  3 0x10000              ALLOW
ppc64le,s390x      socketcall  0x100000001 0x10000    EAFNOSUPPORT
ppc64,s390x        socketcall  0x700000008 0x10000    EAFNOSUPPORT
all                io_uring_setup    8 0x10000        EPERM
all                io_uring_enter    3 1 1            EPERM
all                io_uring_register 3 0 0 0          EPERM
all                pidfd_getfd       3 0 0            EPERM
all                request_key 0x10000 0x10000 0x10000 0 EPERM
all                connect     3 0x10000 16           ALLOW
all                sendmsg     3 0x10000 0            ALLOW
all                add_key     0x10000 0x10000 0 0 0  ALLOW
all                clone3      0x10000 88             ALLOW
`,
	"no-af-unix": `
all                socket      1 1 0                  EAFNOSUPPORT
all                socket      1 0x80802 0            EAFNOSUPPORT
x86_64,aarch64,s390x,mips64 socket 0xdead00000001 5 0 EAFNOSUPPORT
all                socket      2 1 0                  ALLOW
all                socket      10 2 0                 ALLOW
all                socket      16 3 0                 ALLOW
all                socket      0x101 1 0              ALLOW
all,-mips,-mipsel,-mips64,-mipsel64,-mips64n32,-mipsel64n32 socketpair 1 1 0       ALLOW
all,-mips,-mipsel,-mips64,-mipsel64,-mips64n32,-mipsel64n32 socketpair 1 0x80801 0 ALLOW
all,-mips,-mipsel,-mips64,-mipsel64,-mips64n32,-mipsel64n32 socketpair 1 2 0       EAFNOSUPPORT
all,-mips,-mipsel,-mips64,-mipsel64,-mips64n32,-mipsel64n32 socketpair 1 0x80802 0 EAFNOSUPPORT
mips,mipsel,mips64,mipsel64,mips64n32,mipsel64n32 socketpair 1 2 0       ALLOW
mips,mipsel,mips64,mipsel64,mips64n32,mipsel64n32 socketpair 1 0x80082 0 ALLOW
mips,mipsel,mips64,mipsel64,mips64n32,mipsel64n32 socketpair 1 1 0       EAFNOSUPPORT
mips,mipsel,mips64,mipsel64,mips64n32,mipsel64n32 socketpair 1 0x81 0    EAFNOSUPPORT
all                socketpair  1 3 0                  EAFNOSUPPORT
all                socketpair  1 5 0                  ALLOW
x86_64,aarch64     socketpair  0x500000001 0x500000002 0 EAFNOSUPPORT
all                socketpair  30 2 0                 ALLOW
all                socketpair  30 1 0                 ALLOW
all                socketcall  1 0x10000              EAFNOSUPPORT
all                socketcall  8 0x10000              EAFNOSUPPORT
all                socketcall  8 0x10002              EAFNOSUPPORT
s390x,ppc64        socketcall  0x100000001 0x10000    EAFNOSUPPORT
all                socketcall  16 0x10000             ALLOW
all                io_uring_setup    8 0x10000        EPERM
all                io_uring_enter    3 1 1            EPERM
all                io_uring_register 3 0 0 0          EPERM
all                pidfd_getfd 3 0 0                  EPERM
all                connect     3 0x10000 16           ALLOW
`,
	"no-new-namespaces": `
all                unshare     0x00020000             EPERM
all                unshare     0x02000000             EPERM
all                unshare     0x04000000             EPERM
all                unshare     0x08000000             EPERM
all                unshare     0x10000000             EPERM
all                unshare     0x20000000             EPERM
all                unshare     0x40000000             EPERM
all                unshare     0x00000080             EPERM
all                unshare     0x00100000             EPERM
all                unshare     0x10000600             EPERM
x86_64             unshare     0x100000000            EPERM
all                unshare     0x200                  ALLOW
all                unshare     0x40600                ALLOW
all,-s390,-s390x   clone       0x00020011             EPERM
all,-s390,-s390x   clone       0x02000011             EPERM
all,-s390,-s390x   clone       0x04000011             EPERM
all,-s390,-s390x   clone       0x08000011             EPERM
all,-s390,-s390x   clone       0x10000011             EPERM
all,-s390,-s390x   clone       0x20000011             EPERM
all,-s390,-s390x   clone       0x40000011             EPERM
all,-s390,-s390x   clone       0x3d0f00 0x10000000    ALLOW
all,-s390,-s390x   clone       0x4111                 ALLOW
x86_64             clone       0xffff000000000011     ALLOW
x86_64             clone       0xffff000010000011     EPERM
s390,s390x         clone       0x10000000 0x3d0f00    ALLOW
s390,s390x         clone       0 0x00020011           EPERM
s390,s390x         clone       0 0x02000011           EPERM
s390,s390x         clone       0 0x04000011           EPERM
s390,s390x         clone       0 0x08000011           EPERM
s390,s390x         clone       0 0x10000011           EPERM
s390,s390x         clone       0 0x20000011           EPERM
s390,s390x         clone       0 0x40000011           EPERM
all                clone3      0x10000 88             ENOSYS
all                fork                               ALLOW
all                vfork                              ALLOW
all                setns       3 0                    EPERM
all                open_tree   -100 0x10000 1         ALLOW
all                open_tree   -100 0x10000 2         EPERM
all                open_tree_attr -100 0x10000 2 0 0  EPERM
all                fsmount     3 2 0                  EPERM
all                fsmount     3 1 0                  ALLOW
`,
	"no-io-uring": `
all                io_uring_setup    8 0x10000        EPERM
all                io_uring_enter    3 1 1            EPERM
all                io_uring_register 3 0 0 0          EPERM
all                io_setup    8 0x10000              ALLOW
all                socket      2 1 0                  ALLOW
`,
	"no-ptrace": `
all                ptrace      0 0 0 0                EPERM
all                ptrace      0x4206 1 0 0           EPERM
all                process_vm_readv  1 0x10000 1 0x10000 1 0 EPERM
all                process_vm_writev 1 0x10000 1 0x10000 1 0 EPERM
all                process_madvise   3 0x10000 1 4 0  EPERM
all                pidfd_getfd 3 0 0                  EPERM
all                kcmp        1 2 0 0 0              EPERM
all                pidfd_open  1 0                    ALLOW
all                kill        1 0                    ALLOW
all                madvise     0 0 4                  ALLOW
`,
	"no-keyctl": `
all                keyctl      0 0 0                  ENOSYS
all                add_key     0x10000 0x10000 0 0 0  ENOSYS
all                request_key 0x10000 0x10000 0 0    ENOSYS
all                getuid                             ALLOW
`,
	"no-userfaultfd": `
all                userfaultfd 1                      EPERM
all                ioctl       3 0xaa00 0             EPERM
all                ioctl       3 0x2000aa00 0         EPERM
x86_64,aarch64     ioctl       3 0xffffffff0000aa00 0 EPERM
all                ioctl       3 0xaa01 0             ALLOW
all                ioctl       3 0x5401 0             ALLOW
`,
	"no-new-privileged-sockets": `
all                socket      17 3 0x300             EAFNOSUPPORT
all                socket      38 5 0                 EAFNOSUPPORT
all                socket      40 1 0                 EAFNOSUPPORT
all                socket      44 3 0                 EAFNOSUPPORT
x86_64,s390x       socket      0x100000026 5 0        EAFNOSUPPORT
all                socket      2 10 0x300             EAFNOSUPPORT
all                socket      2 0x8080a 0x300        EAFNOSUPPORT
x86_64             socket      0x100000002 0xf0000000a 0 EAFNOSUPPORT
all                socket      16 3 9                 EAFNOSUPPORT
all                socket      16 0x80003 9           EAFNOSUPPORT
x86_64             socket      0x100000010 3 0x100000009 EAFNOSUPPORT
all                socket      16 3 0                 ALLOW
all                socket      2 1 0                  ALLOW
all                socket      2 2 9                  ALLOW
all                socket      1 1 0                  ALLOW
all                socketpair  1 1 0                  ALLOW
all                socketcall  1 0x10000              EAFNOSUPPORT
s390x,ppc64le      socketcall  0x100000001 0x10000    EAFNOSUPPORT
all                socketcall  8 0x10000              ALLOW
all                io_uring_setup    8 0x10000        EPERM
all                io_uring_enter    3 1 1            EPERM
all                io_uring_register 3 0 0 0          EPERM
all                pidfd_getfd 3 0 0                  EPERM
`,
	"no-module-loading": `
all                init_module   0x10000 100 0x10000  EPERM
all                finit_module  3 0x10000 0          EPERM
all                delete_module 0x10000 0            EPERM
all                kexec_load    0 0 0 0              EPERM
all                kexec_file_load 3 4 0 0 0          EPERM
all                mount         0 0 0 0 0            ALLOW
`,
	"w-xor-x": `
all,-s390,-s390x,-x86,-m68k,-x32 mmap 0 4096 7 0x22 -1 0 EACCES
all,-s390,-s390x,-x86,-m68k,-x32 mmap 0 4096 6 0x22 -1 0 EACCES
all,-s390,-s390x,-x86,-m68k,-x32 mmap 0 4096 5 0x2 3 0   ALLOW
all,-s390,-s390x,-x86,-m68k,-x32 mmap 0 4096 3 0x22 -1 0 ALLOW
x86_64,mips64      mmap        0 4096 0x100000007 0x22 -1 0 EACCES
x86_64             mmap        0 4096 1 2 3 0x7ffffffffffff000 ALLOW
x86,m68k,x32       mmap        0x10000                EACCES
x86,m68k,x32       mmap        0 4096 1 2 3 0         EACCES
s390,s390x         mmap        0x10000 0 7            ALLOW
all,-s390          mmap2       0 4096 7 0x22 -1 0     EACCES
all,-s390          mmap2       0 4096 5 0x22 -1 0     ALLOW
s390               mmap2       0x10000 0 7            ALLOW
all                mprotect    0x10000 4096 3         ALLOW
all                mprotect    0x10000 4096 1         ALLOW
all                mprotect    0x10000 4096 5         EACCES
all                mprotect    0x10000 4096 4         EACCES
all                mprotect    0x10000 4096 7         EACCES
all                pkey_mprotect 0x10000 4096 5 0     EACCES
all                pkey_mprotect 0x10000 4096 3 0     ALLOW
all                shmat       1 0 0x8000             EACCES
all                shmat       1 0 0                  ALLOW
all                ipc         21 1 0x8000 0x10000 0  EACCES
all                ipc         0x20015 1 0x8000 0x10000 0 EACCES
all                ipc         21 1 0 0x10000 0       ALLOW
all                ipc         23 1 0x8000 0          ALLOW
all                personality 0x400000               EACCES
all                personality 0x80400001             EACCES
x86_64,aarch64     personality 0xf00400000            EACCES
all                personality 0                      ALLOW
all                personality 0x40000                ALLOW
all                memfd_create 0x10000 1             ENOSYS
all                userfaultfd 1                      EPERM
all                ioctl       3 0xaa00 0             EPERM
all                ioctl       3 0x2000aa00 0         EPERM
all                io_uring_setup    8 0x10000        EPERM
all                io_uring_enter    3 1 1            EPERM
all                io_uring_register 3 0 0 0          EPERM
all                perf_event_open 0x10000 0 -1 -1 0  EPERM
all                bpf         0 0x10000 72           EPERM
all                ptrace      0 0 0 0                EPERM
all                ptrace      4 1 0x10000 0          EPERM
all                process_vm_writev 1 0x10000 1 0x10000 1 0 ALLOW
all                mremap      0x10000 4096 8192 1    ALLOW
`,
}

func TestFinePresetsDecide(t *testing.T) {
	for name, table := range fineVerdicts {
		rows := strings.Split(strings.TrimSpace(table), "\n")
		used := make([]bool, len(rows))
		for a := range arch.All() {
			r := resolved(t, name, a, a.Family()...)
			for i, row := range rows {
				d, want, ok := dataOf(t, a, row)
				if !ok {
					continue
				}
				used[i] = true
				if got := verdict(r.Eval(d), a); got != want {
					t.Errorf("%s: %v: %s: got %s", name, a, row, got)
				}
			}
		}
		if i := slices.Index(used, false); i >= 0 {
			t.Errorf("%s: %s: on no ABI", name, rows[i])
		}
	}
}

// dataOf returns the call of a row on an ABI, if the row is for it, and the verdict.
func dataOf(t *testing.T, a arch.ABI, row string) (d *cbpf.Data, want string, ok bool) {
	t.Helper()
	f := strings.Fields(row)
	call, known := syscalltables.Lookup(f[1])
	if !known {
		t.Fatalf("%s: no such call", row)
	}
	nr, ok := call.Number(a)
	listed := strings.Split(f[0], ",")
	if !ok || slices.Contains(listed, "-"+a.String()) || listed[0] != "all" && !slices.Contains(listed, a.String()) {
		return nil, "", false
	}
	d = &cbpf.Data{NR: nr, Arch: a.Audit()}
	for i, s := range f[2 : len(f)-1] {
		d.Args[i] = number(t, s)
		if a.Bits() == 32 {
			d.Args[i] &= 1<<32 - 1
		}
	}
	return d, f[len(f)-1], true
}

func number(t *testing.T, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		signed, err := strconv.ParseInt(s, 0, 64)
		if err != nil {
			t.Fatal(err)
		}
		n = uint64(signed)
	}
	return n
}

// verdict returns the word of an action in the tables.
func verdict(action cbpf.Action, a arch.ABI) string {
	if action.Class() == cbpf.ErrnoClass {
		return a.ErrnoName(action.Data())
	}
	return action.String()
}

// resolved returns the meaning of a preset on target ABIs of the kernel of an ABI.
func resolved(t *testing.T, name string, a arch.ABI, targets ...arch.ABI) *policy.Resolved {
	t.Helper()
	text, err := preset.Profile(name)
	if err != nil {
		t.Fatal(err)
	}
	main := targets[0]
	if slices.Contains(targets, a.Main()) {
		main = a.Main()
	}
	p, warnings, err := oci.Read(text, policy.Target{ABI: main})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: %v %v", name, err, warnings)
	}
	r, _, err := policy.Resolve(p, policy.Options{ABIs: targets})
	if err != nil {
		t.Fatalf("%s: %v: %v", name, a, err)
	}
	return r
}

// Alone, an ABI gets a filter, and the others of its kernel are shut.
func TestFinePresetsForOneABI(t *testing.T) {
	for name := range fineVerdicts {
		for a := range arch.All() {
			r := resolved(t, name, a, a)
			if _, _, err := compiler.Compile(r, compiler.Options{}); err != nil {
				t.Errorf("%s: %v: %v", name, a, err)
			}
			for _, other := range a.Family() {
				d := &cbpf.Data{NR: other.Base() + 5, Arch: other.Audit()}
				if got := r.Eval(d); other.Audit() != a.Audit() && got != cbpf.KillThread {
					t.Errorf("%s for %v: a call of %v: %v", name, a, other, got)
				}
			}
		}
		d := &cbpf.Data{NR: arch.X32Bit | 41, Arch: arch.X86_64.Audit(), Args: [6]uint64{1}}
		if got := resolved(t, name, arch.X86_64, arch.X86_64).Eval(d); got != cbpf.KillThread {
			t.Errorf("%s: a call of x32: %v", name, got)
		}
	}
}

// The tables cover every preset for sandboxes, and each of them allows what it does not name.
func TestFinePresetsHaveTables(t *testing.T) {
	fine := 0
	for _, name := range preset.Names() {
		if !strings.HasPrefix(name, "no-") && name != "w-xor-x" {
			continue
		}
		fine++
		if fineVerdicts[name] == "" {
			t.Errorf("%s has no table", name)
		}
		if r := resolved(t, name, arch.X86_64, arch.X86_64); r.Default != cbpf.Allow {
			t.Errorf("%s: default %v", name, r.Default)
		}
	}
	if fine != len(fineVerdicts) {
		t.Errorf("%d presets, %d tables", fine, len(fineVerdicts))
	}
}
