package beats

import "github.com/seccompile/seccompile/policy"

// arg returns the condition that a test is. The operations on bits have a mask.
func (t test) arg() policy.Arg { return policy.Arg{Index: t.index, Op: t.op, Value: t.value} }

// A failure is a way in which a test fails: for what arguments, and which word is left.
type failure struct {
	conds []policy.Arg
	left  word
}

// fails returns the ways in which a test fails, which exclude each other. go-seccomp-bpf
// tests the upper half first, and the lower one where that does not decide.
func (t test) fails() []failure {
	const low = 1<<32 - 1
	high, v := t.value&^low, t.value
	arg := func(op policy.Op, value uint64) policy.Arg { return policy.Arg{Index: t.index, Op: op, Value: value} }
	upper := func(conds ...policy.Arg) failure { return failure{conds, word{t.index, true}} }
	lower := func(conds ...policy.Arg) failure { return failure{conds, word{t.index, false}} }
	switch t.op {
	case policy.Equal:
		return []failure{
			upper(policy.Arg{Index: t.index, Op: policy.MaskedNotEqual, Value: ^uint64(low), ValueTwo: high}),
			lower(policy.Arg{Index: t.index, Op: policy.MaskedEqual, Value: ^uint64(low), ValueTwo: high}, arg(policy.NotEqual, v)),
		}
	case policy.NotEqual:
		return []failure{lower(arg(policy.Equal, v))}
	case policy.Greater:
		return []failure{upper(arg(policy.Less, high)), lower(arg(policy.GreaterEqual, high), arg(policy.LessEqual, v))}
	case policy.GreaterEqual:
		return []failure{upper(arg(policy.Less, high)), lower(arg(policy.GreaterEqual, high), arg(policy.Less, v))}
	case policy.Less:
		return []failure{upper(arg(policy.Greater, high|low)), lower(arg(policy.GreaterEqual, v), arg(policy.LessEqual, high|low))}
	case policy.LessEqual:
		return []failure{upper(arg(policy.Greater, high|low)), lower(arg(policy.Greater, v), arg(policy.LessEqual, high|low))}
	case policy.MaskedNotEqual:
		return []failure{lower(arg(policy.MaskedEqual, v))}
	}
	return []failure{upper(arg(policy.MaskedNotEqual, high)), lower(arg(policy.MaskedEqual, high), arg(policy.MaskedNotEqual, v&low))}
}
