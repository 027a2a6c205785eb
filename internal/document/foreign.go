package document

import "strings"

// expected reports that the grammar of JSON asks for something else at the current
// position, with the cure for what people often write there.
func (s *scanner) expected(what string) *Error {
	if s.comment() {
		return s.errorf("a comment, which JSON does not have (remove it, or write it as the value of a key named comment)")
	}
	if name := word(s.text[min(s.pos, len(s.text)):]); what == "a value" && len(name) > 1 {
		return s.errorf("expected a value, got %s (write a number, or put text in double quotes)", name)
	}
	return s.errorf("expected %s, got %s", what, s.found())
}

// comment reports whether a comment of another language starts at the current position.
func (s *scanner) comment() bool {
	rest := s.text[min(s.pos, len(s.text)):]
	return strings.HasPrefix(rest, "//") || strings.HasPrefix(rest, "/*") || strings.HasPrefix(rest, "#")
}

// word returns the name that text begins with, cut to a readable length.
func word(text string) string {
	const most = 40
	n := 0
	for n < min(len(text), most) && isWord(text[n]) {
		n++
	}
	return text[:n]
}

func isWord(c byte) bool {
	return c == '_' || isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// foreign names what the text is if it does not begin as JSON does.
func (s *scanner) foreign() *Error {
	text := s.text[s.pos:]
	if text[0] == '{' {
		return nil
	}
	for strings.HasPrefix(text, "#") { // comments of YAML, or of hopeful JSON
		_, text, _ = strings.Cut(text, "\n")
		text = strings.TrimLeft(text, " \t\r\n")
	}
	const most = 4096 // bytes of a line that decide
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimRight(line[:min(len(line), most)], " \t\r")
	switch {
	case len(line) == 0:
		return nil // the comment is the problem
	case isSection(line):
		return s.errorf("a systemd unit or another INI file, not a profile (write the profile in JSON)")
	case isJSON(line):
		return nil
	}
	brace := strings.IndexByte(line, '{')
	if i := strings.Index(text, "\n{"); brace < 0 && i >= 0 {
		brace = i + 1
	}
	switch {
	case brace >= 0:
		var p positioner
		n, column := p.position(s.text, len(s.text)-len(text)+brace)
		return s.errorf("text before the first brace, which is at %d:%d (remove the text)", n, column)
	case isYAML(line):
		return s.errorf("YAML, not JSON (to be read as YAML, the text needs a key of a profile, such as defaultAction; Go programs read it with package language/yaml)")
	}
	return s.errorf("the text is not JSON (expected a profile, which begins with a brace)")
}

// isSection reports whether a line begins a section of an INI file, as "[Service]".
func isSection(line string) bool {
	name := line[1:max(1, len(line)-1)]
	return len(name) > 0 && line[0] == '[' && line[len(line)-1] == ']' && 'A' <= name[0] && name[0] <= 'Z' && len(word(name)) == len(name)
}

// isJSON reports whether a line may begin a JSON document. One of some bracket or sign
// that JSON does not have is left to the scanner, which names it.
func isJSON(line string) bool {
	switch word(line) {
	case "":
		return line[0] != '<' && line[0] != '-' || len(line) > 1 && isDigit(line[1])
	case "true", "false", "null":
		return true
	}
	return isDigit(line[0])
}

// isYAML reports whether a line may begin a YAML document: a separator, an element of a
// list or a key.
func isYAML(line string) bool {
	key, value, colon := strings.Cut(line, ":")
	return strings.HasPrefix(line, "---") || strings.HasPrefix(line, "- ") ||
		colon && !strings.ContainsAny(key, " \t") && (len(value) == 0 || value[0] == ' ')
}
