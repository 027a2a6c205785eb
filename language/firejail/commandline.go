package firejail

import (
	"path"
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// maxOption is how long firejail lets an option be, in bytes.
const maxOption = 4096

// isCommandLine reports whether a text is a command line, and not a profile: no line of a
// profile begins in this way.
func isCommandLine(s string) bool {
	for line := range strings.Lines(s) {
		var t text
		t.normalize(line)
		if t.string == "" {
			continue
		}
		word, _, _ := t.cut()
		return strings.HasPrefix(word, "--") || path.Base(word) == "firejail"
	}
	return false
}

// readCommandLine reads options, which may stand in several lines.
func (r *reader) readCommandLine(s *language.Source) {
	number := 0
	first, profile := "", r.files
	var words []text
	for line := range strings.Lines(string(s.Data())) {
		number++
		t := text{source: s, line: number}
		t.normalize(line)
		if first == "" && t.string != "" {
			first = t.here()
		}
		words = append(words, t.shellWords()...)
	}
	if path.Base(words[0].string) == "firejail" {
		words = words[1:]
	}
	if !r.readWords(words) && r.files == profile {
		r.Warn(policy.Ignored, first, "no --noprofile: firejail adds a profile that the program's name decides about, which is not read here (name it with --profile=FILE, or say --noprofile)")
	}
}

// readOptions reads the options that were given beside the text.
func (r *reader) readOptions(t text) { r.readWords(t.shellWords()) }

// shellWords splits a command line as a shell does, as far as quotes and backslashes go.
func (t text) shellWords() (words []text) {
	var word []byte
	var columns []int
	quote, inside, start := byte(0), false, 0
	end := func() {
		if inside {
			w := text{string: string(word), source: t.source, line: t.line}
			if t.columns != nil {
				after := t.columns[start]
				if len(columns) > 0 {
					after = columns[len(columns)-1] + 1
				}
				w.columns = append(columns, after)
			}
			words = append(words, w)
		}
		word, columns, inside = nil, nil, false
	}
	for i := 0; i < len(t.string); i++ {
		c := t.string[i]
		if quote == 0 && strings.IndexByte(" \t\n\r", c) >= 0 {
			end()
			continue
		}
		if !inside {
			inside, start = true, i
		}
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(t.string) { // the next line goes on
				inside = len(word) > 0
				continue
			}
			c = t.string[i]
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			continue
		case c == quote:
			quote = 0
			continue
		}
		word = append(word, c)
		if t.columns != nil {
			columns = append(columns, t.columns[i])
		}
	}
	end()
	return words
}

// readWords reads options. It reports whether one of them says that no profile is to be
// read.
func (r *reader) readWords(words []text) (noProfile bool) {
	for _, w := range words {
		if len(w.string) > maxOption {
			r.Fail(w.here(), "an option of more than 4096 bytes, with which firejail does not start (put the list into a profile)")
			continue
		}
		option, ok := strings.CutPrefix(w.string, "--")
		if !ok && !strings.HasPrefix(w.string, "-") || option == "" {
			return noProfile // what follows is the program
		}
		name, rest, valued := strings.Cut(option, "=")
		value := w.to(0)
		if valued {
			value = w.from(len(w.string) - len(rest))
		}
		switch {
		case !ok:
			r.failOption(w, name)
		case name == "noprofile" && !valued:
			noProfile = true
		case name == "appimage" && !valued:
			r.appimage = true
		case name == "ignore" && valued:
			r.addIgnore(value)
		case name == "include" && valued:
			r.include(value)
		case name == "profile" && valued:
			r.readNamed(value)
		case r.observe(name, value.string), r.set(name, value, valued, true):
		case r.commands[name] == 0:
			r.failOption(w, name)
		}
	}
	return noProfile
}

func (r *reader) failOption(w text, name string) {
	cure := r.Near(func() string {
		return unknown.Nearest(name, strings.Fields(alone+" "+withValue+" "+filters+" "+switches))
	})
	if cure == "" {
		cure = " (leave it out)"
	}
	r.Fail(w.here(), unknown.Quote(w.string)+": not an option of firejail's that starts a program"+cure)
}

// readNamed reads the profile that --profile names, by its file or by its own name.
func (r *reader) readNamed(name text) {
	if s := strings.TrimPrefix(name.string, ":"); s != "" && !strings.ContainsAny(s, "/.") {
		name = name.named(s + ".profile")
	}
	r.include(name)
}
