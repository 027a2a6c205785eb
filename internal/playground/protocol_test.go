package playground

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The types here have the fields of those in the page's protocol.ts, and the engine answers each
// of its questions.
func TestProtocol(t *testing.T) {
	text, err := os.ReadFile("../../web/src/protocol.ts")
	if err != nil {
		t.Fatal(err)
	}
	interfaces := parseInterfaces(string(text))
	for _, v := range []any{
		Source{}, Target{}, Failure{}, Span{}, Edit{}, Finding{}, Rule{}, Reading{}, CallRef{}, Sentence{}, ABIMeaning{},
		Instruction{}, Trail{}, CallText{}, Verdict{}, Comparison{}, Expectation{}, Outcome{}, Grade{}, Download{}, Shrunk{},
		Vocabulary{}, CallWords{}, Example{},
	} {
		typ := reflect.TypeOf(v)
		want, ok := interfaces[typ.Name()]
		if !ok {
			t.Errorf("protocol.ts has no %s", typ.Name())
		} else if got := fields(typ); !slices.Equal(got, want) {
			t.Errorf("%s: fields %v, protocol.ts has %v", typ.Name(), got, want)
		}
		delete(interfaces, typ.Name())
	}
	for name := range interfaces {
		if !slices.Contains([]string{"Questions", "EvalDocument", "Decision", "Condition", "DiffDocument"}, name) { // the command's documents
			t.Errorf("package playground has no %s", name)
		}
	}
	asked := questions(string(text))
	for op, want := range asked {
		question, ok := map[string]any{
			"vocabulary": nothing{}, "gallery": galleryOf{}, "calls": callsOf{}, "read": Subject{}, "meaning": Subject{},
			"draw": drawOf{}, "program": Subject{}, "trail": trailOf{}, "eval": evalOf{}, "expect": expectOf{},
			"write-expectations": writeOf{}, "read-expectations": readOf{}, "compare": compareOf{}, "combine": combineOf{},
			"grade": Subject{}, "shrink": Subject{}, "download": downloadOf{}, "report": reportOf{},
		}[op]
		if !ok || handlers()[op] == nil {
			t.Errorf("the engine does not answer %q", op)
			continue
		}
		if got := fields(reflect.TypeOf(question)); !slices.Equal(got, want) {
			t.Errorf("%s: the question has %v, that of protocol.ts %v", op, got, want)
		}
	}
	for op := range handlers() {
		if _, ok := asked[op]; !ok {
			t.Errorf("protocol.ts does not ask %q", op)
		}
	}
}

// fields returns the names that a type has in JSON, sorted; those of embedded types with them.
func fields(t reflect.Type) []string {
	names := []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, fields(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// parseInterfaces returns the names of the fields of each exported interface, sorted.
func parseInterfaces(text string) map[string][]string {
	text = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`).ReplaceAllString(text, "")
	all := map[string][]string{}
	head := regexp.MustCompile(`export interface (\w+)(?: extends (\w+))? \{`)
	for _, m := range head.FindAllStringSubmatchIndex(text, -1) {
		name := text[m[2]:m[3]]
		names := members(text[m[1]:])
		if m[4] >= 0 {
			names = append(names, all[text[m[4]:m[5]]]...)
		}
		slices.Sort(names)
		all[name] = names
	}
	return all
}

// members returns the keys of an object type up to its closing brace, not those of types inside.
func members(text string) []string {
	names := []string{}
	depth := 0
	start := true // of a member
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.IndexByte("{[(<", c) >= 0:
			depth++
		case strings.IndexByte("}])>", c) >= 0:
			if depth--; depth < 0 {
				return names
			}
		case c == ';' && depth == 0:
			start = true
		case start && depth == 0:
			if m := regexp.MustCompile(`^"?([\w-]+)"?\??:`).FindStringSubmatch(text[i:]); m != nil {
				names = append(names, m[1])
				start = false
			}
		}
	}
	return names
}

// questions returns the fields of each question.
func questions(text string) map[string][]string {
	all := map[string][]string{}
	subject := []string{"source", "target"}
	at := strings.Index(text, "export interface Questions")
	for _, m := range regexp.MustCompile(`(?m)^  "?([\w-]+)"?: \{ question: (.*); answer: `).FindAllStringSubmatch(text[at:], -1) {
		var names []string
		rest := m[2]
		if strings.HasPrefix(rest, "Subject") {
			names = append(names, subject...)
		}
		if i := strings.IndexByte(rest, '{'); i >= 0 {
			names = append(names, members(rest[i+1:])...)
		}
		slices.Sort(names)
		all[m[1]] = append([]string{}, names...)
	}
	return all
}
