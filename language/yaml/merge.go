package yaml

import (
	"bytes"

	yaml "go.yaml.in/yaml/v3"

	"github.com/seccompile/seccompile/internal/document"
)

// A member of a mapping: its key, and its value, which another mapping may have given.
type member struct {
	name       string
	key, value *yaml.Node
}

// members returns the members of a mapping with those that it merges, which it may have
// itself, too.
func (w *translation) members(n *yaml.Node, depth int) ([]member, error) {
	if tag := n.ShortTag(); tag != "!!map" {
		return nil, w.unknownTag(n, tag, "mapping")
	}
	if depth >= maxDepth {
		return nil, w.fail(n, "more than %d levels of nesting", maxDepth)
	}
	var own []member
	var merge *member
	at := map[string]int{} // index of a name in own
	for i := 0; i+1 < len(n.Content); i += 2 {
		m, isMerge, err := w.member(n.Content[i], n.Content[i+1])
		if err != nil {
			return nil, err
		}
		first := merge
		if j, ok := at[m.name]; ok && !isMerge {
			first = &own[j]
		} else if !isMerge {
			first = nil
		}
		switch {
		case first != nil:
			return nil, w.fail(m.key, "%s: the key is there twice, first at %d:%d (remove one)", quoted(m.name), first.key.Line, first.key.Column)
		case isMerge:
			merge = &m
		default:
			at[m.name] = len(own)
			own = append(own, m)
		}
	}
	if merge == nil {
		return own, nil
	}
	return w.merged(own, merge, at, depth)
}

// member returns a member from its key and value, and whether the key merges.
func (w *translation) member(key, value *yaml.Node) (m member, isMerge bool, err error) {
	scalar := key
	if key.Kind == yaml.AliasNode {
		scalar = key.Alias
	}
	if w.work++; w.work > maxValues {
		return m, false, w.fail(key, "too much for a profile with what aliases repeat (at most %d values and keys)", maxValues)
	}
	if scalar.Kind != yaml.ScalarNode {
		if bytes.Contains(w.data, []byte("{{")) {
			return m, false, w.fail(key, "a key that is a list or a mapping (%s)", render)
		}
		return m, false, w.fail(key, "a key that is a list or a mapping (use text)")
	}
	m = member{name: scalar.Value, key: key, value: value}
	if scalar.ShortTag() == "!!merge" {
		return m, true, nil
	}
	switch kind, text := resolve(scalar); kind {
	case document.String:
		m.name = text
	case document.Number:
		m.name = text
	case 0:
		return m, false, w.fail(key, "%s: %s", quoted(scalar.Value), text)
	default:
		return m, false, w.fail(key, "%s: a key that is %s in YAML (put it in quotes if it is text)", quoted(scalar.Value), kind)
	}
	return m, false, nil
}

// merged returns the members of a mapping with those that its key << gives. Of mappings in a
// list, the first that has a key gives its value.
func (w *translation) merged(own []member, merge *member, at map[string]int, depth int) ([]member, error) {
	given := []*yaml.Node{merge.value}
	if v := target(merge.value); v.Kind == yaml.SequenceNode {
		given = v.Content
	}
	ours := len(own)
	for _, g := range given {
		from := target(g)
		if from.Kind != yaml.MappingNode {
			return nil, w.fail(g, "<< can merge mappings only (give the alias of one, or a list of these)")
		}
		if w.open[from] {
			return nil, w.fail(g, "the mapping is inside of what it merges (write that out)")
		}
		w.open[from] = true
		theirs, err := w.members(from, depth+1)
		delete(w.open, from)
		if err != nil {
			return nil, err
		}
		for _, m := range theirs {
			i, ok := at[m.name]
			if !ok {
				at[m.name] = len(own)
				own = append(own, m)
			} else if i < ours && before(own[i].key, merge.key) {
				return nil, w.fail(merge.key, "<< behind the key %s, which it gives, too: programs disagree about which holds (put << first)", quoted(m.name))
			}
		}
	}
	return own, nil
}

// before reports whether a node of the same mapping stands before another.
func before(n, m *yaml.Node) bool {
	return n.Line < m.Line || n.Line == m.Line && n.Column < m.Column
}

// target returns what a node is or stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
