package vectors

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// An abi is a row of testdata/vectors/abis.tsv with the numbers of its calls.
type abi struct {
	name            string
	arch            uint32
	bits            int
	big             bool
	base            uint32
	socketcall, ipc uint32 // 0 where there is none
	enosys          uint32
	numbers         map[string]uint32
	ages            map[uint32]age
}

// An age says when Linux got a call: after one release, and in another one if that is
// known.
type age struct{ after, in [2]int }

// facts are what the page takes for granted: ABIs and the numbers of calls.
type facts []*abi

func (f facts) named(name string) *abi {
	i := slices.IndexFunc(f, func(a *abi) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return f[i]
}

// targets returns the ABIs that a column of the table lists.
func (f facts) targets(t testing.TB, column string) (list []*abi) {
	t.Helper()
	for name := range strings.SplitSeq(column, ",") {
		a := f.named(name)
		if a == nil {
			t.Fatalf("targets %q: no ABI %q", column, name)
		}
		list = append(list, a)
	}
	return list
}

func readFacts(t testing.TB) facts {
	t.Helper()
	var f facts
	for _, row := range readTSV(t, dir+"abis.tsv", 8) {
		a := &abi{name: row[0], big: row[3] == "big", numbers: map[string]uint32{}, ages: map[uint32]age{}}
		n := make([]uint64, len(row))
		for i, s := range row {
			if i == 0 || i == 3 || s == "-" {
				continue
			}
			var err error
			if n[i], err = strconv.ParseUint(s, 0, 32); err != nil {
				t.Fatal(err)
			}
		}
		a.arch, a.bits, a.base = uint32(n[1]), int(n[2]), uint32(n[4])
		a.socketcall, a.ipc, a.enosys = uint32(n[5]), uint32(n[6]), uint32(n[7])
		f = append(f, a)
	}
	f.readCalls(t)
	return f
}

// readCalls reads the numbers and ages of calls; the comments of the file say what its
// cells are.
func (f facts) readCalls(t testing.TB) {
	const columns = 20
	rows := readTSV(t, "../../syscalltables/syscalls.tsv", columns)
	shared := map[string]string{
		"mipsel": "mips", "mipsel64": "mips64", "mipsel64n32": "mips64n32", "ppc64le": "ppc64", "sheb": "sh",
	}
	head := rows[0]
	for _, a := range f {
		column := slices.Index(head, a.name)
		if other, ok := shared[a.name]; ok {
			column = slices.Index(head, other)
		}
		for _, row := range rows[1:] {
			cell, _, _ := strings.Cut(row[column], "!")
			number, when, _ := strings.Cut(cell, "@")
			if number == "-" {
				continue
			}
			n, err := strconv.ParseUint(number, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			a.numbers[row[0]] = a.base + uint32(n)
			if after, _, isRange := strings.Cut(when, ".."); isRange {
				a.ages[a.base+uint32(n)] = age{after: release(after)}
			} else if when != "" && when[0] != '<' {
				a.ages[a.base+uint32(n)] = age{in: release(when)}
			} else {
				a.ages[a.base+uint32(n)] = age{}
			}
		}
	}
}

// release reads "X.Y"; what is no release is older than all.
func release(s string) (v [2]int) {
	major, minor, _ := strings.Cut(s, ".")
	v[0], _ = strconv.Atoi(major)
	v[1], _ = strconv.Atoi(minor)
	return v
}

// readTSV returns the fields of a file's lines, without comments.
func readTSV(t testing.TB, file string, columns int) (rows [][]string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		row := strings.Split(lines.Text(), "\t")
		if len(row) != columns {
			t.Fatalf("%s:%d: %d columns, want %d", file, n, len(row), columns)
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// An object is one of JSON, with its keys as they come.
type object []member

type member struct {
	key   string
	value any // nil, bool, string, json.Number, []any or object
}

// parse reads a JSON text.
func parse(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := parseValue(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the value")
	}
	return v, nil
}

func parseValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	case json.Delim('{'):
		o := object{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{fmt.Sprint(key), v})
		}
		_, err = d.Token()
		return o, err
	}
	return token, nil
}
