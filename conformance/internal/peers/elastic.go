package peers

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/elastic/go-seccomp-bpf"
	earch "github.com/elastic/go-seccomp-bpf/arch"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// Elastic is go-seccomp-bpf, which compiles for the ABI it is built for. Its
// ERRNO is always EPERM, x32 numbers get ENOSYS and other ABIs the default
// action. Names that it does not know are left out, as others do.
type Elastic struct {
	// Lossy leaves out entries that it cannot express: the program then has
	// another meaning and is good for measuring only.
	Lossy bool
}

// Compile implements [Compiler].
func (c Elastic) Compile(s *specs.LinuxSeccomp, abis []arch.ABI) (*cbpf.Program, error) {
	if !onlyX8664(abis) {
		return nil, fmt.Errorf("go-seccomp-bpf: %v: %w", abis, ErrInexpressible)
	}
	def, err := elasticAction(s.DefaultAction, s.DefaultErrnoRet)
	if err != nil {
		return nil, err
	}
	p := seccomp.Policy{DefaultAction: def}
	free := map[string]bool{} // names with an unconditional rule
	for _, e := range s.Syscalls {
		if len(e.Args) == 0 {
			for _, name := range e.Names {
				free[name] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, e := range s.Syscalls {
		act, conds, err := elasticEntry(&e)
		if c.Lossy && errors.Is(err, ErrInexpressible) || err == nil && act == def {
			continue
		}
		if err != nil {
			return nil, err
		}
		group := elasticGroup(&p, act)
		for _, name := range e.Names {
			if _, known := earch.X86_64.SyscallNames[name]; !known {
				continue
			}
			switch {
			case len(e.Args) == 0 && !seen[name]:
				seen[name] = true
				group.Names = append(group.Names, name)
			case !free[name]:
				for _, cond := range conds {
					group.NamesWithCondtions = append(group.NamesWithCondtions, seccomp.NameWithConditions{Name: name, Conditions: cond})
				}
			}
		}
	}
	built, err := p.Assemble()
	if err != nil {
		return nil, fmt.Errorf("go-seccomp-bpf: %w", err)
	}
	raw, err := bpf.Assemble(built)
	if err != nil {
		return nil, fmt.Errorf("go-seccomp-bpf: %w", err)
	}
	return cbpf.New(raw, binary.LittleEndian)
}

func elasticEntry(e *specs.LinuxSyscall) (seccomp.Action, []seccomp.ArgumentConditions, error) {
	act, err := elasticAction(e.Action, e.ErrnoRet)
	if err != nil {
		return 0, nil, err
	}
	conds, err := conditions(e.Args)
	return act, conds, err
}

// elasticGroup returns the group of an action: the last one, or a new one.
func elasticGroup(p *seccomp.Policy, act seccomp.Action) *seccomp.SyscallGroup {
	if n := len(p.Syscalls); n == 0 || p.Syscalls[n-1].Action != act {
		p.Syscalls = append(p.Syscalls, seccomp.SyscallGroup{Action: act})
	}
	return &p.Syscalls[len(p.Syscalls)-1]
}

// conditions returns the alternatives of an entry: one list, or one for each
// condition where an argument occurs twice.
func conditions(args []specs.LinuxSeccompArg) ([]seccomp.ArgumentConditions, error) {
	var all seccomp.ArgumentConditions
	var seen [6]bool
	apart := false
	for _, a := range args {
		op, err := elasticOp(a.Op)
		if err != nil {
			return nil, err
		}
		apart = apart || seen[a.Index]
		seen[a.Index] = true
		c := seccomp.Condition{Argument: uint32(a.Index), Operation: op, Value: a.Value}
		if a.Op == specs.OpMaskedEqual && a.ValueTwo&a.Value != 0 {
			return nil, fmt.Errorf("go-seccomp-bpf: mask with a datum: %w", ErrInexpressible)
		}
		all = append(all, c)
	}
	if !apart {
		return []seccomp.ArgumentConditions{all}, nil
	}
	var out []seccomp.ArgumentConditions
	for _, c := range all {
		out = append(out, seccomp.ArgumentConditions{c})
	}
	return out, nil
}

// elasticOp maps a masked comparison to BitsNotSet, which equals it for datum 0.
func elasticOp(op specs.LinuxSeccompOperator) (seccomp.Operation, error) {
	switch op {
	case specs.OpNotEqual:
		return seccomp.NotEqual, nil
	case specs.OpLessThan:
		return seccomp.LessThan, nil
	case specs.OpLessEqual:
		return seccomp.LessOrEqual, nil
	case specs.OpEqualTo:
		return seccomp.Equal, nil
	case specs.OpGreaterEqual:
		return seccomp.GreaterOrEqual, nil
	case specs.OpGreaterThan:
		return seccomp.GreaterThan, nil
	case specs.OpMaskedEqual:
		return seccomp.BitsNotSet, nil
	}
	return "", fmt.Errorf("go-seccomp-bpf: operator %q: %w", op, ErrInexpressible)
}

func elasticAction(a specs.LinuxSeccompAction, errno *uint) (seccomp.Action, error) {
	switch a {
	case specs.ActKill, specs.ActKillThread:
		return seccomp.ActionKillThread, nil
	case specs.ActKillProcess:
		return seccomp.ActionKillProcess, nil
	case specs.ActTrap:
		return seccomp.ActionTrap, nil
	case specs.ActLog:
		return seccomp.ActionLog, nil
	case specs.ActAllow:
		return seccomp.ActionAllow, nil
	case specs.ActErrno:
		if errno == nil || *errno == 1 {
			return seccomp.ActionErrno, nil
		}
	}
	return 0, fmt.Errorf("go-seccomp-bpf: action %s: %w", a, ErrInexpressible)
}
