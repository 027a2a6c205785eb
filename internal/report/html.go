package report

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
)

// Markup is HTML that is safe to show. Text becomes markup only in el and join, which escape
// it. The standard library's templates would do as much, but they cost the playground a
// third of its size: what they call by name, the linker has to keep.
type markup string

// An attr is an attribute of an element.
type attr struct{ key, value string }

func at(key, value string) attr { return attr{key, value} }
func class(names ...string) attr {
	return attr{"class", strings.Join(slices.DeleteFunc(names, func(s string) bool { return s == "" }), " ")}
}

// lines are the elements after which a new line begins, for those who read the source.
const lines = " body dl details div fieldset footer h1 h2 h3 h4 head header li main meta nav option p section table tbody thead title tr ul "

// voids are the elements that have no content.
const voids = " input meta wbr "

// el writes an element with attributes and content: text, markup and lists of markup.
func el(tag string, parts ...any) markup {
	var open, content strings.Builder
	open.WriteString("<" + tag)
	for _, part := range parts {
		if a, ok := part.(attr); ok {
			fmt.Fprintf(&open, ` %s="%s"`, a.key, escaped(a.value))
		} else {
			write(&content, part)
		}
	}
	open.WriteString(">")
	if !strings.Contains(voids, " "+tag+" ") {
		open.WriteString(content.String() + "</" + tag + ">")
	}
	if strings.Contains(lines, " "+tag+" ") {
		open.WriteString("\n")
	}
	return markup(open.String())
}

// join writes text and markup one after the other.
func join(parts ...any) markup {
	var b strings.Builder
	for _, part := range parts {
		write(&b, part)
	}
	return markup(b.String())
}

func write(b *strings.Builder, part any) {
	switch x := part.(type) {
	case nil:
	case string:
		b.WriteString(escaped(x))
	case markup:
		b.WriteString(string(x))
	case int, uint32, fmt.Stringer:
		b.WriteString(escaped(fmt.Sprint(x)))
	default:
		panic(fmt.Sprintf("BUG: %T in a page", part))
	}
}

// each writes what f makes of the elements of a list.
func each[T any](list []T, f func(T) markup) markup {
	var b strings.Builder
	for _, x := range list {
		b.WriteString(string(f(x)))
	}
	return markup(b.String())
}

// some returns the markup if there is a reason for it.
func some(yes bool, parts ...any) markup {
	if !yes {
		return ""
	}
	return join(parts...)
}

// escaped makes text harmless in content and attributes.
func escaped(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text))
}

// soft escapes text and lets lines break between flags that are joined, not within one.
func soft(text string) markup {
	return markup(strings.ReplaceAll(escaped(text), "|", "|<wbr>"))
}

// name writes the name of a call, in which lines break between words.
func name(call string) markup {
	return el("code", markup(strings.ReplaceAll(escaped(call), "_", "_<wbr>")))
}
