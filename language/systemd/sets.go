package systemd

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

//go:embed sets.tsv
var setsTable string

// Sets are the members of each set of calls, some of which are sets themselves.
type sets map[string][]string

func readSets(version int) sets {
	s := make(sets)
	number := strconv.Itoa(version)
	for line := range strings.Lines(setsTable) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) == 3 && slices.Contains(strings.Split(fields[2], " "), number) {
			s[fields[0]] = append(s[fields[0]], fields[1])
		}
	}
	return s
}

// each calls f for each call in a set, and in those that it contains.
func (s sets) each(set string, f func(call string)) {
	for _, member := range s[set] {
		if member[0] == '@' {
			s.each(member, f)
		} else {
			f(member)
		}
	}
}

// knows reports whether the release's libseccomp knows a call, on any ABI: systemd
// ignores other names.
func (r *reader) knows(name string) bool {
	call, ok := syscalltables.Lookup(name)
	if !ok {
		return false
	}
	for a := range arch.All() {
		if r.knowsOn(call, a) {
			return true
		}
	}
	return false
}

// knowsOn reports whether the release's libseccomp knows a call on one ABI.
func (r *reader) knowsOn(call syscalltables.Call, a arch.ABI) bool {
	if _, ok := call.Number(a); !ok || r.release.version == 252 && missing(call.Name(), a) {
		return false
	}
	since := call.Since(a)
	if since.Exact {
		return since.By.Compare(r.release.kernel) <= 0
	}
	return since.After.Compare(r.release.kernel) < 0
}

// missing reports whether a call is not among those newer than libseccomp 2.5.4 that
// Debian has added to it.
func missing(name string, a arch.ABI) bool {
	return name == "riscv_hwprobe" || name == "map_shadow_stack" && a == arch.X32
}
