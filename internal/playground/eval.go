package playground

import (
	"cmp"
	"slices"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/answer"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/graph"
	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/internal/symbols"
)

// evaluator returns what answers calls of an ABI, the filter's first if it has no name.
func (s *subject) evaluator(name string) (*answer.Evaluator, error) {
	e := &answer.Evaluator{Compiled: s.compiled, ABI: s.abis[0], Traced: true}
	if s.compiled == nil {
		e.Compiled = &intake.Compiled{Program: s.filter}
	}
	if name != "" {
		var err error
		if e.ABI, err = intake.ParseABI(name); err != nil {
			return nil, err
		}
	}
	if e.ABI.ByteOrder() != s.filter.Order() {
		return nil, failure.Usagef("%s is %s-endian, the filter is %s-endian", e.ABI,
			intake.OrderName(e.ABI.ByteOrder()), intake.OrderName(s.filter.Order())).Hintf("choose another ABI for the call")
	}
	return e, nil
}

// evaluate answers a call as it is typed, "socket(AF_ALG, SOCK_SEQPACKET, 0)", or pasted from
// strace, perhaps with its ABI in front, which has precedence. The line is what it was read as.
func (s *subject) evaluate(c CallText) (*answer.Evaluation, *symbols.Line, error) {
	line, err := symbols.ParseLine(c.Text)
	if err != nil {
		return nil, nil, err
	}
	evaluator, err := s.evaluator(cmp.Or(line.ABI, c.ABI))
	if err != nil {
		return nil, nil, err
	}
	x, err := evaluator.Ask(line.Name, line.Args, false)
	return x, &line, err
}

// eval answers what happens to one call.
func (e *Engine) eval(q *evalOf) (*Verdict, error) {
	s, err := e.good(q.Subject)
	if err != nil {
		return nil, err
	}
	x, line, err := s.evaluate(q.Call)
	if err != nil {
		return nil, err
	}
	v := &Verdict{
		Document: x.Document(), Look: graph.Look(x.Verdict.Action), Call: line.String(), Text: x.Text(false), Because: x.Because,
		Path: *newTrail(), Steps: len(x.Steps),
	}
	v.Bitmap, v.BitmapWhy = s.bitmap(x.Call)
	v.Path.Calls = append(v.Path.Calls, CallRef{x.ABI.String(), x.Data.NR})
	for _, step := range x.Steps {
		v.Path.PCs = append(v.Path.PCs, step.PC)
	}
	if x.Verdict.Pointer != "" {
		v.Path.Pointers = append(v.Path.Pointers, x.Verdict.Pointer)
	}
	if g, err := s.drawing(cmp.Or(q.Stage, diagram), q.Drawn); err == nil {
		v.Path.Nodes = g.Path(&x.Data)
	}
	return v, nil
}

// bitmap answers whether kernels allow a call without running the filter, and why.
func (s *subject) bitmap(c *intake.Call) (bool, string) {
	if stats.InBitmap(s.filter, c.ABI, c.Data.NR) {
		return true, "the filter allows this call whatever its arguments, and the kernel finds that out when the filter is loaded"
	}
	allowed, _ := s.filter.ConstAllow(c.Data.Arch, c.Data.NR)
	verdicts := s.verdicts(c)
	switch {
	case allowed && !stats.HasBitmap(c.ABI):
		return false, "the filter allows this call whatever its arguments, but kernels have no bitmap for " + c.ABI.String()
	case allowed:
		return false, "the filter allows this number whatever the arguments, but it is none of the kernel's calls"
	case len(verdicts) > 1:
		return false, "the verdict depends on the arguments, so the filter runs each time"
	case len(verdicts) == 1 && verdicts[0] != cbpf.Allow:
		return false, "only calls that are always allowed are in the bitmap, and this one always gets " + intake.ActionText(verdicts[0], c.ABI)
	}
	return false, "the filter does more on the way than the kernel can foresee when it is loaded"
}

// verdicts returns the constants that the filter may return for the number of a call.
func (s *subject) verdicts(c *intake.Call) (list []cbpf.Action) {
	for _, pc := range stats.Reaching(s.filter)(c.Data.Arch, c.Data.NR) {
		if ins := s.filter.At(pc); ins.Op == opReturn && !slices.Contains(list, cbpf.Action(ins.K)) {
			list = append(list, cbpf.Action(ins.K))
		}
	}
	return list
}
