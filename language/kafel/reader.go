package kafel

import (
	"strconv"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A reader is one run of Read.
type reader struct {
	Language
	targets []arch.ABI
	calls   map[arch.ABI]map[string]*call
	top     *language.Source

	files   []*file // that is read, behind those that include it
	token   token   // the next one
	nesting int     // of the condition at work

	constants map[string]uint64
	policies  map[string]*block
	defined   []*block // the same, in their order
	main      block
	fallback  cbpf.Action // the zero value kills the thread
	decided   string      // where the policy says so; "" if it does not

	spent, tokens, tested, hints int // of their limits
	stopped                      bool
	problems                     policy.Errors
	warnings                     []policy.Warning
	more                         map[policy.WarningKind]int // warnings that are not listed
}

// Limits on what a policy can make a reader do. No filter of 4096 instructions needs a
// fraction of them.
const (
	maxText    = 16 << 20 // bytes of all files, each as often as it is included
	maxTokens  = 1 << 18  // words
	maxTests   = 1 << 18  // conditions of all rules
	maxLists   = 1 << 12  // lists of conditions that one condition stands for
	maxReports = 1000     // problems, and warnings of each kind
	maxHints   = 32       // names for which a near one is looked for
	maxDepth   = 200      // of a condition's tree: kafel's own limit
	maxNesting = 1000     // of parentheses and !
)

// A block is the content of a policy.
type block struct {
	name, place string
	statements  []statement
	used        bool
}

// A statement gives an action to calls, or pastes another policy.
type statement struct {
	use     *block
	action  cbpf.Action
	filters []filter
}

// A filter is a call with what has to hold for it.
type filter struct {
	place  string
	name   string // of the call; "" if it is given by number
	number uint32
	args   []argument // that the policy declares
	named  bool       // it declares some, or that there are none
	on     []arch.ABI // where alone it counts, if limited
	onSome bool       // it is limited
	cond   *node      // nil: always
	rules  []policy.Rule
}

func (r *reader) fail(place, reason string) {
	if r.stopped {
		return
	}
	r.problems = append(r.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
	if len(r.problems) == maxReports {
		r.stop(place, strconv.Itoa(maxReports)+" problems up to here (fix these first)")
	}
}

// stop fails, and lets nothing more be read.
func (r *reader) stop(place, reason string) {
	if !r.stopped {
		r.problems = append(r.problems, &policy.Error{Kind: policy.Syntax, Pointer: place, Reason: reason})
		r.stopped = true
	}
}

func (r *reader) warn(kind policy.WarningKind, place, message string) {
	if r.more == nil {
		r.more = make(map[policy.WarningKind]int)
	}
	if r.more[kind]++; r.more[kind] <= maxReports {
		r.warnings = append(r.warnings, policy.Warning{Kind: kind, Pointer: place, Message: message})
	}
}

// allWarnings returns the warnings, and how many more there are of each kind.
func (r *reader) allWarnings() []policy.Warning {
	for _, kind := range []policy.WarningKind{policy.Ignored, policy.Truncated} {
		if n := r.more[kind] - maxReports; n > 0 {
			r.warnings = append(r.warnings, policy.Warning{Kind: kind, Message: strconv.Itoa(n) + " more of the kind " + string(kind) + " are not listed", More: n})
		}
	}
	return r.warnings
}

// spend counts the bytes of a file, and something for opening it.
func (r *reader) spend(s *language.Source, place string) (ok bool) {
	if r.spent += len(s.Data()) + 1024; r.spent > maxText {
		r.stop(place, "the policy has more than "+strconv.Itoa(maxText>>20)+" MiB with what it includes (include each file once)")
	}
	return !r.stopped
}
