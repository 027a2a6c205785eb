package vectors

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Actions (linux/seccomp.h).
const (
	killThread  = 0x00000000
	killProcess = 0x80000000
	trap        = 0x00030000
	errno       = 0x00050000
	notify      = 0x7fc00000
	trace       = 0x7ff00000
	logged      = 0x7ffc0000
	allow       = 0x7fff0000
)

// strictest lists the actions, the strictest first.
var strictest = []uint32{killProcess, killThread, trap, errno, notify, trace, logged, allow}

var actionNames = []string{"KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "NOTIFY", "TRACE", "LOG", "ALLOW"}

// verdictText writes an action as the table does.
func verdictText(word uint32) string {
	class := word &^ 0xffff
	name := actionNames[slices.Index(strictest, class)]
	if class == errno || class == trace || word != class {
		return fmt.Sprintf("%s(%d)", name, word&0xffff)
	}
	return name
}

// action returns the word of an action and its data.
func (m *meaning) action(name, data any) uint32 {
	short, ok := strings.CutPrefix(text(name), "SCMP_ACT_")
	if short == "KILL" {
		short = "KILL_THREAD"
		if m.is(killIsProcess) {
			short = "KILL_PROCESS"
		}
	}
	i := slices.Index(actionNames, short)
	if !ok || i < 0 {
		refuse("action %v", name)
	}
	class := strictest[i]
	carries := class == errno || class == trace
	if data == nil {
		switch {
		case class == errno && !m.is(errnoDefaultZero), class == trace && !m.is(traceDefaultZero):
			return class | 1
		}
		return class
	}
	n := number(data, math.MaxUint32)
	switch strict, youki := m.reading == "strict", strings.HasPrefix(m.reading, "youki"); {
	case !carries && (strict || m.reading == "crun"),
		strict && class == errno && n > 4095, strict && n > 0xffff,
		class == errno && n&0xffff > 4094 && (youki || m.reading == "crun"),
		youki && class == trace && n > 0xffff:
		refuse("data %d of %v", n, name)
	case !carries && !m.is(dataOfAnyAction):
		return class
	}
	if m.is(dataCapped) {
		n = min(n, 4095)
	}
	return class | uint32(n&0xffff)
}

// A call is what a filter sees.
type call struct {
	arch, nr uint32
	args     [6]uint64
}

// A rule is one for a number of an ABI.
type rule struct {
	action uint32
	conds  []cond
	mux    bool
}

// A cond compares the bits of an argument under a mask with a value.
type cond struct {
	arg         int
	op          string
	mask, value uint64
}

// has reports whether a call is through a target.
func (p *asked) has(c call) bool {
	return slices.ContainsFunc(p.targets, func(a *abi) bool { return a.arch == c.arch })
}

// verdict returns the action of a call.
func (m *meaning) verdict(p *asked, c call) uint32 {
	var abis []*abi
	for _, a := range p.targets {
		if a.arch == c.arch && !slices.Contains(abis, a) {
			abis = append(abis, a)
		}
	}
	slices.SortFunc(abis, func(a, b *abi) int { return cmp.Compare(a.base, b.base) }) // x86_64 before x32
	switch {
	case len(abis) == 0:
		return m.badArch(p)
	case m.is(badArchBeforeBound) && m.foreign(abis, c.nr):
		return m.badArch(p)
	case m.newer(p, abis, c.nr):
		if m.is(enosysIs38) {
			return errno | 38
		}
		return errno | abis[0].enosys
	case m.foreign(abis, c.nr):
		return m.badArch(p)
	}
	for _, a := range abis {
		for _, r := range m.inOrder(a, m.rules(p, a, c.nr)) {
			if m.holds(a, r, c) {
				return r.action
			}
		}
	}
	return p.fallback
}

func (m *meaning) badArch(p *asked) uint32 {
	switch {
	case m.is(badArchIsDefault):
		return p.fallback
	case m.is(badArchIsProcess):
		return killProcess
	}
	if word, ok := m.options["bad-arch"]; ok {
		return parseAction(word)
	}
	return killThread
}

// parseAction reads an action as verdictText writes it.
func parseAction(s string) uint32 {
	name, data, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	n, _ := strconv.Atoi(data)
	return strictest[slices.Index(actionNames, name)] | uint32(n)
}

// foreign reports whether a number belongs to no ABI of those with its AUDIT_ARCH value.
func (m *meaning) foreign(abis []*abi, nr uint32) bool {
	switch a := abis[0]; {
	case len(abis) > 1:
		return false
	case a.name == "x86_64":
		return nr >= 0x40000000 && (nr != math.MaxUint32 || m.is(skipIsForeign)) && !m.is(x32BitIgnored)
	case a.name == "x32":
		return nr < 0x40000000 || m.is(x32NeedsBit) && nr&0x40000000 == 0
	case a.base != 0 && (m.reading == "strict" || m.is(mipsAlwaysStrict)) && !m.is(mipsNeverStrict):
		return nr/1000*1000 != a.base
	}
	return false
}

// newer reports whether a number gets ENOSYS.
func (m *meaning) newer(p *asked, abis []*abi, nr uint32) bool {
	mode := m.options["enosys"]
	switch p.fallback &^ 0xffff {
	case allow:
		if !m.is(boundForAllow) {
			return false
		}
	case logged:
		if !m.is(boundForLog) {
			return false
		}
	case trace:
		if !m.is(boundForTrace) {
			return false
		}
	}
	if mode == "off" || mode == "" && m.reading != "runc" && m.reading != "strict" && !m.is(everyoneBounds) || m.is(noBound) && mode == "" {
		return false
	}
	owner := abis[0]
	if owner.name == "x86_64" || owner.name == "x32" {
		want := "x86_64"
		if nr&0x40000000 != 0 && !m.is(oneBoundForX32) {
			want = "x32"
		}
		i := slices.IndexFunc(abis, func(a *abi) bool { return a.name == want })
		if i < 0 && !m.is(oneBoundForX32) {
			return false
		}
		owner = abis[max(i, 0)]
	}
	largest, found, named := uint32(0), false, false
	for _, e := range p.entries {
		if m.is(boundWithoutDropped) && e.action == p.fallback || m.is(boundWithoutConditional) && len(e.ways[0]) > 0 {
			continue
		}
		for _, name := range e.names {
			for _, n := range m.numbersOf(owner, name) {
				largest, found, named = max(largest, n), true, named || n == nr
			}
		}
	}
	if release, ok := strings.CutPrefix(mode, "kernel:"); ok {
		return !named && m.after(owner, nr, release)
	}
	s390 := owner.name == "s390" || owner.name == "s390x"
	switch {
	case !found || largest == 0 && !m.is(zeroBounds):
		return false
	case nr == 0 && s390:
		return !m.is(s390ZeroKnown)
	case m.is(boundOffByOne):
		return nr >= largest
	case m.is(boundSigned):
		return int32(nr) > int32(largest)
	}
	return nr > largest
}

// after reports whether a release does not have a number.
func (m *meaning) after(a *abi, nr uint32, named string) bool {
	age, known := a.ages[nr]
	r := release(named)
	switch {
	case !known:
		return !m.is(holesAreOld)
	case age.in != [2]int{}:
		return slices.Compare(age.in[:], r[:]) > 0
	}
	return age.after != [2]int{} && slices.Compare(age.after[:], r[:]) >= 0
}

// numbersOf returns the numbers that a name stands for: its own and the multiplexer's.
func (m *meaning) numbersOf(a *abi, name string) (numbers []uint32) {
	if nr, ok := a.numbers[name]; ok {
		numbers = append(numbers, nr)
	}
	if nr, _, ok := a.multiplexed(name); ok && !m.is(boundWithoutMultiplexer) {
		numbers = append(numbers, nr)
	}
	return numbers
}

// The calls behind the multiplexers, by the number that stands for each.
var (
	socketCalls = strings.Fields(`- socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom
		shutdown setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg`)
	ipcCalls = strings.Fields("- semop semget semctl semtimedop - - - - - - msgsnd msgrcv msgget msgctl - - - - - - shmat shmdt shmget shmctl")
)

// multiplexed returns the multiplexer of a call, and the call's number for it.
func (a *abi) multiplexed(name string) (nr uint32, selector uint64, ok bool) {
	if a.socketcall == 0 {
		return 0, 0, false
	}
	if i := slices.Index(socketCalls, name); i > 0 {
		return a.socketcall, uint64(i), true
	}
	i := slices.Index(ipcCalls, name)
	return a.ipc, uint64(max(i, 0)), i > 0
}

// rules returns the rules on a number, in profile order.
func (m *meaning) rules(p *asked, a *abi, nr uint32) (list []rule) {
	for _, e := range p.entries {
		dropped := e.action == p.fallback && !m.is(nothingDropped)
		if m.is(dropsByClass) {
			dropped = e.action&^0xffff == p.fallback&^0xffff
		}
		if _, all := m.options["strictest-wins"]; dropped && !all {
			continue
		}
		for i, name := range e.names {
			if m.is(firstNameOnly) && i > 0 || slices.Contains(e.names[:i], name) {
				continue
			}
			if n, ok := m.numberOf(a, name); ok && n == nr {
				if _, _, muxed := a.multiplexed(name); muxed && m.is(onlyThroughMultiplexer) {
					continue
				}
				for _, way := range e.ways {
					list = append(list, rule{action: e.action, conds: m.conds(a, way)})
				}
			}
			if n, selector, ok := a.multiplexed(name); ok && n == nr && !m.is(multiplexersIgnored) {
				for _, way := range e.ways {
					list = append(list, rule{action: e.action, conds: m.throughMux(a, way, selector), mux: true})
				}
			}
		}
	}
	return list
}

func (m *meaning) numberOf(a *abi, name string) (uint32, bool) {
	n, ok := a.numbers[name]
	if m.is(aliases) && !ok && name == "mmap" {
		n, ok = a.numbers["mmap2"]
	}
	if m.is(noBase) {
		n -= a.base
	}
	return n, ok
}

// throughMux returns the conditions of a rule for the multiplexer.
func (m *meaning) throughMux(a *abi, way []test, selector uint64) []cond {
	conds := []cond{{arg: 0, op: "EQ", mask: m.width(a), value: selector}}
	for _, c := range m.conds(a, way) {
		if c.arg != 0 && !m.is(muxLosesConditions) || m.is(muxKeepsArgument0) {
			conds = append(conds, c)
		}
	}
	return conds
}

func (m *meaning) width(a *abi) uint64 {
	switch {
	case a.name == "x32" && m.is(x32Wide), m.is(wideEverywhere):
		return math.MaxUint64
	case a.bits == 32, m.is(lowWordOnly):
		return math.MaxUint32
	}
	return math.MaxUint64
}

// conds returns the conditions of a rule on an ABI, sorted by argument.
func (m *meaning) conds(a *abi, way []test) (conds []cond) {
	width := m.width(a)
	for _, t := range way {
		c := cond{arg: t.arg, op: t.op, mask: width, value: t.value & width}
		if m.is(valuesWide) {
			c.value = t.value
		}
		if t.op == "MASKED_EQ" {
			c.mask, c.value = t.value&width, t.two&t.value&width
			if m.is(datumNotMasked) {
				c.value = t.two & width
			}
			if c.mask == 0 && !m.is(emptyMaskIsCondition) {
				continue
			}
		}
		conds = append(conds, c)
	}
	slices.SortStableFunc(conds, func(x, y cond) int { return cmp.Compare(x.arg, y.arg) })
	return conds
}

func (m *meaning) holds(a *abi, r rule, c call) bool {
	for _, x := range r.conds {
		v := c.args[x.arg] & m.width(a)
		if a.bits == 32 && m.is(argumentsSigned) {
			v = uint64(int64(int32(v)))
		}
		if !m.condHolds(x, v, a.bits) {
			return false
		}
	}
	return true
}

func (m *meaning) condHolds(x cond, v uint64, bits int) bool {
	order := cmp.Compare(v, x.value)
	if m.is(signed64) && bits == 64 {
		order = cmp.Compare(int64(v), int64(x.value))
	}
	if m.is(signed32) && bits == 32 {
		order = cmp.Compare(int32(v), int32(x.value))
	}
	switch x.op {
	case "EQ":
		return order == 0
	case "NE":
		return order != 0
	case "LT":
		return order < 0 || m.is(lessIsLessEqual) && order == 0
	case "LE":
		return order <= 0
	case "GT":
		return order > 0
	case "GE":
		return order >= 0 && (order > 0 || !m.is(greaterEqualIsGreater))
	}
	return v&x.mask == x.value
}
