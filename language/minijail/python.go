package minijail

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A line is a statement of the Python dialect at work. After its first problem it has no
// more tokens, and no more problems.
type line struct {
	r      *reader
	source *language.Source
	tokens []token // without the end
	end    token
	failed bool
}

// readPython reads a file that is so many files deep.
func (r *reader) readPython(s *language.Source, depth int) {
	if !utf8.Valid(s.Data()) {
		r.fail(policy.Syntax, s.Place(1, 1), "not UTF-8, which minijail's compiler cannot read (save the file as UTF-8)")
		return
	}
	marked := false // as a denylist
	scanner := &scanner{r: r, source: s, rest: string(s.Data())}
	for {
		tokens, ok := scanner.next()
		if !ok {
			break
		}
		l := newLine(r, s, tokens)
		first := l.peek()
		if first.kind == directive {
			l.next()
		}
		switch first.text {
		case "@include":
			l.include(depth)
		case "@frequency":
			l.frequency()
		case "@default":
			r.fallback, r.said = l.defaultAction(), l.place(first)
		case "@denylist":
			marked = true
			if !r.Denylist {
				l.fail(first, "a denylist allows all calls that it does not name (the setting denylist, which is minijail's switch --denylist, reads such policies)")
			}
		default:
			l.statement()
		}
		l.close()
	}
	if r.Denylist && !marked && !r.stopped {
		r.fail(policy.Invalid, s.Place(1, 1), "the file is not marked as a denylist (put @denylist on a line of it, or leave out the setting denylist, which is minijail's switch --denylist)")
	}
}

func newLine(r *reader, s *language.Source, tokens []token) *line {
	last := len(tokens) - 1
	return &line{r: r, source: s, tokens: tokens[:last], end: tokens[last]}
}

func (l *line) place(t token) string { return l.source.Place(t.line, t.column) }

// fail notes the first problem of the statement.
func (l *line) fail(t token, reason string) {
	if !l.failed {
		l.failed = true
		l.r.fail(policy.Syntax, l.place(t), reason)
	}
	l.tokens = nil
}

// close ends the statement, which can have no more tokens.
func (l *line) close() {
	if t := l.peek(); t.kind != end {
		l.fail(t, unknown.Quote(t.text)+": the statement should end here (start a new line)")
	}
}

func (l *line) peek() token {
	if len(l.tokens) == 0 {
		return l.end
	}
	return l.tokens[0]
}

func (l *line) next() token {
	t := l.peek()
	if len(l.tokens) > 0 {
		l.tokens = l.tokens[1:]
	}
	return t
}

// accept takes the next token if it is of a kind.
func (l *line) accept(k kind) bool {
	if l.failed || l.peek().kind != k {
		return false
	}
	l.next()
	return true
}

// expect takes a token of a kind, or fails.
func (l *line) expect(k kind, what string) token {
	t := l.next()
	if t.kind != k {
		l.unexpected(t, what)
	}
	return t
}

// unexpected fails because of a token that should be something else.
func (l *line) unexpected(t token, what string) {
	if t.kind == end {
		l.fail(t, "the statement ends too early (add "+what+")")
	} else {
		l.fail(t, unknown.Quote(t.text)+": cannot be here (use "+what+")")
	}
}

// include reads the file that the statement includes.
func (l *line) include(depth int) {
	t := l.expect(pathName, "a path that starts with / or ./")
	const deepest = 9 // as in minijail, whose own limit of 10 counts one more
	if depth == deepest && !l.failed {
		l.fail(t, "a file that is "+strconv.Itoa(deepest)+" files deep cannot include others (include fewer)")
	}
	if included := l.open(t); included != nil {
		l.r.readPython(included, depth+1)
	}
}

// open opens a file that a token names; nil if that fails.
func (l *line) open(t token) *language.Source {
	if l.failed {
		return nil
	}
	included, err := l.source.Include(t.text)
	if err != nil {
		l.fail(t, notIncluded(err, t.text, "paths that start with ./ are relative to this file"))
		return nil
	}
	if !l.r.spend(included, l.place(t)) {
		return nil
	}
	return included
}

// frequency reads the file of frequencies that the statement names.
func (l *line) frequency() {
	t := l.expect(pathName, "a path that starts with / or ./")
	s := l.open(t)
	if s == nil {
		return
	}
	scanner := &scanner{r: l.r, source: s, rest: string(s.Data())}
	for {
		tokens, ok := scanner.next()
		if !ok {
			return
		}
		f := newLine(l.r, s, tokens)
		call, here := f.call()
		f.expect(":", "a colon")
		t := f.expect(number, "a number")
		count, err := strconv.ParseUint(t.text, 0, 64)
		if err != nil || strings.HasPrefix(t.text, "-") {
			f.fail(t, unknown.Quote(t.text)+": not a count of calls (use a decimal number below 2^64)")
		}
		if here && !f.failed {
			l.r.count(call, count)
		}
	}
}

// count adds to the frequency of a call.
func (r *reader) count(call string, n uint64) {
	if r.frequencies == nil {
		r.frequencies = make(map[string]uint64)
	}
	if sum := r.frequencies[call] + n; sum >= n {
		r.frequencies[call] = sum
	} else {
		r.frequencies[call] = ^uint64(0)
	}
}

// statement reads the filters of some calls.
func (l *line) statement() {
	var s statement
	if brace := l.peek(); l.accept("{") {
		for more := true; more; more = l.accept(",") {
			if call, here := l.call(); here {
				s.calls = append(s.calls, call)
			}
		}
		l.closing("}", brace)
	} else if call, here := l.call(); here {
		s.calls = append(s.calls, call)
	}
	colon := l.expect(":", "a colon")
	s.place = l.place(colon)
	if brace := l.peek(); l.accept("{") {
		for more := true; more; more = l.accept(",") {
			s.filters = append(s.filters, l.filter(false))
		}
		l.closing("}", brace)
	} else {
		s.filters = []filter{l.filter(true)}
	}
	if l.close(); !l.failed && len(s.calls) > 0 {
		l.r.add(s)
	}
}

// closing takes the mark that closes another one.
func (l *line) closing(k kind, opening token) {
	if !l.failed && !l.accept(k) {
		l.fail(l.peek(), "the "+unknown.Quote(opening.text)+" in column "+strconv.Itoa(opening.column)+" is not closed here (add "+string(k)+")")
	}
}

// call reads the name of a call and says whether it is for this ABI.
func (l *line) call() (call string, here bool) {
	t := l.next()
	if t.kind != word && t.text != "kill" {
		l.unexpected(t, "the name of a call")
	}
	if !l.failed && l.peek().kind == "[" && !l.metadata() {
		return "", false
	}
	if l.failed {
		return "", false
	}
	if strings.Contains(t.text, "@") {
		l.fail(t, unknown.Quote(t.text)+": groups of calls are defined where minijail is built, not in policies (name the calls)")
	} else if problem := l.r.lacks(t.text); problem != "" {
		l.fail(t, problem)
	}
	return t.text, !l.failed
}

// metadata reads what is in brackets behind a call and reports whether it is for this ABI.
func (l *line) metadata() (here bool) {
	bracket := l.next()
	here = true
	seen := make(map[string]bool)
	for more := true; more; more = l.accept(";") {
		key := l.expect(word, "a key such as arch")
		l.expect("=", "=")
		var values []string
		for more := true; more; more = l.accept(",") {
			value := l.expect(word, "a name")
			values = append(values, value.text)
			if key.text == "arch" && !l.failed && !slices.Contains(architectures(), value.text) {
				near := nearest(value.text, architectures())
				l.r.warn(policy.UnknownCondition, l.place(value), unknown.Quote(value.text)+": minijail has no such architecture"+unknown.DidYouMean(near))
			}
		}
		switch {
		case seen[key.text]:
			l.fail(key, unknown.Quote(key.text)+": is there twice (join the two)")
		case key.text == "arch":
			here = slices.Contains(values, architecture(l.r.abi))
		case !l.failed:
			l.r.warn(policy.UnknownKey, l.place(key), unknown.Quote(key.text)+": unknown key, which has no effect (use arch)")
		}
		seen[key.text] = true
	}
	l.closing("]", bracket)
	return here
}

// architecture returns minijail's name of an ABI.
func architecture(a arch.ABI) string {
	if a == arch.AArch64 {
		return "arm64"
	}
	return a.String()
}

func architectures() (all []string) {
	for a := range arch.All() {
		all = append(all, architecture(a))
	}
	return all
}

// filter reads an action, or conditions and perhaps an action for when they hold. alone
// says that the other dialect could read it.
func (l *line) filter(alone bool) filter {
	first := l.peek()
	f := filter{place: l.place(first)}
	if first.kind != argument {
		f.always, f.action = true, l.action()
		return f
	}
	for more := true; more; more = l.accept("||") {
		var list []policy.Arg
		for more := true; more; more = l.accept("&&") {
			list = append(list, l.condition())
		}
		f.lists = append(f.lists, list)
	}
	f.action = cbpf.Allow
	if l.accept(";") {
		returns := l.peek().kind == returning
		f.action = l.action()
		if returns && alone && !l.failed {
			l.r.warn(policy.DialectsDiffer, f.place, "the error is for calls for which this holds; the C dialect gives it to all others, and allows these")
		}
	}
	return f
}

// condition reads a condition on an argument.
func (l *line) condition() policy.Arg {
	t := l.expect(argument, "an argument such as arg0")
	op := l.expect(operator, "an operator")
	v := l.value(1)
	if l.failed {
		return policy.Arg{}
	}
	index, err := strconv.ParseUint(t.text[len("arg"):], 10, 64)
	if err != nil || index > 5 {
		l.fail(t, t.text+tooMany)
	}
	arg, problem := l.r.compare(uint(index), op.text, v)
	if problem != "" {
		l.fail(op, problem)
	}
	return arg
}

// value reads constants joined by "|".
func (l *line) value(depth int) (v uint64) {
	for more := true; more; more = l.accept("|") {
		v |= l.constant(depth)
	}
	return v
}

func (l *line) constant(depth int) (v uint64) {
	not := l.accept("~")
	if paren := l.peek(); l.accept("(") {
		if depth > maxNesting {
			l.fail(paren, "parentheses more than "+strconv.Itoa(maxNesting)+" deep (remove some)")
			return 0
		}
		v = l.value(depth + 1)
		l.closing(")", paren)
	} else {
		v = l.single()
	}
	if not {
		v = ^v & l.r.width
	}
	return v
}

// single reads a number or a name.
func (l *line) single() uint64 {
	t := l.next()
	if t.kind == word {
		n, problem := l.r.constant(t.text)
		if problem != "" {
			l.fail(t, problem)
		}
		return l.fit(t, n)
	}
	if t.kind != number {
		l.unexpected(t, "a number or the name of a constant")
		return 0
	}
	return l.literal(t)
}

// literal returns the value of a number.
func (l *line) literal(t token) uint64 {
	digits, negative := strings.CutPrefix(t.text, "-")
	base := 10
	switch {
	case strings.HasPrefix(digits, "0x"), strings.HasPrefix(digits, "0X"):
		digits, base = digits[2:], 16
	case len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "01234567") == "":
		base = 8
	}
	v, err := strconv.ParseUint(digits, base, 64)
	least := l.r.width/2 + 1 // of which the negative is the smallest
	if err != nil || v > l.r.width || negative && v > least {
		l.fail(t, t.text+": an argument of "+l.r.abi.String()+" has "+strconv.Itoa(l.r.abi.Bits())+" bits (use a number that fits)")
		return 0
	}
	if negative {
		v = -v
	}
	return v & l.r.width
}

// fit returns a constant as an argument.
func (l *line) fit(t token, n int64) uint64 {
	if bits := l.r.abi.Bits(); bits == 32 && (n > 1<<32-1 || n < -1<<31) {
		l.fail(t, t.text+": does not fit into the 32 bits of an argument (use another one)")
	}
	return uint64(n) & l.r.width
}

// action reads what happens to a call.
func (l *line) action() cbpf.Action {
	t := l.next()
	switch {
	case l.r.Denylist && t.kind != returning:
		l.unexpected(t, "return and an error: a denylist has nothing else")
	case t.kind == returning && l.r.UseRetLog:
		if l.peek().kind == end {
			l.unexpected(l.peek(), "an error")
		}
		l.next()
		return cbpf.Log
	case t.kind == returning:
		place := l.place(l.peek())
		return l.r.returned(l.single(), place)
	case t.kind == number:
		if l.literal(t) == 1 {
			return cbpf.Allow
		}
		l.fail(t, t.text+": the only number that is an action is 1 (use 1, allow, or return and an error)")
	case t.kind == actionWord:
		return l.r.named(t.text)
	default:
		l.unexpected(t, "an action: allow, 1, kill, kill-process, kill-thread, trap, trace, log, user-notify, or return and an error")
	}
	return 0
}

// named returns the action with a name.
func (r *reader) named(action string) cbpf.Action {
	switch action {
	case "allow":
		return cbpf.Allow
	case "kill-process":
		return cbpf.KillProcess
	case "trap":
		return cbpf.Trap
	case "trace":
		return cbpf.Trace(0)
	case "log":
		return cbpf.Log
	case "user-notify":
		return cbpf.Notify
	case "kill":
		return r.kill
	}
	return cbpf.KillThread
}

// defaultAction reads the action of @default, which may not let calls through.
func (l *line) defaultAction() cbpf.Action {
	t := l.next()
	if t.kind != actionWord || t.text == "allow" || t.text == "log" || t.text == "trace" {
		l.unexpected(t, "kill, kill-process, kill-thread, trap or user-notify: a policy cannot let all other calls through")
		return 0
	}
	return l.r.named(t.text)
}

// defaultAction reads the action that a switch gives.
func (r *reader) defaultAction(text string) cbpf.Action {
	s := language.NewSource([]byte(text))
	tokens, _ := (&scanner{r: r, source: s, rest: text}).next()
	if len(r.problems) > 0 {
		return 0
	}
	if tokens == nil {
		tokens = []token{{line: 1, column: len(text) + 1}}
	}
	l := newLine(r, s, tokens)
	a := l.action()
	if l.close(); strings.ContainsAny(text, "\r\n") {
		l.fail(l.end, "more than one line (give one action)")
	}
	return a
}
