package smt_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/cbpf"
)

// A question is a script that the tests can evaluate on one call: the definitions in
// order, and what is asserted of them.
type question struct {
	names []string
	terms map[string]term
}

// A term is a symbol or constant, or the application of the first part to the others.
type term struct {
	atom  string
	parts []term
}

// parse reads a script and fails the test if it says anything that a script of this
// package should not.
func parse(t *testing.T, text string) *question {
	t.Helper()
	q := &question{terms: map[string]term{}}
	declared := map[string]bool{}
	var last []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ";") {
			continue
		}
		cmd, rest := readTerm(tokens(line))
		if len(rest) > 0 {
			t.Fatalf("more than one command in a line: %s", line)
		}
		p := cmd.parts
		switch last = append(last, p[0].atom); p[0].atom {
		case "declare-const":
			if declared[p[1].atom] {
				t.Fatalf("declared twice: %s", line)
			}
			declared[p[1].atom] = true
		case "assert":
			if equation := p[1].parts; equation[0].atom == "=" {
				name := equation[1].atom
				if _, twice := q.terms[name]; twice || !declared[name] {
					t.Fatalf("defined twice, or not declared: %s", line)
				}
				q.names = append(q.names, name)
				q.terms[name] = equation[2]
			} else if strings.TrimSpace(line) != "(assert (distinct A B))" {
				t.Fatalf("unexpected: %s", line)
			}
		case "set-option", "set-logic", "check-sat", "get-value":
		default:
			t.Fatalf("unexpected: %s", line)
		}
	}
	if end := strings.Join(last[max(0, len(last)-3):], " "); end != "assert check-sat get-value" {
		t.Fatalf("the script ends with %s", end)
	}
	return q
}

func tokens(s string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
}

func readTerm(tokens []string) (term, []string) {
	if tokens[0] != "(" {
		return term{atom: tokens[0]}, tokens[1:]
	}
	var t term
	for tokens = tokens[1:]; tokens[0] != ")"; {
		var part term
		part, tokens = readTerm(tokens)
		t.parts = append(t.parts, part)
	}
	return t, tokens[1:]
}

// answer evaluates the script on a call.
func (q *question) answer(d *cbpf.Data) (a, b cbpf.Action) {
	values := map[string]uint64{"arch": uint64(d.Arch), "nr": uint64(d.NR), "ip": d.IP, "true": 1, "false": 0}
	for i, v := range d.Args {
		values[fmt.Sprintf("a%d", i)] = v
	}
	for _, name := range q.names {
		t := q.terms[name]
		values[name] = t.eval(values)
	}
	return cbpf.Action(values["A"]), cbpf.Action(values["B"])
}

// eval evaluates a term: of 64 bits if it is about an argument as a whole, else of 32, or
// a condition. Only operations that mean the same in 64 bits get arguments as a whole.
func (t *term) eval(values map[string]uint64) uint64 {
	if t.parts == nil {
		if digits, ok := strings.CutPrefix(t.atom, "#x"); ok {
			v, err := strconv.ParseUint(digits, 16, 64)
			if err != nil {
				panic(err)
			}
			return v
		}
		v, ok := values[t.atom]
		if !ok {
			panic(t.atom + " is used before it is defined")
		}
		return v
	}
	if extract := t.parts[0].parts; extract != nil { // ((_ extract last first) term)
		first, err := strconv.Atoi(extract[3].atom)
		if err != nil {
			panic(err)
		}
		return uint64(uint32(t.parts[1].eval(values) >> first))
	}
	var args []uint64
	for i := range t.parts[1:] {
		args = append(args, t.parts[1+i].eval(values))
	}
	return apply(t.parts[0].atom, args)
}

func apply(operator string, args []uint64) uint64 {
	truth := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	x, y := args[0], args[len(args)-1]
	switch operator {
	case "ite":
		if args[0] != 0 {
			return args[1]
		}
		return args[2]
	case "and":
		for _, v := range args {
			x &= v
		}
		return x
	case "or":
		for _, v := range args {
			x |= v
		}
		return x
	case "not":
		return 1 - x
	case "=":
		return truth(x == y)
	case "distinct":
		return truth(x != y)
	case "bvult":
		return truth(x < y)
	case "bvule":
		return truth(x <= y)
	case "bvuge":
		return truth(x >= y)
	case "bvugt":
		return truth(x > y)
	case "bvand":
		return x & y
	case "bvor":
		return x | y
	case "bvxor":
		return x ^ y
	case "bvlshr":
		return x >> y
	case "bvshl":
		return uint64(uint32(x << y))
	case "bvadd":
		return uint64(uint32(x + y))
	case "bvsub":
		return uint64(uint32(x - y))
	case "bvmul":
		return uint64(uint32(x * y))
	case "bvneg":
		return uint64(uint32(-x))
	case "bvudiv":
		if y == 0 {
			return 1<<32 - 1 // SMT-LIB, theory FixedSizeBitVectors
		}
		return x / y
	}
	panic("unknown operator " + operator)
}
