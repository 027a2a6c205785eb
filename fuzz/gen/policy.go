package gen

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A Family restricts random policies to profiles that several compilers agree on.
type Family uint8

const (
	// Any is everything that a profile can say.
	Any Family = iota
	// Masks has only EQ and MASKED_EQ conditions, on any number of arguments,
	// with different actions on one call too.
	Masks
	// OneArg has any operator, but on each call only one argument, data that
	// share the upper half, and one action.
	OneArg
)

// Options shape a random policy.
type Options struct {
	// ABIs are those whose names the policy uses; nil means x86_64.
	ABIs []arch.ABI
	// Entries is the largest number of rules; 0 means 16.
	Entries int
	Family  Family
	// Invalid sometimes breaks a rule of the format: an index above 5, an errno
	// above 4095, an entry without names, an operator that is none.
	Invalid bool
}

// classes are the action classes of linux/seccomp.h.
var classes = []cbpf.Action{
	cbpf.KillThread, cbpf.KillProcess, cbpf.Trap, cbpf.ErrnoClass,
	cbpf.Notify, cbpf.TraceClass, cbpf.Log, cbpf.Allow,
}

var ops = []policy.Op{
	policy.NotEqual, policy.Less, policy.LessEqual, policy.Equal,
	policy.GreaterEqual, policy.Greater, policy.MaskedEqual,
}

// multiplexed are names that reach some ABIs through socketcall(2) and ipc(2),
// and the multiplexers themselves.
var multiplexed = []string{
	"socketcall", "ipc", "socket", "bind", "connect", "accept", "accept4", "sendto", "recvfrom", "sendmsg",
	"getsockopt", "setsockopt", "recvmmsg", "semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv",
	"msgget", "shmat", "shmdt", "shmget", "shmctl",
}

// word joins an action class with data where the class carries any.
func word(class cbpf.Action, data uint16) cbpf.Action {
	if class == cbpf.ErrnoClass || class == cbpf.TraceClass {
		return class | cbpf.Action(data)
	}
	return class
}

// Policy draws a policy. [policy.Resolve] refuses some of them with good reason:
// two rules may contradict each other, or notify on write.
func Policy(r *rand.Rand, o Options) *policy.Policy {
	if len(o.ABIs) == 0 {
		o.ABIs = []arch.ABI{arch.X86_64}
	}
	if o.Entries <= 0 {
		o.Entries = 16
	}
	g := &policies{Rand: r, Options: o, actions: pickActions(r)}
	g.drawNames()
	p := &policy.Policy{ABIs: o.ABIs}
	p.Default, p.DefaultErrno = g.action()
	if p.Default == cbpf.Notify {
		p.Default = cbpf.KillProcess // refused as a default
	}
	for range r.IntN(o.Entries + 1) {
		p.Rules = append(p.Rules, g.rules()...)
	}
	for i := range p.Rules {
		p.Rules[i].Pointer = fmt.Sprintf("/syscalls/%d", i)
	}
	if o.Invalid && len(p.Rules) > 0 && chance(r, 3) {
		g.spoil(&p.Rules[r.IntN(len(p.Rules))])
	}
	return p
}

// policies draws the parts of one policy.
type policies struct {
	*rand.Rand
	Options
	names   []string // few, so that rules meet on a call
	actions []cbpf.Action
	data    []uint64 // constants already used, reused so that conditions meet
}

// pickActions draws the classes of one policy: one to four, mostly with ALLOW.
func pickActions(r *rand.Rand) []cbpf.Action {
	s := []cbpf.Action{cbpf.Allow}
	if chance(r, 4) {
		s = s[:0]
	}
	for range 1 + r.IntN(3) {
		s = append(s, pick(r, classes))
	}
	return s
}

func (g *policies) drawNames() {
	var known []syscalltables.Call
	for _, a := range g.ABIs {
		for _, c := range syscalltables.All(a) {
			known = append(known, c)
		}
	}
	for range 1 + g.IntN(g.Entries+4) {
		switch {
		case chance(g.Rand, 8) && g.Family != OneArg: // they share the multiplexer's number
			g.names = append(g.names, pick(g.Rand, multiplexed))
		case chance(g.Rand, 40):
			g.names = append(g.names, "no_such_call")
		case len(known) > 0:
			g.names = append(g.names, pick(g.Rand, known).Name())
		}
	}
	if len(g.names) == 0 {
		g.names = []string{"read"}
	}
}

func (g *policies) action() (cbpf.Action, *uint) {
	class := pick(g.Rand, g.actions)
	if word(class, 1) == class || chance(g.Rand, 3) {
		return class, nil
	}
	errno := pick(g.Rand, []uint{0, 1, 1, 2, 13, 22, 38, 89, 4095, uint(g.IntN(4096))})
	return class, &errno
}

// rules draws one entry, or the several entries of one call.
func (g *policies) rules() []policy.Rule {
	rule := policy.Rule{}
	rule.Action, rule.Errno = g.action()
	if g.Family == OneArg {
		return g.oneArg(rule)
	}
	for range 1 + g.IntN(3) {
		rule.Names = append(rule.Names, pick(g.Rand, g.names))
	}
	if chance(g.Rand, 3) {
		return []policy.Rule{rule}
	}
	var out []policy.Rule
	for range 1 + g.IntN(4) {
		next := rule
		next.Args = g.args()
		if chance(g.Rand, 2) {
			next.Action, next.Errno = g.action()
		}
		out = append(out, next)
	}
	return out
}

// oneArg draws the rules of one call of family OneArg and uses up its name.
func (g *policies) oneArg(rule policy.Rule) []policy.Rule {
	if len(g.names) == 0 {
		return nil
	}
	name := pick(g.Rand, g.names)
	g.names = slices.DeleteFunc(g.names, func(n string) bool { return n == name })
	rule.Names = []string{name}
	if chance(g.Rand, 3) {
		return []policy.Rule{rule}
	}
	index, high := uint(g.IntN(6)), g.value()&^0xffffffff
	var out []policy.Rule
	for range 1 + g.IntN(4) {
		next := rule
		next.Args = []policy.Arg{{Index: index, Op: pick(g.Rand, ops), Value: high | g.value()&0xffffffff}}
		if a := &next.Args[0]; a.Op == policy.MaskedEqual {
			a.Value, a.ValueTwo = 0xffffffff_00000000|g.mask(), a.Value
		}
		out = append(out, next)
	}
	return out
}

// args draws the conditions of an entry: mostly one to three different
// arguments, now and then one twice.
func (g *policies) args() []policy.Arg {
	var out []policy.Arg
	for _, index := range g.Perm(6)[:pick(g.Rand, []int{1, 1, 1, 2, 2, 3, 6})] {
		a := policy.Arg{Index: uint(index), Op: pick(g.Rand, ops), Value: g.value()}
		if g.Family == Masks {
			a.Op = pick(g.Rand, []policy.Op{policy.Equal, policy.MaskedEqual})
		}
		if a.Op == policy.MaskedEqual {
			a.Value, a.ValueTwo = g.mask(), g.value()
		}
		out = append(out, a)
	}
	if g.Family == Any && chance(g.Rand, 12) {
		again := out[0]
		again.Value = g.value()
		out = append(out, again)
	}
	return out
}

func (g *policies) value() uint64 {
	if len(g.data) > 0 && chance(g.Rand, 3) {
		return pick(g.Rand, g.data) + uint64(g.IntN(3)) - 1
	}
	v := Word(g.Rand)
	g.data = append(g.data, v)
	return v
}

func (g *policies) mask() uint64 {
	return pick(g.Rand, []uint64{
		0, 1, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffffff_00000000, 1 << 32, 1 << 63,
		^uint64(0), 0x7e020000, ^uint64(0xff), g.Uint64() & g.Uint64(), 1 << g.IntN(64),
	})
}

// Word draws a 64-bit value where arithmetic tends to go wrong: around powers of
// two, with equal, swapped or missing halves, small, or anything.
func Word(r *rand.Rand) uint64 {
	near := uint64(r.IntN(3)) - 1
	switch r.IntN(8) {
	case 0:
		return uint64(r.IntN(256))
	case 1:
		return pick(r, []uint64{0, 1 << 31, 1 << 32, 1 << 63, 1<<63 | 1<<31}) + near
	case 2:
		return 1<<r.IntN(64) + near
	case 3:
		return uint64(r.IntN(256)) << 32
	case 4:
		half := uint64(r.Uint32())
		return half<<32 | half
	case 5:
		return ^uint64(0) << r.IntN(64)
	case 6:
		return uint64(r.Uint32())
	}
	return r.Uint64()
}

func (g *policies) spoil(rule *policy.Rule) {
	switch g.IntN(5) {
	case 0:
		rule.Args = append(rule.Args, policy.Arg{Index: 6, Op: policy.Equal})
	case 1:
		rule.Args = append(rule.Args, policy.Arg{Index: 1})
	case 2:
		rule.Names = nil
	case 3:
		errno := uint(4096 + g.IntN(1<<20))
		rule.Action, rule.Errno = cbpf.ErrnoClass, &errno
	case 4:
		rule.Action = 0x12340000
	}
}
