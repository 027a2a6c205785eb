package stats

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Weight says how often a call is made, in any unit: a share, a count.
type Weight struct {
	Call   string
	Weight float64
}

// ParseWeights reads a frequency profile: lines of a call's name and its weight,
// a number that is not negative. Empty lines and what follows a # do not count.
// The result is sorted by name. The error joins one for each wrong line.
func ParseWeights(text string) ([]Weight, error) {
	var weights []Weight
	var errs []error
	line := 0
	for s := range strings.Lines(text) {
		line++
		s, _, _ = strings.Cut(s, "#")
		fields := strings.Fields(s)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 2 {
			errs = append(errs, fmt.Errorf("stats: line %d: want a call and its weight, as in \"read 12.5\"", line))
			continue
		}
		w, err := strconv.ParseFloat(fields[1], 64)
		if err != nil || w < 0 || math.IsInf(w, 0) || math.IsNaN(w) {
			errs = append(errs, fmt.Errorf("stats: line %d: %q is not a weight (expected a number from 0 up)", line, fields[1]))
			continue
		}
		at, again := slices.BinarySearchFunc(weights, fields[0], byName)
		if again {
			errs = append(errs, fmt.Errorf("stats: line %d: %s has a weight already", line, fields[0]))
			continue
		}
		weights = slices.Insert(weights, at, Weight{fields[0], w})
	}
	return weights, errors.Join(errs...)
}

func byName(w Weight, name string) int { return cmp.Compare(w.Call, name) }

// weightOf returns the weight of a call, 0 if it has none. The weights are
// sorted by name.
func weightOf(weights []Weight, name string) float64 {
	if i, ok := slices.BinarySearchFunc(weights, name, byName); ok {
		return weights[i].Weight
	}
	return 0
}

// Frequencies returns weights as [compile.Options] takes them, in thousandths.
func Frequencies(weights []Weight) map[string]uint64 {
	if len(weights) == 0 {
		return nil
	}
	m := make(map[string]uint64, len(weights))
	for _, w := range weights {
		m[w.Call] = uint64(min(float64(w.Weight*1000), 1<<60))
	}
	return m
}
