package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/proof"
)

// An answer says whether a side leaves a privilege to a program.
type answer struct {
	Can       bool
	Undecided bool // the limits were too low to find out
	By        []way
}

// A way is a call that gives a privilege.
type way struct {
	Call string // "": what On says
	On   string // ABIs, "" if all of the profile
	// Above names the argument that has to have bits above the lower 32, which the
	// kernel ignores and the filter does not; "" if that is not so.
	Above string
}

// privileges answers for each power of the grades that a kernel of the ABIs has, but for
// that of the other calls, which are in the table.
func (b *builder) privileges() []question {
	scale, err := grade.NewScale(b.abis)
	if err != nil {
		return nil // ABIs of two byte orders have no kernel in common
	}
	powers := grade.Powers()
	list := make([]question, len(powers)-1)
	has := make([]bool, len(list))
	for _, s := range b.subjects {
		reaches, err := b.reach(scale, s)
		for i := range list {
			list[i].Name = powers[i].Title
			if err != nil {
				list[i].Answers, has[i] = append(list[i].Answers, answer{Undecided: true}), true
				continue
			}
			list[i].Answers = append(list[i].Answers, b.answer(s, &reaches[i]))
			has[i] = has[i] || reaches[i].Has
		}
	}
	kept := list[:0]
	for i, q := range list {
		if has[i] {
			kept = append(kept, q)
		}
	}
	return kept
}

func (b *builder) reach(scale *grade.Scale, s *subject) ([]grade.Reach, error) {
	if s.Filter != nil {
		return scale.ReachOf(proof.Program(s.Filter), b.options.Limits)
	}
	return scale.Reach(s.Resolved, b.options.Limits)
}

// answer is what a side leaves of a power.
func (b *builder) answer(s *subject, r *grade.Reach) answer {
	a := answer{Can: len(r.Ways) > 0, Undecided: r.Undecided && len(r.Ways) == 0}
	for _, w := range r.Ways {
		x := way{Call: w.Call, On: listed(w.ABIs), Above: w.Above}
		if w.Call != "" && !slices.ContainsFunc(s.abis, func(a arch.ABI) bool { return !slices.Contains(w.ABIs, a) }) {
			x.On = ""
		}
		if r.ID == "future-calls" {
			x.On = "numbers without a call"
		}
		a.By = append(a.By, x)
	}
	slices.SortFunc(a.By, func(x, y way) int { return cmp.Or(strings.Compare(x.Call, y.Call), strings.Compare(x.On, y.On)) })
	return a
}

// A harm ranks calls by the gravest power that each can give.
type harm map[string]int

// compare orders calls by harm, the gravest first, and then by name.
func (h harm) compare(x, y string) int {
	if d := h.rank(x) - h.rank(y); d != 0 {
		return d
	}
	return strings.Compare(x, y)
}

func (h harm) rank(call string) int {
	rank, ok := h[call]
	if !ok {
		rank = grade.Gravest(call)
		h[call] = rank
	}
	return rank
}

// listed writes ABIs as words in a row.
func listed(abis []arch.ABI) string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return series(names, "and")
}

// series writes words as "one, two and three".
func series(list []string, and string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	last := len(list) - 1
	return strings.Join(list[:last], ", ") + " " + and + " " + list[last]
}
