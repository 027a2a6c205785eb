package vectors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const dir = "../../testdata/vectors/"

// A row is one of verdicts.tsv, or of pairs.tsv if it has a second profile.
type row struct {
	paragraph string
	profile   string
	second    string // and the operation and data for it, below
	op, data  string
	reading   string
	options   string
	targets   string
	label     string // ABI and name of the call, for people
	call      call
	verdict   string
	parts     [2]string // the verdicts of the two profiles
}

// A group is rows of which one filter decides all.
type group struct{ profile, reading, options, targets string }

func (r *row) group() group { return group{r.profile, r.reading, r.options, r.targets} }

const (
	version  = "# seccomp verdicts 1: see README.md\n"
	columns  = "# paragraph\tprofile\treading\toptions\ttargets\tcall\tarch\tnumber\targuments\tverdict\n"
	pairHead = "# paragraph\toperation\tdata\tfirst\tsecond\ttargets\tcall\tarch\tnumber\targuments\tfirst verdict\tsecond verdict\tverdict\n"
)

func (r *row) String() string {
	c := &r.call
	place := []string{"-", "-", "-", "-"}
	if r.label != "" {
		place = []string{r.label, fmt.Sprintf("%#08x", c.arch), numberText(uint64(c.nr)), argsText(c.args)}
	}
	if r.second != "" {
		fields := slices.Concat([]string{r.paragraph, r.op, r.data, r.profile, r.second, r.targets}, place, r.parts[:], []string{r.verdict})
		return strings.Join(fields, "\t") + "\n"
	}
	fields := slices.Concat([]string{r.paragraph, r.profile, r.reading, r.options, r.targets}, place, []string{r.verdict})
	return strings.Join(fields, "\t") + "\n"
}

// numberText writes a number in decimal if that is short.
func numberText(n uint64) string {
	if n < 10000 {
		return strconv.FormatUint(n, 10)
	}
	return fmt.Sprintf("%#x", n)
}

func argsText(args [6]uint64) string {
	n := 6
	for n > 0 && args[n-1] == 0 {
		n--
	}
	if n == 0 {
		return "-"
	}
	texts := make([]string, n)
	for i := range texts {
		texts[i] = numberText(args[i])
	}
	return strings.Join(texts, ",")
}

// parseRow reads what String has written.
func parseRow(t testing.TB, fields []string) (r row) {
	t.Helper()
	r.paragraph, r.profile, r.reading, r.options, r.targets = fields[0], fields[1], fields[2], fields[3], fields[4]
	place := fields[5:9]
	r.verdict = fields[len(fields)-1]
	if len(fields) == 13 {
		r.op, r.data, r.profile, r.second, r.targets = fields[1], fields[2], fields[3], fields[4], fields[5]
		place, r.parts = fields[6:10], [2]string(fields[10:12])
		r.reading, r.options = "runc", "-"
	}
	if place[0] == "-" {
		return r
	}
	parse := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			t.Fatalf("%q: %v", fields, err)
		}
		return n
	}
	r.label, r.call.arch, r.call.nr = place[0], uint32(parse(place[1])), uint32(parse(place[2]))
	if place[3] != "-" {
		for i, s := range strings.Split(place[3], ",") {
			r.call.args[i] = parse(s)
		}
	}
	return r
}

// readRows reads the two tables.
func readRows(t testing.TB) (rows []row) {
	t.Helper()
	for file, columns := range map[string]int{"verdicts.tsv": 10, "pairs.tsv": 13} {
		for _, fields := range readTSV(t, dir+file, columns) {
			rows = append(rows, parseRow(t, fields))
		}
	}
	return rows
}

// meaningOf returns the reading and options of a group.
func meaningOf(f facts, g group, wrong misreading) *meaning {
	m := &meaning{facts: f, reading: g.reading, options: map[string]string{}, wrong: wrong}
	for _, o := range strings.Fields(g.options) {
		if key, value, _ := strings.Cut(o, "="); o != "-" {
			m.options[key] = value
		}
	}
	return m
}
