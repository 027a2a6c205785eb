// Package smt asks what package proof answers in a language that others understand: do
// two filters, or a filter and a policy, ever differ? [Write] writes the question in
// SMT-LIB 2, logic QF_BV, for any solver of bit vectors. Its answer is sat if some call is
// decided differently, and then the model is such a call; it is unsat if there is none.
//
// # The encoding
//
// The fields of struct seccomp_data are the unknowns: arch and nr have 32 bits, ip and a0
// to a5 have 64. A and B are the words of 32 bits that the subjects return; the question
// is whether they can be distinct. Every intermediate value has a name, and a term has
// only names and constants in it, so that the text grows linearly with the subjects and
// no term nests deeply.
//
// A policy follows [policy.Resolved.Decide] line by line: AUDIT_ARCH values, unknown
// numbers, foreign numbers, calls by number, clauses in order, the default.
//
// A program is executed once, on the unknowns. Jumps go only forward, so one pass sees
// every way to an instruction before the instruction itself. A way has a condition, and
// the values of A, X and the 16 words of M. Where ways meet, the instruction is reached
// if one of them is taken, and a register in which they differ is an ite on their
// conditions. Every return has a condition, too, and each call meets exactly one.
//
// A name is declared and asserted to be equal to its term. That says the same as
// define-fun, which z3 4.8 expands wherever a name is used and takes several times as
// long for. What A and B do not depend on is left out.
//
// All of this is written from the definitions and uses nothing of packages proof and
// compile, because it is there to contradict them.
package smt

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A Subject is a [Policy] or a [Program].
type Subject interface {
	validate() error
	// define defines what it needs, by names that start with the given one, and returns
	// the term for the word that the subject returns.
	define(s *script, name string) string
}

// Policy makes a resolved policy a subject.
func Policy(r *policy.Resolved) Subject { return meaning{r} }

// Program makes a filter a subject.
func Program(p *cbpf.Program) Subject { return program{p} }

// Write writes the question whether a and b ever differ. The same subjects give the same
// bytes. The error is the writer's, or that of a policy which
// [policy.Resolved.Validate] refuses.
func Write(to io.Writer, a, b Subject) error {
	for _, subject := range []Subject{a, b} {
		if err := subject.validate(); err != nil {
			return err
		}
	}
	var s script
	for _, field := range []string{"ip", "a0", "a1", "a2", "a3", "a4", "a5"} {
		s.bits(field+".lo", "((_ extract 31 0) "+field+")")
		s.bits(field+".hi", "((_ extract 63 32) "+field+")")
	}
	s.bits("A", a.define(&s, "A"))
	s.bits("B", b.define(&s, "B"))
	w := bufio.NewWriter(to)
	w.WriteString(head)
	for _, v := range s.needed("A", "B") {
		fmt.Fprintf(w, "(declare-const %s %s)\n(assert (= %s %s))\n", v.name, v.sort, v.name, v.term)
	}
	w.WriteString(tail)
	return w.Flush()
}

const head = `; Is there a call that A and B decide differently?
; sat: yes, and the values are one. unsat: no, and there are no values to get.
(set-option :produce-models true)
(set-logic QF_BV)
(declare-const arch (_ BitVec 32))
(declare-const nr (_ BitVec 32))
(declare-const ip (_ BitVec 64))
(declare-const a0 (_ BitVec 64))
(declare-const a1 (_ BitVec 64))
(declare-const a2 (_ BitVec 64))
(declare-const a3 (_ BitVec 64))
(declare-const a4 (_ BitVec 64))
(declare-const a5 (_ BitVec 64))
`

const tail = `(assert (distinct A B))
(check-sat)
(get-value (arch nr ip a0 a1 a2 a3 a4 a5 A B))
`

// A script is the definitions so far, each of which uses only earlier ones.
type script struct{ values []value }

// A value is a term with a name.
type value struct{ name, sort, term string }

// bits defines a word of 32 bits and returns its name.
func (s *script) bits(name, term string) string {
	s.values = append(s.values, value{name, "(_ BitVec 32)", term})
	return name
}

// truth defines a condition and returns its name.
func (s *script) truth(name, term string) string {
	s.values = append(s.values, value{name, "Bool", term})
	return name
}

// needed returns the values that the named ones depend on, and those themselves.
func (s *script) needed(names ...string) []value {
	used := map[string]bool{}
	for _, name := range names {
		used[name] = true
	}
	var needed []value
	for _, v := range slices.Backward(s.values) {
		if used[v.name] {
			needed = append(needed, v)
			for _, word := range strings.FieldsFunc(v.term, func(r rune) bool { return r == '(' || r == ')' || r == ' ' }) {
				used[word] = true
			}
		}
	}
	slices.Reverse(needed)
	return needed
}

// A choice is a word and the condition under which it is the one.
type choice struct{ when, word string }

// first defines the word of the first choice whose condition holds, and another one if
// none does. Neighbours that choose the same word are one choice.
func (s *script) first(name string, choices []choice, otherwise string) string {
	for end := len(choices); end > 0; {
		start := end - 1
		for start > 0 && choices[start-1].word == choices[start].word {
			start--
		}
		var conditions []string
		for _, c := range choices[start:end] {
			conditions = append(conditions, c.when)
		}
		switch word := choices[start].word; {
		case word == otherwise: // whatever the conditions
		case slices.Contains(conditions, "true"):
			otherwise = word
		default:
			term := fmt.Sprintf("(ite %s %s %s)", join("or", conditions, "false"), word, otherwise)
			otherwise = s.bits(fmt.Sprintf("%s.%d", name, start), term)
		}
		end = start
	}
	return otherwise
}

// only defines the word of the one choice whose condition holds.
func (s *script) only(name string, choices []choice) string {
	last := len(choices) - 1
	return s.first(name, choices[:last], choices[last].word)
}

// join applies an operator to terms. Of none it makes what is neutral, and one stays.
func join(operator string, terms []string, neutral string) string {
	switch len(terms) {
	case 0:
		return neutral
	case 1:
		return terms[0]
	}
	return "(" + operator + " " + strings.Join(terms, " ") + ")"
}

// word and long are constants of 32 and 64 bits.
func word[T ~uint32](v T) string { return fmt.Sprintf("#x%08x", uint32(v)) }
func long(v uint64) string       { return fmt.Sprintf("#x%016x", v) }
