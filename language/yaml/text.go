package yaml

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yaml "go.yaml.in/yaml/v3"
)

// A text is one of YAML, without a byte order mark.
type text struct {
	data  []byte
	lines []int // where the lines begin that YAML counts, which more than newlines end
}

// newText refuses what is not YAML whatever its grammar.
func newText(data []byte) (*text, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(data) > maxBytes {
		return nil, syntax(0, 0, "%d bytes are too many for a profile in YAML (at most %d)", len(data), maxBytes)
	}
	t := &text{data: data, lines: []int{0}}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			line, column := t.position(i)
			return nil, syntax(line, column, "byte 0x%02x is not UTF-8 (YAML is UTF-8 text)", data[i])
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f, 0x80 <= r && r < 0xa0 && r != 0x85, r == 0xfffe, r == 0xffff:
			line, column := t.position(i)
			return nil, syntax(line, column, `%q is not for YAML text (write it as an escape in double quotes)`, r)
		}
		i += size
		if r == '\n' || r == 0x85 || r == 0x2028 || r == 0x2029 || r == '\r' && !bytes.HasPrefix(data[i:], []byte("\n")) {
			t.lines = append(t.lines, i)
		}
	}
	return t, nil
}

// position returns the 1-based line and column, in bytes, of an offset.
func (t *text) position(offset int) (line, column int) {
	before := t.data[:offset]
	return bytes.Count(before, []byte("\n")) + 1, offset - bytes.LastIndexByte(before, '\n')
}

// render is the cure of templates, which are not YAML yet.
const render = "if it is a Helm chart's template, render it first, with helm template"

// A decoder takes the documents from a text.
type decoder struct {
	*text
	from *yaml.Decoder

	known                   map[*yaml.Node]bool // the anchors of the document
	line, column, offset    int                 // where locate is, as YAML counts
	newlines, lastLineStart int                 // the same as editors count
}

func (t *text) decoder() *decoder {
	return &decoder{text: t, from: yaml.NewDecoder(bytes.NewReader(t.data)), line: 1, column: 1}
}

// next returns the root of the next document, nil behind the last.
func (d *decoder) next() (*yaml.Node, error) {
	var n yaml.Node
	err := d.from.Decode(&n)
	if errors.Is(err, io.EOF) {
		return nil, nil
	}
	if err != nil {
		return nil, d.explain(err)
	}
	root := n.Content[0]
	d.known = make(map[*yaml.Node]bool)
	return root, d.locate(root)
}

// locate replaces the lines and columns of a node and what is in it, which count characters
// and the line ends of YAML, by those of editors, whose columns count bytes here.
func (d *decoder) locate(n *yaml.Node) error {
	d.advance(n.Line, n.Column)
	n.Line, n.Column = d.newlines+1, d.offset-d.lastLineStart+1
	if n.Anchor != "" && n.Kind != yaml.AliasNode {
		d.known[n] = true
	}
	if n.Kind == yaml.AliasNode && !d.known[n.Alias] {
		return syntax(n.Line, n.Column, "%s: the alias of an anchor in another document (repeat the anchor here)", quoted("*"+n.Value))
	}
	for _, c := range n.Content {
		if err := d.locate(c); err != nil {
			return err
		}
	}
	return nil
}

// advance goes to a place, which is usually ahead.
func (d *decoder) advance(line, column int) {
	if line < d.line || line == d.line && column < d.column {
		d.line, d.column, d.offset, d.newlines, d.lastLineStart = 1, 1, 0, 0, 0
	}
	from := d.offset
	if line = min(line, len(d.lines)); line > d.line {
		d.line, d.column, d.offset = line, 1, d.lines[line-1]
	}
	for ; d.column < column && d.offset < len(d.data); d.column++ {
		_, size := utf8.DecodeRune(d.data[d.offset:])
		d.offset += size
	}
	passed := d.data[from:d.offset]
	d.newlines += bytes.Count(passed, []byte("\n"))
	if i := bytes.LastIndexByte(passed, '\n'); i >= 0 {
		d.lastLineStart = from + i + 1
	}
}

// explain returns the error of the YAML library with its place and a cure. The library
// gives the line at most, and none for the first.
func (d *decoder) explain(err error) error {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(reason); m != nil {
		reason = reason[len(m[0]):]
		line, _ = strconv.Atoi(m[1])
	}
	line = min(max(line, 1), len(d.lines))
	offset := d.lines[line-1]
	rest := d.data[offset:]
	if line < len(d.lines) {
		rest = d.data[offset:d.lines[line]]
	}
	indent := len(rest) - len(bytes.TrimLeft(rest, " "))
	at, cure := indent, ""
	switch {
	case bytes.Contains(d.data, []byte("{{")):
		cure = render
	case bytes.HasPrefix(rest[indent:], []byte("\t")):
		cure = "indent with spaces: YAML has no tabs there"
	case strings.HasPrefix(reason, "unknown anchor '"):
		name := "*" + strings.Split(reason, "'")[1]
		offset, at, cure = max(bytes.Index(d.data, []byte(name)), 0), 0, "define it above, as &"+name[1:]
	case strings.Contains(reason, "cannot start any token"):
		at, cure = max(bytes.IndexAny(rest, "@`%\t"), indent), "put the text in quotes"
	case strings.Contains(reason, "mapping values are not allowed"):
		at, cure = max(bytes.LastIndex(rest, []byte(": ")), indent), "put text with a colon in quotes, and indent keys alike"
	case strings.Contains(reason, "unknown escape"):
		at, cure = max(bytes.IndexByte(rest, '\\'), indent), "write two backslashes for one"
	case strings.Contains(reason, "did not find expected ',' or"):
		cure = "close the bracket, and put a comma between values"
	case strings.Contains(reason, "did not find expected"):
		cure = "indent all keys or values of one level alike"
	case strings.Contains(reason, "could not find expected ':'"):
		cure = "a key has a colon and a blank behind it"
	case strings.Contains(reason, "unexpected end of stream"), strings.Contains(reason, "document indicator"):
		cure = "close the quotes"
	case strings.Contains(reason, "exceeded max depth"):
		cure = "a profile has six levels"
	case strings.Contains(reason, "tag"):
		cure = "remove the tag"
	default:
		cure = "check the quotes and the indentation"
	}
	l, c := d.position(offset + at)
	return syntax(l, c, "not YAML: %s (%s)", reason, cure)
}
