package policy_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// A reading is a second, slow implementation of what a profile means. It shares
// nothing with Resolve: it works on the profile itself, one call at a time, and
// does sentence by sentence what the definition says.
type reading struct {
	p *policy.Policy
	o policy.Options
}

// A statement is a rule for one number.
type statement struct {
	action cbpf.Action
	tests  []policy.Arg // on 64-bit ABIs
	rule   int
}

func wordOf(class cbpf.Action, errno *uint) cbpf.Action {
	if class != cbpf.ErrnoClass && class != cbpf.TraceClass {
		return class
	}
	if errno == nil {
		return class | 1
	}
	return class | cbpf.Action(*errno%65536)
}

func (m *reading) fallback() cbpf.Action { return wordOf(m.p.Default, m.p.DefaultErrno) }

// eval returns the action for a call.
func (m *reading) eval(d *cbpf.Data) cbpf.Action {
	var abis []arch.ABI
	for _, a := range m.o.ABIs {
		if a.Audit() == d.Arch {
			abis = append(abis, a)
		}
	}
	has := func(a arch.ABI) bool { return slices.Contains(abis, a) }
	switch {
	case len(abis) == 0:
		return m.elsewhere()
	case m.isUnknown(abis, d.NR):
		switch abis[0].Main() {
		case arch.MIPS64, arch.MIPSEL64:
			return cbpf.Errno(89)
		case arch.PARISC64:
			return cbpf.Errno(251)
		}
		return cbpf.Errno(38)
	case m.p.Order == policy.FirstMatch:
	case has(arch.X86_64) && !has(arch.X32) && d.NR >= 0x40000000 && d.NR != 0xffffffff,
		has(arch.X32) && !has(arch.X86_64) && d.NR < 0x40000000:
		return m.elsewhere()
	}
	if main := abis[0].Main(); m.p.Order == policy.Libseccomp && m.o.Mode == policy.Strict && (main == arch.MIPS64 || main == arch.MIPSEL64) {
		if d.NR/1000*1000 != abis[0].Base() {
			return m.elsewhere()
		}
	}
	for _, a := range abis {
		for _, s := range m.order(a, m.statements(a, d.NR)) {
			if m.holds(a, s, d) {
				return s.action
			}
		}
	}
	return m.fallback()
}

// elsewhere returns the action for other ABIs.
func (m *reading) elsewhere() cbpf.Action {
	if m.o.BadArch != cbpf.KillThread {
		return m.o.BadArch
	}
	return m.p.Elsewhere
}

// isUnknown reports whether the number gets ENOSYS.
func (m *reading) isUnknown(abis []arch.ABI, nr uint32) bool {
	switch m.fallback().Class() {
	case cbpf.Allow, cbpf.Log, cbpf.TraceClass:
		return false
	}
	a := abis[0]
	if a.Main() == arch.X86_64 && a != arch.X86 { // bit 30 selects the ABI
		a = arch.X86_64
		if nr&0x40000000 != 0 {
			a = arch.X32
		}
		if !slices.Contains(abis, a) {
			return false
		}
	}
	largest, isNamed, isNumber := uint32(0), false, false
	for _, rule := range m.p.Rules {
		for _, name := range rule.Names {
			if !isFor(rule, a) {
				continue
			}
			for _, n := range m.numbersOf(a, name) {
				largest = max(largest, n)
				isNamed = isNamed || n == nr
			}
		}
		for _, n := range rule.Numbers {
			if n < 0x80000000 && m.numbers(rule, a, n) {
				largest = max(largest, n)
			}
		}
		for _, b := range abis {
			isNumber = isNumber || m.numbers(rule, b, nr)
		}
	}
	release := m.o.ENOSYS.Kernel
	switch {
	case m.o.ENOSYS.Off || isNumber || m.p.Order == policy.FirstMatch && release == syscalltables.Version{}:
		return false
	case release == syscalltables.Version{}:
		return largest != 0 && (nr > largest || nr == 0 && (a == arch.S390 || a == arch.S390X))
	case isNamed:
		return false
	}
	call, known := syscalltables.ByNumber(a, nr)
	if !known {
		return true
	}
	since := call.Since(a)
	if since.Exact {
		return since.By.Compare(release) > 0
	}
	return since.After != syscalltables.Version{} && since.After.Compare(release) >= 0
}

// isFor reports whether a rule holds on an ABI.
func isFor(rule policy.Rule, a arch.ABI) bool {
	return len(rule.ABIs) == 0 || slices.Contains(rule.ABIs, a)
}

// numbers reports whether a rule gives a number as such, on an ABI that is its own.
func (m *reading) numbers(rule policy.Rule, a arch.ABI, nr uint32) bool {
	if !slices.Contains(rule.Numbers, nr) {
		return false
	}
	both := slices.Contains(m.o.ABIs, arch.X86_64) && slices.Contains(m.o.ABIs, arch.X32)
	if m.p.Order == policy.FirstMatch && !both {
		return isFor(rule, a)
	}
	switch {
	case nr == 0xffffffff && both && a == arch.X86_64:
		return isFor(rule, arch.X86_64) || isFor(rule, arch.X32)
	case nr == 0xffffffff && both && a == arch.X32:
		return false
	case a == arch.X86_64 && nr&0x40000000 != 0 && nr != 0xffffffff:
		return false
	case a == arch.X86_64 && nr >= 0x40000000 && nr != 0xffffffff && !both:
		return false
	case a == arch.X32 && nr&0x40000000 == 0 && both:
		return false
	case a == arch.X32 && nr < 0x40000000:
		return false
	}
	if main := a.Main(); m.p.Order == policy.Libseccomp && m.o.Mode == policy.Strict && (main == arch.MIPS64 || main == arch.MIPSEL64) && nr/1000*1000 != a.Base() {
		return false
	}
	return isFor(rule, a)
}

// numbersOf returns the direct number of a name and its multiplexer's.
func (m *reading) numbersOf(a arch.ABI, name string) (nrs []uint32) {
	if call, ok := syscalltables.Lookup(name); ok {
		if nr, ok := call.Number(a); ok {
			nrs = append(nrs, nr)
		}
	}
	if nr, _, ok := multiplexed(a, name); ok && m.p.Order == policy.Libseccomp {
		nrs = append(nrs, nr)
	}
	return nrs
}

// multiplexed knows the multiplexed calls among the names that the test uses.
func multiplexed(a arch.ABI, name string) (nr uint32, call uint64, ok bool) {
	switch name {
	case "socket":
		call = 1
	case "accept4":
		call = 18
	case "semop":
		call = 1
	case "shmctl":
		call = 24
	default:
		return 0, 0, false
	}
	if name == "semop" || name == "shmctl" {
		nr, ok = a.IPC()
	} else {
		nr, ok = a.Socketcall()
	}
	return nr, call, ok
}

// statements returns the rules for a number in profile order.
func (m *reading) statements(a arch.ABI, nr uint32) (list []statement) {
	for i, rule := range m.p.Rules {
		action := wordOf(rule.Action, rule.Errno)
		if action == m.fallback() && !m.o.StrictestWins && m.p.Order == policy.Libseccomp {
			continue
		}
		var indices []uint
		for _, arg := range rule.Args {
			indices = append(indices, arg.Index)
		}
		slices.Sort(indices)
		ways := [][]policy.Arg{rule.Args}
		if m.p.Order == policy.Libseccomp && len(slices.Compact(slices.Clone(indices))) < len(indices) {
			ways = nil
			for _, arg := range rule.Args {
				ways = append(ways, []policy.Arg{arg})
			}
		}
		ways = slices.DeleteFunc(ways, func(way []policy.Arg) bool { return m.never(a, way) })
		if m.numbers(rule, a, nr) {
			for _, way := range ways {
				list = append(list, m.statement(a, action, way, i))
			}
		}
		if !isFor(rule, a) {
			continue
		}
		for _, name := range rule.Names {
			for _, way := range ways {
				if call, ok := syscalltables.Lookup(name); ok {
					if n, ok := call.Number(a); ok && n == nr {
						list = append(list, m.statement(a, action, way, i))
					}
				}
				if n, call, ok := multiplexed(a, name); ok && n == nr && m.p.Order == policy.Libseccomp {
					through := []policy.Arg{{Index: 0, Op: policy.Equal, Value: call}}
					for _, arg := range way {
						if arg.Index != 0 {
							through = append(through, arg)
						}
					}
					list = append(list, m.statement(a, action, through, i))
				}
			}
		}
	}
	return list
}

// statement cuts values to the ABI's width, drops masks of zero that any value has and
// sorts by argument.
func (m *reading) statement(a arch.ABI, action cbpf.Action, args []policy.Arg, rule int) statement {
	s := statement{action: action, rule: rule}
	for _, arg := range args {
		if a.Bits() == 32 {
			arg.Value, arg.ValueTwo = uint64(uint32(arg.Value)), uint64(uint32(arg.ValueTwo))
		}
		if isMasked(arg.Op) {
			arg.ValueTwo &= arg.Value
			if arg.Value == 0 && arg.Op == policy.MaskedEqual {
				continue
			}
		} else {
			arg.ValueTwo = 0
		}
		s.tests = append(s.tests, arg)
	}
	slices.SortFunc(s.tests, func(x, y policy.Arg) int { return int(x.Index) - int(y.Index) })
	return s
}

// never reports whether a condition asks for other bits than those of an empty mask, so
// that the rule cannot hold, whatever hides its arguments.
func (m *reading) never(a arch.ABI, way []policy.Arg) bool {
	return slices.ContainsFunc(m.statement(a, 0, way, 0).tests, func(t policy.Arg) bool {
		return t.Op == policy.MaskedNotEqual && t.Value == 0
	})
}

func (m *reading) holds(a arch.ABI, s statement, d *cbpf.Data) bool {
	for _, test := range s.tests {
		v := d.Args[test.Index]
		if a.Bits() == 32 {
			v = uint64(uint32(v))
		}
		var ok bool
		switch test.Op {
		case policy.Equal:
			ok = v == test.Value
		case policy.NotEqual:
			ok = v != test.Value
		case policy.Less:
			ok = v < test.Value
		case policy.LessEqual:
			ok = v <= test.Value
		case policy.Greater:
			ok = v > test.Value
		case policy.GreaterEqual:
			ok = v >= test.Value
		case policy.MaskedEqual:
			ok = v&test.Value == test.ValueTwo
		case policy.MaskedNotEqual:
			ok = v&test.Value != test.ValueTwo
		}
		if !ok {
			return false
		}
	}
	return true
}

// order returns the statements in the order in which they are tried.
func (m *reading) order(a arch.ABI, list []statement) []statement {
	if m.o.StrictestWins {
		precedence := []cbpf.Action{cbpf.KillProcess, cbpf.KillThread, cbpf.Trap, cbpf.ErrnoClass, cbpf.Notify, cbpf.TraceClass, cbpf.Log, cbpf.Allow}
		slices.SortStableFunc(list, func(x, y statement) int {
			return slices.Index(precedence, x.action.Class()) - slices.Index(precedence, y.action.Class())
		})
		return list
	}
	if m.p.Order == policy.FirstMatch {
		return list
	}
	for _, s := range list {
		if len(s.tests) == 0 {
			return []statement{s}
		}
	}
	var ordered []statement
	for _, s := range list {
		at := slices.IndexFunc(ordered, func(there statement) bool { return ranksBefore(a, s.tests, there.tests) })
		if at < 0 {
			at = len(ordered)
		}
		ordered = slices.Insert(ordered, at, s)
	}
	return ordered
}

// decidedBefore reports whether a rule without conditions of its own decides the
// call behind a multiplexer that tests are about.
func decidedBefore(a arch.ABI, nr uint32, list []statement, tests []policy.Arg) bool {
	sockets, _ := a.Socketcall()
	ipcs, _ := a.IPC()
	return nr != 0 && (nr == sockets || nr == ipcs) && slices.ContainsFunc(list, func(s statement) bool {
		return len(s.tests) < len(tests) && slices.Equal(s.tests, tests[:len(s.tests)])
	})
}

// contradicts reports whether two rules contradict each other on any number.
func (m *reading) contradicts() bool {
	if m.o.StrictestWins || m.p.Order == policy.FirstMatch {
		return false
	}
	for _, a := range m.o.ABIs {
		for _, rule := range m.p.Rules {
			nrs := slices.Clone(rule.Numbers)
			for _, name := range rule.Names {
				nrs = append(nrs, m.numbersOf(a, name)...)
			}
			for _, nr := range nrs {
				list := m.order(a, m.statements(a, nr))
				for i := range list {
					for j := range i {
						if list[i].action != list[j].action && slices.Equal(list[i].tests, list[j].tests) && !decidedBefore(a, nr, list[:i], list[i].tests) {
							return true
						}
					}
				}
			}
		}
	}
	return false
}

// ranksBefore reports whether one list of conditions ranks before another.
func ranksBefore(a arch.ABI, x, y []policy.Arg) bool {
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return conditionRanksBefore(a, x[i], y[i])
		}
	}
	return len(x) < len(y)
}

func conditionRanksBefore(a arch.ABI, x, y policy.Arg) bool {
	class := func(op policy.Op) int {
		switch op {
		case policy.Equal, policy.NotEqual, policy.MaskedEqual, policy.MaskedNotEqual:
			return 0
		case policy.Less, policy.LessEqual:
			return 1
		}
		return 2
	}
	datum := func(t policy.Arg) uint64 {
		if isMasked(t.Op) {
			return t.ValueTwo
		}
		return t.Value
	}
	masked := isMasked(x.Op) || isMasked(y.Op)
	switch {
	case x.Index != y.Index:
		return x.Index > y.Index
	case class(x.Op) != class(y.Op):
		return class(x.Op) < class(y.Op)
	case masked && a.Bits() == 64 && (isMasked(x.Op) != isMasked(y.Op) || x.Value>>32 != y.Value>>32):
		return datum(x)>>32 > datum(y)>>32
	case class(x.Op) == 1:
		return datum(x) < datum(y)
	}
	return datum(x) > datum(y)
}

func isMasked(op policy.Op) bool { return op == policy.MaskedEqual || op == policy.MaskedNotEqual }

// Resolve and the second implementation agree on random profiles that have as
// many corners as possible.
func TestEvalIsWhatTheProfileMeans(t *testing.T) {
	rounds := 4000
	if testing.Short() {
		rounds = 400
	}
	random := rand.New(rand.NewPCG(3, 5))
	contradictions, rules := 0, 0
	for range rounds {
		m := randomReading(random)
		r, _, err := policy.Resolve(m.p, m.o)
		if m.contradicts() {
			contradictions++
			if err == nil {
				t.Fatalf("%+v: no error, but rules contradict each other\n%+v", m.o, m.p)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%+v: %v\n%+v", m.o, err, m.p)
		}
		for range 200 {
			d := randomCall(random, m)
			got, want := r.Decide(d), m.eval(d)
			if got.Action != want {
				t.Fatalf("%+v: %+v gets %v by %v %s, want %v\n%v\n%+v", m.o, d, got.Action, got.Reason, got.Pointer, want, r, m.p)
			}
			if got.Reason == policy.ByRule {
				rules++
			}
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
	}
	if contradictions > rounds*2/3 || rules < rounds*10 {
		t.Errorf("%d of %d profiles contradict themselves, %d calls are decided by rules: the test tests little", contradictions, rounds, rules)
	}
}

var (
	testNames = []string{
		"read", "write", "getpid", "socket", "accept4", "semop", "shmctl", "socketcall", "ipc", "mmap2", "clone3",
		"cachestat", "futex_wait", "_newselect", "no_such_call",
	}
	testValues = []uint64{
		0, 1, 2, 3, 5, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff, 0x100000000, 0x100000001, 0x300000003,
		0x7fffffffffffffff, 0x8000000000000000, 0xffffffff00000000, 0xffffffff80000000, 1<<64 - 1,
	}
	testActions = []cbpf.Action{
		cbpf.Allow, cbpf.Allow, cbpf.Log, cbpf.ErrnoClass, cbpf.ErrnoClass, cbpf.KillThread, cbpf.KillProcess, cbpf.Trap, cbpf.Trap | 9, cbpf.TraceClass,
	}
	testNumbers = []uint32{
		0, 1, 3, 39, 64, 102, 117, 1000, 4003, 5999, 6102, 0x3fffffff, 0x40000000, 0x40000001, 0x7fffffff, 0x80000000, 0xbfffffff,
		0xc0000000, 0xffffff9b, 0xfffffffe, 0xffffffff, 0xffffffff, 0xffffffff,
	}
	testABIs = [][]arch.ABI{
		{arch.X86_64}, {arch.X32}, {arch.X86}, {arch.X86_64, arch.X32}, {arch.X86_64, arch.X32, arch.X86}, {arch.AArch64, arch.ARM},
		{arch.S390X, arch.S390}, {arch.MIPS, arch.MIPS64, arch.MIPS64N32}, {arch.MIPSEL64}, {arch.PPC64, arch.PPC}, {arch.PARISC},
		{arch.RISCV64, arch.X86, arch.SH}, {arch.M68K},
	}
)

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func randomReading(random *rand.Rand) *reading {
	m := &reading{p: &policy.Policy{Default: pick(random, testActions)}}
	m.o.ABIs = pick(random, testABIs)
	m.o.Mode = policy.Mode(random.IntN(2))
	m.o.BadArch = pick(random, []cbpf.Action{cbpf.KillThread, cbpf.Errno(7)})
	m.o.StrictestWins = random.IntN(4) == 0
	if m.p.Elsewhere = pick(random, []cbpf.Action{cbpf.KillThread, cbpf.Allow}); random.IntN(3) == 0 {
		m.p.Order = policy.FirstMatch
	}
	switch random.IntN(3) {
	case 0:
		m.o.ENOSYS.Off = true
	case 1:
		m.o.ENOSYS.Kernel = syscalltables.Version{Major: 6, Minor: uint8(random.IntN(9))}
	}
	names := testNames
	if m.o.Mode == policy.Strict {
		names = testNames[:len(testNames)-1]
	}
	// Few names, data and arguments, so that rules meet.
	names = []string{pick(random, names), pick(random, names), pick(random, names)}
	numbers := []uint32{pick(random, testNumbers), pick(random, testNumbers)}
	values := []uint64{pick(random, testValues), pick(random, testValues), pick(random, testValues)}
	for range random.IntN(7) {
		rule := policy.Rule{Action: pick(random, testActions)}
		if rule.Action == cbpf.ErrnoClass && random.IntN(2) == 0 {
			n := uint(random.IntN(3))
			rule.Errno = &n
		}
		for range 1 + random.IntN(2) {
			if random.IntN(3) == 0 {
				rule.Numbers = append(rule.Numbers, pick(random, numbers))
			} else {
				rule.Names = append(rule.Names, pick(random, names))
			}
		}
		for range pick(random, []int{0, 0, 0, 1, 2}) {
			rule.ABIs = append(rule.ABIs, pick(random, append(m.o.ABIs[:len(m.o.ABIs):len(m.o.ABIs)], arch.LoongArch64)))
		}
		for range pick(random, []int{0, 1, 1, 1, 2, 2, 3}) {
			rule.Args = append(rule.Args, policy.Arg{
				Index: uint(random.IntN(3)), Op: policy.NotEqual + policy.Op(random.IntN(8)),
				Value: pick(random, values), ValueTwo: pick(random, values),
			})
		}
		m.p.Rules = append(m.p.Rules, rule)
	}
	return m
}

// randomCall asks for a number that the profile names, or one beside it or at an
// end of a range, with arguments that its rules compare with, or ones beside.
func randomCall(random *rand.Rand, m *reading) *cbpf.Data {
	a := pick(random, m.o.ABIs)
	if random.IntN(20) == 0 {
		a = pick(random, slices.Concat(testABIs...))
	}
	d := &cbpf.Data{Arch: a.Audit()}
	nrs := []uint32{0, 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff, a.Base() + 1000}
	if len(m.p.Rules) > 0 && random.IntN(4) > 0 {
		rule := pick(random, m.p.Rules)
		own := slices.Clone(rule.Numbers)
		for _, name := range rule.Names {
			own = append(own, m.numbersOf(a, name)...)
		}
		if own != nil {
			nrs = own
		}
	}
	d.NR = pick(random, nrs)
	if random.IntN(4) == 0 {
		d.NR += uint32(random.IntN(3)) - 1
	}
	for i := range d.Args {
		d.Args[i] = pick(random, testValues)
		if len(m.p.Rules) > 0 && random.IntN(4) > 0 {
			if args := pick(random, m.p.Rules).Args; len(args) > 0 {
				arg := pick(random, args)
				d.Args[i] = pick(random, []uint64{arg.Value, arg.ValueTwo, arg.Value & arg.ValueTwo, 1, 18, 24})
			}
		}
		if random.IntN(4) == 0 {
			d.Args[i] += uint64(random.IntN(3)) - 1
		}
	}
	return d
}
