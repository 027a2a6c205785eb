// Package playground answers the questions of the playground, a page that shows what a profile
// or filter means: web/src/protocol.ts. It is compiled for wasm, and knows neither files nor
// network. What the command can say, the page says in the same words: both ask package intake
// and package answer.
package playground

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seccompile/seccompile/internal/failure"
)

// An Engine answers questions. It remembers the last subjects that it was asked about, so that the
// questions about one text compile it once. Several goroutines may ask at once.
type Engine struct {
	version  string
	mu       sync.Mutex
	memo     []*subject // the latest first
	handlers map[string]handler
}

// New returns an engine of a release of seccompile.
func New(version string) *Engine {
	return &Engine{version: version, handlers: handlers()}
}

// A handler answers the questions of one kind, from JSON.
type handler func(e *Engine, question []byte) (any, error)

// on returns the handler for a function from questions to answers.
func on[Question, Answer any](answer func(*Engine, *Question) (Answer, error)) handler {
	return func(e *Engine, text []byte) (any, error) {
		var q Question
		if err := json.Unmarshal(text, &q); err != nil {
			return nil, fmt.Errorf("the question cannot be read: %w", err)
		}
		return answer(e, &q)
	}
}

// handlers has the questions by their op.
func handlers() map[string]handler {
	return map[string]handler{
		"vocabulary":         on((*Engine).vocabulary),
		"gallery":            on((*Engine).gallery),
		"calls":              on((*Engine).calls),
		"read":               on((*Engine).read),
		"draw":               on((*Engine).draw),
		"program":            on((*Engine).program),
		"trail":              on((*Engine).trail),
		"meaning":            on((*Engine).meaning),
		"compare":            on((*Engine).compare),
		"combine":            on((*Engine).combine),
		"download":           on((*Engine).download),
		"eval":               on((*Engine).eval),
		"expect":             on((*Engine).expect),
		"write-expectations": on((*Engine).writeExpectations),
		"read-expectations":  on((*Engine).readExpectations),
		"grade":              on((*Engine).grade),
		"shrink":             on((*Engine).shrink),
		"report":             on((*Engine).report),
	}
}

// maxQuestion bounds a question in bytes: two sources, as JSON.
const maxQuestion = 8 * maxSource

// Answer returns the reply to a question, both as JSON.
func (e *Engine) Answer(question []byte) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	answer, err := e.answer(question)
	reply := Reply{Answer: answer}
	if err != nil {
		reply = Reply{Failure: failed(err)}
	}
	text, err := marshal(reply)
	if err != nil {
		text, _ = marshal(Reply{Failure: &Failure{Message: "BUG: the answer cannot be written: " + err.Error()}})
	}
	return text
}

// marshal writes JSON that is for JSON.parse alone: drawings are full of what HTML would escape.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// answer answers a question. A panic is a failure that says so: the page goes on, with the next
// question.
func (e *Engine) answer(question []byte) (answer any, err error) {
	defer func() {
		if r := recover(); r != nil {
			e.memo = nil // what was found out may be half done
			answer, err = nil, failure.Nof("BUG: %v", r).Hintf("please report this, with the text")
		}
	}()
	if len(question) > maxQuestion {
		return nil, tooLarge
	}
	op, err := opOf(question)
	if err != nil {
		return nil, err
	}
	h := e.handlers[op]
	if h == nil {
		return nil, fmt.Errorf("unknown question %q", op)
	}
	return h(e, question)
}

// opOf returns the op of a question. It is the first member of those that the page asks, so
// that the others, which can be long, are read once.
func opOf(question []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(question, []byte(`{"op":"`)); ok {
		if op, _, ok := bytes.Cut(rest, []byte(`"`)); ok && !bytes.ContainsRune(op, '\\') {
			return string(op), nil
		}
	}
	var head struct{ Op string }
	if err := json.Unmarshal(question, &head); err != nil {
		return "", fmt.Errorf("the question cannot be read: %w", err)
	}
	return head.Op, nil
}

// failed writes an error as the command does, with the page's fields for the command's flags.
func failed(err error) *Failure {
	f := &Failure{Message: fieldFor(strings.Join(failure.Messages(err), "\n"))}
	var hinted *failure.Error
	if errors.As(err, &hinted) {
		f.Hint, f.Languages = languagesIn(hinted.Hint)
	}
	return f
}

// languagesIn returns a hint with the page's titles for the languages that it names as the
// command does, and their names.
func languagesIn(hint string) (text string, names []string) {
	namedLanguage := regexp.MustCompile(`--language ([a-z][\w-]*)( \([^()]*\))?`) // with what it says of it
	text = namedLanguage.ReplaceAllStringFunc(hint, func(flag string) string {
		name := namedLanguage.FindStringSubmatch(flag)[1]
		names = append(names, name)
		return title(name)
	})
	return strings.NewReplacer("--language", "Language", "with --patience", "with the command's --patience").Replace(text), names
}

// fieldFor puts the label of the page's field in the place of the flag that a message begins with.
func fieldFor(message string) string {
	for _, field := range [][2]string{
		{"-a", "ABIs"}, {"--compat", "Runtime"}, {"--cap", "Capabilities"}, {"--kernel", "Linux"}, {"--enosys", "ENOSYS"},
		{"--bad-arch", "Other ABIs"}, {"--for", "Check for"}, {"--language", "Language"}, {"--set", "Settings"},
	} {
		if rest, ok := strings.CutPrefix(message, field[0]); ok && strings.IndexAny(rest, ": ") == 0 {
			return field[1] + rest
		}
	}
	return message
}

// remembered is how many subjects the engine remembers: two that are compared, each for two
// targets, and what the reader goes back to.
const remembered = 6

// subject returns what is known about a subject.
func (e *Engine) subject(of Subject) *subject {
	i := slices.IndexFunc(e.memo, func(s *subject) bool { return s.same(&of) })
	if i < 0 {
		e.memo = slices.Insert(e.memo, 0, newSubject(of))
		e.memo = e.memo[:min(len(e.memo), remembered)]
		return e.memo[0]
	}
	s := e.memo[i]
	e.memo = slices.Insert(slices.Delete(e.memo, i, i+1), 0, s)
	return s
}

// good returns a subject that has a meaning, or why it has none.
func (e *Engine) good(of Subject) (*subject, error) {
	s := e.subject(of)
	return s, s.err
}
