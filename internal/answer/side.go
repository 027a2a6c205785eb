// Package answer has what the command says about profiles and filters, before it is printed:
// the verdict on a call, an explanation, a difference, a review. Each has the document of
// --json, and the words of a report for people, without colours and columns.
package answer

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// A Side is an input that is compared or described by its meaning.
type Side struct {
	*intake.Compiled // a profile has Policy and Resolved, a filter has Program
	Name             string
	Subject          proof.Subject
}

// NewSide reads an input as a side.
func NewSide(t *intake.Target, in *intake.Input) (*Side, error) {
	if in.Kind == intake.KindProfile {
		c, err := t.Meaning(in)
		if err != nil {
			return nil, err
		}
		return ProfileSide(in.Name, c), nil
	}
	p, err := in.Program(t.ABIs...)
	if err != nil {
		return nil, err
	}
	return &Side{&intake.Compiled{Program: p}, in.Name, proof.Program(p)}, nil
}

// ProfileSide returns a resolved profile as a side.
func ProfileSide(name string, c *intake.Compiled) *Side {
	return &Side{c, name, proof.Policy(c.Resolved)}
}

// order returns "little" or "big".
func (s *Side) order() string {
	if s.Resolved != nil {
		return intake.OrderName(s.Resolved.Order())
	}
	return intake.OrderName(s.Program.Order())
}

// SameOrder refuses sides that cannot be for the same kernel.
func SameOrder(a, b *Side) error {
	if a.order() == b.order() {
		return nil
	}
	return failure.Usagef("%s is %s-endian, but %s is %s-endian", a.Name, a.order(), b.Name, b.order()).
		Hintf("choose the ABIs of a profile with -a")
}

// Unproved reports that the proof hit a limit, and how to raise it. It counts as a no.
func Unproved(reason string) *failure.Error {
	return failure.Nof("not proved: %s", reason).Hintf("raise the limits of the proof with --patience")
}

// Unlimited turns the error of a listing into one with a cure.
func Unlimited(err error) error {
	var limit *proof.LimitError
	if errors.As(err, &limit) {
		return Unproved(limit.Reason)
	}
	return err
}

// Decide returns what a side does with a call and, for a profile, why.
func (s *Side) Decide(d *cbpf.Data) policy.Verdict {
	if s.Resolved != nil {
		return s.Resolved.Decide(d)
	}
	return policy.Verdict{Action: s.Program.Eval(d)}
}

// Why says, of a profile, what decides a call; of a filter it is "".
func (s *Side) Why(d *cbpf.Data) string {
	v := s.Decide(d)
	abi, known := arch.ByAudit(d.Arch, d.NR)
	switch {
	case s.Resolved == nil:
		return ""
	case v.Reason == policy.ByBadArch && !known:
		return "bad arch: the profile is not for calls of unknown ABIs"
	}
	return because(s.Compiled, &intake.Call{ABI: abi, Data: *d}, v)
}

// because says what decided a call.
func because(c *intake.Compiled, q *intake.Call, v policy.Verdict) string {
	switch v.Reason {
	case policy.ByBadArch:
		return fmt.Sprintf("bad arch: the profile is not for calls of %s", foreign(q))
	case policy.ByENOSYS:
		return "ENOSYS: above the highest number that the profile names"
	case policy.ByRule:
		if v.Pointer == "" {
			return "by a rule"
		}
		return "by the rule at " + v.Pointer
	case policy.ByDefault:
		return "by the default action" + DefaultPlace(c.Policy)
	}
	return v.Reason.String()
}

// DefaultPlace says where a profile has its default action, if that is a JSON pointer.
func DefaultPlace(p *policy.Policy) string {
	if lint.Foreign(p) {
		return ""
	}
	return " at " + p.Pointer + "/defaultAction"
}

// foreign names the ABI that a number really belongs to: x86_64 and x32 share an
// AUDIT_ARCH value.
func foreign(q *intake.Call) string {
	if a, ok := arch.ByAudit(q.Data.Arch, q.Data.NR); ok {
		return a.String()
	}
	return q.ABI.String()
}

// MaxPatience keeps limits within 32 bits.
const MaxPatience = 64

// Limits returns multiples of what [proof.Limits] has by default.
func Limits(patience int) (proof.Limits, error) {
	switch n := patience; {
	case n < 1 || n > MaxPatience:
		return proof.Limits{}, failure.Usagef("--patience: %d is not a number from 1 to %d", n, MaxPatience)
	case n == 1:
		return proof.Limits{}, nil
	default:
		return proof.Limits{Nodes: n << 20, Steps: n << 24, Actions: n << 8, Rows: n << 14}, nil
	}
}
