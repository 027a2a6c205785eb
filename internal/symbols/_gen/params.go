package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// sorts are the words of arguments.tsv and the kinds of package symbols.
var sorts = map[string]string{
	"number": "Number", "pointer": "Pointer", "string": "String", "fd": "FD", "mode": "Mode", "enum": "Enum", "flags": "Flags",
}

// A param is an argument of a call: how it is named and what it holds.
type param struct {
	call, arg   string // call is * for every call
	other, when string // the argument is so only when another is this constant
	kind, set   string // set is "" for none
}

func (p *param) String() string {
	if p.other != "" {
		return fmt.Sprintf("%s.%s(%s=%s)", p.call, p.arg, p.other, p.when)
	}
	return p.call + "." + p.arg
}

// parseParams reads arguments.tsv. The arguments come in order.
func parseParams(text string, f *facts) ([]param, error) {
	var list []param
	var errs []error
	head, line := false, 0
	for t := range strings.Lines(text) {
		line++
		t = strings.TrimSuffix(t, "\n")
		if strings.HasPrefix(t, "#") && !head {
			continue
		}
		if !head {
			head = true
			if t != "sort\tset\targuments" {
				errs = append(errs, fmt.Errorf("line %d: want the column names", line))
			}
			continue
		}
		row, err := parseParamRow(t, f)
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
		}
		list = append(list, row...)
	}
	slices.SortFunc(list, func(a, b param) int {
		return cmp.Or(cmp.Compare(a.call, b.call), cmp.Compare(a.arg, b.arg), cmp.Compare(a.other, b.other), cmp.Compare(a.when, b.when))
	})
	for i := 1; i < len(list); i++ {
		if list[i].String() == list[i-1].String() {
			errs = append(errs, fmt.Errorf("%v is in two rows", &list[i]))
		}
	}
	return list, errors.Join(errs...)
}

func parseParamRow(t string, f *facts) ([]param, error) {
	fields := strings.Split(t, "\t")
	if len(fields) != 3 {
		return nil, fmt.Errorf("%d fields, want 3", len(fields))
	}
	kind, set := sorts[fields[0]], fields[1]
	if kind == "" {
		return nil, fmt.Errorf("%q: no such sort", fields[0])
	}
	if set == "-" {
		set = ""
	} else if err := f.fits(set, kind); err != nil {
		return nil, err
	}
	var list []param
	for _, word := range strings.Fields(fields[2]) {
		p := param{kind: kind, set: set}
		name, condition, special := strings.Cut(strings.TrimSuffix(word, ")"), "(")
		var ok, told bool
		p.call, p.arg, ok = strings.Cut(name, ".")
		p.other, p.when, told = strings.Cut(condition, "=")
		switch {
		case !ok || special != told || special && p.call == "*":
			return nil, fmt.Errorf("%q: want CALL.NAME, *.NAME or CALL.NAME(OTHER=CONSTANT)", word)
		case special && f.index(p.when) < 0:
			return nil, fmt.Errorf("%q: no constant %s", word, p.when)
		}
		list = append(list, p)
	}
	return list, nil
}

// fits checks that a set is there and made for a kind: an enum knows whole values only.
func (f *facts) fits(set, kind string) error {
	rows, parts := 0, false
	for _, c := range f.rows {
		if c.set == set {
			rows++
			parts = parts || c.of != ofValue
		}
	}
	switch {
	case rows == 0:
		return fmt.Errorf("%s: no such set", set)
	case parts != (kind == "Flags" || kind == "Mode"):
		return fmt.Errorf("%s: flags and modes have bits and fields, other sorts have none", set)
	}
	return nil
}

// index returns the first row with a name, or -1.
func (f *facts) index(name string) int {
	return slices.IndexFunc(f.rows, func(c constant) bool { return c.name == name })
}
