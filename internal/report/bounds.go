package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/grade"
	"github.com/seccompile/seccompile/syscalltables"
)

// Bounds are what programs can call and what they were seen to call: the upper bound is from
// static analysis, the lower one from a recording.
type Bounds struct {
	Programs   []string
	Recording  string   // its name
	Incomplete []string // why calls may be missing from the upper bound
	Both       []Bound  // seen and reachable
	Reachable  []Bound  // reachable, but not seen
	Seen       []Bound  // seen, but not found: a defect, or calls of other programs
}

// A Bound is one call.
type Bound struct {
	Call string
	Way  []string // functions from where a program starts to the instruction, if that is known
}

// Bounded returns the page about both bounds, with calls that give a program most first.
func Bounded(b Bounds, o Options) ([]byte, error) {
	for _, list := range [...]*[]Bound{&b.Both, &b.Reachable, &b.Seen} {
		*list = slices.Clone(*list)
		slices.SortStableFunc(*list, func(x, y Bound) int {
			return cmp.Or(cmp.Compare(grade.Gravest(x.Call), grade.Gravest(y.Call)), cmp.Compare(x.Call, y.Call))
		})
	}
	switch o.Format {
	case HTML, "":
		return []byte(b.document(o.Date)), nil
	case Markdown:
		return b.markdown(o.Date), nil
	}
	return nil, fmt.Errorf("report: unknown format %q", o.Format)
}

// A boundsPart is one of the three parts of the page.
type boundsPart struct {
	id, title, about string
	calls            []Bound
}

func (b *Bounds) parts() [3]boundsPart {
	return [...]boundsPart{
		{"seen", "Seen only", "These were made, and the analysis did not find them: it has a defect, or another program made them, which the recorded one started. A profile made from the analysis lacks them.", b.Seen},
		{"reachable", "Reachable only", "The code of the programs can make these calls. The recording has none of them: what it ran did not come that far, or no configuration does.", b.Reachable},
		{"both", "Seen and reachable", "Both bounds have these calls: the programs need them.", b.Both},
	}
}

// subject names the programs, if they are few.
func (b *Bounds) subject() string {
	if len(b.Programs) > 3 {
		return plural(len(b.Programs), "program")
	}
	return series(b.Programs, "and")
}

// answer says how far the bounds are apart.
func (b *Bounds) answer() []string {
	can := len(b.Both) + len(b.Reachable)
	list := []string{fmt.Sprintf("Of %s that %s can make, the recording has %d and lacks %d.", plural(can, "call"), b.subject(), len(b.Both), len(b.Reachable))}
	if len(b.Seen) > 0 {
		var names []string
		for _, c := range b.Seen {
			names = append(names, c.Call)
		}
		list = append([]string{fmt.Sprintf("%s seen that the analysis did not find: %s.", were(len(b.Seen)), series(names, "and"))}, list...)
	}
	if len(b.Incomplete) > 0 {
		list = append(list, "The analysis is incomplete, so that programs may make other calls, too.")
	}
	return list
}

func were(n int) string {
	if n == 1 {
		return "1 call was"
	}
	return fmt.Sprintf("%d calls were", n)
}

// document writes the page. It has no script: its style sheet follows the reader's theme.
func (b *Bounds) document(date string) markup {
	kind := ""
	if len(b.Seen) > 0 {
		kind = "weaker"
	}
	answer := b.answer()
	title := b.subject()
	csp := fmt.Sprintf("default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none'", digest(style()))
	head := el("head",
		el("meta", at("charset", "utf-8")),
		el("meta", at("http-equiv", "Content-Security-Policy"), at("content", csp)),
		el("meta", at("name", "viewport"), at("content", "width=device-width, initial-scale=1")),
		el("meta", at("name", "color-scheme"), at("content", "light dark")),
		el("meta", at("name", "referrer"), at("content", "no-referrer")),
		el("title", title, " – both bounds of its system calls"),
		el("style", markup(style())))
	parts := b.parts()
	body := el("body",
		el("a", class("skip"), at("href", "#main"), "Skip to the content"),
		el("header",
			el("p", class("kicker"), "System calls, seen and reachable", prefixedText(" · ", date)),
			el("h1", el("span", class("name"), title)),
			el("p", class("answer", kind), el("b", answer[0]), each(answer[1:], func(s string) markup { return join(" ", s) }))),
		el("nav", at("aria-label", "Sections"), el("ul", each(parts[:], func(p boundsPart) markup {
			return el("li", el("a", at("href", "#"+p.id), p.title, " ", el("small", len(p.calls))))
		}))),
		el("main", at("id", "main"), at("tabindex", "-1"), b.warning(), each(parts[:], boundsPart.markup)),
		el("footer", el("p", "Made by seccompile with the system calls of Linux ", syscalltables.Kernel(), " from ", el("code", b.Recording),
			" and a scan. This page is a single file: it loads nothing and has no script.")))
	return "<!DOCTYPE html>\n" + el("html", at("lang", "en"), head, body)
}

// prefixedText returns text behind a prefix, nothing without the text.
func prefixedText(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// warning says why the upper bound is none.
func (b *Bounds) warning() markup {
	return some(len(b.Incomplete) > 0, titled("incomplete", "Incomplete",
		el("p", class("warn"), "The analysis may have missed calls:"),
		el("ul", class("rules"), each(b.Incomplete, func(why string) markup { return el("li", why) }))))
}

func (p boundsPart) markup() markup {
	if len(p.calls) == 0 {
		return titled(p.id, p.title, el("p", class("lede"), "None."))
	}
	return titled(p.id, p.title, el("p", class("lede"), p.about), el("table",
		el("thead", el("tr", el("th", at("scope", "col"), "Call"), el("th", at("scope", "col"), "With it, a program can"), el("th", at("scope", "col"), "A way to it"))),
		el("tbody", each(p.calls, func(c Bound) markup {
			return el("tr", el("th", at("scope", "row"), el("code", c.Call)), el("td", c.power()), el("td", el("small", strings.Join(c.Way, " → "))))
		}))))
}

// power returns what a call can give a program, "" if nothing but what it does.
func (c Bound) power() string {
	powers := grade.Powers()
	if i := grade.Gravest(c.Call); i < len(powers)-1 {
		return powers[i].Title
	}
	return ""
}

// markdown writes the same for a pull request, without the ways, and with what was seen and can
// be made folded.
func (b *Bounds) markdown(date string) []byte {
	w := new(marks)
	answer := b.answer()
	w.line("### %s", plainText(answer[0]))
	w.line("\n%s", plainText(strings.Join(append(answer[1:], "The recording is "+b.Recording+"."), " ")))
	for _, p := range b.parts() {
		if len(p.calls) == 0 {
			continue
		}
		open := ""
		if p.id == "seen" {
			open = " open"
		}
		w.line("\n<details%s><summary>%s: %d</summary>\n", open, p.title, len(p.calls))
		for _, c := range p.calls {
			w.line("- %s%s", code(c.Call), prefixed(": ", c.power()))
		}
		w.line("\n</details>")
	}
	for _, why := range b.Incomplete {
		w.line("\nIncomplete: %s", plainText(why))
	}
	w.line("\n<sub>seccompile, with the system calls of Linux %s%s</sub>", syscalltables.Kernel(), prefixed(", ", date))
	return []byte(w.String())
}
