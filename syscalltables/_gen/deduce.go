package main

import "slices"

// twins are pairs of columns that have always been one table in the kernel, with
// one row for a call that has the same name and number in both.
var twins = [...][2]string{{"x86_64", "x32"}, {"ppc", "ppc64"}, {"s390", "s390x"}, {"parisc", "parisc64"}}

// deduce draws the conclusions from facts that stand side by side.
//
// What is known of one twin holds for the other, as far as that existed.
//
// New calls have had one number from 403 up on all ABIs since Linux 5.1, and as a
// rule all ABIs get them in one release. The rule is applied where the tables at
// hand confirm it: every ABI has the call, all whose release is known exactly
// agree, and it lies within the bounds of all others. clone3, memfd_secret and
// map_shadow_stack fail this.
func (f *facts) deduce() {
	for j := range f.calls {
		c := &f.calls[j]
		for _, t := range twins {
			c.learn(t[0], t[1])
			c.learn(t[1], t[0])
		}
		if r, ok := c.commonRelease(); ok {
			for i := range c.cells {
				if c.cells[i].present && columns[i].born.compare(r) <= 0 {
					c.cells[i].since = since{r.prev(), r}
				}
			}
		}
	}
}

// learn narrows the bounds of the twin to by those of from.
func (c *call) learn(to, from string) {
	i, j := columnIndex(to), columnIndex(from)
	dst, src := &c.cells[i], c.cells[j]
	if !dst.present || !src.present || dst.nr != src.nr {
		return
	}
	if after := src.since.after; after != columns[j].born.prev() && after.compare(dst.since.after) > 0 {
		dst.since.after = after
	}
	by := src.since.by
	if by != (release{}) && by.compare(columns[i].born) < 0 {
		by = columns[i].born // was there when the ABI came
	}
	if by != (release{}) && (dst.since.by == release{} || by.compare(dst.since.by) < 0) {
		dst.since.by = by
	}
}

func columnIndex(name string) int {
	return slices.IndexFunc(columns[:], func(c column) bool { return c.name == name })
}

// commonRelease returns the release that the rule of deduce gives a call.
func (c *call) commonRelease() (common release, ok bool) {
	var nr uint32
	for i, e := range c.cells {
		if e.present {
			nr = e.nr
		}
		if e.present && e.since.exact() && e.since.by != columns[i].born {
			common = e.since.by
		}
	}
	if common == (release{}) || nr < 403 {
		return common, false
	}
	for i, e := range c.cells {
		switch col := columns[i]; {
		case !e.present:
			if !col.mayLack(nr, common) {
				return common, false
			}
		case e.nr != nr:
			return common, false
		case col.born.compare(common) > 0: // came with the ABI
		case common.compare(e.since.after) <= 0 || common.compare(e.since.by) > 0:
			return common, false
		}
	}
	return common, true
}

// mayLack reports whether an ABI need not have a call that all others have: s390
// whatever came after Linux 6.18, its last, and those with a long time_t the calls
// 403 to 423.
func (c column) mayLack(nr uint32, r release) bool {
	return c.name == "s390" && r.compare(release{6, 18}) > 0 || c.long && nr <= 423
}
