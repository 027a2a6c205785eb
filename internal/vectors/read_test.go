package vectors

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A meaning is docs/MEANING.md as a program, sentence by sentence, or one misreading of it.
type meaning struct {
	facts
	reading string // runc, strict, crun, youki or youki@0.6
	options map[string]string
	wrong   misreading
}

// asked is what a profile asks for.
type asked struct {
	fallback uint32 // the default action
	targets  []*abi
	entries  []entry
}

// An entry of syscalls. Each of the ways is a rule.
type entry struct {
	names  []string
	action uint32
	ways   [][]test
}

// A test is a condition as the profile writes it.
type test struct {
	arg        int
	op         string
	value, two uint64
}

// refused is the panic of a profile that is refused.
type refused string

func refuse(format string, a ...any) { panic(refused(fmt.Sprintf(format, a...))) }

// read reads a profile. The targets are its own and the host's where none are given.
func (m *meaning) read(text string, targets []*abi) (p *asked, reason string) {
	defer func() {
		if r, ok := recover().(refused); ok {
			p, reason = nil, string(r)
		} else if r != "" {
			panic(r)
		}
	}()
	root, err := parse(text)
	if err != nil {
		refuse("%v", err)
	}
	o, ok := root.(object)
	if !ok {
		refuse("not an object")
	}
	host := m.named("x86_64")
	if targets != nil {
		host = targets[0]
	}
	p = m.profile(o, host, targets)
	m.contradict(p)
	return p, ""
}

// above reports whether the reading is in one of the formats above OCI's.
func above(profile object) bool {
	if slices.ContainsFunc(profile, func(x member) bool { return x.key == "archMap" }) {
		return true
	}
	for _, x := range profile {
		list, _ := x.value.([]any)
		for _, e := range list {
			if o, ok := e.(object); ok && slices.ContainsFunc(o, func(x member) bool { return slices.Contains([]string{"includes", "excludes", "name"}, x.key) }) {
				return true
			}
		}
	}
	return false
}

func (m *meaning) profile(o object, host *abi, targets []*abi) *asked {
	if above(o) && m.reading != "runc" && m.reading != "strict" {
		refuse("no row has Docker's format under another reading than runc's")
	}
	get := m.keys(o, "defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls", "archMap")
	p := &asked{fallback: m.action(get("defaultAction"), get("defaultErrnoRet"))}
	if p.fallback == notify && (m.reading == "runc" || strings.HasPrefix(m.reading, "youki")) {
		refuse("NOTIFY as default action")
	}
	if get("syscalls") == nil && slices.ContainsFunc(o, func(x member) bool { return x.key == "syscals" }) {
		refuse("a key like syscalls")
	}
	for _, v := range list(get("architectures")) {
		p.targets = append(p.targets, m.architecture(v, host))
	}
	if rows := list(get("archMap")); rows != nil {
		if len(p.targets) > 0 {
			refuse("archMap and architectures")
		}
		for _, row := range rows {
			get := m.keys(row.(object), "architecture", "subArchitectures")
			if p.targets != nil || m.architecture(get("architecture"), host) != host {
				continue
			}
			p.targets = []*abi{host}
			for _, v := range list(get("subArchitectures")) {
				p.targets = append(p.targets, m.architecture(v, host))
			}
		}
	}
	p.targets = append(p.targets, host)
	if targets != nil {
		p.targets = targets
	}
	for _, a := range p.targets {
		if a.big != p.targets[0].big {
			refuse("two byte orders")
		}
	}
	m.flags(list(get("flags")))
	path, metadata := text(get("listenerPath")), text(get("listenerMetadata"))
	if m.reading == "strict" && metadata != "" && path == "" {
		refuse("metadata without a path")
	}
	for _, v := range list(get("syscalls")) {
		m.entry(p, v, host)
	}
	return p
}

func (m *meaning) flags(list []any) {
	for _, v := range list {
		switch name := text(v); name {
		case "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW":
		case "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
			if m.reading == "youki@0.6" {
				refuse("%s", name)
			}
		default:
			refuse("flag %q", name)
		}
	}
}

// keys returns a function that gets the values of an object's keys. nil is absent.
func (m *meaning) keys(o object, known ...string) func(string) any {
	exact := m.reading != "runc" && m.reading != "strict"
	if m.is(looseKeysIgnored) || m.is(looseKeysTaken) {
		exact = m.is(looseKeysIgnored)
	}
	values := map[string]any{}
	seen := map[string]bool{}
	for _, x := range o {
		for _, k := range known {
			if x.key != k && (exact || !strings.EqualFold(x.key, k)) {
				continue
			}
			if x.key != k && m.reading == "strict" {
				refuse("key %q", x.key)
			}
			if seen[k] {
				refuse("key %q twice", k)
			}
			seen[k], values[k] = true, x.value
		}
	}
	return func(k string) any {
		if !slices.Contains(known, k) {
			panic(k)
		}
		return values[k]
	}
}

func (m *meaning) architecture(v any, host *abi) *abi {
	name := text(v)
	word, prefixed := strings.CutPrefix(name, "SCMP_ARCH_")
	if m.reading == "crun" {
		word, prefixed = strings.ToUpper(word), true
	}
	switch {
	case word == "NATIVE" && m.reading != "crun" && prefixed:
		return host
	case !prefixed || word != strings.ToUpper(word) || m.named(strings.ToLower(word)) == nil:
		refuse("architecture %q", name)
	}
	if m.reading == "youki@0.6" && slices.Contains([]string{"LOONGARCH64", "PARISC", "PARISC64", "M68K", "SH", "SHEB"}, word) {
		refuse("architecture %q", name)
	}
	return m.named(strings.ToLower(word))
}

func (m *meaning) entry(p *asked, v any, host *abi) {
	o, ok := v.(object)
	if !ok {
		refuse("an entry is not an object")
	}
	get := m.keys(o, "names", "action", "errnoRet", "args", "name", "includes", "excludes")
	e := entry{action: m.action(get("action"), get("errnoRet"))}
	for _, v := range list(get("names")) {
		e.names = append(e.names, m.name(text(v)))
	}
	if old := text(get("name")); old != "" {
		if get("names") != nil {
			refuse("name and names")
		}
		e.names = []string{m.name(old)}
	}
	switch m.reading {
	case "crun", "youki", "youki@0.6":
		if get("names") == nil {
			refuse("no names")
		}
	case "strict":
		if len(e.names) == 0 {
			refuse("no names")
		}
	}
	if e.action == notify && slices.Contains(e.names, "write") && (m.reading == "runc" || strings.HasPrefix(m.reading, "youki")) {
		refuse("NOTIFY for write")
	}
	if e.ways = m.ways(get("args")); e.ways == nil || !m.applies(get("includes"), get("excludes"), host) {
		return
	}
	p.entries = append(p.entries, e)
}

// name checks the name of a call.
func (m *meaning) name(name string) string {
	known := slices.ContainsFunc(m.facts, func(a *abi) bool { _, ok := a.numbers[name]; return ok })
	if name == "" || !known && (m.reading == "strict" || m.is(unknownNameRefused)) {
		refuse("name %q", name)
	}
	return name
}

// ways returns the lists of conditions of which each is a rule, nil if the entry is dropped.
func (m *meaning) ways(args any) (ways [][]test) {
	var tests []test
	for i, v := range list(args) {
		if m.reading == "crun" && i == 6 && !m.is(seventhCounts) || m.is(seventhIgnored) && i == 6 {
			break
		}
		tests = append(tests, m.test(v))
	}
	if args != nil && tests == nil && (m.reading == "youki@0.6" && !m.is(emptyArgsCount) || m.is(emptyArgsDrop)) {
		return nil
	}
	times := map[int]int{}
	for _, t := range tests {
		times[t.arg]++
	}
	twice := len(times) < len(tests)
	switch {
	case m.is(orForAnd) && len(tests) > 0, m.reading == "youki@0.6" && !m.is(youkiAnds) && len(tests) > 0, twice && !m.is(repeatedIsAnd):
		rest := [][]test{nil}
		for _, t := range tests {
			if m.is(repeatedAlone) && times[t.arg] == 1 { // the conditions on other arguments stay together
				rest[0] = append(rest[0], t)
				continue
			}
			ways = append(ways, []test{t})
		}
		if rest[0] != nil {
			ways = append(ways, rest...)
		}
		return ways
	}
	return [][]test{tests}
}

func (m *meaning) test(v any) test {
	o, ok := v.(object)
	if !ok {
		refuse("a condition is not an object")
	}
	get := m.keys(o, "index", "value", "valueTwo", "op")
	for _, k := range []string{"index", "value", "op"} {
		if get(k) == nil {
			refuse("no %s", k)
		}
	}
	t := test{arg: int(number(get("index"), math.MaxUint32)), op: strings.TrimPrefix(text(get("op")), "SCMP_CMP_"), value: number(get("value"), math.MaxUint64)}
	if two := get("valueTwo"); two != nil {
		t.two = number(two, math.MaxUint64)
	}
	if t.arg > 5 {
		refuse("index %d", t.arg)
	}
	if !slices.Contains([]string{"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"}, t.op) || !strings.HasPrefix(text(get("op")), "SCMP_CMP_") {
		refuse("operator %q", t.op)
	}
	if t.op == "MASKED_EQ" && m.is(maskAndDatumSwapped) {
		t.value, t.two = t.two, t.value
	}
	return t
}

// applies reports whether an entry of Docker's format applies.
func (m *meaning) applies(includes, excludes any, host *abi) bool {
	held := strings.Split(m.options["cap"], ",")
	kernel := release(m.options["kernel"])
	names := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "s390x": "s390x", "x86": "x86"}
	onArch := func(name any) bool { return names[text(name)] == host.name }
	isHeld := func(name any) bool { return slices.Contains(held, text(name)) }
	reaches := func(v any) bool {
		least := release(text(v))
		return slices.Compare(kernel[:], least[:]) >= 0
	}
	if o, ok := excludes.(object); ok && !m.is(excludesIgnored) {
		get := m.keys(o, "caps", "arches", "minKernel")
		if slices.ContainsFunc(list(get("arches")), onArch) || slices.ContainsFunc(list(get("caps")), isHeld) || get("minKernel") != nil && reaches(get("minKernel")) {
			return false
		}
	}
	if o, ok := includes.(object); ok {
		get := m.keys(o, "caps", "arches", "minKernel")
		caps, arches := list(get("caps")), list(get("arches"))
		lacks := slices.ContainsFunc(caps, func(c any) bool { return !isHeld(c) })
		if m.is(anyCap) {
			lacks = len(caps) > 0 && !slices.ContainsFunc(caps, isHeld)
		}
		if len(arches) > 0 && !slices.ContainsFunc(arches, onArch) || lacks || get("minKernel") != nil && !reaches(get("minKernel")) {
			return false
		}
	}
	return true
}

// Values of JSON.

func list(v any) []any {
	l, ok := v.([]any)
	if v != nil && !ok {
		refuse("%v is not a list", v)
	}
	return l
}

func text(v any) string {
	s, ok := v.(string)
	if v != nil && !ok {
		refuse("%v is not a string", v)
	}
	return s
}

func number(v any, most uint64) uint64 {
	s, ok := v.(json.Number)
	n, err := strconv.ParseUint(string(s), 10, 64)
	if !ok || err != nil || n > most {
		refuse("%v is not such a number", v)
	}
	return n
}
