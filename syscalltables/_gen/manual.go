package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// manualRow matches a row of the table in syscalls(2): \fBaccept4\fP(2)<tab>2.6.28.
// Of two releases ("2.6; 2.4.18", a backport) the older is taken.
var manualRow = regexp.MustCompile(`(?m)^\\fB(\w+)\\fP\(2\)\t(?:\d[\d.]*; )?(\d+)\.(\d+)`)

// corrections are rows of syscalls(2) in man-pages 6.03 that the page of the call
// itself contradicts, rightly.
var corrections = map[string]release{
	"membarrier":    {4, 3},
	"pkey_alloc":    {4, 9},
	"pkey_free":     {4, 9},
	"pkey_mprotect": {4, 9},
}

// mergeManual adds what the troff text of syscalls(2) says: the release in which a
// call first appeared, on whatever ABI was first. So it is a lower bound everywhere.
//
// On x86 and x86_64 it is the release itself as long as the numbers do not object:
// they have been given out in order, so a call whose release is below that of a
// lower number came to that ABI later than to the first one (socket(2) on x86,
// getcpu(2) on x86_64). Releases before 2.6 say nothing exact of x86_64, which is
// younger.
func (f *facts) mergeManual(text []byte) (trouble []error) {
	first := map[string]release{}
	for _, m := range manualRow.FindAllSubmatch(text, -1) {
		major, _ := strconv.Atoi(string(m[2]))
		minor, _ := strconv.Atoi(string(m[3]))
		first[string(m[1])] = release{major, minor}
	}
	for name, r := range corrections {
		if _, ok := first[name]; ok {
			first[name] = r
		}
	}
	for i, col := range columns {
		var dated []*call
		for j := range f.calls {
			if _, ok := first[f.calls[j].name]; ok && f.calls[j].cells[i].present {
				dated = append(dated, &f.calls[j])
			}
		}
		slices.SortFunc(dated, func(a, b *call) int { return cmp.Compare(a.cells[i].nr, b.cells[i].nr) })
		var newest release // of the lower numbers
		for _, c := range dated {
			v, s := first[c.name], &c.cells[i].since
			if s.by == (release{}) {
				continue // a bound of a call that no table has shown is no help
			}
			if v.compare(s.by) > 0 {
				trouble = append(trouble, fmt.Errorf("%s: syscalls(2) has %s since %v, but it is in %v", col.name, c.name, v, s.by))
				continue
			}
			if v.prev().compare(s.after) > 0 {
				s.after = v.prev()
			}
			exact := col.name == "x86" || col.name == "x86_64" && v.compare(release{2, 6}) >= 0
			if exact && v.compare(newest) >= 0 && v.compare(s.after) > 0 {
				s.by = v
			}
			if v.compare(newest) > 0 && c.name != "restart_syscall" { // has a number that was free again
				newest = v
			}
		}
	}
	return trouble
}
