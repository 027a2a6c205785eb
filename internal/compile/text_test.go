package compile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seccompile/seccompile/cbpf"
)

// The tests of the passes state what goes in and what comes out as text: diagrams
// and trees as their String methods print them, spans as below.

// parseSpans reads spans as "0..4:a 5:b*16 6..:c": values, outcome and, unless it
// is 0, weight. Without an upper end a span goes on to the largest value. The
// outcomes a, b, c and so on are ERRNO(1), ERRNO(2), ERRNO(3).
func parseSpans(t *testing.T, tree *Tree, text string) []span {
	t.Helper()
	var spans []span
	for _, field := range strings.Fields(text) {
		values, rest, _ := strings.Cut(field, ":")
		outcome, weight, weighs := strings.Cut(rest, "*")
		first, last, more := strings.Cut(values, "..")
		s := span{first: number(t, first), last: math.MaxUint32}
		if !more {
			s.last = s.first
		} else if last != "" {
			s.last = number(t, last)
		}
		if weighs {
			s.weight = uint64(number(t, weight))
		}
		s.to = outcomeRef(tree, int(outcome[0]-'a'))
		spans = append(spans, s)
	}
	return spans
}

func outcomeRef(tree *Tree, i int) Ref { return tree.ret(cbpf.Errno(uint16(i + 1))) }

// spansText is what parseSpans reads.
func spansText(tree *Tree, spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		fmt.Fprintf(&b, "%#x", s.first)
		if !s.single() {
			fmt.Fprintf(&b, "..%#x", s.last)
		}
		fmt.Fprintf(&b, ":%c*%d ", 'a'+tree.tests[s.to].K&0xffff-1, s.weight)
	}
	return b.String()
}

func number(t *testing.T, text string) uint32 {
	t.Helper()
	v, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(v)
}

// lines returns the lines of a text without indentation and empty ones, so that
// texts in tables can be indented.
func lines(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// same fails unless two texts are the same but for indentation.
func same(t *testing.T, got, want string) {
	t.Helper()
	if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
		t.Errorf("wanted is -, got +\n%s", diff)
	}
}

// parseTree reads what Tree.String prints.
func parseTree(t *testing.T, text string) *Tree {
	t.Helper()
	tree := &Tree{}
	names := make(map[string]int32)
	for _, line := range lines(text) {
		if root, ok := strings.CutPrefix(line, "root "); ok {
			tree.root = Ref(lookUp(t, names, root))
			continue
		}
		name, rest, _ := strings.Cut(line, ": ")
		names[name] = int32(tree.intern(parseTest(t, names, rest)))
	}
	return tree
}

// parseDiagram reads what Diagram.String prints.
func parseDiagram(t *testing.T, text string) *Diagram {
	t.Helper()
	g := &Diagram{}
	names := make(map[string]int32)
	all := lines(text)
	for i, line := range all {
		if root, ok := strings.CutPrefix(line, "root "); ok {
			g.root = NodeID(lookUp(t, names, root))
			continue
		}
		name, rest, _ := strings.Cut(line, ": ")
		if !strings.HasPrefix(name, "n") {
			continue // a case
		}
		if w, ok := parseWord(rest); ok {
			names[name] = int32(g.switchOn(w, parseCases(t, names, all[i+1:]), ""))
			continue
		}
		n := parseTest(t, names, rest)
		if n.Op == Return {
			names[name] = int32(g.leaf(cbpf.Action(n.K)))
			continue
		}
		names[name] = int32(g.masked(n.Word, n.Mask, n.K, NodeID(n.Yes), NodeID(n.No), ""))
	}
	return g
}

// parseCases reads the cases at the start of some lines.
func parseCases(t *testing.T, names map[string]int32, text []string) []Case {
	t.Helper()
	var cases []Case
	for _, line := range text {
		values, to, _ := strings.Cut(line, ": ")
		first, last, more := strings.Cut(values, "..")
		if first[0] < '0' || first[0] > '9' {
			break
		}
		c := Case{First: number(t, first), To: NodeID(lookUp(t, names, to))}
		if c.Last = c.First; more {
			c.Last = number(t, last)
		}
		cases = append(cases, c)
	}
	return cases
}

// parseTest reads what Test.String prints.
func parseTest(t *testing.T, names map[string]int32, text string) Test {
	t.Helper()
	test, branches, _ := strings.Cut(text, " ? ")
	f := strings.Fields(test)
	w, ok := parseWord(f[0])
	if !ok {
		a, err := cbpf.ParseAction(text)
		if err != nil {
			t.Fatal(err)
		}
		return Test{Op: Return, K: uint32(a)}
	}
	if f[1] == "&=" {
		to := Ref(lookUp(t, names, f[3]))
		return Test{Op: DropX32, Word: w, Yes: to, No: to}
	}
	yes, no, _ := strings.Cut(branches, " : ")
	n := Test{Word: w, K: number(t, f[2]), Yes: Ref(lookUp(t, names, yes)), No: Ref(lookUp(t, names, no))}
	switch {
	case len(f) == 5:
		n.Op, n.Mask, n.K = MaskEqual, n.K, number(t, f[4])
	case f[1] == "==":
		n.Op = Equal
	case f[1] == ">=":
		n.Op = AtLeast
	case f[1] == "&":
		n.Op = AnySet
	default:
		t.Fatalf("no test: %q", text)
	}
	return n
}

func parseWord(text string) (w Word, ok bool) {
	for ; w < WordCount; w++ {
		if w.String() == text {
			return w, true
		}
	}
	return 0, false
}

func lookUp(t *testing.T, names map[string]int32, name string) int32 {
	t.Helper()
	ref, ok := names[name]
	if !ok {
		t.Fatalf("%q is not defined yet", name)
	}
	return ref
}

// put sets a word of a call.
func put(d *cbpf.Data, w Word, v uint32) {
	half := func(x *uint64, hi bool) {
		if hi {
			*x = *x&math.MaxUint32 | uint64(v)<<32
			return
		}
		*x = *x>>32<<32 | uint64(v)
	}
	switch w {
	case NR:
		d.NR = v
	case Arch:
		d.Arch = v
	case IPLo, IPHi:
		half(&d.IP, w == IPHi)
	default:
		arg, hi, _ := w.Arg()
		half(&d.Args[arg], hi)
	}
}

func TestTextIsReadAsItIsPrinted(t *testing.T) {
	for _, text := range []string{`
		t0: ALLOW
		t1: ERRNO(1)
		t2: nr == 7 ? t0 : t1
		t3: nr &= 0x3fffffff, t2
		t4: arg5.hi >= 0x8 ? t0 : t2
		t5: ip.lo & 0x3 ? t4 : t2
		t6: nr >= 9 ? t3 : t5
		t7: arch & 0xf0 == 0x10 ? t6 : t1
		root t7
	`} {
		same(t, parseTree(t, text).String(), text)
	}
	text := `
		n0: TRACE(3)
		n1: KILL_PROCESS
		n2: arg0.lo & 0x5 == 0x1 ? n0 : n1
		n3: nr
			0..4: n0
			5: n2
			6..4294967295: n1
		root n3
	`
	same(t, parseDiagram(t, text).String(), text)
	for w := range Word(WordCount) {
		d := cbpf.Data{NR: 1, Arch: 2, IP: 3<<32 | 4, Args: [6]uint64{5 << 32, 6, 7, 8, 9, 10}}
		other := d
		put(&d, w, 0xdeadbeef)
		for v := range Word(WordCount) {
			want := v.Of(&other)
			if v == w {
				want = 0xdeadbeef
			}
			if got := v.Of(&d); got != want {
				t.Errorf("%v set: %v is %#x, want %#x", w, v, got, want)
			}
		}
	}
}
