package playground

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/preset"
)

// ask returns the reply to a question.
func ask(t testing.TB, e *Engine, op string, question any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(question)
	if err != nil {
		t.Fatal(err)
	}
	head := `{"op":"` + op + `"`
	if len(text) > len("{}") {
		head += ","
	}
	return e.Answer(append([]byte(head), text[1:]...))
}

// A keystroke is a change of one character and all that the page asks then, for Docker's profile.
func BenchmarkKeystroke(b *testing.B) {
	s := Subject{
		Source{Text: string(preset.Docker()), Name: "docker.json"},
		Target{ABIs: []string{"x86_64", "x86", "x32"}},
	}
	steps := []struct {
		op       string
		question func() any
	}{
		{"read", func() any { return s }},
		{"meaning", func() any { return s }},
		{"draw", func() any { return drawOf{s, diagram, ""} }},
		{"program", func() any { return s }},
		{"eval", func() any { return evalOf{s, CallText{Text: "socket(AF_VSOCK)"}, diagram, ""} }},
		{"trail", func() any { one := 1; return trailOf{s, diagram, "", Spot{Node: &one}} }},
	}
	e := New("")
	typed := 0
	change := func() {
		typed++
		s.Source.Text = strings.Repeat(" ", typed%7) + string(preset.Docker())
	}
	run := func(b *testing.B, i int) {
		if reply := ask(b, e, steps[i].op, steps[i].question()); !strings.HasPrefix(string(reply), `{"answer"`) {
			b.Fatalf("%s: %.300s", steps[i].op, reply)
		}
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			change()
			for i := range steps {
				run(b, i)
			}
		}
	})
	for last := range steps {
		b.Run(steps[last].op, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				change()
				for i := range last {
					run(b, i)
				}
				b.StartTimer()
				run(b, last)
			}
		})
	}
}
