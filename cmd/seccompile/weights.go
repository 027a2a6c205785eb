package main

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/syscalltables"
)

// The weights are how often calls are made, according to the file that --weights names.
type weights struct {
	path string
	text string
	list []stats.Weight
}

// read reads the file, if there is one, once: it may be a pipe.
func (w *weights) read() error {
	if w.path == "" || w.text != "" {
		return nil
	}
	text, err := readFile(w.path)
	if err != nil {
		return unreadable(w.path, err)
	}
	w.text = string(text)
	if w.list, err = stats.ParseWeights(w.text); err != nil {
		return &failure{code: exitNo, err: &fileError{shown(w.path), err}}
	}
	return nil
}

// warnWeights warns about weights for calls that do not exist.
func (a *app) warnWeights(w *weights) {
	line := 0
	for s := range strings.Lines(w.text) {
		line++
		code, _, _ := strings.Cut(s, "#")
		fields := strings.Fields(code)
		if len(fields) == 0 {
			continue
		}
		if _, ok := syscalltables.Lookup(fields[0]); ok {
			continue
		}
		text := fmt.Sprintf("no ABI has a call %q", fields[0])
		if near := syscalltables.Nearest(fields[0]); near != "" {
			text += fmt.Sprintf(" (did you mean %s?)", near)
		}
		a.warnf("%s", placed(shown(w.path), line, strings.Index(s, fields[0])+1, "", text))
	}
}
