package main

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/policy"
)

// parseCaps returns the capability set that --cap states: names with or without
// CAP_, in any case, and the words default (Docker's), none and all.
func parseCaps(words []string) ([]string, error) {
	var set []string
	for _, word := range words {
		switch name := strings.ToUpper(word); name {
		case "DEFAULT":
			set = append(set, policy.DefaultCaps()...)
		case "ALL":
			set = append(set, capNames()...)
		case "NONE":
			if len(words) > 1 {
				return nil, usagef("--cap: none and other capabilities exclude each other")
			}
		default:
			name = "CAP_" + strings.TrimPrefix(name, "CAP_")
			if !slices.Contains(capNames(), name) {
				return nil, usagef("--cap: unknown capability %q", word).
					hintNearest(name, capNames(), "capabilities(7) lists them; default, none and all are sets")
			}
			set = append(set, name)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

// capNames returns the capabilities of Linux (linux/capability.h), in the order
// of their numbers.
func capNames() []string {
	return strings.Fields(`
		CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_KILL CAP_SETGID CAP_SETUID
		CAP_SETPCAP CAP_LINUX_IMMUTABLE CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_ADMIN CAP_NET_RAW
		CAP_IPC_LOCK CAP_IPC_OWNER CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_CHROOT CAP_SYS_PTRACE CAP_SYS_PACCT
		CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_NICE CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_MKNOD
		CAP_LEASE CAP_AUDIT_WRITE CAP_AUDIT_CONTROL CAP_SETFCAP CAP_MAC_OVERRIDE CAP_MAC_ADMIN CAP_SYSLOG
		CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_AUDIT_READ CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE`)
}
