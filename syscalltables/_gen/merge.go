package main

import (
	"fmt"
	"maps"
	"slices"
)

// merge adds to f what an observation shows. It returns the numbers that are new,
// and as trouble those that changed, are gone, or contradict what f says.
//
// Two facts follow from a table of release R. A call in it was introduced in R or
// earlier. A call not in it, yet known from another release, was introduced
// after R - or, where it was seen in an earlier release, has been removed since;
// then its number stays in the file, because a number is not given to another call
// and old kernels still have it. When two neighbouring releases enclose the
// introduction, the release is known exactly. What is gone is noted, so that only
// the first to see it is told.
func (f *facts) merge(o *observation) (news []string, trouble []error) {
	for i, table := range o.columns {
		col := columns[i]
		if table == nil || o.kernel.compare(col.born) < 0 {
			continue
		}
		after := col.born.prev()
		if f.has(i) && o.kernel.compare(f.kernel) > 0 {
			after = f.kernel
		}
		for _, name := range slices.Sorted(maps.Keys(table)) {
			c, nr := &f.find(name).cells[i], table[name]
			switch {
			case !c.present:
				*c = cell{present: true, nr: nr, since: since{after, o.kernel}}
				news = append(news, fmt.Sprintf("%s: %s is %d: new", col.name, name, nr))
			case c.nr != nr:
				trouble = append(trouble, fmt.Errorf("%s: %s is %d in Linux %v but %d in syscalls.tsv, which keeps it", col.name, name, nr, o.kernel, c.nr))
			case o.kernel.compare(c.since.after) <= 0:
				trouble = append(trouble, fmt.Errorf("%s: %s is in Linux %v, but syscalls.tsv says that it came after %v", col.name, name, o.kernel, c.since.after))
			case c.since.by == release{} || o.kernel.compare(c.since.by) < 0:
				c.since.by = o.kernel
			case c.gone != release{} && o.kernel.compare(c.gone) >= 0:
				trouble = append(trouble, fmt.Errorf("%s: %s is in Linux %v, but syscalls.tsv says that it was gone from %v", col.name, name, o.kernel, c.gone))
			}
		}
		trouble = append(trouble, f.mergeAbsent(o, i)...)
	}
	if o.kernel.compare(f.kernel) > 0 {
		f.kernel = o.kernel
	}
	return news, trouble
}

// mergeAbsent draws the conclusions from what column i of an observation lacks.
func (f *facts) mergeAbsent(o *observation, i int) (trouble []error) {
	for j := range f.calls {
		c, name := &f.calls[j].cells[i], f.calls[j].name
		if _, ok := o.columns[i][name]; ok || !c.present || o.hides != nil && o.hides(columns[i].name, c.nr) {
			continue
		}
		switch {
		case c.since.by == release{} || o.kernel.compare(c.since.by) >= 0:
			if c.gone == (release{}) || o.kernel.compare(c.gone) < 0 {
				c.gone = o.kernel
				trouble = append(trouble, fmt.Errorf("%s: %s (%d) is gone from Linux %v; syscalls.tsv keeps it", columns[i].name, name, c.nr, o.kernel))
			}
		case o.kernel.compare(c.since.after) > 0:
			c.since.after = o.kernel
		}
	}
	return trouble
}

// has reports whether the file has any number in a column.
func (f *facts) has(column int) bool {
	return slices.ContainsFunc(f.calls, func(c call) bool { return c.cells[column].present })
}
