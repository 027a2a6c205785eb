package peers

import (
	"encoding/binary"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"
	"gvisor.dev/gvisor/pkg/seccomp"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// GVisor is gVisor's pkg/seccomp, which compiles for the ABI it is built for.
// It takes numbers, so names are resolved as package policy does, and it has
// neither a rule for numbers newer than the profile nor one for x32 numbers,
// which get the default action.
type GVisor struct{}

// Compile implements [Compiler].
func (GVisor) Compile(s *specs.LinuxSeccomp, abis []arch.ABI) (*cbpf.Program, error) {
	if !onlyX8664(abis) {
		return nil, fmt.Errorf("gvisor: %v: %w", abis, ErrInexpressible)
	}
	asked, err := oci.FromSpec(s)
	if err != nil {
		return nil, err
	}
	meant, _, err := policy.Resolve(asked, policy.Options{ABIs: abis, ENOSYS: policy.ENOSYS{Off: true}})
	if err != nil {
		return nil, err
	}
	def, err := gvisorAction(meant.Default)
	if err != nil {
		return nil, err
	}
	sets, err := ruleSets(meant.Spaces[0].Calls)
	if err != nil {
		return nil, err
	}
	p := seccomp.Program{
		RuleSets: sets,
		Options:  seccomp.ProgramOptions{DefaultAction: def, BadArchAction: seccomp.KillThread},
	}
	built, _, err := p.Build()
	if err != nil {
		return nil, fmt.Errorf("gvisor: %w", err)
	}
	raw := make([]bpf.RawInstruction, len(built))
	for i, ins := range built {
		raw[i] = bpf.RawInstruction{Op: ins.OpCode, Jt: ins.JumpIfTrue, Jf: ins.JumpIfFalse, K: ins.K}
	}
	return cbpf.New(raw, binary.LittleEndian)
}

// ruleSets returns one set for each place in the lists of clauses and action
// that occurs there: gVisor tries its sets in order.
func ruleSets(calls []policy.Call) ([]seccomp.RuleSet, error) {
	var sets []seccomp.RuleSet
	for place := 0; ; place++ {
		first := len(sets)
		deeper := false
		for _, call := range calls {
			if place >= len(call.Clauses) {
				continue
			}
			deeper = true
			clause := call.Clauses[place]
			act, err := gvisorAction(clause.Action)
			if err != nil {
				return nil, err
			}
			i := first
			for i < len(sets) && sets[i].Action != act {
				i++
			}
			if i == len(sets) {
				sets = append(sets, seccomp.RuleSet{Rules: seccomp.NewSyscallRules(), Action: act})
			}
			sets[i].Rules.Set(uintptr(call.NR), syscallRule(clause.Conds))
		}
		if !deeper {
			return sets, nil
		}
	}
}

func syscallRule(conds []policy.Cond) seccomp.SyscallRule {
	if len(conds) == 0 {
		return seccomp.MatchAll{}
	}
	var args seccomp.PerArg
	for i := range args {
		args[i] = seccomp.AnyValue{}
	}
	for _, c := range conds {
		args[c.Arg] = matcher(c)
	}
	return args
}

func matcher(c policy.Cond) seccomp.ValueMatcher {
	v := uintptr(c.Value)
	switch c.Op {
	case policy.Equal:
		return seccomp.EqualTo(v)
	case policy.NotEqual:
		return seccomp.NotEqual(v)
	case policy.Less:
		return seccomp.LessThan(v)
	case policy.LessEqual:
		return seccomp.LessThanOrEqual(v)
	case policy.GreaterEqual:
		return seccomp.GreaterThanOrEqual(v)
	case policy.Greater:
		return seccomp.GreaterThan(v)
	case policy.MaskedEqual:
		return seccomp.MaskedEqual(uintptr(c.Mask), v)
	}
	panic("BUG: resolved condition without an operator")
}

func gvisorAction(a cbpf.Action) (seccomp.Action, error) {
	switch a.Class() {
	case cbpf.KillThread:
		return seccomp.KillThread, nil
	case cbpf.KillProcess:
		return seccomp.KillProcess, nil
	case cbpf.Trap:
		return seccomp.Trap, nil
	case cbpf.ErrnoClass:
		return seccomp.ReturnError.Code(a.Data()), nil
	case cbpf.Notify:
		return seccomp.UserNotify, nil
	case cbpf.TraceClass:
		return seccomp.Trace.Code(a.Data()), nil
	case cbpf.Allow:
		return seccomp.Allow, nil
	}
	return "", fmt.Errorf("gvisor: action %#x: %w", uint32(a), ErrInexpressible)
}
