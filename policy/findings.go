package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
)

// A finding is an error or a warning before it is reported.
type finding struct {
	kind    string // ErrorKind or WarningKind
	fatal   bool   // an error
	at      place
	text    string
	abis    abiSet // where it was found, empty if ABIs have no part in it
	example Example
}

// none stands for the index of what a finding is not about. Before every index, it puts
// what is about a whole before what is about its parts.
const none = -1

// A place is where in the profile a finding belongs.
type place struct {
	rule    int32 // index of the rule, none for the profile as a whole
	part    int32 // index of the name or argument, none for the rule as a whole
	pointer string
}

// A findingKey tells apart what is found on ABIs. The same on several ABIs is one
// finding.
type findingKey struct {
	kind  string // WarningKind or ErrorKind
	rule  int32  // index of the rule, none if it is about several
	part  int32  // what else makes it one: a name, an argument, a call; none if nothing
	other int32  // index of the other rule, or the number of a call without a name; none if there is none
	fatal bool   // an error
}

// An abiSet is a set of ABIs, a bit for each.
type abiSet uint32

const everyABI = ^abiSet(0)

func setOf(abis []arch.ABI) (s abiSet) {
	for _, a := range abis {
		s |= 1 << a
	}
	return s
}

func (s abiSet) has(a arch.ABI) bool { return s&(1<<a) != 0 }

// String lists the names, such as "x86, arm".
func (s abiSet) String() string {
	var names []string
	for a := range arch.All() {
		if s.has(a) {
			names = append(names, a.String())
		}
	}
	return strings.Join(names, ", ")
}

// maxFindings bounds how many findings of one kind are listed, since a hostile profile
// could make one out of every few bytes. The others are counted.
const maxFindings = 1000

// Findings collect the errors and warnings of a profile.
type findings struct {
	list   []finding
	index  map[findingKey]int // of those found on ABIs; made when needed
	listed map[tally]int
	more   map[tally]int // how many are not listed, on each ABI if they were found on one
}

// A tally is what findings are counted by.
type tally struct {
	kind  string
	fatal bool
	abi   arch.ABI // zero if ABIs have no part in it
}

// full reports whether enough findings of a kind are listed, and then counts one more.
func (f *findings) full(kind string, fatal bool, a arch.ABI) bool {
	if f.listed == nil {
		f.listed, f.more = make(map[tally]int), make(map[tally]int)
	}
	if f.listed[tally{kind, fatal, 0}] < maxFindings {
		return false
	}
	f.more[tally{kind, fatal, a}]++
	return true
}

func (f *findings) add(x finding) {
	f.listed[tally{x.kind, x.fatal, 0}]++
	f.list = append(f.list, x)
}

// fail adds an error about a rule, none for the profile as a whole.
func (f *findings) fail(kind ErrorKind, rule int, pointer, reason string) {
	if !f.full(string(kind), true, 0) {
		f.add(finding{kind: string(kind), fatal: true, at: place{int32(rule), none, pointer}, text: reason})
	}
}

// warn adds a warning about a rule, none for the profile as a whole.
func (f *findings) warn(kind WarningKind, rule int, pointer, message string) {
	if !f.full(string(kind), false, 0) {
		f.add(finding{kind: string(kind), at: place{int32(rule), none, pointer}, text: message})
	}
}

// found adds what is found on one ABI, and calls describe only the first time. It
// returns the finding, nil if it was only counted.
func (f *findings) found(k findingKey, a arch.ABI, describe func() (at place, text string)) *finding {
	i, known := f.index[k]
	if !known {
		if f.full(k.kind, k.fatal, a) {
			return nil
		}
		if f.index == nil {
			f.index = make(map[findingKey]int)
		}
		i = len(f.list)
		f.index[k] = i
		at, text := describe()
		f.add(finding{kind: k.kind, fatal: k.fatal, at: at, text: text})
	}
	f.list[i].abis |= 1 << a
	return &f.list[i]
}

// foundFor adds what is found about a call.
func (f *findings) foundFor(k findingKey, call Example, describe func() (at place, text string)) {
	if x := f.found(k, call.ABI, describe); x != nil && x.example.ABI == 0 {
		x.example = call
	}
}

// unlisted returns how many findings of a kind are not listed, and says so if any. What was
// found on several ABIs may be the same, so that only the largest number is certain.
func (f *findings) unlisted(kind string, fatal bool) (count int, text string) {
	if len(f.more) == 0 {
		return 0, ""
	}
	largest, abis := 0, 0
	for a := range arch.All() {
		if n := f.more[tally{kind, fatal, a}]; n > 0 {
			largest = max(largest, n)
			abis++
		}
	}
	if count = f.more[tally{kind, fatal, 0}] + largest; count == 0 {
		return 0, ""
	}
	text = strconv.Itoa(count) + " more of the kind " + kind + " are not listed"
	if abis > 1 {
		text = "at least " + text
	}
	return count, text
}

// byABI are the kinds of which an ABI is the reason.
var byABI = [...]string{string(LostCondition), string(ForeignNumber), string(Absent)}

// report returns the warnings and errors in file order, and after them how many are
// left out. Those that do not hold on all target ABIs name theirs, and those of which an
// ABI is the reason always do.
func (f *findings) report(targets abiSet, pointer string) ([]Warning, error) {
	slices.SortStableFunc(f.list, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.at.rule, b.at.rule), cmp.Compare(a.at.part, b.at.part))
	})
	var warnings []Warning
	var errs Errors
	for _, x := range f.list {
		if x.abis != 0 && (x.abis != targets || slices.Contains(byABI[:], x.kind)) {
			x.text += " (on " + x.abis.String() + ")"
		}
		if x.fatal {
			errs = append(errs, &Error{Kind: ErrorKind(x.kind), Pointer: x.at.pointer, Reason: x.text})
		} else {
			warnings = append(warnings, Warning{Kind: WarningKind(x.kind), Pointer: x.at.pointer, Message: x.text, Example: x.example})
		}
	}
	for _, kind := range warningKinds {
		if count, text := f.unlisted(string(kind), false); count > 0 {
			warnings = append(warnings, Warning{Kind: kind, Pointer: pointer, Message: text, More: count})
		}
	}
	for _, kind := range errorKinds {
		if count, text := f.unlisted(string(kind), true); count > 0 {
			errs = append(errs, &Error{Kind: kind, Pointer: pointer, Reason: text + " (fix these first)", More: count})
		}
	}
	return warnings, errs.orNil()
}
