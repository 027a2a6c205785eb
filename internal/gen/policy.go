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
	// Entries is the largest number of entries, each of which may stand for several
	// rules on the same calls; 0 means 16. The lists of a dense policy come on top.
	Entries int
	Family  Family
	// Dense policies also list any share of all calls of the ABIs, up to every one,
	// and have simple conditions on few. The others name calls by the handful.
	Dense bool
	// Beyond also draws what OCI profiles cannot say: numbers, rules for some ABIs, data
	// of TRAP. Family OneArg has no numbers.
	Beyond bool
	// FirstMatch policies are of that order, and have its conditions.
	FirstMatch bool
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
	"socketcall", "ipc", "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair",
	"send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4",
	"recvmmsg", "sendmmsg", "semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv", "msgget", "msgctl",
	"shmat", "shmdt", "shmget", "shmctl",
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
	p := &policy.Policy{ABIs: o.ABIs}
	if o.FirstMatch {
		p.Order = policy.FirstMatch
	}
	p.Default, p.DefaultErrno = g.action()
	if p.Default == cbpf.Notify {
		p.Default = cbpf.KillProcess // refused as a default
	}
	g.fallback = p.Default
	if o.Dense {
		g.most = limits{rules: 2, conds: 2, names: 8}
		p.Rules = g.dense()
	} else {
		g.most = limits{rules: 4, conds: 6, names: 3}
		g.drawNames()
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
	names    []string // few, so that rules meet on a call
	actions  []cbpf.Action
	fallback cbpf.Action // the default
	data     []uint64    // constants already used, reused so that conditions meet
	most     limits
}

// limits are the most rules in one draw, conditions of each, and names of all.
type limits struct{ rules, conds, names int }

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
	known := g.known()
	for range 1 + g.IntN(g.Entries+4) {
		switch {
		case chance(g.Rand, 8) && g.Family != OneArg: // they share the multiplexer's number
			g.names = append(g.names, pick(g.Rand, multiplexed))
		case chance(g.Rand, 40):
			g.names = append(g.names, "no_such_call")
		case len(known) > 0:
			g.names = append(g.names, pick(g.Rand, known))
		}
	}
	if len(g.names) == 0 {
		g.names = []string{"read"}
	}
}

func (g *policies) action() (cbpf.Action, *uint) {
	class := pick(g.Rand, g.actions)
	if g.Beyond && class == cbpf.Trap && chance(g.Rand, 2) {
		return class | cbpf.Action(pick(g.Rand, []uint16{1, 7, 0xffff})), nil
	}
	if word(class, 1) == class || chance(g.Rand, 3) {
		return class, nil
	}
	errno := pick(g.Rand, []uint{0, 1, 1, 2, 13, 22, 38, 89, 4095, uint(g.IntN(4096))})
	return class, &errno
}

// rules draws one entry, or the several entries of the same calls.
func (g *policies) rules() []policy.Rule {
	if len(g.names) == 0 {
		return nil
	}
	rule := policy.Rule{Names: g.entry()}
	rule.Action, rule.Errno = g.action()
	if g.Beyond {
		g.beyond(&rule)
	}
	if g.Family == OneArg || !chance(g.Rand, 3) { // no other rule on these calls
		g.names = slices.DeleteFunc(g.names, func(n string) bool { return slices.Contains(rule.Names, n) })
	}
	if chance(g.Rand, 3) {
		return []policy.Rule{rule}
	}
	index, high := uint(g.IntN(6)), g.value()&^0xffffffff
	var out []policy.Rule
	for range 1 + g.IntN(g.most.rules) {
		next := rule
		if g.Family == OneArg {
			next.Args = []policy.Arg{g.oneArg(index, high)}
		} else if next.Args = g.args(); chance(g.Rand, 2) {
			next.Action, next.Errno = g.action()
		}
		out = append(out, next)
	}
	return out
}

// entry draws the names of an entry: neighbours, or any two.
func (g *policies) entry() []string {
	i := g.IntN(len(g.names))
	if chance(g.Rand, 3) {
		return []string{g.names[i], pick(g.Rand, g.names)}
	}
	return slices.Clone(g.names[i:min(len(g.names), i+1+g.IntN(g.most.names))])
}

// beyond adds to a rule what OCI profiles cannot say. Numbers are mostly those of the
// rule's names, or at an end of a range.
func (g *policies) beyond(rule *policy.Rule) {
	if chance(g.Rand, 4) {
		for range 1 + g.IntN(2) {
			rule.ABIs = append(rule.ABIs, pick(g.Rand, g.ABIs))
		}
	}
	if g.Family == OneArg || !chance(g.Rand, 3) {
		return
	}
	numbers := []uint32{0, 1000, arch.X32Bit - 1, arch.X32Bit, 1<<31 - 1, 1 << 31, 1<<32 - 100, 1<<32 - 2, 1<<32 - 1, 1<<32 - 1}
	for _, a := range g.ABIs {
		for _, name := range rule.Names {
			call, _ := syscalltables.Lookup(name)
			if nr, ok := call.Number(a); ok {
				numbers = append(numbers, nr, nr+1)
			}
			if nr, _, ok := call.Multiplexed(a); ok {
				numbers = append(numbers, nr)
			}
		}
	}
	for range 1 + g.IntN(3) {
		rule.Numbers = append(rule.Numbers, pick(g.Rand, numbers))
	}
	if chance(g.Rand, 2) {
		rule.Names = nil
	}
}

// op draws an operator. Masks are half of them: they have more shapes than all
// others.
func (g *policies) op() policy.Op {
	switch {
	case chance(g.Rand, 2):
		return policy.MaskedEqual
	case g.Family == Masks:
		return policy.Equal
	}
	return pick(g.Rand, ops)
}

// oneArg draws a condition of family OneArg.
func (g *policies) oneArg(index uint, high uint64) policy.Arg {
	a := policy.Arg{Index: index, Op: g.op(), Value: high | g.value()&0xffffffff}
	if a.Op == policy.MaskedEqual {
		mask := anyMask(g.Rand) & 0xffffffff
		a.Value, a.ValueTwo = 0xffffffff_00000000|mask, high|g.datum(mask)&0xffffffff
	}
	return a
}

// args draws the conditions of an entry: mostly one to three different
// arguments, now and then one twice.
func (g *policies) args() []policy.Arg {
	var out []policy.Arg
	for _, index := range g.Perm(6)[:min(g.most.conds, pick(g.Rand, []int{1, 1, 1, 2, 2, 3, 6}))] {
		a := policy.Arg{Index: uint(index), Op: g.op(), Value: g.value()}
		if a.Op == policy.MaskedEqual {
			a.Value = anyMask(g.Rand)
			a.ValueTwo = g.datum(a.Value)
		}
		out = append(out, a)
	}
	if g.FirstMatch {
		return g.more(out)
	}
	if g.Family == Any && chance(g.Rand, 12) {
		again := out[0]
		again.Value = g.value()
		out = append(out, again)
	}
	return out
}

// more lets some conditions be opposites, and adds others on the same arguments, which
// must hold as well.
func (g *policies) more(args []policy.Arg) []policy.Arg {
	for chance(g.Rand, 2) {
		again := pick(g.Rand, args)
		if again.Op == policy.MaskedEqual {
			again.Value = anyMask(g.Rand)
			again.ValueTwo = g.datum(again.Value)
		} else {
			again.Op = pick(g.Rand, ops[:len(ops)-1])
			again.Value += pick(g.Rand, []uint64{0, 1, 5, 1 << 32})
		}
		args = append(args, again)
	}
	for i := range args {
		if args[i].Op == policy.MaskedEqual && chance(g.Rand, 2) {
			args[i].Op = policy.MaskedNotEqual
		}
	}
	return args
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
