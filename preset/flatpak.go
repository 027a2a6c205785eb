package preset

import (
	"fmt"
	"slices"
	"strings"
)

// Flags of flatpak run's --allow, in the order in which the name of a profile has them.
const (
	multiarch = 1 << iota
	devel
	bluetooth
	canbus
	flatpakSets // how many sets of flags there are
)

// flatpakNames returns the names of flatpak's profiles: each release with each set of
// flags, which counts them in binary.
func flatpakNames() []string {
	var names []string
	for _, name := range [...]string{"flatpak@1.14.10", "flatpak@1.16.6", "flatpak"} {
		for set := range flatpakSets {
			n := name
			for i, flag := range [...]string{"multiarch", "devel", "bluetooth", "canbus"} {
				if set>>i&1 != 0 {
					n += "+" + flag
				}
			}
			names = append(names, n)
		}
	}
	return names
}

// flatpak returns the profile with the given index in flatpakNames, in Docker's format.
// It says what flatpak's common/flatpak-run.c: setup_seccomp makes of libseccomp's calls.
func flatpak(index int) []byte {
	first, set := index < flatpakSets, index%flatpakSets
	var rules []string
	deny := func(errno int, names, rest string) {
		rules = append(rules, fmt.Sprintf("\t\t"+`{"names": ["%s"], "action": "SCMP_ACT_ERRNO", "errnoRet": %d%s}`,
			strings.ReplaceAll(names, " ", `", "`), errno, rest))
	}
	names := "acct add_key chroot get_mempolicy keyctl mbind migrate_pages mount move_pages pivot_root quotactl request_key " +
		"set_mempolicy setns syslog umount umount2 unshare uselib"
	if set&multiarch == 0 || first {
		names += " modify_ldt"
	}
	if set&devel == 0 {
		names += " perf_event_open ptrace"
		deny(1, "personality", arg(0, "NE", 0))
	}
	deny(1, names, "")
	deny(38, "clone3 fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree", "")
	const newUser = 0x1000_0000
	deny(1, "clone", masked(0, newUser, newUser)+arches("excludes", "s390 s390x"))
	deny(1, "clone", masked(1, newUser, newUser)+arches("includes", "s390 s390x"))
	const mips = "mips mipsel mips64 mipsel64 mips64n32 mipsel64n32"
	for _, request := range [...]struct{ usual, mips uint64 }{{0x5412, 0x5472}, {0x541c, 0x5483}} { // TIOCSTI, TIOCLINUX
		deny(1, "ioctl", masked(1, 0xffff_ffff, request.usual)+arches("excludes", mips))
		deny(1, "ioctl", masked(1, 0xffff_ffff, request.mips)+arches("includes", mips))
	}
	// flatpak adds these rules exactly or not at all: not where socketcall hides the
	// family, and not to a filter for several ABIs.
	unfiltered := "mips mipsel ppc ppc64 ppc64le s390 s390x x86"
	if set&multiarch != 0 {
		unfiltered += " amd64 arm64"
	}
	families := []int{0, 1, 2, 10, 16} // AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
	if set&canbus != 0 {
		families = append(families, 29)
	}
	if set&bluetooth != 0 {
		families = append(families, 31)
	}
	last := families[len(families)-1]
	for family := range last {
		if !slices.Contains(families, family) {
			deny(97, "socket", arg(0, "EQ", uint64(family))+arches("excludes", unfiltered))
		}
	}
	deny(97, "socket", arg(0, "GT", uint64(last))+arches("excludes", unfiltered))

	second := ""
	if set&multiarch != 0 {
		second = "\t" + `"archMap": [
		{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
		{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}
	],` + "\n"
	}
	return []byte("{\n\t\"defaultAction\": \"SCMP_ACT_ALLOW\",\n" + second + "\t\"syscalls\": [\n" + strings.Join(rules, ",\n") + "\n\t]\n}\n")
}

func arg(index int, op string, value uint64) string {
	return fmt.Sprintf(`, "args": [{"index": %d, "value": %d, "op": "SCMP_CMP_%s"}]`, index, value, op)
}

func masked(index int, mask, value uint64) string {
	return fmt.Sprintf(`, "args": [{"index": %d, "value": %d, "valueTwo": %d, "op": "SCMP_CMP_MASKED_EQ"}]`, index, mask, value)
}

func arches(key, names string) string {
	return fmt.Sprintf(`, "%s": {"arches": ["%s"]}`, key, strings.ReplaceAll(names, " ", `", "`))
}
