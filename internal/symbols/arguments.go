package symbols

import (
	"errors"
	"fmt"
	"strings"
)

// arguments takes the arguments of a call apart.
type arguments struct {
	call string
	text string // what follows the opening parenthesis
	at   int
	list []string

	value  strings.Builder // of the argument that is read, without what is skipped
	opaque bool            // it has a text, a structure or a macro, whose value does not show
}

// read reads the arguments up to the closing parenthesis and moves behind it.
func (s *arguments) read() error {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch c := rest[0]; {
		case c == ')':
			s.at++
			return s.last(true)
		case c == ',':
			s.at++
			if err := s.add(); err != nil {
				return err
			}
		case strings.HasPrefix(rest, "<unfinished"):
			s.at = len(s.text)
			if strings.TrimSpace(s.value.String()) != "" || s.opaque {
				if err := s.add(); err != nil {
					return err
				}
			}
			s.list = append(s.list, elision)
			return nil
		default:
			if err := s.step(c, rest); err != nil {
				return err
			}
		}
	}
	if strings.TrimSpace(s.value.String()) != elision {
		return errors.New("the parenthesis after the arguments is missing")
	}
	return s.last(false)
}

// step reads a part of an argument.
func (s *arguments) step(c byte, rest string) error {
	switch {
	case c == '"' || c == '\'' || c == '[' || c == '{':
		s.opaque = true
		return s.skip(c)
	case c == '(' && !s.begins():
		s.opaque = true // makedev(8, 1)
		return s.skip(c)
	case c == '(':
		end := strings.IndexByte(rest, ')')
		if end < 0 {
			return errors.New("a parenthesis is not closed")
		}
		s.value.WriteString(rest[:end+1]) // a cast
		s.at += end + 1
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest, "*/")
		if end < 0 {
			return errors.New("a comment is not closed")
		}
		s.at += end + 2
	case c == '<' && !strings.HasPrefix(rest, "<<"):
		return s.skip(c) // 3</etc/passwd>
	case c == '<':
		s.value.WriteString("<<")
		s.at += 2
	default:
		s.value.WriteByte(c)
		s.at++
	}
	return nil
}

// begins reports whether nothing of the value stands before.
func (s *arguments) begins() bool {
	v := strings.TrimSpace(s.value.String())
	return v == "" || strings.HasSuffix(v, "=") || strings.HasSuffix(v, "|")
}

// closer returns what ends a part that begins with a byte, 0 if none does.
func closer(open byte) byte {
	switch open {
	case '"', '\'':
		return open
	case '[', '{':
		return open + 2
	case '(':
		return ')'
	case '<':
		return '>'
	}
	return 0
}

// skip moves behind a text or what stands in brackets, with all that is nested in it.
func (s *arguments) skip(open byte) error {
	start := s.at
	stack := []byte{closer(open)}
	for s.at++; s.at < len(s.text); s.at++ {
		c, end := s.text[s.at], stack[len(stack)-1]
		switch {
		case end == '"' || end == '\'':
			if c == '\\' {
				s.at++
				continue
			}
		case end == '>' && (c != '>' || s.text[s.at-1] == '-'): // 3<TCP:[127.0.0.1:80->127.0.0.1:9]>
			continue
		}
		switch {
		case c == end:
			stack = stack[:len(stack)-1]
		case end != '"' && end != '\'' && closer(c) != 0 && !s.shift(c):
			stack = append(stack, closer(c))
		}
		if len(stack) == 0 {
			s.at++
			return nil
		}
	}
	return fmt.Errorf("%.20q is not closed", s.text[start:])
}

// shift reports whether a byte is one of "<<", or compares.
func (s *arguments) shift(c byte) bool {
	prev := s.text[s.at-1]
	return c == '<' && (prev == '<' || prev == ' ' || strings.HasPrefix(s.text[s.at:], "<<"))
}

// last ends the list.
func (s *arguments) last(closed bool) error {
	if closed && len(s.list) == 0 && !s.opaque && strings.TrimSpace(s.value.String()) == "" {
		return nil
	}
	return s.add()
}

// add ends an argument.
func (s *arguments) add() error {
	v, opaque := strings.TrimSpace(s.value.String()), s.opaque
	s.value.Reset()
	s.opaque = false
	switch {
	case len(s.list) > 0 && s.list[len(s.list)-1] == elision:
		return errors.New("... stands for all arguments that follow, so nothing can come after it (write ? for one)")
	case v == elision && !opaque:
		s.list = append(s.list, elision)
		return nil
	case v == "" && !opaque:
		return fmt.Errorf("argument %d is empty (write 0 if it does not matter)", len(s.list))
	}
	name, value, named := strings.Cut(v, "=")
	if strings.Contains(v, "=>") {
		opaque, named = true, false // what it was before and after the call
	}
	if !named {
		value = v
	}
	switch value = strings.TrimSpace(value); {
	case opaque:
		value = Unseen
	case value == "NULL":
		value = "0"
	}
	if name = strings.TrimSpace(name); named && name == "" {
		return fmt.Errorf("argument %d has no name before the = (write 0 or NAME=0)", len(s.list))
	} else if named {
		value = s.named(name, value)
	}
	s.list = append(s.list, value)
	return nil
}

// named writes an argument with a name. The names of strace, which has them for clone alone, are
// not all those of the kernel, and two of clone's arguments stand in another order on some ABIs.
func (s *arguments) named(name, value string) string {
	if s.call == "clone" {
		switch name {
		case "child_stack":
			name = "stack"
		case "child_tidptr":
			return "arg3=" + Unseen
		case "tls":
			return "arg4=" + Unseen
		}
	}
	return name + "=" + value
}
