package compile

import (
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// layout turns a tree into instructions.
//
// Jumps go forward only, so instructions are emitted from the last to the first
// and every jump knows how far away its target is. A test follows right behind
// the branch that it is the No of where that is possible: a jump with jf == 0 is
// one instruction to the kernel's JIT, others are two.
//
// A test can have two entries: with the load of its word in front, for paths that
// hold another word in the accumulator, and behind the load for the others.
func layout(t *Tree, big bool) ([]bpf.RawInstruction, []string) {
	l := &layouter{
		t:    t,
		big:  big,
		at:   make([]int32, len(t.tests)),
		load: make([]bool, len(t.tests)),
		code: make([]bpf.RawInstruction, 0, len(t.tests)+16),
		from: make([]string, 0, len(t.tests)+16),
	}
	l.findLoads()
	l.emit(t.root)
	n := len(l.code)
	for i := range n / 2 {
		l.code[i], l.code[n-1-i] = l.code[n-1-i], l.code[i]
		l.from[i], l.from[n-1-i] = l.from[n-1-i], l.from[i]
	}
	return l.code, l.from
}

// A layouter holds the code in reverse: code[0] is the last instruction.
type layouter struct {
	t    *Tree
	big  bool
	load []bool  // tests that some path reaches with another word
	at   []int32 // length of code when the test was emitted, 0 for not yet; its test is code[at-1]
	near []nearby
	code []bpf.RawInstruction
	from []string
}

// A nearby is the copy of a target that was emitted last: a jump to it, or a
// return again.
type nearby struct {
	target Ref
	loaded bool
	at     int32
}

// findLoads finds the tests that need a load in front of them.
func (l *layouter) findLoads() {
	l.load[l.t.root] = l.t.tests[l.t.root].Op != Return
	for r, ok := range l.t.reachable() {
		n := &l.t.tests[r]
		if !ok || n.Op == Return {
			continue
		}
		for _, to := range [2]Ref{n.Yes, n.No} {
			if m := &l.t.tests[to]; m.Op != Return && !n.leaves(m.Word) {
				l.load[to] = true
			}
		}
	}
}

// leaves reports whether the accumulator holds w behind the test.
func (n *Test) leaves(w Word) bool { return n.Op != MaskEqual && n.Word == w }

// emit emits a test behind everything that it leads to, the No child last.
func (l *layouter) emit(r Ref) {
	if l.at[r] != 0 {
		return
	}
	n := &l.t.tests[r]
	switch n.Op {
	case Return:
		l.put(bpf.RawInstruction{Op: opRet, K: n.K}, n.Origin)
		l.at[r] = int32(len(l.code))
		return
	case DropX32:
		l.emit(n.Yes)
		l.goOn(n, n.Yes)
		l.put(bpf.RawInstruction{Op: opAnd, K: lowMask}, "")
		l.at[r] = int32(len(l.code))
		return
	}
	l.emit(n.Yes)
	l.emit(n.No)
	var yes, no uint8
	for before := -1; before != len(l.code); {
		// Bringing one target near moves the other away, once at most.
		before = len(l.code)
		yes, no = l.bring(n, n.Yes), l.bring(n, n.No)
	}
	l.put(bpf.RawInstruction{Op: n.jump(), Jt: yes, Jf: no, K: n.K}, n.Origin)
	if n.Op == MaskEqual {
		l.put(bpf.RawInstruction{Op: opAnd, K: n.Mask}, n.Origin)
	}
	l.at[r] = int32(len(l.code))
	if l.load[r] {
		l.put(bpf.RawInstruction{Op: opLoad, K: l.offset(n.Word)}, n.Origin)
	}
}

// goOn makes sure that what follows n is the target.
func (l *layouter) goOn(n *Test, to Ref) {
	if d := l.distance(l.entry(to, n.leaves(l.t.tests[to].Word))); d > 0 {
		l.put(bpf.RawInstruction{Op: opJump, K: uint32(d)}, "")
	}
}

// entry returns the length of the code when the entry of a target was emitted.
func (l *layouter) entry(to Ref, loaded bool) int32 {
	if l.t.tests[to].Op != Return && l.load[to] && !loaded {
		return l.at[to] + 1
	}
	return l.at[to]
}

// distance is the jump offset from the next instruction to be emitted.
func (l *layouter) distance(entry int32) int { return len(l.code) - int(entry) }

// bring returns the jump offset to a target of n. It first emits a copy of the target
// where the last one is too far away for a jump.
func (l *layouter) bring(n *Test, to Ref) uint8 {
	loaded := n.leaves(l.t.tests[to].Word)
	if d := l.distance(l.entry(to, loaded)); d <= maxJump {
		return uint8(d)
	}
	m := &l.t.tests[to]
	loaded = loaded || m.Op == Return || !l.load[to]
	for i := range l.near {
		if c := &l.near[i]; c.target == to && c.loaded == loaded {
			if d := l.distance(c.at); d <= maxJump {
				return uint8(d)
			}
			l.near[i] = l.near[len(l.near)-1]
			l.near = l.near[:len(l.near)-1]
			break
		}
	}
	if m.Op == Return {
		l.put(bpf.RawInstruction{Op: opRet, K: m.K}, m.Origin)
	} else {
		l.put(bpf.RawInstruction{Op: opJump, K: uint32(l.distance(l.entry(to, loaded)))}, m.Origin)
	}
	l.near = append(l.near, nearby{to, loaded, int32(len(l.code))})
	return 0
}

func (l *layouter) put(i bpf.RawInstruction, origin string) {
	l.code = append(l.code, i)
	l.from = append(l.from, origin)
}

// maxJump is the longest conditional jump.
const maxJump = 255

// The opcodes in use (linux/bpf_common.h). The kernel's load-time emulation
// follows all of them but loads of arguments.
const (
	opLoad = 0x20 // LD W ABS
	opAnd  = 0x54 // AND K
	opJump = 0x05 // JA
	opRet  = 0x06 // RET K
)

func (n *Test) jump() uint16 {
	switch n.Op {
	case Equal, MaskEqual:
		return 0x15 // JEQ K
	case AtLeast:
		return 0x35 // JGE K
	case AnySet:
		return 0x45 // JSET K
	}
	panic(fmt.Sprintf("BUG: compiler: no jump for %v", n))
}

// offset returns where a word is in struct seccomp_data.
func (l *layouter) offset(w Word) uint32 {
	switch w {
	case NR:
		return cbpf.OffNR
	case Arch:
		return cbpf.OffArch
	}
	off := uint32(cbpf.OffIP)
	arg, hi, ok := w.Arg()
	if ok {
		off = cbpf.OffArgs + 8*uint32(arg)
	}
	if hi = hi || w == IPHi; hi != l.big { // the upper half comes second in little-endian
		off += 4
	}
	return off
}
