package compile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/cbpf"
)

// program lays a tree out.
func program(t *testing.T, tree *Tree, order binary.ByteOrder) *cbpf.Program {
	t.Helper()
	code, origins := layout(tree, order == binary.BigEndian)
	p, err := cbpf.New(code, order)
	if err != nil {
		t.Fatal(err)
	}
	if len(origins) != len(code) {
		t.Fatalf("%d origins of %d instructions", len(origins), len(code))
	}
	return p.WithOrigins(origins)
}

func TestLayout(t *testing.T) {
	tests := []struct {
		rule     string
		order    binary.ByteOrder
		in, want string
	}{
		{"a return is one instruction", binary.LittleEndian, `
			t0: ERRNO(1)
			root t0
		`, `
			0: ret   ERRNO(1)
		`},
		{"the target of a failing test follows it, a word is loaded once, an outcome returned once", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr == 7 ? t0 : t1
			t3: nr >= 9 ? t0 : t2
			t4: arch == 0xc000003e ? t3 : t1
			root t4
		`, `
			0: ld    arch
			1: jeq   #0xc000003e  jt 2    jf 5
			2: ld    nr
			3: jge   #9           jt 6    jf 4
			4: jeq   #7           jt 6    jf 5
			5: ret   ERRNO(1)
			6: ret   ALLOW
		`},
		{"each word has its place", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: ip.lo == 0x1 ? t0 : t1
			t3: ip.hi == 0x1 ? t2 : t1
			t4: arg0.lo == 0x1 ? t3 : t1
			t5: arg0.hi == 0x1 ? t4 : t1
			t6: arg5.lo == 0x1 ? t5 : t1
			t7: arg5.hi == 0x1 ? t6 : t1
			root t7
		`, `
			0: ld    arg5.hi
			1: jeq   #1  jt 2    jf 12
			2: ld    arg5.lo
			3: jeq   #1  jt 4    jf 12
			4: ld    arg0.hi
			5: jeq   #1  jt 6    jf 12
			6: ld    arg0.lo
			7: jeq   #1  jt 8    jf 12
			8: ld    ip.hi
			9: jeq   #1  jt 10   jf 12
			10: ld    ip.lo
			11: jeq   #1  jt 13   jf 12
			12: ret   ERRNO(1)
			13: ret   ALLOW
		`},
		{"in big-endian the upper half comes first", binary.BigEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: ip.lo == 0x1 ? t0 : t1
			t3: ip.hi == 0x1 ? t2 : t1
			t4: arg0.lo == 0x1 ? t3 : t1
			t5: arg0.hi == 0x1 ? t4 : t1
			t6: nr == 1 ? t5 : t1
			t7: arch == 0x1 ? t6 : t1
			root t7
		`, `
			0: ld    arch
			1: jeq   #1  jt 2    jf 12
			2: ld    nr
			3: jeq   #1  jt 4    jf 12
			4: ld    arg0.hi
			5: jeq   #1  jt 6    jf 12
			6: ld    arg0.lo
			7: jeq   #1  jt 8    jf 12
			8: ld    ip.hi
			9: jeq   #1  jt 10   jf 12
			10: ld    ip.lo
			11: jeq   #1  jt 13   jf 12
			12: ret   ERRNO(1)
			13: ret   ALLOW
		`},
		{"a test under a mask loses the word", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.lo >= 0x20 ? t0 : t1
			t3: arg0.lo & 0x3 ? t0 : t2
			t4: arg0.lo & 0x6 == 0x2 ? t1 : t3
			root t4
		`, `
			0: ld    arg0.lo
			1: and   #6
			2: jeq   #2   jt 7    jf 3
			3: ld    arg0.lo
			4: jset  #3   jt 6    jf 5
			5: jge   #32  jt 6    jf 7
			6: ret   ALLOW
			7: ret   ERRNO(1)
		`},
		{"a test is loaded for those that hold another word, and entered behind the load by the others", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr == 7 ? t0 : t1
			t3: arg0.lo == 0x1 ? t2 : t0
			t4: nr >= 9 ? t3 : t2
			root t4
		`, `
			0: ld    nr
			1: jge   #9  jt 2    jf 5
			2: ld    arg0.lo
			3: jeq   #1  jt 4    jf 7
			4: ld    nr
			5: jeq   #7  jt 7    jf 6
			6: ret   ERRNO(1)
			7: ret   ALLOW
		`},
		{"the number without the x32 bit goes on behind the load", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr == 7 ? t0 : t1
			t3: arg0.lo == 0x1 ? t2 : t0
			t4: nr &= 0x3fffffff, t2
			t5: nr >= 1073741824 ? t4 : t3
			root t5
		`, `
			0: ld    nr
			1: jge   #0x40000000  jt 4    jf 2
			2: ld    arg0.lo
			3: jeq   #1           jt 6    jf 9
			4: and   #0x3fffffff
			5: ja    7
			6: ld    nr
			7: jeq   #7           jt 9    jf 8
			8: ret   ERRNO(1)
			9: ret   ALLOW
		`},
		{"or goes on to what follows", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr == 7 ? t0 : t1
			t3: nr &= 0x3fffffff, t2
			t4: nr >= 1073741824 ? t3 : t1
			root t4
		`, `
			0: ld    nr
			1: jge   #0x40000000  jt 2    jf 4
			2: and   #0x3fffffff
			3: jeq   #7           jt 5    jf 4
			4: ret   ERRNO(1)
			5: ret   ALLOW
		`},
		{"it goes on to another word by its load", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: arg0.lo == 0x7 ? t0 : t1
			t3: nr &= 0x3fffffff, t2
			t4: nr >= 1073741824 ? t3 : t2
			root t4
		`, `
			0: ld    nr
			1: jge   #0x40000000  jt 2    jf 3
			2: and   #0x3fffffff
			3: ld    arg0.lo
			4: jeq   #7           jt 6    jf 5
			5: ret   ERRNO(1)
			6: ret   ALLOW
		`},
		{"it goes on to a return as well", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr &= 0x3fffffff, t0
			t3: nr == 1073741831 ? t0 : t1
			t4: nr >= 1073741831 ? t3 : t2
			root t4
		`, `
			0: ld    nr
			1: jge   #0x40000007  jt 4    jf 2
			2: and   #0x3fffffff
			3: ja    6
			4: jeq   #0x40000007  jt 6    jf 5
			5: ret   ERRNO(1)
			6: ret   ALLOW
		`},
		{"what the root does not reach is not there and needs no load", binary.LittleEndian, `
			t0: ALLOW
			t1: ERRNO(1)
			t2: nr == 7 ? t0 : t1
			t3: arg0.lo == 0x1 ? t2 : t0
			t4: nr >= 9 ? t0 : t2
			root t4
		`, `
			0: ld    nr
			1: jge   #9  jt 4    jf 2
			2: jeq   #7  jt 4    jf 3
			3: ret   ERRNO(1)
			4: ret   ALLOW
		`},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			p := program(t, parseTree(t, tt.in), tt.order)
			same(t, instructions(p), tt.want)
		})
	}
}

// instructions returns a program as text without comments.
func instructions(p *cbpf.Program) string {
	text := ""
	for _, l := range p.Lines(nil) {
		text += fmt.Sprintf("%d: %s\n", l.PC, l.Text)
	}
	return text
}

// A treeMaker makes random trees for the layout.
type treeMaker struct {
	r    *rand.Rand
	tree *Tree
	// For each test: does it lead to no test of the number, and can the number come
	// to it without the x32 bit? It can where nothing loads the number again.
	free, low []bool
	drops     []Ref // DropX32
}

func (m *treeMaker) add(r Ref, free, low bool) Ref {
	if int(r) == len(m.free) { // it is new
		m.free, m.low = append(m.free, free), append(m.low, low)
	}
	return r
}

func (m *treeMaker) test(n Test) Ref {
	n.Origin = fmt.Sprintf("/%d", m.tree.Len())
	free := m.free[n.Yes] && m.free[n.No]
	low := free
	if n.Word == NR && n.Op != MaskEqual {
		low = m.low[n.Yes] && m.low[n.No]
	}
	return m.add(m.tree.test(n), free && n.Word != NR, low)
}

// child returns a test to lead to: mostly a late one, at times any.
func (m *treeMaker) child(n *Test) Ref {
	if len(m.drops) > 0 && n.Word == NR && n.Op != MaskEqual && m.r.IntN(4) == 0 {
		return m.drops[m.r.IntN(len(m.drops))]
	}
	for {
		to := m.tree.Len() - 1 - m.r.IntN(min(m.tree.Len(), 3))
		if m.r.IntN(3) == 0 {
			to = m.r.IntN(m.tree.Len())
		}
		if m.tree.tests[to].Op != DropX32 {
			return Ref(to)
		}
	}
}

// randomTree makes a tree of n tests. Its spine is long if deep: then most tests
// do not hold for most values, and paths get past hundreds of them.
func randomTree(r *rand.Rand, n int, deep bool) *Tree {
	m := treeMaker{r: r, tree: &Tree{}}
	for i := range 2 + r.IntN(4) {
		m.add(m.tree.ret(cbpf.Errno(uint16(i))), true, true)
	}
	last := Ref(0)
	words := []Word{NR, NR, NR, Arch, IPLo, IPHi, Lo(0), Hi(0), Lo(5), Hi(5)}[:1+r.IntN(10)]
	for range n {
		n := Test{Op: Equal + Op(r.IntN(4)), Word: words[r.IntN(len(words))], K: r.Uint32N(1 << 12)}
		if deep && r.IntN(8) > 0 {
			n.Op = Equal
		}
		if r.IntN(4) == 0 {
			n.K |= 1 << (12 + r.IntN(20))
		}
		if n.Op == MaskEqual {
			n.Mask = n.K | 1<<r.IntN(32)
			n.K = n.Mask & r.Uint32()
		}
		n.Yes, n.No = m.child(&n), m.child(&n)
		if deep {
			n.No = last
		}
		if n.Yes == n.No {
			continue // no test
		}
		last = m.test(n)
		if l := &m.tree.tests[last]; r.IntN(8) == 0 && m.low[last] && (l.Op == Return || l.Word == NR) {
			drop := Test{Op: DropX32, Word: NR, Yes: last, No: last}
			m.drops = append(m.drops, m.add(m.tree.intern(drop), false, false))
		}
	}
	m.tree.root = last
	return m.tree
}

// A step is an executed instruction, without the length of its jumps.
type step struct {
	op     uint16
	k      uint32
	origin string
}

// steps returns what a call executes if jumps can be of any length: the tests of
// its path, each behind a load if the accumulator holds something else.
func steps(t *testing.T, tree *Tree, d *cbpf.Data, big bool) []step {
	t.Helper()
	var all []step
	add := func(ins bpf.Instruction, origin string) {
		raw, err := ins.Assemble()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, step{raw.Op, raw.K, origin})
	}
	c := *d
	holds := Word(WordCount) // what the accumulator holds
	for r := tree.root; ; {
		n := tree.tests[r]
		if n.Op == Return {
			add(bpf.RetConstant{Val: n.K}, n.Origin)
			return all
		}
		if n.Op == DropX32 {
			add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: lowMask}, "")
			c.NR &= lowMask
			r = n.Yes
			continue
		}
		if n.Word != holds {
			off := 4 * uint32(n.Word) // little-endian: the words in their order
			if big && n.Word >= IPLo {
				off ^= 4
			}
			add(bpf.LoadAbsolute{Off: off, Size: 4}, n.Origin)
		}
		holds = n.Word
		v, pass := n.Word.Of(&c), false
		switch n.Op {
		case Equal:
			add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: n.K}, n.Origin)
			pass = v == n.K
		case AtLeast:
			add(bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: n.K}, n.Origin)
			pass = v >= n.K
		case AnySet:
			add(bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: n.K}, n.Origin)
			pass = v&n.K != 0
		case MaskEqual:
			add(bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: n.Mask}, n.Origin)
			add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: n.K}, n.Origin)
			pass, holds = v&n.Mask == n.K, WordCount
		}
		if r = n.No; pass {
			r = n.Yes
		}
	}
}

// follow fails unless a call takes the same way through a program as through its
// tree. It returns the number of unconditional jumps on it.
func follow(t *testing.T, tree *Tree, p *cbpf.Program, d *cbpf.Data) (jumps int) {
	t.Helper()
	got, trace := p.Trace(d)
	if want := tree.Eval(d); got != want {
		t.Fatalf("%+v: %v, want %v\n%v\n%v", *d, got, want, tree, p)
	}
	var did []step
	for _, s := range trace {
		ins := p.At(s.PC)
		if ins.Op == opJump {
			jumps++
			continue
		}
		did = append(did, step{ins.Op, ins.K, p.Origin(s.PC)})
	}
	if want := steps(t, tree, d, p.Order() == binary.BigEndian); !slices.Equal(did, want) {
		t.Fatalf("%+v: executes %v, want %v\n%v\n%v", *d, did, want, tree, p)
	}
	return jumps
}

func TestLayoutTakesTheWayOfTheTree(t *testing.T) {
	trees := uint64(300)
	if testing.Short() {
		trees = 90
	}
	var ops [DropX32 + 1]int
	jumps, copies := 0, 0
	for seed := range trees {
		r := rand.New(rand.NewPCG(seed, 4))
		tree := randomTree(r, 1+r.IntN(60), false)
		if seed%3 == 0 {
			tree = randomTree(r, 200+r.IntN(700), true)
		}
		var tests []Ref
		for ref, ok := range tree.reachable() {
			if ok {
				tests = append(tests, Ref(ref))
				ops[tree.tests[ref].Op]++
			}
		}
		little, big := program(t, tree, binary.LittleEndian), program(t, tree, binary.BigEndian)
		for _, ins := range little.Raw() {
			if ins.Op == opRet {
				copies++
			}
		}
		copies -= tree.returns()
		for range 100 {
			var d cbpf.Data
			for range 12 {
				n := tree.tests[tests[r.IntN(len(tests))]]
				put(&d, n.Word, n.K+r.Uint32N(3)-1|r.Uint32()&n.Mask*r.Uint32N(2))
			}
			jumps += follow(t, tree, little, &d)
			follow(t, tree, big, &d)
		}
	}
	for op, n := range ops {
		if n == 0 {
			t.Errorf("no tree has Op %d", op)
		}
	}
	if jumps < 1000 || copies < 10 {
		t.Errorf("%d unconditional jumps were made, %d returns repeated", jumps, copies)
	}
}

// far makes a list of n tests of the number that all lead to one target.
func far(tree *Tree, n int, target Ref, onNo bool) Ref {
	next := tree.ret(cbpf.KillProcess)
	for k := range n {
		test := Test{Op: Equal, Word: NR, K: uint32(n - 1 - k), Yes: target, No: next}
		if onNo {
			test = Test{Op: AtLeast, Word: NR, K: uint32(2 * k), Yes: next, No: target}
		}
		next = tree.test(test)
	}
	return next
}

// Where a target is too far for a jump, its next copy comes, which 256 tests reach.
func TestLayoutReachesFarTargets(t *testing.T) {
	number := func(tree *Tree) Ref {
		return tree.test(Test{Op: AnySet, Word: NR, K: 4, Yes: tree.ret(cbpf.Trap), No: tree.ret(cbpf.Allow)})
	}
	tests := []struct {
		name   string
		target func(*Tree) Ref
		onNo   bool
		twice  bool // a test of another word leads to the target as well
		gap    int  // instructions between the last of the list and the target
	}{
		{"a return", func(tree *Tree) Ref { return tree.ret(cbpf.Allow) }, false, false, 1},
		{"a return where a test fails", func(tree *Tree) Ref { return tree.ret(cbpf.Allow) }, true, false, 0},
		{"a test", number, false, false, 1},
		{"a test where a test fails", number, true, false, 0},
		{"a test with a load that the list skips", number, false, true, 2},
		{"a test with a load that the list needs", func(tree *Tree) Ref {
			return tree.test(Test{Op: MaskEqual, Word: Hi(1), K: 4, Mask: 6, Yes: tree.ret(cbpf.Trap), No: tree.ret(cbpf.Allow)})
		}, false, false, 1},
	}
	for _, tt := range tests {
		for _, n := range []int{1, 254, 255, 256, 257, 511, 512, 513, 1025} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, n), func(t *testing.T) {
				tree := &Tree{}
				target := tt.target(tree)
				tree.root = far(tree, n, target, tt.onNo)
				if tt.twice {
					tree.root = tree.test(Test{Op: Equal, Word: Lo(0), K: 1, Yes: tree.root, No: target})
				}
				little, big := program(t, tree, binary.LittleEndian), program(t, tree, binary.BigEndian)
				copies := -tree.returns()
				for _, ins := range little.Raw() {
					if ins.Op == opRet || ins.Op == opJump {
						copies++
					}
				}
				if tt.twice && n >= 254 {
					copies-- // for the other test
				}
				if want := (max(0, n-256+tt.gap) + 255) / 256; copies != want {
					t.Errorf("%d copies of the target, want %d", copies, want)
				}
				for nr := 0; nr < 2*n+10; nr += 1 + nr/4 {
					for arg := range uint64(4) {
						d := cbpf.Data{NR: uint32(nr), Args: [6]uint64{arg, arg << 33}}
						follow(t, tree, little, &d)
						follow(t, tree, big, &d)
					}
				}
			})
		}
	}
}

func (t *Tree) returns() int {
	n := 0
	for r, ok := range t.reachable() {
		if ok && t.tests[r].Op == Return {
			n++
		}
	}
	return n
}

// Both targets of a test are at the end of what a jump reaches: a copy of one moves
// the other away.
func TestLayoutReachesTwoFarTargets(t *testing.T) {
	for n := 245; n < 260; n++ {
		for _, swap := range []bool{false, true} {
			tree := &Tree{}
			var to [2]Ref
			for i := range to {
				to[i] = tree.test(Test{Op: Equal, Word: Lo(uint8(i)), K: 1, Yes: tree.ret(cbpf.Allow), No: tree.ret(cbpf.Trap)})
			}
			list := tree.test(Test{Op: Equal, Word: Hi(0), K: 7, Yes: to[0], No: to[1]})
			for k := range n {
				list = tree.test(Test{Op: Equal, Word: NR, K: uint32(k), Yes: tree.ret(cbpf.KillProcess), No: list})
			}
			if swap {
				to[0], to[1] = to[1], to[0]
			}
			both := tree.test(Test{Op: AtLeast, Word: NR, K: 5, Yes: to[0], No: to[1]})
			tree.root = tree.test(Test{Op: AnySet, Word: Hi(5), K: 9, Yes: list, No: both})
			for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
				p := program(t, tree, order)
				for bits := range uint64(32) {
					d := cbpf.Data{NR: 4 + uint32(bits&1), Args: [6]uint64{bits >> 1 & 1, bits >> 2 & 1, 5: bits >> 3 << 32}}
					if bits&16 != 0 {
						d.NR, d.Args[0] = 1<<20, d.Args[0]|7<<32
					}
					follow(t, tree, p, &d)
				}
			}
		}
	}
}
