package main

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/policy"
)

// parseCaps returns the capability set that --cap states: names with or without
// CAP_, in any case, and the words default, for the set given, none and all.
func parseCaps(words, defaults []string) ([]string, error) {
	var set []string
	known := policy.AllCaps()
	for _, word := range words {
		switch name := strings.ToUpper(word); name {
		case "DEFAULT":
			set = append(set, defaults...)
		case "ALL":
			set = append(set, known...)
		case "NONE":
			if len(words) > 1 {
				return nil, usagef("--cap: none excludes other capabilities")
			}
		default:
			name = "CAP_" + strings.TrimPrefix(name, "CAP_")
			if !slices.Contains(known, name) {
				return nil, usagef("--cap: unknown capability %q", word).
					hintNearest(name, known, "capabilities(7) lists them; default, none and all are sets")
			}
			set = append(set, name)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}
