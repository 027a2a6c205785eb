package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A finding is one thing worth telling about a rule. The same finding on several
// ABIs is told once.
type finding struct {
	kind  Kind
	rule  int32 // index of the rule, -1 if it is about several
	part  int32 // what else makes it one: a name, an argument, a call; -1 if nothing
	other int32 // index of the other rule, -1 if there is none
}

// A place is where in the profile a note belongs.
type place struct {
	rule    int32 // index of the rule, -1 for the profile as a whole
	part    int32 // index of the name or argument, -1 for the rule as a whole
	pointer string
}

// A note is a finding in words.
type note struct {
	kind    Kind
	problem bool
	at      place
	text    string
	abis    abiSet // where it was found, empty if ABIs have no part in it
	example Example
}

// An abiSet is a set of ABIs, a bit for each.
type abiSet uint32

func setOf(abis []arch.ABI) (s abiSet) {
	for _, a := range abis {
		s |= 1 << a
	}
	return s
}

// String lists the names, such as "x86, arm".
func (s abiSet) String() string {
	var names []string
	for a := range arch.All() {
		if s&(1<<a) != 0 {
			names = append(names, a.String())
		}
	}
	return strings.Join(names, ", ")
}

// Notes collect the problems and warnings of a profile.
type notes struct {
	list  []note
	index map[finding]int // of those found on ABIs; made when needed
}

// fail notes a problem of a rule, -1 for the profile as a whole.
func (n *notes) fail(kind Kind, rule int, pointer, reason string) {
	n.list = append(n.list, note{kind: kind, problem: true, at: place{int32(rule), -1, pointer}, text: reason})
}

// warn notes a warning about a rule, -1 for the profile as a whole.
func (n *notes) warn(kind Kind, rule int, pointer, message string) {
	n.list = append(n.list, note{kind: kind, at: place{int32(rule), -1, pointer}, text: message})
}

// found notes a finding on one ABI. Only the first time it is put into words.
func (n *notes) found(f finding, a arch.ABI, words func() (at place, text string)) {
	i, known := n.index[f]
	if !known {
		if n.index == nil {
			n.index = make(map[finding]int)
		}
		i = len(n.list)
		n.index[f] = i
		at, text := words()
		n.list = append(n.list, note{kind: f.kind, problem: f.kind >= Syntax, at: at, text: text})
	}
	n.list[i].abis |= 1 << a
}

// foundFor notes a finding about a call.
func (n *notes) foundFor(f finding, call Example, words func() (at place, text string)) {
	n.found(f, call.ABI, words)
	if x := &n.list[n.index[f]]; x.example.ABI == 0 {
		x.example = call
	}
}

// report returns the warnings and problems in file order. Those that do not hold
// on all target ABIs say on which, and lost conditions always do.
func (n *notes) report(targets abiSet) ([]Warning, error) {
	slices.SortStableFunc(n.list, func(a, b note) int {
		return cmp.Or(cmp.Compare(a.at.rule, b.at.rule), cmp.Compare(a.at.part, b.at.part))
	})
	var warnings []Warning
	var problems Errors
	for _, x := range n.list {
		if x.abis != 0 && (x.abis != targets || x.kind == LostCondition) {
			x.text += " (on " + x.abis.String() + ")"
		}
		if x.problem {
			problems = append(problems, &Error{Kind: x.kind, Pointer: x.at.pointer, Reason: x.text})
		} else {
			warnings = append(warnings, Warning{Kind: x.kind, Pointer: x.at.pointer, Message: x.text, Example: x.example})
		}
	}
	return warnings, problems.orNil()
}
