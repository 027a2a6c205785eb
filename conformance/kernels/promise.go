package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// promised returns the names, of guests or architectures, for each of which one
// guest must run.
func (o options) promised(jobs []job) []string {
	if !o.selftest {
		return strings.FieldsFunc(o.guests, func(r rune) bool { return r == ',' })
	}
	var names []string
	for _, j := range jobs {
		names = append(names, j.guest.name)
	}
	return names
}

// enough returns an error if what was promised did not run, or fewer guests than
// there must be at the least, 0 for half of them.
func enough(results []result, promised []string, least int) error {
	var ran []string // names of guests and architectures
	n := 0
	for _, r := range results {
		if r.ran() {
			n++
			ran = append(ran, r.job.guest.name, r.job.guest.debian())
		}
	}
	var problems []error
	for _, name := range promised {
		if !slices.Contains(ran, name) {
			problems = append(problems, fmt.Errorf("no guest ran for %s", name))
		}
	}
	if least == 0 {
		least = (len(results) + 1) / 2
	}
	if n < least {
		problems = append(problems, fmt.Errorf("%d of %d guests ran, and %d must (-least)", n, len(results), least))
	}
	return errors.Join(problems...)
}
