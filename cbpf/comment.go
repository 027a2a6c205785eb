package cbpf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A commenter says in plain words what the instructions of a program do.
type commenter struct {
	*flow
	names Names
	home  string // the only ABI of the program, which goes without saying
	all   string // abis at the start
}

func newCommenter(p *Program, names Names) *commenter {
	if names == nil {
		names = noNames{}
	}
	c := &commenter{flow: newFlow(p), names: names}
	if len(c.audits) == 1 {
		c.home = c.abi(c.audits[0], 0)
	}
	c.all = c.abis(c.reach(0))
	return c
}

// comment returns what is worth saying of the instruction at pc, "" if nothing.
func (c *commenter) comment(pc int) string {
	here := c.reach(pc)
	if here == nil {
		return "unreachable"
	}
	ins := c.p.insns[pc]
	switch ins.Op {
	case opLdAbs:
		switch {
		case ins.K == OffNR:
			return c.some(here)
		case ins.K >= OffArgs:
			return c.argument(here, ins.K, false)
		}
	case opDivX:
		return "the verdict is KILL_THREAD if x is 0"
	case opLshX, opRshX:
		if x := c.regs[pc].x; x.kind != valueConst || x.bits > 31 {
			return "machines differ if x is 32 or more"
		}
	case opRetK:
		return c.verdict(here, Action(ins.K))
	case opJeqK, opJeqX, opJgtK, opJgtX, opJgeK, opJgeX, opJsetK, opJsetX:
		return c.branch(pc, here)
	}
	return ""
}

// verdict explains a returned action and names who gets it.
func (c *commenter) verdict(here calls, a Action) string {
	var what string
	switch {
	case a.name() == "":
		what = "unknown action, kills the process"
	case a == Errno(0):
		what = "skips the call, which returns 0"
	case a.Class() == ErrnoClass && a.Effective() != a:
		what = fmt.Sprintf("the kernel caps it at %d", a.Effective().Data())
	case a.Class() == ErrnoClass:
		what = c.errno(here, a.Data())
	}
	who := c.list(here, func(audit, nr uint32) string { return c.syscall(audit, nr) })
	if who == "" {
		who = c.some(here)
	}
	if what != "" && who != "" {
		return what + ": " + who
	}
	return what + who
}

// branch explains a conditional jump: which calls it separates, or which word it
// tests.
func (c *commenter) branch(pc int, here calls) string {
	if s := c.separated(pc); s != "" {
		return s
	}
	a := c.regs[pc].a
	if a.kind != valueWord {
		return ""
	}
	word := wordName(a.off, c.p.big)
	if a.off >= OffArgs {
		above := c.p.insns[pc-1].Op == opLdAbs && len(c.states[pc-1]) > 0 // the line above says which argument
		if test := c.argumentTest(pc, here, above); test != "" || above {
			return test
		}
		word = c.argument(here, a.off, true)
	}
	if a.bits != 0xffffffff {
		return fmt.Sprintf("%s & 0x%x", word, a.bits)
	}
	if op, k, ok := c.test(pc); ok && op == opJeqK && a.off == OffArch && c.abi(k, 0) != hexName(k) {
		return strings.Join(c.halves(k, everyNumber), ", ")
	}
	return word
}

// separated names the calls at which a test of the number divides those that get
// to it: "read", ">= openat", "x32 numbers".
func (c *commenter) separated(pc int) string {
	op, k, ok := c.test(pc)
	var g groups
	for _, s := range c.states[pc] {
		if !ok || !s.a.isWord(OffNR) {
			continue
		}
		for i, audit := range c.audits {
			if op == opJsetK || s.a.bits&block != block {
				c.sides(&g, audit, s.calls[i], s.a.bits, op, k)
				continue
			}
			for upper, part := range s.calls[i].hidden(s.a.bits) {
				if yes, no := part.split(s.a.bits, op, k); len(yes) > 0 && len(no) > 0 {
					g.add(c.abi(audit, upper|k), c.boundary(audit, op, upper|k))
				}
			}
		}
	}
	return g.text(c.home)
}

// sides describes a test that is not of the order of numbers by the calls on its
// smaller side.
func (c *commenter) sides(g *groups, audit uint32, set numbers, mask uint32, op uint16, k uint32) {
	const few = 4
	yes, no := set.split(mask, op, k)
	side, not := yes, ""
	if no.size() < yes.size() {
		side, not = no, "not "
	}
	switch {
	case len(side) == 0:
	case op == opJsetK && c.isX32(audit, k):
		g.add(c.abi(audit, k), "numbers")
	case yes.size()+no.size() == set.size() && side.size() <= few:
		var names []string
		for nr := range side.each {
			names = append(names, c.syscall(audit, nr))
		}
		g.add(c.abi(audit, side[0].lo), not+strings.Join(names, ", "))
	}
}

// boundary describes a test of the order of numbers.
func (c *commenter) boundary(audit uint32, op uint16, k uint32) string {
	at := c.names.Syscall(audit, k)
	switch {
	case op == opJeqK && at == "" && k == 1<<32-1:
		return "nr -1"
	case op == opJeqK:
		return at
	case op == opJgeK && c.isX32(audit, k):
		return "numbers"
	case op == opJgeK && at != "":
		return ">= " + at
	case op == opJgeK:
		return prefixed("> ", c.names.Syscall(audit, k-1))
	case at != "":
		return "> " + at
	}
	return prefixed(">= ", c.names.Syscall(audit, k+1))
}

// argument names the argument that holds the word at off, by call if they are few.
// always asks for the word's own name otherwise.
func (c *commenter) argument(here calls, off uint32, always bool) string {
	index := argIndex(off)
	word := wordName(off, c.p.big)
	s := c.list(here, func(audit, nr uint32) string {
		arg := c.names.Arg(audit, nr, index)
		if arg == "" {
			arg = word
		} else if strings.HasSuffix(word, ".hi") {
			arg += ".hi"
		}
		return c.syscall(audit, nr) + " " + arg
	})
	if s == "" && always {
		return word
	}
	return s
}

// A tester is Names with the optional method.
type tester interface {
	Test(audit, nr uint32, index int, op string, mask, v uint32) string
}

// argumentTest says in words what a test of the lower half of an argument asks, by call
// unless short. It is empty where the names have no words for it or calls differ.
func (c *commenter) argumentTest(pc int, here calls, short bool) string {
	names, ok := c.names.(tester)
	op, k, known := c.test(pc)
	a := c.regs[pc].a
	if !ok || !known || strings.HasSuffix(wordName(a.off, c.p.big), ".hi") {
		return ""
	}
	mask, symbol := a.bits, "=="
	switch op {
	case opJgtK:
		symbol = ">"
	case opJgeK:
		symbol = ">="
	case opJsetK:
		mask, k, symbol = mask&k, 0, "!="
	}
	g := c.each(here, func(audit, nr uint32) string {
		text := names.Test(audit, nr, argIndex(a.off), symbol, mask, k)
		switch {
		case text == "":
			return "nothing"
		case short:
			return text
		}
		return c.syscall(audit, nr) + " " + text
	})
	if slices.ContainsFunc(g, func(e group) bool { return e.phrase == "nothing" }) || short && len(g) > 1 {
		return ""
	}
	if short && len(g) == 1 {
		return g[0].phrase
	}
	return g.text(c.home)
}

// list describes every call of a set, if they are few; it may leave some to a
// count. It is empty for larger sets, and where other ABIs belong to the set.
func (c *commenter) list(here calls, describe func(audit, nr uint32) string) string {
	return c.each(here, describe).text(c.home)
}

// each describes the calls of a set as list does.
func (c *commenter) each(here calls, describe func(audit, nr uint32) string) groups {
	const most = 12
	total := uint64(0)
	for _, s := range here {
		total += s.size()
	}
	if total > most || len(here[len(c.audits)]) > 0 {
		return nil
	}
	var g groups
	for i, audit := range c.audits {
		for nr := range here[i].each {
			g.add(c.abi(audit, nr), describe(audit, nr))
		}
	}
	return g
}

// errno names an error number as the ABIs of a set do, or as all the program's
// ABIs do if the set has none.
func (c *commenter) errno(here calls, n uint16) string {
	var names []string
	for _, anyway := range []bool{false, true} {
		for i, audit := range c.audits {
			name := c.names.Errno(audit, n)
			if (anyway || len(here[i]) > 0) && name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			break
		}
	}
	return strings.Join(names, "/")
}

// some names the ABIs of a set of calls, "" if it is all there are.
func (c *commenter) some(here calls) string {
	if s := c.abis(here); s != c.all {
		return s
	}
	return ""
}

func (c *commenter) abis(here calls) string {
	var names []string
	for i, audit := range c.audits {
		names = append(names, c.halves(audit, here[i])...)
	}
	if len(here[len(c.audits)]) > 0 {
		if len(names) == 0 && len(c.audits) > 0 {
			return "other ABIs"
		}
		names = append(names, "others")
	}
	return strings.Join(names, ", ")
}

// bit30 is set in the numbers of x32.
const bit30 = 1 << 30

// isX32 reports whether k is the bit that sets x32's numbers apart.
func (c *commenter) isX32(audit, k uint32) bool {
	return k == bit30 && c.abi(audit, k) != c.abi(audit, 0)
}

// halves names the ABIs of the numbers in s, which are two for x86_64 and x32.
// Negative numbers, which no ABI has, count as x86_64's if there are no others.
func (c *commenter) halves(audit uint32, s numbers) []string {
	var names []string
	high := s.within(bit30, 1<<31-1)
	if s.within(0, bit30-1) || len(s) > 0 && !high {
		names = append(names, c.abi(audit, 0))
	}
	if high {
		if abi := c.abi(audit, bit30); len(names) == 0 || abi != names[0] {
			names = append(names, abi)
		}
	}
	return names
}

// abi names the ABI of a call, by AUDIT_ARCH value if it has no name.
func (c *commenter) abi(audit, nr uint32) string {
	if nr >= 1<<31 {
		nr = 0 // negative: -1 has x32's bit, too
	}
	if name := c.names.ABI(audit, nr); name != "" {
		return name
	}
	return hexName(audit)
}

func hexName(audit uint32) string { return hexadecimal(audit, 8) }

func (c *commenter) syscall(audit, nr uint32) string {
	if name := c.names.Syscall(audit, nr); name != "" {
		return name
	}
	if nr&bit30 != 0 && nr != 1<<32-1 {
		return fmt.Sprintf("nr 0x%x", nr)
	}
	return "nr " + strconv.Itoa(int(int32(nr)))
}

// prefixed returns s behind a prefix, or "" for "".
func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// groups collects phrases with the ABIs they hold for.
type groups []group

type group struct {
	phrase string
	abis   []string
}

func (g *groups) add(abi, phrase string) {
	if phrase == "" {
		return
	}
	for i := range *g {
		if e := &(*g)[i]; e.phrase == phrase {
			if !slices.Contains(e.abis, abi) {
				e.abis = append(e.abis, abi)
			}
			return
		}
	}
	*g = append(*g, group{phrase, []string{abi}})
}

// text lists the phrases, as far as they fit: "x86_64/x86 read, write; x86 exit". The
// home ABI goes without saying.
func (g groups) text(home string) string {
	const most = 4
	shown := g
	if len(g) > most {
		shown = g[:most-1]
	}
	var b strings.Builder
	for i, e := range shown {
		switch {
		case i > 0 && slices.Equal(e.abis, g[i-1].abis):
			b.WriteString(", ")
		case i > 0:
			b.WriteString("; ")
			fallthrough
		default:
			if abis := strings.Join(e.abis, "/"); abis != home {
				b.WriteString(abis + " ")
			}
		}
		b.WriteString(e.phrase)
	}
	if n := len(g) - len(shown); n > 0 {
		fmt.Fprintf(&b, " and %d more", n)
	}
	return b.String()
}

// noNames knows none.
type noNames struct{}

func (noNames) ABI(uint32, uint32) string            { return "" }
func (noNames) Audit(string) (uint32, bool)          { return 0, false }
func (noNames) Syscall(uint32, uint32) string        { return "" }
func (noNames) Number(string, string) (uint32, bool) { return 0, false }
func (noNames) Arg(uint32, uint32, int) string       { return "" }
func (noNames) Errno(uint32, uint16) string          { return "" }
