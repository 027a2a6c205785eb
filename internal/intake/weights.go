package intake

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/syscalltables"
)

// Weights are how often calls are made: lines of a call's name and a number.
type Weights struct {
	Name string // for messages
	Text string
}

// Parse returns the weights, none for an empty text.
func (w Weights) Parse() ([]stats.Weight, error) {
	if w == (Weights{}) {
		return nil, nil
	}
	list, err := stats.ParseWeights(w.Text)
	if err != nil {
		return nil, &failure.Error{Status: failure.No, Err: &failure.InFile{Name: w.Name, Err: err}}
	}
	return list, nil
}

// Warnings warn of weights for calls that do not exist.
func (w Weights) Warnings() (list []string) {
	line := 0
	for s := range strings.Lines(w.Text) {
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
		list = append(list, failure.Place(w.Name, line, strings.Index(s, fields[0])+1, "", text))
	}
	return list
}
