package cbpf

import (
	"errors"
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
	WaitKillableRecv                  // once its notification is received, only a fatal signal interrupts a call
)

// flagPrefix is what all the names begin with.
const flagPrefix = "SECCOMP_FILTER_FLAG_"

// flagTable describes each bit, in order.
var flagTable = [...]struct {
	name    string // without flagPrefix
	profile bool   // a profile may name it
}{
	{"TSYNC", true},
	{"LOG", true},
	{"SPEC_ALLOW", true},
	{"NEW_LISTENER", false},
	{"TSYNC_ESRCH", false},
	{"WAIT_KILLABLE_RECV", true},
}

// ProfileFlags returns the flags that a profile may name, in the order of their
// bits. The loader chooses the others.
func ProfileFlags() []Flag {
	var known []Flag
	for i := range flagTable {
		if flagTable[i].profile {
			known = append(known, 1<<i)
		}
	}
	return known
}

// ParseFlag returns the flag of a profile called name, which is one of
// [ProfileFlags] as [Flag.String] writes it: "SECCOMP_FILTER_FLAG_LOG".
func ParseFlag(name string) (Flag, error) {
	var names []string
	for _, f := range ProfileFlags() {
		if f.String() == name {
			return f, nil
		}
		names = append(names, f.String())
	}
	return 0, errors.New("cbpf: flag " + strconv.Quote(name) + " is unknown (known: " + strings.Join(names, ", ") + ")")
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
