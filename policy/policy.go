// Package policy defines what a seccomp profile means.
//
// A [Policy] is the profile as its author wrote it, with the names of system calls.
// Write one by hand, or read one from a file with package language/oci. [Resolve] turns
// it into a [Resolved], which has numbers for the target ABIs, and returns warnings
// about what the author may not have meant. [Resolved.Eval] is the reference meaning:
// package compiler makes filters that agree with it, and package proof proves it.
package policy

import (
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Policy is a seccomp profile as its author wrote it: calls mostly by name, rules in
// profile order. This package neither keeps nor changes one.
//
// The zero Policy kills the thread on every call.
type Policy struct {
	// Default is the action of calls that no rule decides: a class, as in [Rule].
	Default cbpf.Action
	// DefaultErrno is the data of an ERRNO or TRACE default; nil means EPERM.
	DefaultErrno *uint
	// Elsewhere is the action of calls through an ABI that is not a target, unless
	// [Options] say another one. The zero value kills the thread.
	Elsewhere cbpf.Action
	// X32 is the action of x86_64's numbers from [arch.X32Bit] on, the -1 with which a tracer
	// skips a call among them, where x32 is not a target, unless [Options] say another one.
	// nil leaves them to Order.
	X32 *cbpf.Action
	// Order says which rule decides where several match.
	Order Order
	// NoBound says that numbers above the largest that rules name get the default action
	// and not ERRNO(ENOSYS), as in languages other than OCI's and with runtimes other than
	// runc. Then NOTIFY may be the default action and that of write, too. [Options] that
	// name a kernel have precedence, and a policy of the order [FirstMatch] needs no NoBound.
	NoBound bool
	// ABIs is the profile's architectures list; empty means the native ABI. [Options] may
	// name others, unless Order or NoBound say that the policy is in another language than
	// OCI's or for another runtime than runc, or it has Older ones: then it holds on these
	// alone.
	ABIs []arch.ABI
	// Flags are the filter flags that the profile asks for, of [cbpf.ProfileFlags]. nil
	// means that the profile does not say, empty that it asks for none.
	Flags []cbpf.Flag
	// ListenerPath and ListenerMetadata are handed to whoever runs the listener.
	ListenerPath, ListenerMetadata string
	Rules                          []Rule
	// Pointer is the JSON pointer of the seccomp object in the file it came from:
	// "" for a profile, "/linux/seccomp" for a config.json.
	Pointer string
	// ArchMap is the JSON pointer of the row of archMap that ABIs are from, as Docker's
	// format has it: with - for its index (RFC 6901) if the file has none for the target.
	// It is "" if ABIs are from architectures.
	ArchMap string
	// Older are policies whose filters hold as well because they are loaded before this
	// one's, the oldest first, as for a unit of systemd. Together they mean what the kernel
	// makes of such filters: of their actions the strictest, with the data of the newest of
	// those filters that return it. They have no older ones themselves.
	Older []*Policy
	// LooseKeys are the JSON pointers of keys in another letter case than the format's.
	// Programs in Go, such as runc, honour them, and crun and youki do not: [Strict]
	// refuses them.
	LooseKeys []string
}

// A Rule is one entry of a profile: one rule for each of its names and numbers.
type Rule struct {
	Names []string
	// Numbers are calls by number, as [cbpf.Data] has it: with the base of MIPS and the
	// bit of x32. The -1 with which a tracer skips a call is 1<<32 - 1. A number stands
	// for itself alone: it is the same on all ABIs of the rule, whatever call it is
	// there, and does not reach through multiplexers. OCI profiles have only names.
	Numbers []uint32
	// ABIs are those on which the rule holds, as far as they are targets. Empty means
	// all targets, as in OCI profiles.
	ABIs []arch.ABI
	Args []Arg
	// Action is a class. Only TRAP may have data in it, as cbpf.Trap | 7 has: programs
	// find it as si_errno of their SIGSYS (kernel/signal.c: force_sig_seccomp).
	Action cbpf.Action
	Errno  *uint // data of an ERRNO or TRACE action; nil means EPERM
	// Comment is what the profile says about the entry. It has no effect.
	Comment string
	// Pointer is where the entry is: its JSON pointer in the file it came from, or in
	// other languages than JSON its place as LINE:COLUMN or, in an included file,
	// FILE:LINE:COLUMN. It is "" if the rule was made by hand.
	Pointer string
}

// An Arg is one condition of a rule, as the profile writes it.
type Arg struct {
	Index           uint // 0 to 5
	Op              Op
	Value, ValueTwo uint64 // for MaskedEqual and MaskedNotEqual the mask and the datum
	// Low means that only the lower 32 bits of the argument are compared, and those of
	// Value, for operators without a mask. OCI profiles cannot say that.
	Low bool
}

// A Target is what a profile is read for: the machine and the container that the
// conditions of Docker's and Podman's formats are resolved for. Plain OCI profiles
// have no conditions.
type Target struct {
	// ABI is the main ABI of the container; zero means [arch.Native].
	ABI arch.ABI
	// Caps are the capabilities that the container holds, as "CAP_SYS_ADMIN";
	// nil means none.
	Caps []string
	// Kernel is the running kernel; zero means one that is newer than every
	// minKernel of a profile.
	Kernel syscalltables.Version
}
