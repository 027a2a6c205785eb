package report

import (
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/internal/lint"
)

// document writes the whole page.
func (p *page) document() markup {
	csp := fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'",
		digest(style()), digest(scriptJS))
	head := el("head",
		el("meta", at("charset", "utf-8")),
		el("meta", at("http-equiv", "Content-Security-Policy"), at("content", csp)),
		el("meta", at("name", "viewport"), at("content", "width=device-width, initial-scale=1")),
		el("meta", at("name", "color-scheme"), at("content", "light dark")),
		el("meta", at("name", "referrer"), at("content", "no-referrer")),
		el("title", p.Title, " – seccomp profile review"),
		el("style", markup(style())))
	body := el("body",
		el("a", class("skip"), at("href", "#main"), "Skip to the content"),
		p.header(), p.navigation(),
		el("main", at("id", "main"), at("tabindex", "-1"),
			p.differences(), p.summary(), p.findings(), p.calls(), p.conditions(), p.costs(), p.trees()),
		el("footer", el("p", "Made by seccompile with the system calls of Linux ", p.Tables,
			". This page is a single file: it loads nothing, and only search, filters and zoom need a script.")),
		el("script", markup(scriptJS)))
	return "<!DOCTYPE html>\n" + el("html", at("lang", "en"), head, body)
}

func (p *page) header() markup {
	noun, what, date := "profile", "review", ""
	if !slices.ContainsFunc(p.Sides, func(s section) bool { return !s.Filter }) {
		noun = "filter"
	}
	if p.Pair {
		what = "comparison"
	}
	if p.Date != "" {
		date = " · " + p.Date
	}
	var names, answer markup
	for i, s := range p.Sides {
		parts := []any{class("name")}
		if s.Name != s.Whole {
			parts = append(parts, at("title", s.Whole))
		}
		names += some(i > 0, " ", el("span", class("to"), "→"), " ") + el("span", append(parts, letter(s.Letter), s.Name)...)
	}
	if d := p.Difference; d != nil {
		weaker := ""
		if d.Gains() {
			weaker = "weaker"
		}
		list := d.Answer("A", "B")
		answer = el("p", class("answer", weaker), el("b", list[0]), each(list[1:], func(s string) markup { return join(" ", s) }))
	}
	return el("header",
		el("p", class("kicker"), "Seccomp ", noun, " ", what, date),
		el("button", at("type", "button"), at("id", "theme"), at("hidden", ""), "Dark"),
		el("h1", names), answer)
}

func (p *page) navigation() markup {
	link := func(id, title string) markup { return el("li", el("a", at("href", "#"+id), title)) }
	return el("nav", at("aria-label", "Sections"), el("ul",
		some(p.Pair, link("difference", "Difference")),
		link("summary", "Summary"), link("findings", "Findings"), link("calls", "Calls"),
		link("conditions", "Conditions"), link("cost", "Cost"), link("tree", "Decision tree")))
}

// titled writes a section with its heading.
func titled(id, title string, parts ...any) markup {
	heading := id + "-h"
	return el("section", append([]any{at("id", id), at("aria-labelledby", heading), el("h2", at("id", heading), title)}, parts...)...)
}

// perSide writes something for each profile, under its name if there are two.
func (p *page) perSide(f func(*section) markup) (all markup) {
	for i := range p.Sides {
		s := &p.Sides[i]
		all += some(s.Letter != "", el("h3", letter(s.Letter), s.Name)) + f(s)
	}
	return all
}

func letter(l string) markup {
	if l == "" {
		return ""
	}
	return el("b", class("letter", l), l) + " "
}

func (c chip) markup() markup { return el("span", class("chip", string(c.Kind)), c.Text) }

func on(abis string) markup {
	if abis == "" {
		return ""
	}
	return " " + el("small", "on ", abis)
}

func pointer(p string) markup {
	if p == "" {
		return ""
	}
	return " " + el("code", class("ptr"), p)
}

// rules writes the cases of a call.
func rules(list []ruling) markup {
	return el("ul", class("rules"), each(list, func(r ruling) markup {
		return el("li", r.chip.markup(), " ", el("code", soft(r.When)), pointer(r.Pointer))
	}))
}

// findings writes what check found. Of two profiles it is what only one of them has, and
// then, folded, what both have.
func (p *page) findings() markup {
	shared := p.shared()
	return titled("findings", "Findings", join(
		p.perSide(func(s *section) markup {
			_, own := parted(s.Findings, shared)
			if len(own) == 0 {
				return el("p", class("lede"), s.none(len(s.Findings)))
			}
			return findingList(own)
		}),
		p.alike(shared)))
}

// alike writes the findings that both profiles have, with their places in the new one.
func (p *page) alike(shared func(lint.Finding) bool) markup {
	both, _ := parted(p.Sides[len(p.Sides)-1].Findings, shared)
	if len(both) == 0 {
		return ""
	}
	return el("details", class("alike"), el("summary", plural(len(both), "finding"), " that A and B share"), findingList(both))
}

func findingList(list []lint.Finding) markup {
	return el("ul", class("findings"), each(list, func(f lint.Finding) markup {
		severity := f.Severity.String()
		return el("li", class(severity), el("span", class("tag", severity), severity), el("div",
			el("p", f.Reason),
			some(f.Fix != "", el("p", class("fix"), el("b", "Fix:"), " ", f.Fix)),
			el("p", class("where"), el("code", f.ID), pointer(f.Pointer), some(f.Line > 0, " ", el("span", "line ", f.Line)))))
	}))
}

// none says why there are no findings, beyond those that both profiles share.
func (s *section) none(shared int) string {
	switch {
	case s.Filter:
		return "A filter has no text to review."
	case shared > 0:
		return "None beyond those that both have."
	}
	return "None."
}

func (p *page) costs() markup {
	return titled("cost", "Cost and size", p.perSide(func(s *section) markup {
		c := &s.Cost
		if c.TooLong != "" {
			return el("p", class("warn"), "There is no filter for this profile: ", c.TooLong, ".")
		}
		return join(
			el("ul", class("figures"), each(c.Figures, func(f figure) markup {
				return el("li", el("b", f.Value), " ", f.Unit, el("small", f.Note))
			})),
			el("p", class("aside"), "Filter instructions that the kernel executes for one call: the mean (with all arguments 0) and the maximum. Cached calls are always allowed and in the kernel's bitmap, so they execute none; for uncached calls the kernel runs the filter each time."),
			el("div", class("scroll"), at("role", "region"), at("aria-label", "Executed instructions"), at("tabindex", "0"), c.table()))
	}))
}

func (c *cost) table() markup {
	var heads, rows markup
	for _, x := range c.Classes {
		heads += el("th", at("scope", "col"), class("n"), x)
	}
	for _, a := range c.ABIs {
		rows += el("tr", el("th", at("scope", "row"), el("code", a.ABI), el("small", a.Bitmap)), each(a.Classes, func(x classCost) markup {
			if x.Calls == 0 {
				return el("td", class("n"), "–")
			}
			return el("td", class("n"), x.Mean, " / ", x.Max, el("small", plural(x.Calls, "call")))
		}))
	}
	return el("table", class("cost"), caption("Executed instructions, mean and maximum"),
		el("thead", el("tr", el("th", at("scope", "col"), "ABI"), heads)), el("tbody", rows))
}

// caption is a table's for those who do not see the page.
func caption(text string) markup { return el("caption", class("sr"), text) }

func (p *page) trees() markup {
	return titled("tree", "Decision tree",
		el("p", class("lede"), "What the filter tests, from left to right: the ABI, the number, and the arguments of the few calls that depend on them."),
		p.perSide(func(s *section) (all markup) {
			for i, x := range s.Pictures {
				parts := []any{class("tree"), el("summary", x.Title)}
				if i == 0 && s.Letter != "B" {
					parts = append(parts, at("open", ""))
				}
				all += el("details", append(parts, x.markup())...)
			}
			return all
		}))
}

func (p *picture) markup() markup {
	if p.None != "" {
		return el("p", class("warn"), p.None, ".")
	}
	button := func(value, name, label string) markup {
		parts := []any{at("type", "button"), at("value", value), name}
		if label != "" {
			parts = append(parts, at("aria-label", label))
		}
		return el("button", parts...)
	}
	return join(
		el("p", class("zoom"), at("hidden", ""), button("0.8", "−", "Zoom out"), " ", button("1.25", "+", "Zoom in"), " ",
			button("0", "Actual size", ""), " ", button("fit", "Fit", "")),
		el("div", class("scroll"), at("role", "region"), at("aria-label", "Picture of the decisions on calls of "+p.Title), at("tabindex", "0"), p.SVG),
		el("details", class("text"), el("summary", "As text"), el("pre", at("tabindex", "0"), p.Text)))
}
