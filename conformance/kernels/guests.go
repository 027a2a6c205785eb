package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A guest is a machine to boot and the kernel to boot it with.
type guest struct {
	name     string // its architecture as Debian calls it, with the release of an older kernel
	native   arch.ABI
	callers  []arch.ABI // all ABIs that its kernel presents, native first
	env      string     // of the Go compiler, beside GOARCH
	suite    string     // Debian release of the kernel
	kernel   string     // Debian package of the kernel
	build    *build     // not nil for a kernel that is built here instead
	machine  string     // qemu's command line without what all guests share
	provider string     // Debian package of that qemu
	console  string
	append   string // further words of the kernel's command line
	restart  bool   // cannot switch itself off
	// lostValues says that the kernel is known to lose the value of a listener's
	// answer: the call returns 0.
	lostValues bool
}

// debian returns Debian's name of the architecture.
func (g *guest) debian() string {
	name, _, _ := strings.Cut(g.name, "-")
	return name
}

// guests returns all guests that there are kernels for in Debian.
func guests() []guest {
	const pc = "qemu-system-x86_64 -M pc -cpu max -m 256"
	const patient = "no_timer_check" // on a busy host ticks may come too late for the check
	const pseries = "qemu-system-ppc64 -M pseries -cpu power9 -m 512 -vga none"
	const s390 = "qemu-system-s390x -M s390-ccw-virtio -cpu max -m 256"
	return []guest{
		{name: "amd64", native: arch.X86_64, callers: []arch.ABI{arch.X86_64, arch.X32, arch.X86}, suite: "sid", kernel: "linux-image-amd64",
			machine: pc, provider: "qemu-system-x86", console: "ttyS0", append: patient + " syscall.x32=y"},
		{name: "amd64-bullseye", native: arch.X86_64, callers: []arch.ABI{arch.X86_64, arch.X86}, suite: "bullseye", kernel: "linux-image-amd64",
			machine: pc, provider: "qemu-system-x86", console: "ttyS0", append: patient},
		{name: "i386", native: arch.X86, callers: []arch.ABI{arch.X86}, suite: "bookworm", kernel: "linux-image-686-pae",
			machine: "qemu-system-i386 -M pc -cpu max -m 256", provider: "qemu-system-x86", console: "ttyS0", append: patient},
		{name: "arm64", native: arch.AArch64, callers: []arch.ABI{arch.AArch64, arch.ARM}, suite: "sid", kernel: "linux-image-arm64",
			machine: "qemu-system-aarch64 -M virt -cpu cortex-a57 -m 256", provider: "qemu-system-arm", console: "ttyAMA0"},
		{name: "armhf", native: arch.ARM, callers: []arch.ABI{arch.ARM}, env: "GOARM=7", suite: "sid", kernel: "linux-image-armmp",
			machine: "qemu-system-arm -M virt -cpu cortex-a15 -m 256", provider: "qemu-system-arm", console: "ttyAMA0"},
		{name: "armel", native: arch.ARM, callers: []arch.ABI{arch.ARM}, env: "GOARM=5", suite: "bookworm", kernel: "linux-image-rpi",
			machine: "qemu-system-arm -M raspi0", provider: "qemu-system-arm", console: "ttyAMA0",
			append: "initcall_blacklist=bcm2835_pm_driver_init", restart: true},
		{name: "mipsel", native: arch.MIPSEL, callers: []arch.ABI{arch.MIPSEL}, env: "GOMIPS=softfloat", suite: "bookworm", kernel: "linux-image-4kc-malta",
			machine: "qemu-system-mipsel -M malta -cpu 24Kf -m 256", provider: "qemu-system-mips", console: "ttyS0", append: "nokaslr", restart: true},
		{name: "mips64el", native: arch.MIPSEL64, callers: []arch.ABI{arch.MIPSEL64, arch.MIPSEL64N32, arch.MIPSEL}, env: "GOMIPS64=softfloat",
			suite: "bookworm", kernel: "linux-image-5kc-malta",
			machine: "qemu-system-mips64el -M malta -cpu 5KEf -m 256", provider: "qemu-system-mips", console: "ttyS0", append: "nokaslr", restart: true},
		{name: "ppc64el", native: arch.PPC64LE, callers: []arch.ABI{arch.PPC64LE}, suite: "sid", kernel: "linux-image-powerpc64le",
			machine: pseries, provider: "qemu-system-ppc", console: "hvc0", lostValues: true},
		{name: "ppc64el-trixie", native: arch.PPC64LE, callers: []arch.ABI{arch.PPC64LE}, suite: "trixie", kernel: "linux-image-powerpc64le",
			machine: pseries, provider: "qemu-system-ppc", console: "hvc0"},
		{name: "s390x", native: arch.S390X, callers: []arch.ABI{arch.S390X}, suite: "sid", kernel: "linux-image-s390x",
			machine: s390, provider: "qemu-system-misc", console: "ttysclp0"},
		{name: "s390x-bookworm", native: arch.S390X, callers: []arch.ABI{arch.S390X, arch.S390}, suite: "bookworm", kernel: "linux-image-s390x",
			machine: s390, provider: "qemu-system-misc", console: "ttysclp0"},
		{name: "riscv64", native: arch.RISCV64, callers: []arch.ABI{arch.RISCV64}, suite: "sid", kernel: "linux-image-riscv64",
			machine: "qemu-system-riscv64 -M virt -cpu rv64 -m 256", provider: "qemu-system-misc", console: "ttyS0"},
		{name: "loong64", native: arch.LoongArch64, callers: []arch.ABI{arch.LoongArch64}, suite: "sid", kernel: "linux-image-loong64",
			machine: "qemu-system-loongarch64 -M virt -cpu la464 -m 1024", provider: "qemu-system-misc", console: "ttyS0"},
	}
}

// choose returns the guests whose name, or architecture, is in a comma-separated
// list; all of Debian's if it is empty.
func choose(list string) ([]guest, error) {
	if list == "" {
		return guests(), nil
	}
	all := append(guests(), localGuests()...)
	var chosen []guest
	for want := range strings.SplitSeq(list, ",") {
		n := len(chosen)
		for _, g := range all {
			if want == g.name || want == g.debian() {
				chosen = append(chosen, g)
			}
		}
		if len(chosen) == n {
			var names []string
			for _, g := range all {
				names = append(names, g.name)
			}
			return nil, fmt.Errorf("no guest %q (known: %s)", want, strings.Join(names, ", "))
		}
	}
	// Named twice, booted once.
	slices.SortStableFunc(chosen, func(a, b guest) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(chosen, func(a, b guest) bool { return a.name == b.name }), nil
}
