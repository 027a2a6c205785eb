package main

import (
	"fmt"
	"strings"
)

// An argList is the names of the arguments of one call on some columns. The list
// without columns is for all others.
type argList struct {
	columns []int
	names   string // names joined by commas, "void" or "-"
}

// parseArgs reads the second field of syscalls.tsv: a list, and after each "|" the
// columns where another one holds, as in
//
//	flags,stack,parent_tid | s390,s390x: stack,flags,parent_tid
//
// A list is names joined by commas, void for a call without arguments, or - where
// the names are not known. ":64" after a name marks an argument of 64 bits, which
// takes two registers on the 32-bit ABIs: there neither it nor those after it have
// a place of their own.
func parseArgs(s string) ([]argList, error) {
	parts := strings.Split(s, " | ")
	lists := []argList{{names: parts[0]}}
	for _, p := range parts[1:] {
		cols, names, ok := strings.Cut(p, ": ")
		l := argList{names: names}
		for _, name := range strings.Split(cols, ",") {
			i := columnIndex(name)
			if i < 0 || !ok {
				return nil, fmt.Errorf("arguments %q: want \"COLUMN,...: NAME,...\"", p)
			}
			l.columns = append(l.columns, i)
		}
		lists = append(lists, l)
	}
	for _, l := range lists {
		names := strings.Split(l.names, ",")
		if len(names) > 6 {
			return nil, fmt.Errorf("arguments %q: a call has at most 6", l.names)
		}
		for _, n := range names {
			if l.names != "-" && !isName(strings.TrimSuffix(n, ":64")) {
				return nil, fmt.Errorf("arguments %q: want names joined by commas, void or -", l.names)
			}
		}
	}
	return lists, nil
}
