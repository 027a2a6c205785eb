package report

import "fmt"

// differences writes what changed, of two profiles.
func (p *page) differences() markup {
	if p.Difference == nil {
		return ""
	}
	if len(p.Difference.Groups) == 0 {
		return titled("difference", "Difference", el("p", class("lede"), "None."))
	}
	return titled("difference", "Difference",
		el("p", class("lede"), "The list is complete: both profiles treat every other call alike, whatever its arguments."),
		each(p.Difference.Groups, (*change).markup))
}

func (c *change) markup() markup {
	partly := each(c.Partly, (*changed).markup)
	return el("div", class("change", c.Direction.String()),
		el("h3", el("span", class("tag", c.Direction.String()), c.Direction.Title()), " ", c.From.markup(), " ",
			el("span", class("to"), at("aria-label", "becomes"), "→"), " ", c.To.markup()),
		names(c.Always),
		some(partly != "", el("dl", class("partly"), partly)),
		c.unnamed())
}

// names lists calls. ABIs that several of them have in common are named once.
func names(list []*changed) markup {
	return each(together(list), func(g sameABIs) markup {
		return some(g.On != "", el("p", class("aside"), "On ", g.On, ":")) +
			el("ul", class("names"), each(g.Calls, func(x *changed) markup { return el("li", name(x.Name), some(g.On == "", on(x.On))) }))
	})
}

// markup writes a call of which some arguments decide.
func (x *changed) markup() markup {
	var when markup
	for i, w := range x.When {
		when += some(i > 0, " or ") + join("if ", el("code", soft(w)))
	}
	return el("div", el("dt", name(x.Name), on(x.On)), el("dd", when, some(x.More, " or in further cases"), " ",
		el("small", "for example ", el("code", soft(x.Witness)))))
}

// unnamed writes the numbers without a call, and the ABIs of no side.
func (c *change) unnamed() markup {
	if len(c.Numbers) == 0 && !c.Foreign {
		return ""
	}
	var list markup
	for i, n := range c.Numbers {
		list += some(i > 0, "; ") + join(n.On(), " ", n.Text())
	}
	return el("p", class("aside"), some(list != "", "Numbers without a call: ", list, "."), some(c.Foreign, " Calls through any other ABI."))
}

func (p *page) summary() markup {
	return titled("summary", "Summary",
		el("div", class("sides"), each(p.Sides, func(s section) markup { return s.summary() })),
		el("h3", "What a program can do"),
		el("p", class("aside"), "This is what the filter permits; most of it also requires a capability or a permission."),
		p.privileges())
}

func (s *section) summary() markup {
	var about, facts, severities markup
	for i, text := range s.About {
		about += some(i > 0, " ") + join(text)
	}
	for _, f := range s.Facts {
		facts += el("div", el("dt", f.Name), el("dd", f.Value))
	}
	for i, text := range s.Severities {
		severities += some(i > 0, ", ") + join(text)
	}
	if severities == "" {
		severities = "none"
	}
	title := "Calls of each ABI by verdict"
	if s.Letter != "" {
		title += ", profile " + s.Letter
	}
	return el("div", class("side"),
		some(s.Letter != "", el("h3", letter(s.Letter), s.Name)),
		el("p", class("lede"), about),
		el("table", class("tally"), caption(title),
			el("thead", el("tr", el("th", at("scope", "col"), "ABI"), el("th", at("scope", "col"), "Calls and their verdicts"))),
			el("tbody", each(s.Tallies, tally.markup))),
		el("dl", class("facts"), facts, el("div", el("dt", "Findings"), el("dd", el("a", at("href", "#findings"), severities)))))
}

// markup writes a row with a bar of shares.
func (t tally) markup() markup {
	var bar, legend markup
	for _, s := range t.Shares {
		bar += el("rect", class(string(s.Kind)), at("x", fmt.Sprint(s.X)), at("width", fmt.Sprint(s.Width)), at("height", "10"))
		legend += el("li", class(string(s.Kind)), el("b", s.Rows), " ", s.Title)
	}
	return el("tr", el("th", at("scope", "row"), el("code", t.ABI), el("small", t.Calls, " calls")), el("td",
		el("svg", class("bar"), at("viewBox", "0 0 1000 10"), at("preserveAspectRatio", "none"), at("aria-hidden", "true"), bar),
		el("ul", class("legend"), legend)))
}

// privileges writes what a program can do: of two profiles what differs, then the rest.
func (p *page) privileges() markup {
	if p.Pair {
		return join(
			some(len(p.Privileges) > 0, p.questions("What a program can do under one profile and not, or otherwise, under the other", p.Privileges)),
			some(len(p.Kept) > 0, el("details", class("alike"), el("summary", len(p.Kept), " privileges about which A and B agree"),
				p.questions("What a program can do under both profiles alike", p.Kept))))
	}
	var can, cannot markup
	for _, q := range p.Privileges {
		switch a := q.Answers[0]; {
		case a.Can:
			can += el("li", q.Name, " ", el("small", waysMarkup(a.By)))
		case a.Undecided:
			can += el("li", class("may"), "perhaps ", q.Name, " ", el("small", "undecided: too many conditions"))
		default:
			cannot += el("li", q.Name)
		}
	}
	return el("div", class("privileges"),
		el("div", el("h4", "It can"), el("ul", class("can"), can)),
		el("div", el("h4", "It cannot"), el("ul", class("cannot"), cannot)))
}

// questions writes a table of privileges, with the answer of each profile.
func (p *page) questions(title string, list []question) markup {
	return el("table", class("privileges"), caption(title),
		el("thead", el("tr", el("th", at("scope", "col"), "Can a program …"),
			each(p.Sides, func(s section) markup { return el("th", at("scope", "col"), letter(s.Letter)) }))),
		el("tbody", each(list, func(q question) markup {
			return el("tr", el("th", at("scope", "row"), q.Name), each(q.Answers, func(a answer) markup { return el("td", a.markup()) }))
		})))
}

func (a answer) markup() markup {
	switch {
	case a.Can:
		return el("b", class("can"), "yes") + " " + el("small", "by ", waysMarkup(a.By))
	case a.Undecided:
		return el("b", class("may"), "unknown")
	}
	return el("b", class("cannot"), "no")
}

func waysMarkup(list []way) (all markup) {
	for i, w := range list {
		one := join(w.On)
		if w.Call != "" {
			one = name(w.Call) + some(w.On != "", " on ", w.On) +
				some(w.Above != "", " with a bit set in the upper half of ", w.Above, ", which the kernel ignores")
		}
		all += some(i > 0, " ") + el("span", class("way"), one, some(i < len(list)-1, ","))
	}
	return all
}
