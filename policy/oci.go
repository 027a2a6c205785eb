package policy

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// actions are runtime-spec's names of the action classes. KILL comes after
// KILL_THREAD, which says the same and is the name that gets printed.
var actions = [...]struct {
	name   specs.LinuxSeccompAction
	action cbpf.Action
}{
	{specs.ActKillProcess, cbpf.KillProcess},
	{specs.ActKillThread, cbpf.KillThread},
	{specs.ActKill, cbpf.KillThread},
	{specs.ActTrap, cbpf.Trap},
	{specs.ActErrno, cbpf.ErrnoClass},
	{specs.ActNotify, cbpf.Notify},
	{specs.ActTrace, cbpf.TraceClass},
	{specs.ActLog, cbpf.Log},
	{specs.ActAllow, cbpf.Allow},
}

// flags are the filter flags of runtime-spec. TSYNC is in its text and schema
// and not among its Go constants.
var flags = [...]string{
	"SECCOMP_FILTER_FLAG_TSYNC",
	string(specs.LinuxSeccompFlagLog),
	string(specs.LinuxSeccompFlagSpecAllow),
	string(specs.LinuxSeccompFlagWaitKillableRecv),
}

// The functions below turn the words of runtime-spec into values. Their reason
// is "" when all is well, and otherwise that of an Error.

func parseAction(name string) (a cbpf.Action, reason string) {
	for _, k := range actions {
		if string(k.name) == name {
			return k.action, ""
		}
	}
	known := make([]string, len(actions))
	for i, k := range actions {
		known[i] = string(k.name)
	}
	return 0, unknown("action", name, known)
}

// actionName returns the name of an action class. That of anything else is one
// that no reader takes.
func actionName(a cbpf.Action) specs.LinuxSeccompAction {
	for _, k := range actions {
		if k.action == a {
			return k.name
		}
	}
	return specs.LinuxSeccompAction(fmt.Sprintf("SCMP_ACT_%#08x", uint32(a)))
}

// parseArch returns the ABI with runtime-spec's name. SCMP_ARCH_NATIVE, which
// other tools accept, stands for native.
func parseArch(name string, native arch.ABI) (a arch.ABI, reason string) {
	if name == "SCMP_ARCH_NATIVE" {
		if !native.Valid() {
			return 0, quote(name) + ": Linux has no ABI for this program (name the ABI)"
		}
		return native, ""
	}
	for a := range arch.All() {
		if a.OCI() == name {
			return a, ""
		}
	}
	var known []string
	for a := range arch.All() {
		known = append(known, a.OCI())
	}
	near := nearest(name, known)
	if a, err := arch.Parse(strings.ToLower(name)); err == nil {
		near = a.OCI()
	}
	return 0, unknownNear("architecture", name, near, known)
}

func checkFlag(name string) (reason string) {
	for _, f := range flags {
		if f == name {
			return ""
		}
	}
	return unknown("flag", name, flags[:])
}

func checkIndex(index uint64) (reason string) {
	if index > 5 {
		return strconv.FormatUint(index, 10) + ": a syscall has only 6 arguments (take 0 to 5)"
	}
	return ""
}

const (
	noNames       = "no names: a rule without names decides nothing (name a system call or remove the rule)"
	emptyName     = "empty name: no system call has it (name a system call or remove it)"
	metadataAlone = "needs a listenerPath to be sent to (add one or remove listenerMetadata)"
)

// The cures for a key that is missing.
const (
	needDefault = "missing: the profile does not say what happens to calls that no rule names (add one, such as SCMP_ACT_ERRNO)"
	needNames   = "missing: the rule does not say which calls it is about (add a list of names)"
	needAction  = "missing: the rule does not say what happens (add one, such as SCMP_ACT_ALLOW)"
	needIndex   = "missing: the condition does not say which argument it is about (add 0 to 5)"
	needValue   = "missing: the condition does not say what to compare with (add a number)"
	needOp      = "missing: the condition does not say how to compare (add one, such as SCMP_CMP_EQ)"
)

// FromOCI turns runtime-spec's type into a Policy that shares no memory with it.
// The pointers of the rules, and of the [Errors], are relative to s.
func FromOCI(s *specs.LinuxSeccomp) (*Policy, error) {
	if s == nil {
		return nil, Errors{{Kind: Invalid, Reason: "no seccomp object, so no filter is asked for (do not install one)"}}
	}
	var c converter
	p := &Policy{ListenerPath: s.ListenerPath, ListenerMetadata: s.ListenerMetadata}
	if s.DefaultAction == "" {
		c.fail("/defaultAction", needDefault)
	} else {
		p.Default = c.action("/defaultAction", s.DefaultAction)
	}
	p.DefaultErrno = c.errno("/defaultErrnoRet", s.DefaultErrnoRet)
	for i, name := range s.Architectures {
		a, reason := parseArch(string(name), arch.Native())
		if reason != "" {
			c.fail(sub("/architectures", i), reason)
		}
		p.ABIs = append(p.ABIs, a)
	}
	if s.Flags != nil {
		p.Flags = make([]string, 0, len(s.Flags))
	}
	for i, name := range s.Flags {
		if reason := checkFlag(string(name)); reason != "" {
			c.fail(sub("/flags", i), reason)
		}
		p.Flags = append(p.Flags, string(name))
	}
	if s.ListenerMetadata != "" && s.ListenerPath == "" {
		c.fail("/listenerMetadata", metadataAlone)
	}
	for i := range s.Syscalls {
		p.Rules = append(p.Rules, c.rule(sub("/syscalls", i), &s.Syscalls[i]))
	}
	if err := c.errs.orNil(); err != nil {
		return nil, err
	}
	return p, nil
}

// sub returns the pointer of an element of the array at pointer.
func sub(pointer string, index int) string { return pointer + "/" + strconv.Itoa(index) }

// A converter collects the problems of a value of runtime-spec's type.
type converter struct{ errs Errors }

func (c *converter) fail(pointer, reason string) {
	c.errs = append(c.errs, &Error{Kind: Invalid, Pointer: pointer, Reason: reason})
}

func (c *converter) action(pointer string, name specs.LinuxSeccompAction) cbpf.Action {
	a, reason := parseAction(string(name))
	if reason != "" {
		c.fail(pointer, reason)
	}
	return a
}

func (c *converter) errno(pointer string, n *uint) *uint {
	if n != nil && uint64(*n) > math.MaxUint32 {
		c.fail(pointer, outOfRange(strconv.FormatUint(uint64(*n), 10), math.MaxUint32))
	}
	return clone(n)
}

func (c *converter) rule(pointer string, s *specs.LinuxSyscall) Rule {
	rule := Rule{Pointer: pointer}
	if len(s.Names) == 0 {
		c.fail(pointer+"/names", noNames)
	}
	for i, name := range s.Names {
		if name == "" {
			c.fail(sub(pointer+"/names", i), emptyName)
		}
		rule.Names = append(rule.Names, name)
	}
	if s.Action == "" {
		c.fail(pointer+"/action", needAction)
	} else {
		rule.Action = c.action(pointer+"/action", s.Action)
	}
	rule.Errno = c.errno(pointer+"/errnoRet", s.ErrnoRet)
	for i, a := range s.Args {
		at := sub(pointer+"/args", i)
		if reason := checkIndex(uint64(a.Index)); reason != "" {
			c.fail(at+"/index", reason)
		}
		op, reason := parseOp(string(a.Op))
		if a.Op == "" {
			reason = needOp
		}
		if reason != "" {
			c.fail(at+"/op", reason)
		}
		rule.Args = append(rule.Args, Arg{a.Index, op, a.Value, a.ValueTwo})
	}
	return rule
}

// OCI returns the policy as a value of runtime-spec's type that shares no memory
// with p. Pointers are lost.
func (p *Policy) OCI() *specs.LinuxSeccomp {
	s := &specs.LinuxSeccomp{
		DefaultAction:    actionName(p.Default),
		DefaultErrnoRet:  clone(p.DefaultErrno),
		ListenerPath:     p.ListenerPath,
		ListenerMetadata: p.ListenerMetadata,
	}
	for _, a := range p.ABIs {
		s.Architectures = append(s.Architectures, specs.Arch(a.OCI()))
	}
	if p.Flags != nil {
		s.Flags = make([]specs.LinuxSeccompFlag, 0, len(p.Flags))
	}
	for _, f := range p.Flags {
		s.Flags = append(s.Flags, specs.LinuxSeccompFlag(f))
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		call := specs.LinuxSyscall{
			Names:    append([]string(nil), rule.Names...),
			Action:   actionName(rule.Action),
			ErrnoRet: clone(rule.Errno),
		}
		for _, a := range rule.Args {
			call.Args = append(call.Args, specs.LinuxSeccompArg{
				Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: specs.LinuxSeccompOperator(a.Op.String()),
			})
		}
		s.Syscalls = append(s.Syscalls, call)
	}
	return s
}

func clone(n *uint) *uint {
	if n == nil {
		return nil
	}
	c := *n
	return &c
}
