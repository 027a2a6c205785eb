package loader

import (
	"strconv"
	"strings"
)

// A Flag is a bit of seccomp(2)'s flags argument, or several of them
// (linux/seccomp.h: SECCOMP_FILTER_FLAG_*).
type Flag uint32

// The flags of Linux 6.18.
const (
	TSync            Flag = 1 << iota // synchronise all threads
	LogFlag                           // log all actions but ALLOW
	SpecAllow                         // do not turn on the speculation mitigation
	NewListener                       // return a listener for NOTIFY
	TSyncESRCH                        // report a diverged thread as ESRCH
	WaitKillableRecv                  // received notifications wait killable
)

// flagPrefix is what all the names begin with.
const flagPrefix = "SECCOMP_FILTER_FLAG_"

// flagTable describes each bit, in order.
var flagTable = [...]struct {
	name    string // without flagPrefix
	since   string // first Linux version that has it
	profile bool   // a profile may name it
}{
	{"TSYNC", "3.17", true},
	{"LOG", "4.14", true},
	{"SPEC_ALLOW", "4.17", true},
	{"NEW_LISTENER", "5.0", false},
	{"TSYNC_ESRCH", "5.7", false},
	{"WAIT_KILLABLE_RECV", "5.19", true},
}

// KnownFlags returns the flags that a profile may name, in the order of their
// bits. The others are the loader's own business.
func KnownFlags() []Flag {
	var known []Flag
	for i := range flagTable {
		if flagTable[i].profile {
			known = append(known, 1<<i)
		}
	}
	return known
}

// ParseFlag returns the flag of a profile called name, which is one of
// [KnownFlags] as [Flag.String] writes it: "SECCOMP_FILTER_FLAG_LOG".
func ParseFlag(name string) (Flag, error) {
	for _, f := range KnownFlags() {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, problem("flag " + strconv.Quote(name) + " is unknown (known: " + knownNames() + ")")
}

// String returns the name that linux/seccomp.h has for the flag. Several are
// joined by "|"; bits without a name are a hexadecimal number, as is 0.
func (f Flag) String() string {
	var names []string
	rest := f
	for i := range flagTable {
		if bit := Flag(1) << i; f&bit != 0 {
			names = append(names, flagPrefix+flagTable[i].name)
			rest &^= bit
		}
	}
	if rest != 0 || f == 0 {
		names = append(names, "0x"+strconv.FormatUint(uint64(rest), 16))
	}
	return strings.Join(names, "|")
}

// unknown returns the bits that have no name.
func (f Flag) unknown() Flag { return f &^ (1<<len(flagTable) - 1) }

func knownNames() string {
	var names []string
	for _, f := range KnownFlags() {
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}
