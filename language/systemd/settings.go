package systemd

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// Settings are what a unit says about filters.
type settings struct {
	hostname, execMemory, realtime, setID, dynamicUser     *flag
	tunables, modules, kernelLogs, clock, devices, lockABI *flag

	families   familyList
	namespaces namespaceList
	archs      archList
	persona    uint64 // of Personality=
	errno      uint   // of SystemCallErrorNumber=; 0 kills
	errnoAt    string
	filter     callList // of SystemCallFilter=
	log        callList // of SystemCallLog=
}

// A flag is a boolean setting that is on.
type flag struct{ place string }

// set applies an assignment. place is that of its key.
func (r *reader) set(a *assignment, place string) {
	switch a.key {
	case "SystemCallFilter":
		r.readCalls(a, &r.filter, true)
	case "SystemCallLog":
		r.readCalls(a, &r.log, false)
	case "SystemCallErrorNumber":
		r.readErrno(a)
	case "SystemCallArchitectures":
		r.readArchs(a)
	case "RestrictAddressFamilies":
		r.readFamilies(a)
	case "RestrictNamespaces":
		r.readNamespaces(a)
	case "Personality":
		r.readPersonality(a)
	case "ProtectHostname":
		r.readHostname(a)
	case "MemoryDenyWriteExecute":
		r.readFlag(a, &r.execMemory)
	case "RestrictRealtime":
		r.readFlag(a, &r.realtime)
	case "RestrictSUIDSGID":
		r.readFlag(a, &r.setID)
	case "DynamicUser":
		r.readFlag(a, &r.dynamicUser)
	case "ProtectKernelTunables":
		r.readFlag(a, &r.tunables)
	case "ProtectKernelModules":
		r.readFlag(a, &r.modules)
	case "ProtectKernelLogs":
		r.readFlag(a, &r.kernelLogs)
	case "ProtectClock":
		r.readFlag(a, &r.clock)
	case "PrivateDevices":
		r.readFlag(a, &r.devices)
	case "LockPersonality":
		r.readFlag(a, &r.lockABI)
	default:
		r.checkKey(a.key, place)
	}
}

// filterKeys returns the keys that set reads.
func filterKeys() []string {
	return []string{
		"SystemCallFilter", "SystemCallLog", "SystemCallErrorNumber", "SystemCallArchitectures", "RestrictAddressFamilies",
		"RestrictNamespaces", "Personality", "ProtectHostname", "MemoryDenyWriteExecute", "RestrictRealtime", "RestrictSUIDSGID",
		"DynamicUser", "ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectClock", "PrivateDevices", "LockPersonality",
	}
}

// checkKey warns of a key that was probably meant to be one of those that are read, and
// not one of systemd's other keys that look like them.
func (r *reader) checkKey(key, place string) {
	others := [...]string{
		"ProtectProc", "ProtectHome", "ProtectSystem", "ProtectControlGroups", "PrivateTmp", "PrivateNetwork", "PrivateIPC",
		"PrivatePIDs", "PrivateUsers", "PrivateMounts", "RestrictFileSystems", "RestrictNetworkInterfaces", "DelegateNamespaces",
	}
	const most = 10000 // no unit has so many, and each takes a while
	if r.keys++; r.keys > most || slices.Contains(others[:], key) {
		return
	}
	if near := unknown.Nearest(key, slices.Concat(filterKeys(), others[:])); slices.Contains(filterKeys(), near) {
		r.Warn(policy.UnknownKey, place, unknown.Quote(key)+": not a key of systemd's, which ignores it"+unknown.DidYouMean(near))
	}
}

// ignore warns of a value that systemd ignores.
func (r *reader) ignore(place, value, reason string) {
	r.Warn(policy.Ignored, place, unknown.Quote(value)+": "+reason)
}

// parseBool reads a boolean in one of systemd's forms.
func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

func (r *reader) readFlag(a *assignment, f **flag) {
	on, ok := parseBool(a.value)
	switch {
	case !ok:
		r.ignore(a.here(), a.value, "not a boolean, so systemd ignores the line (use yes or no)")
	case on:
		*f = &flag{a.here()}
	default:
		*f = nil
	}
}

// readHostname reads ProtectHostname=, which has more values since systemd 258: one makes
// no filter, and one may be followed by the host name.
func (r *reader) readHostname(a *assignment) {
	value := a.value
	if r.release.version >= 258 {
		if mode, name, ok := strings.Cut(value, ":"); ok && name != "" {
			value = mode
		}
		if value == "private" {
			r.hostname = nil
			return
		}
		if on, ok := parseBool(value); value == a.value || ok && on {
			a = &assignment{a.text, a.key, value, a.at}
		}
	}
	r.readFlag(a, &r.hostname)
}

// kill is what stands for an errno where the process is killed instead, and bare for none.
const (
	kill = math.MaxInt
	bare = -1
)

// parseErrno reads the name or number of an error, or "kill".
func (r *reader) parseErrno(s string) (errno int, ok bool) {
	if s == "kill" {
		return kill, true
	}
	if n, ok := r.native.Errno(strings.ToUpper(s)); ok {
		return int(n), true
	}
	if n, err := strconv.ParseInt(s, 0, 32); err == nil && 0 <= n && n <= 4095 && !strings.Contains(s, "_") {
		return int(n), true
	}
	return 0, false
}

func (r *reader) readErrno(a *assignment) {
	n, ok := r.parseErrno(a.value)
	switch {
	case a.value == "" || n == kill:
		r.errno, r.errnoAt = 0, ""
	case !ok || n == 0:
		r.ignore(a.here(), a.value, "not an error, so systemd ignores the line (use a name such as EPERM, or a number from 1 to 4094)")
	default:
		r.errno, r.errnoAt = uint(n), a.here()
	}
}

// denial returns the action of calls that a list denies without an errno of their own.
func (r *reader) denial() cbpf.Action {
	if r.errno == 0 {
		return cbpf.KillProcess
	}
	return cbpf.Errno(uint16(r.errno))
}

// archNames are systemd's names of ABIs.
var archNames = [...]string{
	arch.X86_64: "x86-64", arch.X32: "x32", arch.X86: "x86", arch.ARM: "arm", arch.AArch64: "arm64", arch.RISCV64: "riscv64",
	arch.LoongArch64: "loongarch64", arch.MIPS: "mips", arch.MIPSEL: "mips-le", arch.MIPS64: "mips64", arch.MIPSEL64: "mips64-le",
	arch.MIPS64N32: "mips64-n32", arch.MIPSEL64N32: "mips64-le-n32", arch.PPC: "ppc", arch.PPC64: "ppc64", arch.PPC64LE: "ppc64-le",
	arch.S390: "s390", arch.S390X: "s390x", arch.PARISC: "parisc", arch.PARISC64: "parisc64",
}

// An archList is what SystemCallArchitectures= allows.
type archList struct {
	place string
	abis  []arch.ABI // with the native one; nil allows all
}

func (r *reader) readArchs(a *assignment) {
	if a.value == "" {
		r.archs = archList{}
		return
	}
	words, ok := a.words(0, true)
	for _, w := range words {
		abi := arch.ABI(max(0, slices.Index(archNames[:], w.string)))
		if w.string == "native" {
			abi = r.native
		}
		if abi == 0 || w.string == "" {
			cure := cmp.Or(separators(w.string), r.Near(func() string {
				if meant, err := arch.Parse(w.string); err == nil && int(meant) < len(archNames) {
					return archNames[meant]
				}
				return unknown.Nearest(w.string, append(archNames[1:], "native"))
			}))
			r.Warn(policy.UnknownName, a.place(w.at), unknown.Quote(w.string)+": not a name of an architecture, so systemd ignores it"+cure)
			continue
		}
		if r.archs.abis == nil {
			r.archs = archList{a.here(), []arch.ABI{r.native}}
		}
		if !slices.Contains(r.archs.abis, abi) {
			r.archs.abis = append(r.archs.abis, abi)
		}
	}
	r.checkQuotes(a, ok)
}

func (r *reader) checkQuotes(a *assignment, ok bool) {
	if !ok {
		r.ignore(a.here(), a.value, "a quote without its end, so systemd ignores the last word (end the quote)")
	}
}

// PER_LINUX32 of linux/personality.h; PER_LINUX is 0.
const perLinux32 = 8

// readPersonality reads what LockPersonality= fixes.
func (r *reader) readPersonality(a *assignment) {
	abi := arch.ABI(max(0, slices.Index(archNames[:], a.value)))
	switch {
	case a.value == "" || abi == r.native:
		r.persona = 0
	case abi != 0 && abi.Bits() == 32 && abi != arch.X32 && abi.Main() == r.native:
		r.persona = perLinux32
	default:
		r.ignore(a.here(), a.value, "not a personality of "+r.native.String()+", so systemd ignores the line")
	}
}
