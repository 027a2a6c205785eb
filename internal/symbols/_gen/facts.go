package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// columns are the groups of ABIs that share all constants. They are those of
// syscalls.tsv: ABIs that differ only in byte order share one.
var columns = [...]struct {
	name string
	abis []string // identifiers of package arch
}{
	{"x86_64", []string{"X86_64"}},
	{"x32", []string{"X32"}},
	{"x86", []string{"X86"}},
	{"arm", []string{"ARM"}},
	{"aarch64", []string{"AArch64"}},
	{"riscv64", []string{"RISCV64"}},
	{"loongarch64", []string{"LoongArch64"}},
	{"mips", []string{"MIPS", "MIPSEL"}},
	{"mips64", []string{"MIPS64", "MIPSEL64"}},
	{"mips64n32", []string{"MIPS64N32", "MIPSEL64N32"}},
	{"ppc", []string{"PPC"}},
	{"ppc64", []string{"PPC64", "PPC64LE"}},
	{"s390", []string{"S390"}},
	{"s390x", []string{"S390X"}},
	{"m68k", []string{"M68K"}},
	{"parisc", []string{"PARISC"}},
	{"parisc64", []string{"PARISC64"}},
	{"sh", []string{"SH", "SHEB"}},
}

func columnIndex(name string) int {
	for i, c := range columns {
		if c.name == name {
			return i
		}
	}
	return -1
}

// facts is the content of constants.tsv.
type facts struct {
	comment []string // leading comment lines, without line ends
	kernel  string   // the release of the headers that the values are from
	rows    []constant
}

// A constant is a row.
type constant struct {
	set, name string
	of        string // ofValue, ofFlag, ofMask or the name of a mask of the set
	values    [len(columns)]value
}

// What a constant is a name of, unless of a value of a field.
const (
	ofValue = "value" // the whole argument
	ofFlag  = "flag"  // some bits of it
	ofMask  = "mask"  // a field: the bits of it
)

// A value is a constant's number on some ABIs. The zero value says that they do not
// have it. Negative numbers are those of an int.
type value struct {
	known bool
	n     int64
}

const (
	kernelLine = "# Linux "
	headLine   = "set\tname\tof\tvalue\telsewhere"
	unprobed   = "?" // the value of a new row, for refresh to fill
)

// parseFacts reads constants.tsv. All malformed lines are reported.
func parseFacts(text string) (*facts, error) {
	f := &facts{}
	var errs []error
	head, line := false, 0
	for t := range strings.Lines(text) {
		line++
		t = strings.TrimSuffix(t, "\n")
		var err error
		switch {
		case strings.HasPrefix(t, kernelLine) && f.kernel == "":
			f.kernel = strings.TrimPrefix(t, kernelLine)
		case strings.HasPrefix(t, "#") && !head:
			f.comment = append(f.comment, t)
		case !head:
			head = true
			if t != headLine {
				err = fmt.Errorf("want the column names %q", headLine)
			}
		default:
			var c constant
			if c, err = parseRow(t); err == nil {
				f.rows = append(f.rows, c)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
		}
	}
	if !head || f.kernel == "" {
		errs = append(errs, fmt.Errorf("no line %qX.Y or no line of column names", kernelLine))
	}
	return f, errors.Join(errs...)
}

// parseRow reads "set name of value elsewhere", where elsewhere is "-" or groups of
// columns with a value of their own: "mips,mips64=0x80 sh=-".
func parseRow(line string) (constant, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 {
		return constant{}, fmt.Errorf("%d fields, want 5", len(fields))
	}
	c := constant{set: fields[0], name: fields[1], of: fields[2]}
	if fields[3] == unprobed {
		return c, nil
	}
	v, err := parseValue(fields[3])
	if err != nil {
		return c, err
	}
	for i := range c.values {
		c.values[i] = v
	}
	if fields[4] == "-" {
		return c, nil
	}
	for _, group := range strings.Fields(fields[4]) {
		names, text, ok := strings.Cut(group, "=")
		v, err := parseValue(text)
		if !ok || err != nil {
			return c, fmt.Errorf("%q: want COLUMN,...=VALUE", group)
		}
		for _, name := range strings.Split(names, ",") {
			i := columnIndex(name)
			if i < 0 {
				return c, fmt.Errorf("%q: no such column", name)
			}
			c.values[i] = v
		}
	}
	return c, nil
}

func parseValue(s string) (value, error) {
	if s == "-" {
		return value{}, nil
	}
	n, err := strconv.ParseInt(s, 0, 64)
	return value{true, n}, err
}

// write is the inverse of parseFacts.
func (f *facts) write(b *bytes.Buffer) {
	for _, c := range f.comment {
		fmt.Fprintln(b, c)
	}
	fmt.Fprintf(b, "%s%s\n%s\n", kernelLine, f.kernel, headLine)
	for i := range f.rows {
		c := &f.rows[i]
		usual := c.usual()
		var others []value
		groups := map[value][]string{}
		for i, v := range c.values {
			if v == usual {
				continue
			}
			if groups[v] == nil {
				others = append(others, v)
			}
			groups[v] = append(groups[v], columns[i].name)
		}
		var elsewhere []string
		for _, v := range others {
			elsewhere = append(elsewhere, strings.Join(groups[v], ",")+"="+c.text(v))
		}
		fmt.Fprintf(b, "%s\t%s\t%s\t%s\t%s\n", c.set, c.name, c.of, c.text(usual), cmp.Or(strings.Join(elsewhere, " "), "-"))
	}
}

// usual returns the value that most columns have, the first of equals.
func (c *constant) usual() value {
	count := map[value]int{}
	best := c.values[0]
	for _, v := range c.values {
		count[v]++
	}
	for _, v := range c.values {
		if count[v] > count[best] {
			best = v
		}
	}
	return best
}

// text writes a value: bits and large numbers in hexadecimal.
func (c *constant) text(v value) string {
	switch {
	case !v.known:
		return "-"
	case v.n < 10 || c.of == ofValue && v.n < 1<<12:
		return strconv.FormatInt(v.n, 10)
	}
	return fmt.Sprintf("%#x", v.n)
}

// take replaces values by those that were found in headers and returns what is new.
// A name that no header has keeps its values: it is stated by hand.
func (f *facts) take(found map[string][len(columns)]value) (news []string) {
	for i := range f.rows {
		c := &f.rows[i]
		values, ok := found[c.name]
		if !ok {
			continue
		}
		for j := range values {
			if c.of != ofValue { // ~1 is the bits of an int
				values[j].n &= 1<<32 - 1
			}
		}
		for j, v := range values {
			if v != c.values[j] {
				news = append(news, fmt.Sprintf("%s %s: %s: %s, was %s", c.set, c.name, columns[j].name, c.text(v), c.text(c.values[j])))
			}
		}
		c.values = values
	}
	return news
}

// check finds rows that contradict each other.
func (f *facts) check() error {
	var errs []error
	seen := map[string]bool{}
	for i := range f.rows {
		c := &f.rows[i]
		complain := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("%s %s: %s", c.set, c.name, fmt.Sprintf(format, args...)))
		}
		if i > 0 && f.rows[i-1].set != c.set && seen[c.set] {
			complain("the set is in two places")
		}
		if seen[c.set+" "+c.name] {
			complain("twice")
		}
		seen[c.set], seen[c.set+" "+c.name] = true, true
		if c.values == [len(columns)]value{} {
			complain("no ABI has it")
		}
		field := f.field(c)
		if field == nil && c.of != ofValue && c.of != ofFlag && c.of != ofMask {
			complain("no mask %s before it", c.of)
		}
		for j, v := range c.values {
			switch {
			case !v.known || c.of == ofValue:
			case c.of == ofFlag && v.n <= 0 || v.n < 0:
				complain("%s: %d is no bit", columns[j].name, v.n)
			case field != nil && v.n&^field.values[j].n != 0:
				complain("%s: %#x is not within %s", columns[j].name, v.n, c.of)
			case field == nil && v.n&f.fields(c, j) != 0:
				complain("%s: %#x has bits of a field", columns[j].name, v.n)
			case c.of == ofFlag && f.within(i, j):
				complain("%s: %#x: a flag above it has some of its bits alone", columns[j].name, v.n)
			}
		}
	}
	return errors.Join(errs...)
}

// field returns the mask that a constant is a value of, nil if it is none.
func (f *facts) field(c *constant) *constant {
	i := slices.IndexFunc(f.rows, func(m constant) bool { return m.set == c.set && m.of == ofMask && m.name == c.of })
	if i < 0 {
		return nil
	}
	return &f.rows[i]
}

// fields returns the bits of all other fields of a constant's set on one column.
func (f *facts) fields(c *constant, column int) int64 {
	bits := int64(0)
	for i := range f.rows {
		if m := &f.rows[i]; m.set == c.set && m.of == ofMask && m.name != c.name {
			bits |= m.values[column].n
		}
	}
	return bits
}

// within reports whether a row above has some of the bits of row i and no others, so
// that the name of row i would never be seen.
func (f *facts) within(i, column int) bool {
	c := &f.rows[i]
	return slices.ContainsFunc(f.rows[:i], func(above constant) bool {
		v, w := above.values[column], c.values[column]
		return above.set == c.set && above.of == ofFlag && v.known && v.n != w.n && v.n&^w.n == 0
	})
}
