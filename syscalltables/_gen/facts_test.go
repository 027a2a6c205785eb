package main

import (
	"os"
	"strings"
	"testing"
)

// tsv returns a file with one row for each line of "name arguments column=cell...".
func tsv(t *testing.T, kernel string, rows ...string) *facts {
	var b strings.Builder
	b.WriteString("# A comment.\n# Linux " + kernel + "\n" + headLine() + "\n")
	for _, row := range rows {
		b.WriteString(line(row) + "\n")
	}
	f, err := parseFacts([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.format()); got != b.String() {
		t.Fatalf("reads\n%s\nwrites\n%s", b.String(), got)
	}
	return f
}

func line(row string) string {
	words := strings.Fields(row)
	fields := words[:2:2]
	for _, c := range columns {
		cell := "-"
		for _, w := range words[2:] {
			if name, value, _ := strings.Cut(w, "="); name == c.name {
				cell = value
			}
		}
		fields = append(fields, cell)
	}
	return strings.Join(fields, "\t")
}

// rows is the inverse of tsv.
func rows(f *facts) []string {
	var rows []string
	for _, c := range f.calls {
		row := c.name + " " + c.args
		for i, e := range c.cells {
			if e.present {
				row += " " + columns[i].name + "=" + e.String()
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func TestSyscallsTSVIsInItsOwnForm(t *testing.T) {
	text, err := os.ReadFile("../syscalls.tsv")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseFacts(text)
	if err != nil {
		t.Fatal(err)
	}
	if string(f.format()) != string(text) {
		t.Error("reading and writing it changes it: go run . does that")
	}
	before := len(f.calls)
	if f.deduce(); string(f.format()) != string(text) || len(f.calls) != before {
		t.Error("it does not have all that deduce finds: any refresh does that")
	}
}

func TestCellsHaveOneForm(t *testing.T) {
	for _, s := range []string{"-", "0", "435", "983046", "1048574", "3@2.6", "3@5.0", "3@6.0", "435@5.3", "3@<=1.0", "3@<=5.10", "471@6.12..7.2", "3@1.0..2.6", "140@<=5.10!6.1", "140@4.20!5.0"} {
		if c, err := parseCell(s); err != nil || c.String() != s {
			t.Errorf("%q is read as %v, %v", s, c, err)
		}
	}
	for _, c := range []struct{ in, out string }{{"3@5.9..5.10", "3@5.10"}, {"3@2.6..3.0", "3@3.0"}, {"3@6.19..7.0", "3@7.0"}} {
		if got, err := parseCell(c.in); err != nil || got.String() != c.out {
			t.Errorf("%q is read as %v, %v, want %s", c.in, got, err, c.out)
		}
	}
	for _, s := range []string{"", "x", "-1", "+1", "3 ", "0x3", "1048575", "99999999999", "@5.3", "3@", "3@5", "3@x", "3@5.3.x.y", "3@<5.10", "3@>=5.10",
		"3@..5.10", "3@5.1..", "3@5.10..5.1", "3@5.1..5.1", "3@6.20", "3@5.20", "3@0.1", "3!", "3!x", "3@5.1!", "-@5.1"} {
		if c, err := parseCell(s); err == nil {
			t.Errorf("%q is read as %v", s, c)
		}
	}
}

func TestMalformedFilesAreRefusedWithTheLine(t *testing.T) {
	good := "# Linux 7.2\n" + headLine() + "\n"
	for _, c := range []struct{ what, text, want string }{
		{"empty", "", "no line \"# Linux \"X.Y"},
		{"no kernel", headLine() + "\n", "no line \"# Linux \"X.Y"},
		{"bad kernel", "# Linux six\n" + headLine() + "\n", "line 1: \"six\": want a kernel release X.Y"},
		{"no head", "# Linux 7.2\n", "no line of column names"},
		{"other head", "# Linux 7.2\nname\targs\n", "line 2: want the column names"},
		{"short row", good + "read\tfd\t0\n", "line 3: 3 fields, want 20"},
		{"long row", good + line("read -") + "\t-\n", "line 3: 21 fields, want 20"},
		{"empty row", good + "\n", "line 3: 1 fields"},
		{"bad name", good + line("Read -") + "\n", "line 3: \"Read\" is not a name"},
		{"bad argument", good + line("read fd,,buf") + "\n", "line 3: read: arguments \"fd,,buf\""},
		{"bad cell", good + line("read - arm=x") + "\n", "line 3: read: arm: \"x\": want -, a number or number@release"},
		{"twice", good + line("read -") + "\n" + line("read -") + "\n", "read after read"},
		{"out of order", good + line("write -") + "\n" + line("read -") + "\n", "read after write"},
		{"number twice", good + line("read - arm=3") + "\n" + line("write - arm=3") + "\n", "arm: read and write share number 3"},
		{"carriage return", strings.ReplaceAll(good, "\n", "\r\n"), "line 1: \"7.2\\r\""},
		{"two problems, the first", good + line("Read -") + "\n" + line("write - x86=y") + "\n", "line 3: \"Read\""},
		{"two problems, the second", good + line("Read -") + "\n" + line("write - x86=y") + "\n", "line 4: write: x86: \"y\""},
	} {
		if _, err := parseFacts([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.what, err, c.want)
		}
	}
}

func TestArgumentsAreNamesOrNothing(t *testing.T) {
	for _, s := range []string{"-", "void", "fd", "fd,buf,count", "fd,offset:64", "a,b,c,d,e,f", "flags,stack | s390,s390x: stack,flags", "args | arm: - | x86: void"} {
		if _, err := parseArgs(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", ",", "fd,", "fd buf", "a,b,c,d,e,f,g", "fd:32", "-,fd", "fd | arm", "fd | arm:buf", "fd | vax: buf", "fd | : buf", "fd | arm: ", "fd|arm: buf"} {
		if l, err := parseArgs(s); err == nil {
			t.Errorf("%q is read as %v", s, l)
		}
	}
}

func TestReleasesFollowEachOther(t *testing.T) {
	order := []string{"1.0", "1.2", "2.0", "2.2", "2.4", "2.6", "3.0", "3.1"}
	for i := range order[1:] {
		testNeighbours(t, order[i], order[i+1])
	}
	testNeighbours(t, "3.19", "4.0")
	testNeighbours(t, "4.20", "5.0")
	testNeighbours(t, "5.19", "6.0")
	testNeighbours(t, "6.19", "7.0")
	testNeighbours(t, "7.19", "7.20") // the 7 series has not ended
	if got := (release{1, 0}).prev(); got != (release{}) {
		t.Errorf("%v is before 1.0", got)
	}
}

func testNeighbours(t *testing.T, a, b string) {
	x, err := parseRelease(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := parseRelease(b)
	if err != nil {
		t.Fatal(err)
	}
	if x.next() != y || y.prev() != x || x.compare(y) >= 0 || y.compare(x) <= 0 {
		t.Errorf("%v is followed by %v, before %v is %v", x, x.next(), y, y.prev())
	}
}
