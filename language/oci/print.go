package oci

import (
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/policy"
)

// Print returns a policy as an indented OCI profile. If p is valid, reading the profile
// gives p again, except for the pointers. The error is that of [Spec].
func Print(p *policy.Policy) (string, error) {
	s, err := Spec(p)
	if err != nil {
		return "", err
	}
	var w printer
	w.open('{')
	w.member("defaultAction", string(s.DefaultAction))
	if s.DefaultErrnoRet != nil {
		w.number("defaultErrnoRet", uint64(*s.DefaultErrnoRet))
	}
	if len(s.Architectures) > 0 {
		printStrings(&w, "architectures", s.Architectures)
	}
	if s.Flags != nil {
		printStrings(&w, "flags", s.Flags)
	}
	if s.ListenerPath != "" {
		w.member("listenerPath", s.ListenerPath)
	}
	if s.ListenerMetadata != "" {
		w.member("listenerMetadata", s.ListenerMetadata)
	}
	if len(s.Syscalls) > 0 {
		w.key("syscalls")
		w.open('[')
		for i := range s.Syscalls {
			w.item()
			w.call(&s.Syscalls[i], p.Rules[i].Comment)
		}
		w.close(']')
	}
	w.close('}')
	return string(append(w.text, '\n')), nil
}

// call writes a rule. Docker's and Podman's formats define the key comment; runtimes
// ignore it.
func (w *printer) call(s *specs.LinuxSyscall, comment string) {
	w.open('{')
	if comment != "" {
		w.member("comment", comment)
	}
	printStrings(w, "names", s.Names)
	w.member("action", string(s.Action))
	if s.ErrnoRet != nil {
		w.number("errnoRet", uint64(*s.ErrnoRet))
	}
	if len(s.Args) > 0 {
		w.key("args")
		w.open('[')
		for _, a := range s.Args {
			w.item()
			w.open('{')
			w.number("index", uint64(a.Index))
			w.number("value", a.Value)
			if a.ValueTwo != 0 {
				w.number("valueTwo", a.ValueTwo)
			}
			w.member("op", string(a.Op))
			w.close('}')
		}
		w.close(']')
	}
	w.close('}')
}

// A printer writes JSON with one value a line.
type printer struct {
	text  []byte
	depth int
}

func (w *printer) open(bracket byte) {
	w.text = append(w.text, bracket)
	w.depth++
}

func (w *printer) close(bracket byte) {
	w.depth--
	if last := w.text[len(w.text)-1]; last != '{' && last != '[' {
		w.newline()
	}
	w.text = append(w.text, bracket)
}

func (w *printer) newline() {
	w.text = append(w.text, '\n')
	for range w.depth {
		w.text = append(w.text, '\t')
	}
}

// item starts an element or a member.
func (w *printer) item() {
	if last := w.text[len(w.text)-1]; last != '{' && last != '[' {
		w.text = append(w.text, ',')
	}
	w.newline()
}

func (w *printer) key(name string) {
	w.item()
	w.string(name)
	w.text = append(w.text, ": "...)
}

func (w *printer) member(name, value string) {
	w.key(name)
	w.string(value)
}

func (w *printer) number(name string, n uint64) {
	w.key(name)
	w.text = strconv.AppendUint(w.text, n, 10)
}

func printStrings[S ~string](w *printer, name string, list []S) {
	w.key(name)
	w.open('[')
	for _, s := range list {
		w.item()
		w.string(string(s))
	}
	w.close(']')
}

// string writes a JSON string. Bytes that are not UTF-8 become U+FFFD. Characters that
// are invisible or that control a terminal become \u escapes.
func (w *printer) string(s string) {
	w.text = append(w.text, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			w.text = append(w.text, '\\', byte(r))
		case unicode.IsGraphic(r):
			w.text = utf8.AppendRune(w.text, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			w.text = fmt.Appendf(w.text, `\u%04x\u%04x`, high, low)
		default:
			w.text = fmt.Appendf(w.text, `\u%04x`, r)
		}
	}
	w.text = append(w.text, '"')
}
