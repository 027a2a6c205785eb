package report

import "fmt"

// calls writes the table of calls, with what searches it.
func (p *page) calls() markup {
	title := "The verdict on each call"
	if p.Pair {
		title += " that A and B treat differently"
	}
	folded := []any{class("alike"), el("summary", len(p.Alike), " calls that A and B treat alike")}
	if len(p.Rows) == 0 {
		folded = append(folded, at("open", ""))
	}
	return titled("calls", "Calls",
		p.tools(),
		each(p.Sides, func(s section) markup {
			return some(s.Limit != "", el("p", class("warn"), s.subject(), " too many rules to combine (", s.Limit,
				"), so every call with a condition is listed as decided by its arguments, even if all its rules give the same verdict."))
		}),
		el("div", at("id", "table"),
			some(len(p.Rows) > 0, p.table(title, p.Rows)),
			some(len(p.Alike) > 0, el("details", append(folded, p.table("The verdict on each call that A and B treat alike", p.Alike))...))),
		el("p", at("id", "nothing"), at("hidden", ""), "No call matches. Numbers without a call are listed below."),
		el("h3", "Numbers without a call"),
		each(p.Sides, func(s section) markup { return s.rests() }))
}

// subject begins a sentence about a profile that has something.
func (s *section) subject() string {
	if s.Letter == "" {
		return "There are"
	}
	return s.Letter + " has"
}

// tools writes the form that searches and filters the table.
func (p *page) tools() markup {
	radio := func(k kind, text string, parts ...any) markup {
		input := append([]any{at("type", "radio"), at("name", "kind"), at("value", string(k))}, parts...)
		return el("label", el("input", input...), el("span", text))
	}
	search := el("p", el("label", at("for", "q"), "Search"), " ", el("span", class("key"),
		el("input", at("id", "q"), at("type", "search"), at("placeholder", "name or number"), at("autocomplete", "off"), at("spellcheck", "false"), at("aria-keyshortcuts", "/")),
		el("kbd", at("aria-hidden", "true"), "/")))
	abis := el("p", el("label", at("for", "abi"), "ABI"), " ", el("select", at("id", "abi"), el("option", at("value", ""), "all"),
		each(p.ABIs, func(a string) markup { return el("option", a) })))
	return el("div", class("tools"), at("role", "search"), at("hidden", ""),
		search, some(len(p.ABIs) > 1, abis),
		el("fieldset", el("legend", "Verdict"), radio("", fmt.Sprint("All ", p.Calls), at("checked", "")),
			each(p.Choices, func(c choice) markup { return radio(c.Kind, fmt.Sprint(c.Title, " ", c.Rows)) })),
		el("p", el("button", at("type", "button"), at("id", "open"), at("aria-expanded", "false"), "Open all conditions")),
		el("p", class("count"), el("output", at("id", "count"), at("aria-live", "polite"))))
}

// table writes calls with their verdicts.
func (p *page) table(title string, rows []*row) markup {
	heads := each(p.Sides, func(s section) markup {
		if s.Letter == "" {
			return el("th", at("scope", "col"), "Verdict ", el("small", "and rule"))
		}
		return el("th", at("scope", "col"), letter(s.Letter), el("span", class("name"), s.Name))
	})
	many := len(p.ABIs) > 1
	return el("table", class("calls"), caption(title),
		el("thead", el("tr", el("th", at("scope", "col"), "Call ", el("small", "and number")), heads)),
		el("tbody", each(rows, func(r *row) markup { return r.markup(many) })))
}

// markup writes a row, with the ABIs of its numbers if there are several.
func (r *row) markup(abis bool) markup {
	var parts []any
	var tag markup
	if r.Change != 0 {
		parts = append(parts, at("data-change", r.Change.String()))
		tag = " " + el("span", class("tag", r.Change.String()), r.Change.Title())
	}
	numbers := each(r.Numbers, func(n number) markup {
		return el("data", at("value", fmt.Sprint(n.NR)), at("data-abi", n.ABI), some(abis, el("i", n.ABI), " "), n.Text()) + " "
	})
	parts = append(parts,
		el("th", at("scope", "row"), name(r.Name), tag, el("span", class("nrs"), numbers)),
		each(r.Verdicts, func(v verdict) markup { return el("td", at("data-k", string(v.Kind)), v.markup()) }))
	return el("tr", parts...)
}

func (v *verdict) markup() markup {
	switch {
	case len(v.Rules) > 0:
		return el("details", el("summary", v.chip.markup(), " ", el("small", len(v.Rules), " cases")), rules(v.Rules))
	case v.Pointer != "":
		return v.chip.markup() + pointer(v.Pointer)
	}
	return v.chip.markup() + some(v.Why != "", " ", el("small", v.Why))
}

// rests writes what happens to numbers without a call.
func (s *section) rests() markup {
	caption := el("caption", letter(s.Letter), s.Name)
	if s.Letter == "" {
		caption = el("caption", class("sr"), s.Name)
	}
	column := func(title string) markup { return el("th", at("scope", "col"), title) }
	return el("table", class("rests"), caption,
		el("thead", el("tr", column("ABI"), column("Numbers"), column("Verdict"))),
		el("tbody", each(s.Rests, func(r rest) markup {
			return el("tr", el("th", at("scope", "row"), r.ABIs), el("td", r.Numbers), el("td", r.chip.markup(), some(r.Why != "", " ", el("small", r.Why))))
		})))
}

// conditions writes what the rules of calls add up to.
func (p *page) conditions() markup {
	limits := each(p.Sides, func(s section) markup {
		return some(s.Limit != "", el("p", class("warn"), s.subject(), " too many rules to combine: see the table of calls."))
	})
	var body markup
	switch {
	case len(p.Conditions)+len(p.Shared) > 0:
		body = el("p", class("lede"), "The combined effect of the rules for each call with conditions. The cases exclude each other.") +
			some(len(p.Conditions) > 0, conditionList(p.Conditions)) +
			some(len(p.Shared) > 0, el("details", class("alike"), el("summary", len(p.Shared), " that A and B share"), conditionList(p.Shared)))
	case !p.Limited:
		body = el("p", class("lede"), "No verdict depends on an argument.")
	}
	return titled("conditions", "Conditions", limits, body)
}

func conditionList(list []*condition) markup {
	return el("dl", class("conditions"), each(list, func(c *condition) markup {
		return el("div", el("dt", letter(c.Of), name(c.Name), on(c.On)), el("dd", rules(c.Rules),
			some(c.More, el("p", class("aside"), "There are further cases: see the table of calls."))))
	}))
}
