package oci

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
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

// The functions below turn runtime-spec's names into values. They return nil on success,
// and otherwise the name as an unknown word.

func parseAction(name string) (a cbpf.Action, bad *unknown.Word) {
	for _, k := range actions {
		if string(k.name) == name {
			return k.action, nil
		}
	}
	known := make([]string, len(actions))
	for i, k := range actions {
		known[i] = string(k.name)
	}
	return 0, unknown.New("action", name, known)
}

// parseArch returns the ABI with runtime-spec's name. SCMP_ARCH_NATIVE, which
// other tools accept, means native.
func parseArch(name string, native arch.ABI) (a arch.ABI, bad *unknown.Word) {
	if name == "SCMP_ARCH_NATIVE" {
		if !native.Valid() {
			return 0, &unknown.Word{What: "here, since Linux has no ABI for this program (name the ABI)", Name: name}
		}
		return native, nil
	}
	for a := range arch.All() {
		if a.OCI() == name {
			return a, nil
		}
	}
	var known []string
	for a := range arch.All() {
		known = append(known, a.OCI())
	}
	bad = unknown.New("architecture", name, known)
	if a, err := arch.Parse(strings.ToLower(name)); err == nil {
		bad.Near = a.OCI()
	}
	return 0, bad
}

func parseFlag(name string) (f cbpf.Flag, bad *unknown.Word) {
	f, err := cbpf.ParseFlag(name)
	if err == nil {
		return f, nil
	}
	var known []string
	for _, f := range cbpf.ProfileFlags() {
		known = append(known, f.String())
	}
	return 0, unknown.New("flag", name, known)
}

func parseOp(name string) (op policy.Op, bad *unknown.Word) {
	for op := policy.NotEqual; op <= policy.MaskedEqual; op++ {
		if op.String() == name {
			return op, nil
		}
	}
	var known []string
	for op := policy.NotEqual; op <= policy.MaskedEqual; op++ {
		known = append(known, op.String())
	}
	return 0, unknown.New("operator", name, known)
}

// The cures for a key that is missing.
const (
	needDefault = "missing: the profile does not say what happens to calls that no rule names (add one, such as SCMP_ACT_ERRNO)"
	needAction  = "missing: the rule does not say what happens (add one, such as SCMP_ACT_ALLOW)"
	needIndex   = "missing: the condition does not say which argument it tests (add 0 to 5)"
	needValue   = "missing: the condition does not say what to compare with (add a number)"
	needOp      = "missing: the condition does not say how to compare (add one, such as SCMP_CMP_EQ)"
)

// FromSpec turns a value of runtime-spec's type into a Policy that shares no memory with
// it. The pointers of the rules, and of the problems, are relative to s. A nil s is an
// error. Errors are [policy.Errors].
func FromSpec(s *specs.LinuxSeccomp) (*policy.Policy, error) {
	if s == nil {
		return nil, policy.Errors{{Kind: policy.Invalid, Reason: "no seccomp object, so no filter is asked for (do not install one)"}}
	}
	var c converter
	p := &policy.Policy{ListenerPath: s.ListenerPath, ListenerMetadata: s.ListenerMetadata}
	if s.DefaultAction == "" {
		c.fail("/defaultAction", needDefault)
	} else {
		p.Default = c.action("/defaultAction", s.DefaultAction)
	}
	p.DefaultErrno = c.errno("/defaultErrnoRet", s.DefaultErrnoRet)
	for i, name := range s.Architectures {
		a, bad := parseArch(string(name), arch.Native())
		c.check(sub("/architectures", i), bad)
		p.ABIs = append(p.ABIs, a)
	}
	if s.Flags != nil {
		p.Flags = make([]cbpf.Flag, len(s.Flags))
	}
	for i, name := range s.Flags {
		var bad *unknown.Word
		p.Flags[i], bad = parseFlag(string(name))
		c.check(sub("/flags", i), bad)
	}
	for i := range s.Syscalls {
		p.Rules = append(p.Rules, c.rule(sub("/syscalls", i), &s.Syscalls[i]))
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return p, nil
}

// sub returns the pointer of an element of the array at pointer.
func sub(pointer string, index int) string { return pointer + "/" + strconv.Itoa(index) }

// A converter collects the problems of turning a value of runtime-spec's type into a
// policy, or back.
type converter struct {
	errs  policy.Errors
	lists unknown.Lists
}

func (c *converter) fail(pointer, reason string) {
	c.errs = append(c.errs, &policy.Error{Kind: policy.Invalid, Pointer: pointer, Reason: reason})
}

// check reports a name that does not exist; nil is none.
func (c *converter) check(pointer string, bad *unknown.Word) {
	if bad != nil {
		c.fail(pointer, c.lists.Text(bad))
	}
}

func (c *converter) action(pointer string, name specs.LinuxSeccompAction) cbpf.Action {
	a, bad := parseAction(string(name))
	c.check(pointer, bad)
	return a
}

func (c *converter) errno(pointer string, n *uint) *uint {
	if n != nil && uint64(*n) > math.MaxUint32 {
		c.fail(pointer, outOfRange(strconv.FormatUint(uint64(*n), 10), math.MaxUint32))
	}
	return clone(n)
}

func (c *converter) rule(pointer string, s *specs.LinuxSyscall) policy.Rule {
	rule := policy.Rule{Pointer: pointer, Names: slices.Clone(s.Names)}
	if s.Action == "" {
		c.fail(pointer+"/action", needAction)
	} else {
		rule.Action = c.action(pointer+"/action", s.Action)
	}
	rule.Errno = c.errno(pointer+"/errnoRet", s.ErrnoRet)
	for i, a := range s.Args {
		op, bad := parseOp(string(a.Op))
		if at := sub(pointer+"/args", i) + "/op"; a.Op == "" {
			c.fail(at, needOp)
		} else {
			c.check(at, bad)
		}
		rule.Args = append(rule.Args, policy.Arg{Index: a.Index, Op: op, Value: a.Value, ValueTwo: a.ValueTwo})
	}
	return rule
}

// Spec returns a policy as a value of runtime-spec's type that shares no memory with
// it. Pointers are lost. The error, [policy.Errors], has every part of the policy that OCI
// profiles have no words for: the numbers and ABIs of rules, and the data of TRAP.
func Spec(p *policy.Policy) (*specs.LinuxSeccomp, error) {
	var c converter
	s := &specs.LinuxSeccomp{
		DefaultAction:    c.word(p.Pointer+"/defaultAction", p.Default),
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
	if p.Order != policy.Libseccomp {
		c.fail(p.Pointer, "OCI profiles cannot say that the first rule that matches decides (compile the policy instead)")
	}
	if len(p.Older) > 0 {
		c.fail(p.Pointer, "one OCI profile cannot say what several filters do (compile the policy instead)")
	}
	if p.Elsewhere != cbpf.KillThread {
		c.fail(p.Pointer, "OCI profiles cannot say "+p.Elsewhere.String()+" for calls through other ABIs (compile the policy instead)")
	}
	if p.X32 != nil && *p.X32 != cbpf.KillThread {
		c.fail(p.Pointer, "OCI profiles cannot say "+p.X32.String()+" for calls of x32 alone (compile the policy instead)")
	}
	if p.NoBound && !p.Default.Permits(cbpf.WithTracer) {
		c.fail(p.Pointer, "OCI profiles cannot say that numbers above those of the rules get the default action (compile the policy instead)")
	}
	for _, f := range p.Flags {
		s.Flags = append(s.Flags, specs.LinuxSeccompFlag(f.String()))
	}
	for i := range p.Rules {
		pointer := p.Rules[i].Pointer
		if pointer == "" {
			pointer = sub(p.Pointer+"/syscalls", i)
		}
		s.Syscalls = append(s.Syscalls, c.call(pointer, &p.Rules[i]))
	}
	if len(c.errs) > 0 {
		return nil, c.errs
	}
	return s, nil
}

// word returns the name of an action, "" if it has none.
func (c *converter) word(pointer string, a cbpf.Action) specs.LinuxSeccompAction {
	for _, k := range actions {
		if k.action == a {
			return k.name
		}
	}
	c.fail(pointer, a.String()+": OCI profiles cannot say this action (use a class, without data)")
	return ""
}

// call returns a rule.
func (c *converter) call(pointer string, rule *policy.Rule) specs.LinuxSyscall {
	if len(rule.Numbers) > 0 {
		c.fail(pointer+"/numbers", "OCI profiles cannot give calls by number (use names)")
	}
	if len(rule.ABIs) > 0 {
		c.fail(pointer+"/abis", "OCI profiles cannot limit a rule to some ABIs (write one profile for each ABI)")
	}
	call := specs.LinuxSyscall{
		Names:    slices.Clone(rule.Names),
		Action:   c.word(pointer+"/action", rule.Action),
		ErrnoRet: clone(rule.Errno),
	}
	for i, a := range rule.Args {
		if a.Op > policy.MaskedEqual {
			c.fail(sub(pointer+"/args", i)+"/op", a.Op.String()+": OCI profiles have no such operator")
		} else if a.Low {
			c.fail(sub(pointer+"/args", i)+"/low", "OCI profiles cannot compare half of an argument (compare all of it)")
		}
		call.Args = append(call.Args, specs.LinuxSeccompArg{
			Index: a.Index, Value: a.Value, ValueTwo: a.ValueTwo, Op: specs.LinuxSeccompOperator(a.Op.String()),
		})
	}
	return call
}

func clone(n *uint) *uint {
	if n == nil {
		return nil
	}
	c := *n
	return &c
}
