// Package policy says what a seccomp profile means. A [Policy] is what the user
// asked, with names; a [Resolved] is the same with numbers for stated ABIs, and
// its Eval is the reference meaning that every compiled filter must agree with.
package policy

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Policy is a seccomp profile as it was asked for: names instead of numbers,
// rules in profile order. It is the one type here that may be written by hand;
// nothing of this package keeps or changes one.
//
// The zero Policy kills the thread on every call.
type Policy struct {
	// Default decides calls that no rule decides, a class without data.
	Default cbpf.Action
	// DefaultErrno is the data of an ERRNO or TRACE default; nil means EPERM.
	DefaultErrno *uint
	// ABIs is the profile's architectures list; empty means the native ABI.
	ABIs []arch.ABI
	// Flags are the filter flags by their SECCOMP_FILTER_FLAG_ names. nil means
	// that the profile does not say, empty that it asks for none.
	Flags []string
	// ListenerPath and ListenerMetadata are handed to whoever runs the listener.
	ListenerPath, ListenerMetadata string
	Rules                          []Rule
	// Pointer is the JSON pointer of the seccomp object in the file it came from:
	// "" for a profile, "/linux/seccomp" for a config.json.
	Pointer string
}

// A Rule is one entry of a profile: one rule for each of its names.
type Rule struct {
	Names  []string
	Args   []Arg
	Action cbpf.Action // a class without data
	Errno  *uint       // data of an ERRNO or TRACE action; nil means EPERM
	// Pointer is the JSON pointer of the entry in the file it came from, "" if
	// the rule was made by hand.
	Pointer string
}

// An Arg is one condition of a rule, as the profile writes it.
type Arg struct {
	Index           uint // 0 to 5
	Op              Op
	Value, ValueTwo uint64 // for MaskedEqual the mask and the datum
}

// An Op compares an argument with a constant. All comparisons are unsigned. The
// zero Op is none and an error.
type Op uint8

// The operators of runtime-spec.
const (
	NotEqual Op = iota + 1
	Less
	LessEqual
	Equal
	GreaterEqual
	Greater
	MaskedEqual
)

// A Mode chooses between the two readings of a profile.
type Mode uint8

const (
	// Runc decides everything as runc with libseccomp does.
	Runc Mode = iota
	// Strict takes the specification's MUSTs and the safer reading: unknown
	// names, errno values on actions without one, errno values above 4095 and
	// MIPS numbers of another ABI are refused instead of tolerated.
	Strict
)

// A Target is what a profile is read for: the machine and the container that the
// conditions of Docker's and Podman's formats are resolved for. Plain OCI profiles
// have no conditions.
type Target struct {
	// Format is the format that the profile is in; zero leaves it to [Sniff].
	Format Format
	// ABI is the main ABI of the container; zero means [arch.Native].
	ABI arch.ABI
	// Caps are the capabilities that the container holds, as "CAP_SYS_ADMIN";
	// nil means none. See [DefaultCaps] and [PodmanCaps].
	Caps []string
	// Kernel is the running kernel; zero means one that is newer than every
	// minKernel of a profile.
	Kernel syscalltables.Version
}
