// Package yaml turns YAML into the sources that readers of JSON take, so that these read
// YAML, too. Errors and warnings have the lines and columns of the YAML text. Start with
// [NewSource].
package yaml

import (
	"fmt"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// Limits on hostile input. The API server of Kubernetes takes objects of at most 3 MiB.
const (
	maxBytes  = 4 << 20
	maxDepth  = 100
	maxValues = 1 << 18 // with what aliases repeat
)

// NewSource returns the source of the one document of a YAML text, which nobody may modify
// afterwards. YAML is read as Kubernetes does: true, yes and on are booleans (YAML 1.1),
// 0644 is an octal number, keys cannot be there twice, and a key << merges. What JSON cannot
// say is an error: a key that is not text, infinity, a tag for an unknown type. The error is
// [policy.Errors].
func NewSource(data []byte) (*language.Source, error) {
	sources, err := Sources(data)
	if err != nil {
		return nil, err
	}
	if len(sources) > 1 {
		line, column := sources[1].Position("")
		return nil, syntax(line, column, "a second document (give one document, without the --- before this one)")
	}
	return sources[0], nil
}

// Sources returns the sources of all documents of a YAML text, as [NewSource] does for one.
// It leaves out those that are empty; there is at least one.
func Sources(data []byte) ([]*language.Source, error) {
	text, err := newText(data)
	if err != nil {
		return nil, err
	}
	var sources []*language.Source
	for decoder := text.decoder(); ; {
		root, err := decoder.next()
		if err != nil {
			return nil, err
		}
		if root == nil {
			break
		}
		if isNull(root) {
			continue
		}
		d, err := text.translate(root)
		if err != nil {
			return nil, err
		}
		sources = append(sources, language.NewSource(data, d))
	}
	if sources == nil {
		return nil, syntax(1, 1, "the input is empty (expected a YAML mapping)")
	}
	return sources, nil
}

// Language reads texts in YAML as another language does in JSON.
type Language struct{ Of language.Language }

// Read implements [language.Language].
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	translated, err := NewSource(s.Data())
	if err != nil {
		return language.Reading{}, err
	}
	reading, err := l.Of.Read(translated, t)
	translated.Locate(reading.Warnings, err)
	if p := reading.Policy; p != nil {
		for i := range p.Rules {
			p.Rules[i].Pointer = s.Place(translated.Position(p.Rules[i].Pointer))
		}
	}
	return reading, err
}

func syntax(line, column int, format string, args ...any) error {
	return policy.Errors{{Kind: policy.Syntax, Reason: fmt.Sprintf(format, args...), Line: line, Column: column}}
}

// isNull reports whether a document has nothing in it.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Anchor == ""
}

// A translation writes a document of YAML as JSON.
type translation struct {
	*text
	json  []byte
	spots []document.Spot
	open  map[*yaml.Node]bool // what is being written, for aliases to what they are in
	work  int                 // members seen
}

func (t *text) translate(root *yaml.Node) (*document.Document, error) {
	w := translation{text: t, open: make(map[*yaml.Node]bool)}
	if err := w.value(root, 0); err != nil {
		return nil, err
	}
	d, err := document.Translated(w.json, w.spots)
	if err != nil {
		return nil, syntax(root.Line, root.Column, "%s", err.Reason)
	}
	return d, nil
}

func (w *translation) fail(n *yaml.Node, format string, args ...any) error {
	return syntax(n.Line, n.Column, format, args...)
}

// spot notes where the value stands that is written next.
func (w *translation) spot(n *yaml.Node) error {
	if len(w.spots) == maxValues || len(w.json) > 4*maxBytes {
		return w.fail(n, "too much for a profile with what aliases repeat (at most %d values and keys)", maxValues)
	}
	w.spots = append(w.spots, document.Spot{Line: int32(n.Line), Column: int32(n.Column)})
	return nil
}

// value writes a value, depth levels inside the document.
func (w *translation) value(n *yaml.Node, depth int) error {
	if at := n; n.Kind == yaml.AliasNode {
		if n = n.Alias; w.open[n] {
			return w.fail(at, "the alias *%s is inside of what it stands for (write that out)", at.Value)
		}
	}
	if n.Kind == yaml.ScalarNode {
		return w.scalar(n)
	}
	if depth == maxDepth {
		return w.fail(n, "more than %d levels of nesting", maxDepth)
	}
	if err := w.spot(n); err != nil {
		return err
	}
	w.open[n] = true
	defer delete(w.open, n)
	if n.Kind == yaml.SequenceNode {
		return w.list(n, depth)
	}
	return w.mapping(n, depth)
}

func (w *translation) list(n *yaml.Node, depth int) error {
	if tag := n.ShortTag(); tag != "!!seq" {
		return w.unknownTag(n, tag, "list")
	}
	w.json = append(w.json, '[')
	for i, element := range n.Content {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if err := w.value(element, depth+1); err != nil {
			return err
		}
	}
	w.json = append(w.json, ']')
	return nil
}

func (w *translation) mapping(n *yaml.Node, depth int) error {
	members, err := w.members(n, depth)
	if err != nil {
		return err
	}
	w.json = append(w.json, '{')
	for i, m := range members {
		if i > 0 {
			w.json = append(w.json, ',')
		}
		if err := w.spot(m.key); err != nil {
			return err
		}
		w.quote(m.name)
		w.json = append(w.json, ':')
		if err := w.value(m.value, depth+1); err != nil {
			return err
		}
	}
	w.json = append(w.json, '}')
	return nil
}

func (w *translation) unknownTag(n *yaml.Node, tag, kind string) error {
	return w.fail(n, "%s: not a tag for a %s (remove the tag)", quoted(tag), kind)
}

// quote writes a string. A document holds valid UTF-8 only.
func (w *translation) quote(s string) {
	w.json = append(w.json, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.json = append(w.json, '\\', c)
		case c < ' ':
			w.json = fmt.Appendf(w.json, `\u%04x`, c)
		default:
			w.json = append(w.json, c)
		}
	}
	w.json = append(w.json, '"')
}

// quoted quotes a word for a message, cut to a readable length.
func quoted(s string) string {
	const most = 40
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strconv.Quote(s)
}
