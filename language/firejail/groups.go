package firejail

import (
	_ "embed"
	"strings"
)

//go:embed groups.tsv
var groupsTable string

// secondary is the name that the table gives to the calls that firejail's filter for x86
// denies without a list of its own.
const secondary = "secondary"

// readGroups returns the members of each group of calls, some of which are groups
// themselves.
func readGroups() map[string][]string {
	groups := make(map[string][]string)
	for line := range strings.Lines(groupsTable) {
		if group, member, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			groups[group] = append(groups[group], member)
		}
	}
	return groups
}

// members calls f for each call in a group, and in those that it contains, that a firejail
// of the native ABI has there.
func (r *reader) members(group string, f func(name string)) {
	for _, m := range r.groups[group] {
		if m[0] == '@' {
			r.members(m, f)
		} else if _, ok := number(m, r.native); ok {
			f(m)
		}
	}
}
