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

// A column is one list of numbers in syscalls.tsv. ABIs that differ only in
// byte order share one, as they do in the kernel.
type column struct {
	name string
	abis []string // identifiers of package arch
	base uint32   // what asm/unistd.h adds to the numbers
	born release  // the first release that has the ABI, where that is after 2.6
	long bool     // time_t has always had 64 bits: there are no calls 403 to 423
}

var columns = [...]column{
	{"x86_64", []string{"X86_64"}, 0, release{}, true},
	{"x32", []string{"X32"}, 0x40000000, release{3, 4}, true},
	{"x86", []string{"X86"}, 0, release{}, false},
	{"arm", []string{"ARM"}, 0, release{}, false},
	{"aarch64", []string{"AArch64"}, 0, release{3, 7}, true},
	{"riscv64", []string{"RISCV64"}, 0, release{4, 15}, true},
	{"loongarch64", []string{"LoongArch64"}, 0, release{5, 19}, true},
	{"mips", []string{"MIPS", "MIPSEL"}, 4000, release{}, false},
	{"mips64", []string{"MIPS64", "MIPSEL64"}, 5000, release{}, true},
	{"mips64n32", []string{"MIPS64N32", "MIPSEL64N32"}, 6000, release{}, false},
	{"ppc", []string{"PPC"}, 0, release{}, false},
	{"ppc64", []string{"PPC64", "PPC64LE"}, 0, release{}, true},
	{"s390", []string{"S390"}, 0, release{}, false},
	{"s390x", []string{"S390X"}, 0, release{}, true},
	{"m68k", []string{"M68K"}, 0, release{}, false},
	{"parisc", []string{"PARISC"}, 0, release{}, false},
	{"parisc64", []string{"PARISC64"}, 0, release{}, true},
	{"sh", []string{"SH", "SHEB"}, 0, release{}, false},
}

// maxNumber is the largest base-less number that the tables hold; the next one
// stands for "absent" in them.
const maxNumber = 0xffffe

// facts is the content of syscalls.tsv.
type facts struct {
	comment []string // leading comment lines, without line ends
	kernel  release  // the newest release merged
	calls   []call   // by name
}

// A call is a row.
type call struct {
	name  string
	args  string // as parseArgs reads it
	cells [len(columns)]cell
}

// A cell is one number of one call. The zero cell says that the call is absent.
type cell struct {
	present bool
	nr      uint32 // without the base of the ABI
	since   since
	gone    release // the first release whose table is known to lack it again, or zero
}

// since says that a call is not in release after, nor before, but is in release
// by. Zero releases are unknown.
type since struct{ after, by release }

// exact reports whether the two bounds leave one release.
func (s since) exact() bool { return s.after != release{} && s.after.next() == s.by }

// kernelLine starts the line that names the newest release merged.
const kernelLine = "# Linux "

// parseFacts reads syscalls.tsv. All malformed lines are reported.
func parseFacts(text []byte) (*facts, error) {
	f := &facts{}
	var errs []error
	head := false
	line := 0
	for t := range strings.Lines(string(text)) {
		line++
		t = strings.TrimSuffix(t, "\n")
		var err error
		switch {
		case strings.HasPrefix(t, kernelLine) && f.kernel == release{}:
			f.kernel, err = parseRelease(strings.TrimPrefix(t, kernelLine))
		case strings.HasPrefix(t, "#") && !head:
			f.comment = append(f.comment, t)
		case !head:
			head = true
			if t != headLine() {
				err = fmt.Errorf("want the column names %q", headLine())
			}
		default:
			var c call
			if c, err = parseCall(t); err == nil {
				f.calls = append(f.calls, c)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("line %d: %w", line, err))
		}
	}
	if f.kernel == (release{}) {
		errs = append(errs, fmt.Errorf("no line %qX.Y", kernelLine))
	}
	if !head {
		errs = append(errs, errors.New("no line of column names"))
	}
	errs = append(errs, f.check()...)
	return f, errors.Join(errs...)
}

func headLine() string {
	h := []string{"name", "arguments"}
	for _, c := range columns {
		h = append(h, c.name)
	}
	return strings.Join(h, "\t")
}

func parseCall(line string) (call, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 2+len(columns) {
		return call{}, fmt.Errorf("%d fields, want %d", len(fields), 2+len(columns))
	}
	c := call{name: fields[0], args: fields[1]}
	if !isName(c.name) {
		return call{}, fmt.Errorf("%q is not a name", c.name)
	}
	if _, err := parseArgs(c.args); err != nil {
		return call{}, fmt.Errorf("%s: %w", c.name, err)
	}
	for i, s := range fields[2:] {
		var err error
		if c.cells[i], err = parseCell(s); err != nil {
			return call{}, fmt.Errorf("%s: %s: %w", c.name, columns[i].name, err)
		}
	}
	return c, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// parseCell reads "-" where the ABI has no such call, or one of
//
//	NR          nothing is known of its age
//	NR@5.3      introduced in Linux 5.3
//	NR@<=5.10   introduced in 5.10 or earlier
//	NR@6.1..7.2 introduced after 6.1, in 7.2 at the latest
//
// and !R after it when the table of release R lacks the call again.
func parseCell(s string) (cell, error) {
	if s == "-" {
		return cell{}, nil
	}
	s, end, ended := strings.Cut(s, "!")
	number, age, dated := strings.Cut(s, "@")
	nr, err := strconv.ParseUint(number, 10, 32)
	if err != nil || nr > maxNumber {
		return cell{}, fmt.Errorf("%q: want -, a number or number@release", s)
	}
	c := cell{present: true, nr: uint32(nr)}
	if ended {
		if c.gone, err = parseRelease(end); err != nil {
			return c, err
		}
	}
	if !dated {
		return c, nil
	}
	if by, ok := strings.CutPrefix(age, "<="); ok {
		c.since.by, err = parseRelease(by)
	} else if after, by, ok := strings.Cut(age, ".."); ok {
		var err2 error
		c.since.after, err = parseRelease(after)
		c.since.by, err2 = parseRelease(by)
		err = cmp.Or(err, err2)
		if err == nil && c.since.after.compare(c.since.by) >= 0 {
			err = fmt.Errorf("%q: the releases are out of order", s)
		}
	} else if c.since.by, err = parseRelease(age); err == nil {
		c.since.after = c.since.by.prev()
	}
	return c, err
}

// check finds names out of order and numbers given twice.
func (f *facts) check() []error {
	var errs []error
	for i := range f.calls[min(1, len(f.calls)):] {
		if f.calls[i].name >= f.calls[i+1].name {
			errs = append(errs, fmt.Errorf("%s after %s: names are unique and in byte order", f.calls[i+1].name, f.calls[i].name))
		}
	}
	for i, col := range columns {
		owner := map[uint32]string{}
		for _, c := range f.calls {
			if !c.cells[i].present {
				continue
			}
			if other, dup := owner[c.cells[i].nr]; dup {
				errs = append(errs, fmt.Errorf("%s: %s and %s share number %d", col.name, other, c.name, c.cells[i].nr))
			}
			owner[c.cells[i].nr] = c.name
		}
	}
	return errs
}

// format is the inverse of parseFacts.
func (f *facts) format() []byte {
	var b bytes.Buffer
	for _, c := range f.comment {
		fmt.Fprintln(&b, c)
	}
	fmt.Fprintf(&b, "%s%v\n%s\n", kernelLine, f.kernel, headLine())
	for _, c := range f.calls {
		fmt.Fprintf(&b, "%s\t%s", c.name, c.args)
		for _, e := range c.cells {
			fmt.Fprintf(&b, "\t%v", e)
		}
		fmt.Fprintln(&b)
	}
	return b.Bytes()
}

func (c cell) String() string {
	if !c.present {
		return "-"
	}
	text := fmt.Sprint(c.nr)
	switch s := c.since; {
	case s.by == release{}:
	case s.after == release{}:
		text += fmt.Sprintf("@<=%v", s.by)
	case s.exact():
		text += fmt.Sprintf("@%v", s.by)
	default:
		text += fmt.Sprintf("@%v..%v", s.after, s.by)
	}
	if c.gone != (release{}) {
		text += fmt.Sprintf("!%v", c.gone)
	}
	return text
}

// find returns the call with this name, adding it if needed.
func (f *facts) find(name string) *call {
	i, ok := slices.BinarySearchFunc(f.calls, name, func(c call, n string) int { return cmp.Compare(c.name, n) })
	if !ok {
		f.calls = slices.Insert(f.calls, i, call{name: name, args: "-"})
	}
	return &f.calls[i]
}
