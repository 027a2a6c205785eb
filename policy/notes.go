package policy

import (
	"cmp"
	"slices"
	"strconv"
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

// maxNotes bounds how many notes of one kind are put into words, since a hostile profile
// could make one out of every few bytes. Those beyond are counted.
const maxNotes = 1000

// Notes collect the problems and warnings of a profile.
type notes struct {
	list  []note
	index map[finding]int // of those found on ABIs; made when needed
	told  map[tally]int   // how many are in the list
	more  map[tally]int   // how many are not, on each ABI if they were found on one
}

// A tally is what notes are counted by.
type tally struct {
	kind    Kind
	problem bool
	abi     arch.ABI // zero if ABIs have no part in it
}

// full reports whether there are enough notes of a kind, and then counts one more.
func (n *notes) full(kind Kind, problem bool, a arch.ABI) bool {
	if n.told == nil {
		n.told, n.more = make(map[tally]int), make(map[tally]int)
	}
	if n.told[tally{kind, problem, 0}] < maxNotes {
		return false
	}
	n.more[tally{kind, problem, a}]++
	return true
}

func (n *notes) add(x note) {
	n.told[tally{x.kind, x.problem, 0}]++
	n.list = append(n.list, x)
}

// fail notes a problem of a rule, -1 for the profile as a whole.
func (n *notes) fail(kind Kind, rule int, pointer, reason string) {
	if !n.full(kind, true, 0) {
		n.add(note{kind: kind, problem: true, at: place{int32(rule), -1, pointer}, text: reason})
	}
}

// warn notes a warning about a rule, -1 for the profile as a whole.
func (n *notes) warn(kind Kind, rule int, pointer, message string) {
	if !n.full(kind, false, 0) {
		n.add(note{kind: kind, at: place{int32(rule), -1, pointer}, text: message})
	}
}

// found notes a finding on one ABI. Only the first time it is put into words. It returns
// the note, nil if it was only counted.
func (n *notes) found(f finding, a arch.ABI, words func() (at place, text string)) *note {
	i, known := n.index[f]
	if !known {
		problem := f.kind >= Syntax
		if n.full(f.kind, problem, a) {
			return nil
		}
		if n.index == nil {
			n.index = make(map[finding]int)
		}
		i = len(n.list)
		n.index[f] = i
		at, text := words()
		n.add(note{kind: f.kind, problem: problem, at: at, text: text})
	}
	n.list[i].abis |= 1 << a
	return &n.list[i]
}

// foundFor notes a finding about a call.
func (n *notes) foundFor(f finding, call Example, words func() (at place, text string)) {
	if x := n.found(f, call.ABI, words); x != nil && x.example.ABI == 0 {
		x.example = call
	}
}

// uncounted says how many notes of a kind are not in the list. What was found on several
// ABIs may be the same, so that the largest number is what is certain.
func (n *notes) uncounted(kind Kind, problem bool) (count int, text string) {
	largest, abis := 0, 0
	for a := range arch.All() {
		if found := n.more[tally{kind, problem, a}]; found > 0 {
			largest = max(largest, found)
			abis++
		}
	}
	count = n.more[tally{kind, problem, 0}] + largest
	text = strconv.Itoa(count) + " more of the kind " + kind.String() + " are not listed"
	if abis > 1 {
		text = "at least " + text
	}
	return count, text
}

// report returns the warnings and problems in file order, and after them how many are
// left out. Those that do not hold on all target ABIs say on which, and lost conditions
// always do.
func (n *notes) report(targets abiSet, pointer string) ([]Warning, error) {
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
	for kind := range Kind(len(kinds)) {
		if count, text := n.uncounted(kind, false); count > 0 {
			warnings = append(warnings, Warning{Kind: kind, Pointer: pointer, Message: text, More: count})
		}
		if count, text := n.uncounted(kind, true); count > 0 {
			problems = append(problems, &Error{Kind: kind, Pointer: pointer, Reason: text + " (cure these first)", More: count})
		}
	}
	return warnings, problems.orNil()
}
