package report

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/seccompile/seccompile/internal/lint"
)

// markdown writes a page as Markdown for the comment on a pull request: the answer first,
// what a reviewer has to look at after it, the rest folded.
func (p *page) markdown() []byte {
	w := new(marks)
	if p.Pair {
		w.comparison(p)
	} else {
		w.review(p)
	}
	w.findings(p)
	w.cost(p)
	w.line("")
	w.line("<sub>seccompile, with the system calls of Linux %s%s</sub>", p.Tables, prefixed(", ", p.Date))
	return []byte(w.String())
}

// marks is Markdown that is being written.
type marks struct{ strings.Builder }

func (w *marks) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// plainText escapes text that may come from a profile, so that it is nothing but text: not
// a link, a mention or markup. An underscore within a word needs no escape.
func plainText(s string) string {
	runes := []rune(strings.Join(strings.Fields(s), " "))
	at := func(i int) rune {
		if i < 0 || i >= len(runes) {
			return ' '
		}
		return runes[i]
	}
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	var b strings.Builder
	for i, r := range runes {
		switch {
		case r == '_' && word(at(i-1)) && word(at(i+1)), r == ':' && !word(at(i+1)) && at(i+1) != '/':
			b.WriteRune(r)
		case r == '.' && strings.EqualFold(string(runes[max(i-3, 0):i]), "www"), strings.ContainsRune("\\`*_[]#|~@:<>&", r):
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code writes text as code, which is also safe in a table.
func code(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return r == '`' || r == '|' || unicode.IsControl(r) }) {
		return "<code>" + plainText(s) + "</code>"
	}
	return "`" + s + "`"
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + plainText(s)
}

// comparison writes the answer, the changes and the privileges that changed.
func (w *marks) comparison(p *page) {
	a, b := &p.Sides[0], &p.Sides[1]
	answer := p.Difference.Answer("the old profile", "The new profile")
	w.line("### %s", plainText(answer[0]))
	w.line("")
	w.line("%s → %s on %s.%s", code(a.Name), code(b.Name), plainText(series(p.ABIs, "and")), prefixed(" ", strings.Join(answer[1:], " ")))
	w.line("")
	if len(p.Difference.Groups) > 0 {
		w.line("The list is complete: both profiles treat every other call alike, whatever its arguments.")
		w.line("")
		w.changes(p.Difference.Groups)
	}
	w.privileges(p.Privileges)
}

// changes writes those that became weaker in view, the others folded.
func (w *marks) changes(groups []*change) {
	milder, rest := parted(groups, func(g *change) bool { return g.Direction == weaker })
	w.table(milder)
	if len(rest) == 0 {
		return
	}
	w.line("<details><summary>Stricter, or answered with other data</summary>")
	w.line("")
	w.table(rest)
	w.line("</details>")
	w.line("")
}

func (w *marks) table(groups []*change) {
	if len(groups) == 0 {
		return
	}
	w.line("| | calls | old | new |")
	w.line("|---|---|---|---|")
	for _, g := range groups {
		var cells []string
		for _, same := range together(g.Always) {
			begin := "<br>" // each group on a line of its own
			if same.On != "" {
				begin += "on " + same.On + ": "
			}
			for _, x := range same.Calls {
				text := begin + code(x.Name)
				if same.On == "" {
					text += prefixed(" on ", x.On)
				}
				cells, begin = append(cells, text), ""
			}
		}
		for _, x := range g.Partly {
			cells = append(cells, "<br>"+x.markdown())
		}
		for _, n := range g.Numbers {
			cells = append(cells, "<br>numbers without a call on "+n.On())
		}
		if g.Foreign {
			cells = append(cells, "<br>calls through any other ABI")
		}
		text := strings.TrimPrefix(strings.ReplaceAll(strings.Join(cells, ", "), ", <br>", "<br>"), "<br>")
		w.line("| **%s** | %s | %s | %s |", g.Direction.Title(), text, plainText(g.From.Text), plainText(g.To.Text))
	}
	w.line("")
}

// markdown writes a call of which some arguments decide.
func (x *changed) markdown() string {
	text := code(x.Name) + prefixed(" on ", x.On)
	for i, when := range x.When {
		text += []string{" if ", " or "}[min(i, 1)] + code(when)
	}
	if x.More {
		text += " or in further cases"
	}
	return text + ", such as " + code(x.Witness)
}

// privileges writes which were gained and lost.
func (w *marks) privileges(list []question) {
	var gained, lost []string
	for _, q := range list {
		before, after := q.Answers[0], q.Answers[1]
		switch {
		case after.Can && !before.Can:
			gained = append(gained, plainText(q.Name)+" ("+ways(after.By)+")")
		case before.Can && !after.Can:
			lost = append(lost, plainText(q.Name)+" ("+ways(before.By)+")")
		}
	}
	w.list("A program can now:", gained)
	w.list("It can no longer:", lost)
}

func ways(list []way) string {
	var calls []string
	for _, x := range list {
		text := plainText(x.On)
		if x.Call != "" {
			text = code(x.Call) + prefixed(" on ", x.On)
		}
		if x.Above != "" {
			text += " with a bit set in the upper half of " + plainText(x.Above) + ", which the kernel ignores"
		}
		calls = append(calls, text)
	}
	return strings.Join(calls, ", ")
}

func (w *marks) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	w.line("%s", title)
	w.line("")
	for _, item := range items {
		w.line("- %s", item)
	}
	w.line("")
}

// review writes what one profile allows.
func (w *marks) review(p *page) {
	s := &p.Sides[0]
	noun := "profile"
	if s.Filter {
		noun = "filter"
	}
	w.line("### Seccomp %s %s", noun, code(s.Name))
	w.line("")
	w.line("%s", plainText(strings.Join(s.About, " ")))
	w.line("")
	var titles []string
	for _, c := range p.Choices {
		if c.Kind != noTarget {
			titles = append(titles, c.Title)
		}
	}
	w.line("| ABI | calls | %s |", strings.Join(titles, " | "))
	w.line("|---|---:|%s", strings.Repeat("---:|", len(titles)))
	for _, t := range s.Tallies {
		cells := make([]string, len(titles))
		for i, title := range titles {
			cells[i] = "0"
			if k := slices.IndexFunc(t.Shares, func(x share) bool { return x.Title == title }); k >= 0 {
				cells[i] = fmt.Sprint(t.Shares[k].Rows)
			}
		}
		w.line("| %s | %d | %s |", t.ABI, t.Calls, strings.Join(cells, " | "))
	}
	w.line("")
	var can, cannot []string
	for _, q := range p.Privileges {
		switch a := q.Answers[0]; {
		case a.Can:
			can = append(can, plainText(q.Name)+" ("+ways(a.By)+")")
		case a.Undecided:
			can = append(can, "perhaps "+plainText(q.Name)+" (undecided: too many conditions)")
		default:
			cannot = append(cannot, plainText(q.Name))
		}
	}
	w.list("A program can:", can)
	w.list("It cannot:", cannot)
}

// findings writes errors and warnings. Of two profiles it is those of the new one that the
// old one does not have.
func (w *marks) findings(p *page) {
	_, own := parted(p.Sides[len(p.Sides)-1].Findings, p.shared())
	var items []string
	for _, f := range own {
		if f.Severity == lint.Note {
			continue
		}
		where := ""
		if f.Line > 0 {
			where = fmt.Sprintf(", line %d", f.Line)
		}
		items = append(items, fmt.Sprintf("**%s**%s: %s (%s)%s", f.Severity, where, plainText(f.Reason), code(f.ID), prefixed(". Fix: ", f.Fix)))
	}
	title := "Findings:"
	if p.Pair {
		title = "New findings:"
	}
	w.list(title, items)
}

// cost writes what the filters cost.
func (w *marks) cost(p *page) {
	var titles []string
	for i := range p.Sides {
		c := &p.Sides[i].Cost
		if c.TooLong != "" {
			titles = append(titles, "no filter ("+plainText(c.TooLong)+")")
			continue
		}
		var figures []string
		for _, f := range c.Figures {
			text := f.Value + " " + f.Unit
			if rest, about := strings.CutSuffix(text, ", about"); about {
				text = "about " + rest
			}
			figures = append(figures, text)
		}
		titles = append(titles, plainText(strings.Join(figures, ", ")))
	}
	w.line("Filter: %s.", strings.Join(titles, " → "))
}
