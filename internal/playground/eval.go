package playground

import (
	"cmp"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
)

// parseCall reads a call as it is typed: "socket(AF_ALG, SOCK_SEQPACKET, 0)", perhaps with its
// ABI in front, which has precedence.
func (s *subject) parseCall(c CallText) (*intake.Call, error) {
	text := strings.TrimSpace(c.Text)
	name := c.ABI
	if first, rest, ok := strings.Cut(text, " "); ok && !strings.Contains(first, "(") {
		if _, err := arch.Parse(first); err == nil {
			name, text = first, rest
		}
	}
	abi := s.abis[0]
	if name != "" {
		var err error
		if abi, err = intake.ParseABI(name); err != nil {
			return nil, err
		}
	}
	if abi.ByteOrder() != s.filter.Order() {
		return nil, failure.Usagef("%s is %s-endian, the filter is %s-endian", abi,
			intake.OrderName(abi.ByteOrder()), intake.OrderName(s.filter.Order())).Hintf("choose another ABI for the call")
	}
	call, args, err := symbols.Split(text)
	if err != nil {
		return nil, err
	}
	return intake.ParseCall(abi, call, args)
}

// decide returns what the subject does with a call.
func (s *subject) decide(d *cbpf.Data) policy.Verdict {
	if s.compiled != nil {
		return s.compiled.Resolved.Decide(d)
	}
	return policy.Verdict{Action: s.filter.Eval(d)}
}

// eval answers what happens to one call.
func (e *Engine) eval(q *evalOf) (*Verdict, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	call, err := s.parseCall(q.Call)
	if err != nil {
		return nil, err
	}
	v := s.decide(&call.Data)
	out := &Verdict{Look: graph.Look(v.Action), Text: call.Text(false), Path: *newTrail()}
	out.Bitmap, out.BitmapWhy = s.bitmap(call)
	_, steps := s.filter.Trace(&call.Data)
	out.Steps = len(steps)
	for _, step := range steps {
		out.Path.PCs = append(out.Path.PCs, step.PC)
	}
	out.Path.Calls = append(out.Path.Calls, CallRef{call.ABI.String(), call.Data.NR})
	if v.Pointer != "" {
		out.Path.Pointers = append(out.Path.Pointers, v.Pointer)
	}
	if g, err := s.drawing(cmp.Or(q.Stage, diagram), q.Drawn); err == nil {
		out.Path.Nodes = g.Path(&call.Data)
	}
	return out, nil
}

// bitmap answers whether kernels allow a call without running the filter, and why.
func (s *subject) bitmap(c *intake.Call) (bool, string) {
	allowed, _ := s.filter.ConstAllow(c.Data.Arch, c.Data.NR)
	switch {
	case stats.InBitmap(s.filter, c.ABI, c.Data.NR):
		return true, "the filter allows this call whatever its arguments, and the kernel found that out when it was loaded"
	case !allowed:
		return false, "the filter does not allow this call whatever its arguments, or has to look at them to say so"
	case !stats.HasBitmap(c.ABI):
		return false, "the filter allows this call whatever its arguments, but kernels have no bitmap for " + c.ABI.String()
	}
	return false, "the filter allows this number whatever the arguments, but it is none of the kernel's calls"
}
