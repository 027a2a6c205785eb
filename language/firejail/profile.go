package firejail

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/collected"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
)

// A text is part of a line of a profile, or of a command line.
type text struct {
	string
	source  *language.Source // nil for what is in no file
	line    int
	columns []int // of each byte, and of the end
}

// from returns the text behind its first n bytes.
func (t text) from(n int) text {
	t.string = t.string[n:]
	if t.columns != nil {
		t.columns = t.columns[n:]
	}
	return t
}

// to returns the first n bytes of the text.
func (t text) to(n int) text {
	t.string = t.string[:n]
	return t
}

// here returns the place where the text begins.
func (t text) here() string {
	if t.source == nil {
		return ""
	}
	return t.source.Place(t.line, t.columns[0])
}

// split returns the parts of the text between separators that are not empty.
func (t text) split(separators string) (parts []text) {
	for len(t.string) > 0 {
		n := strings.IndexAny(t.string, separators)
		switch {
		case n < 0:
			return append(parts, t)
		case n > 0:
			parts = append(parts, t.to(n))
		}
		t = t.from(n + 1)
	}
	return parts
}

// Limits of firejail's, and on what a profile and those that it includes may have together.
const (
	maxLine  = 8190 // bytes
	maxFiles = 4096
	maxBytes = 16 << 20
)

// readProfile reads the lines of a profile.
func (r *reader) readProfile(s *language.Source) {
	r.files++
	r.bytes += len(s.Data())
	if r.files > maxFiles || r.bytes > maxBytes {
		r.Fail(s.Place(1, 1), "more than 4096 included files, or 16 MiB in these (include less)")
		return
	}
	number := 0
	for line := range strings.Lines(string(s.Data())) {
		number++
		if len(strings.TrimSuffix(line, "\n")) > maxLine {
			r.Fail(s.Place(number, 1), "a line of more than 8190 bytes, whose rest firejail reads as another one (split it)")
			continue
		}
		t := text{source: s, line: number}
		t.normalize(line)
		if t.string != "" {
			r.readLine(t)
		}
		if r.files > maxFiles || r.bytes > maxBytes || len(r.Errors) == collected.MaxListed {
			return
		}
	}
}

// normalize takes a line without its comment, and with a blank for each run of blanks.
func (t *text) normalize(line string) {
	if end := strings.IndexAny(line, "#\x00"); end >= 0 {
		line = line[:end]
	}
	var b strings.Builder
	blank := true
	for i := 0; i < len(line) && line[i] != '\n' && line[i] != '\r'; i++ {
		c := line[i]
		if c == '\t' {
			c = ' '
		}
		if c != ' ' || !blank {
			b.WriteByte(c)
			t.columns = append(t.columns, i+1)
		}
		blank = c == ' '
	}
	t.string = strings.TrimSuffix(b.String(), " ")
	t.columns = append(t.columns[:len(t.string)], len(line)+1)
}

// readLine reads one line.
func (r *reader) readLine(t text) {
	word, value, valued := t.cut()
	switch {
	case word == "whitelist-ro" && valued || word == "quiet" && !valued:
	case word == "include" && valued && !r.ignored(t):
		r.include(value)
	default:
		r.readCommand(t)
	}
}

// cut returns the first word of the text and the value that follows it. Without one, the
// value has the place of the word.
func (t text) cut() (word string, value text, valued bool) {
	if n := strings.IndexByte(t.string, ' '); n >= 0 {
		return t.string[:n], t.from(n + 1), true
	}
	return t.string, t.to(0), false
}

// readCommand reads a line that includes nothing.
func (r *reader) readCommand(t text) {
	if t.string != "" && t.string[0] == '?' {
		rest, holds := r.condition(t)
		if !holds {
			return
		}
		t = rest
	}
	word, value, valued := t.cut()
	switch {
	case r.ignored(t):
	case word == "ignore" && valued:
		r.addIgnore(value)
	case r.observe(word, value.string), r.set(word, value, valued, false):
	case !r.isCommand(word, valued):
		r.Fail(t.here(), unknown.Quote(t.string)+": not a line that firejail knows"+r.commandCure(word, valued))
	}
}

// maxIgnored is how many beginnings of lines firejail can ignore.
const maxIgnored = 32

func (r *reader) addIgnore(begin text) {
	if len(r.ignore) == maxIgnored {
		r.Fail(begin.here(), "more than 32 lines with ignore, with which firejail does not start (leave some out)")
		return
	}
	r.ignore = append(r.ignore, begin.string)
}

// ignored reports whether a line is one that the profile says to ignore.
func (r *reader) ignored(t text) bool {
	return slices.ContainsFunc(r.ignore, func(s string) bool {
		rest, ok := strings.CutPrefix(t.string, s)
		return ok && (rest == "" || rest[0] == ' ')
	})
}

// include reads another profile. firejail looks for a name without a slash in two
// directories, of which that of the including profile may be one.
func (r *reader) include(name text) {
	path, system := name.string, "/etc/firejail/"
	if rest, ok := strings.CutPrefix(path, "${CFG}/"); ok {
		path = system + rest
	}
	if strings.Contains(path, "${") || strings.HasPrefix(path, "~") {
		r.Fail(name.here(), unknown.Quote(name.string)+": a path that depends on the user (write the path itself)")
		return
	}
	from := name.source
	if from == nil {
		from = r.top
	}
	included, err := from.Include(path)
	if errors.Is(err, fs.ErrNotExist) && !strings.Contains(path, "/") {
		if found, inSystem := from.Include(system + path); !errors.Is(inSystem, fs.ErrNotExist) {
			included, err = found, inSystem
		}
	}
	optional := strings.HasSuffix(path, ".local")
	switch {
	case err == nil:
		r.readProfile(included)
	case optional && (errors.Is(err, fs.ErrNotExist) || r.top.Name() == ""):
	case strings.HasSuffix(err.Error(), ")"): // it has a cure
		r.Fail(name.here(), err.Error())
	default:
		r.Fail(name.here(), err.Error()+" (give the directory that has it as the root, or remove the line)")
	}
}
