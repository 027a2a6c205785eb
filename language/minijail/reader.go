package minijail

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A reader is one run of Read: what both dialects need.
type reader struct {
	Language
	abi   arch.ABI
	width uint64 // the mask of an argument

	kill      cbpf.Action  // what "kill" stands for
	elsewhere cbpf.Action  // for other ABIs
	fallback  cbpf.Action  // what the policy says about other calls
	said      string       // where it says that
	override  *cbpf.Action // what the switches say about them

	constants   map[string]int64 // nil until one is needed
	statements  []statement
	frequencies map[string]uint64
	seen        map[string]earlier // calls of the C dialect

	spent    int // of maxText
	tested   int // of maxTests
	stopped  bool
	problems policy.Errors
	warnings []policy.Warning
	more     map[policy.WarningKind]int // warnings that are not listed
}

// Limits on what a policy can make a reader do. Files that include files can be read
// exponentially often. No filter of 4096 instructions has a fraction of the tests.
const (
	maxText    = 16 << 20 // bytes of all files, each as often as it is included
	maxTests   = 1 << 18  // calls of all statements, once for each condition, and words of one
	maxReports = 1000     // problems, and warnings of each kind
	maxNesting = 100      // of parentheses
)

// A statement is what a line of a policy says: the filters that decide some calls.
type statement struct {
	calls   []string
	filters []filter
	place   string
}

// A filter gives an action to calls for which one of its lists of conditions holds.
type filter struct {
	always bool // there are no conditions
	lists  [][]policy.Arg
	action cbpf.Action
	place  string
}

func (r *reader) fail(kind policy.ErrorKind, place, reason string) {
	if r.stopped {
		return
	}
	r.problems = append(r.problems, &policy.Error{Kind: kind, Pointer: place, Reason: reason})
	if len(r.problems) == maxReports {
		r.stop(place, strconv.Itoa(maxReports)+" problems up to here (fix these first)")
	}
}

// stop fails, and lets nothing more be read.
func (r *reader) stop(place, reason string) {
	r.problems = append(r.problems, &policy.Error{Kind: policy.Syntax, Pointer: place, Reason: reason})
	r.stopped = true
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
	for _, kind := range []policy.WarningKind{policy.DialectsDiffer, policy.Ignored, policy.UnknownName, policy.UnknownKey, policy.UnknownCondition, policy.Truncated} {
		if n := r.more[kind] - maxReports; n > 0 {
			r.warnings = append(r.warnings, policy.Warning{Kind: kind, Message: strconv.Itoa(n) + " more of the kind " + string(kind) + " are not listed", More: n})
		}
	}
	return r.warnings
}

// spend counts the bytes of a file, and something for opening it.
func (r *reader) spend(s *language.Source, place string) (ok bool) {
	if r.spent += len(s.Data()) + 1024; r.spent > maxText && !r.stopped {
		r.stop(place, "the policy has more than "+strconv.Itoa(maxText>>20)+" MiB with what it includes (include each file once)")
	}
	return !r.stopped
}

// add adds a statement.
func (r *reader) add(s statement) {
	for i := range s.filters {
		f := &s.filters[i]
		r.tested += len(s.calls)
		for _, list := range f.lists {
			r.tested += len(s.calls) * len(list)
		}
	}
	if r.tested > maxTests {
		r.stop(s.place, "more than "+strconv.Itoa(maxTests)+" conditions on calls up to here: no filter can test so many (test less)")
	}
	if !r.stopped {
		r.statements = append(r.statements, s)
	}
}

// lacks says what is wrong with the name of a call; "" if the ABI has it.
func (r *reader) lacks(name string) string {
	call, ok := syscalltables.Lookup(name)
	if !ok {
		near := unknown.DidYouMean(syscalltables.Nearest(name))
		if near == "" {
			near = " (leave it out)"
		}
		return unknown.Quote(name) + ": Linux has no such call" + near
	}
	if _, has := call.Number(r.abi); has {
		return ""
	}
	cure := " (leave the line out, in a policy for each ABI)"
	if r.Dialect == Python {
		cure = " (name the architectures that do: " + name + "[arch=...])"
	}
	return unknown.Quote(name) + ": " + r.abi.String() + " has no such call" + cure
}

// notIncluded says why a file cannot be included, and how its path is meant if the error
// has no cure. relative says that of paths from ./ on.
func notIncluded(err error, name, relative string) string {
	text := err.Error()
	switch {
	case strings.HasSuffix(text, ")"):
		return text
	case !path.IsAbs(name):
		return text + " (" + relative + ")"
	case errors.Is(err, fs.ErrNotExist):
		return text + " (absolute paths begin at the policy's root directory, which does not hold this one: give one that does)"
	}
	return text + " (absolute paths begin at the policy's root directory)"
}

func nearest(name string, known []string) string {
	slices.Sort(known)
	return unknown.Nearest(name, known)
}

// tooMany is what is wrong with arguments beyond the sixth, which minijail would read.
const tooMany = ": a call has arguments 0 to 5, and the kernel refuses a filter that reads others (use one of these)"

// compare returns the condition that an operator stands for, and an error text.
func (r *reader) compare(index uint, op string, v uint64) (policy.Arg, string) {
	a := policy.Arg{Index: index, Value: v}
	switch op {
	case "==":
		a.Op = policy.Equal
	case "!=":
		a.Op = policy.NotEqual
	case "<":
		a.Op = policy.Less
	case "<=":
		a.Op = policy.LessEqual
	case ">":
		a.Op = policy.Greater
	case ">=":
		a.Op = policy.GreaterEqual
	case "&": // any of the bits
		a.Op = policy.MaskedNotEqual
	case "in": // none but the bits
		a.Op, a.Value = policy.MaskedEqual, ^v&r.width
	default:
		return a, unknown.Quote(op) + ": unknown operator (use ==, !=, <, <=, >, >=, & or in)"
	}
	return a, ""
}

// returned returns the action that fails with an error.
func (r *reader) returned(n uint64, place string) cbpf.Action {
	if n > 1<<16-1 {
		r.warn(policy.Truncated, place, strconv.FormatUint(n, 10)+" is truncated to 16 bits: "+strconv.FormatUint(n&(1<<16-1), 10))
	}
	return cbpf.Errno(uint16(n))
}

// policy makes the policy of all statements.
func (r *reader) policy() *policy.Policy {
	p := &policy.Policy{Order: policy.FirstMatch, ABIs: []arch.ABI{r.abi}, Elsewhere: r.elsewhere}
	fallback := r.fallback
	if r.override != nil {
		fallback = *r.override
	}
	everyOther := fallback
	if r.Denylist {
		everyOther = cbpf.Allow
	}
	p.Default, p.DefaultErrno = parts(everyOther)
	decided := r.decided(fallback)
	for i := range r.statements {
		p.Rules = r.rules(p.Rules, &r.statements[i], decided)
	}
	if fallback == everyOther {
		return p
	}
	var open []string // calls whose conditions can fail all
	for i := range r.statements {
		for _, name := range r.statements[i].calls {
			if d := decided[name]; d.by == "" && !d.said {
				d.said = true
				open = append(open, name)
			}
		}
	}
	if open != nil {
		rule := policy.Rule{Names: open, Pointer: r.said}
		rule.Action, rule.Errno = parts(fallback)
		p.Rules = append(p.Rules, rule)
	}
	return p
}

// parts splits an action into its class and its data.
func parts(a cbpf.Action) (cbpf.Action, *uint) {
	if a.Class() == cbpf.ErrnoClass || a.Class() == cbpf.TraceClass {
		n := uint(a.Data())
		return a.Class(), &n
	}
	return a, nil
}

// A decision is what is known about a call.
type decision struct {
	by      string // the place of the filter that decides it whatever its arguments are
	action  cbpf.Action
	allowed bool // whatever its other filters say
	said    bool
}

// decided finds for each call the filter without conditions, after which there can be no
// other in the Python dialect.
func (r *reader) decided(fallback cbpf.Action) map[string]*decision {
	calls := make(map[string]*decision)
	for i := range r.statements {
		s := &r.statements[i]
		for _, name := range s.calls {
			d := calls[name]
			if d == nil {
				d = &decision{action: fallback}
				calls[name] = d
			}
			for j := range s.filters {
				if d.by != "" && r.Dialect == Python && !d.said {
					d.said = true
					r.fail(policy.Invalid, s.place, name+": is decided already, whatever its arguments are, at "+d.by+" (remove one of the two)")
				}
				if f := &s.filters[j]; f.always && d.by == "" {
					d.by, d.action = f.place, f.action
				}
			}
		}
	}
	for _, d := range calls {
		// minijail's compiler looks no further if the last filter allows.
		d.allowed = r.Dialect == Python && !r.Denylist && d.action == cbpf.Allow
	}
	return calls
}

// rules appends the rules of a statement.
func (r *reader) rules(rules []policy.Rule, s *statement, decided map[string]*decision) []policy.Rule {
	var tested []string // calls whose conditions count
	for _, name := range s.calls {
		if !decided[name].allowed {
			tested = append(tested, name)
		}
	}
	for i := range s.filters {
		f := &s.filters[i]
		names := s.calls
		if !f.always && f.action != cbpf.Allow {
			if names = tested; len(tested) < len(s.calls) {
				r.warn(policy.Ignored, f.place, "minijail's compiler ignores these conditions, because the call is allowed where they fail: every such call is allowed (test the opposite, and deny the rest)")
			}
		}
		if len(names) == 0 {
			continue
		}
		rule := policy.Rule{Names: names, Pointer: f.place}
		rule.Action, rule.Errno = parts(f.action)
		if f.always {
			rules = append(rules, rule)
		}
		for _, list := range f.lists {
			rule.Args = list
			rules = append(rules, rule)
		}
	}
	return rules
}
