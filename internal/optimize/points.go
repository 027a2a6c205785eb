package optimize

import (
	"cmp"
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/proof"
)

// How many calls are looked at: on AUDIT_ARCH values, on numbers, on arguments.
// Where there are more at boundaries, as many are drawn.
const (
	maxAudits    = 1 << 13
	maxNumbers   = 1 << 15
	maxArguments = 1 << 16
)

// points yields calls on and beside every constant of some programs and every
// boundary of what they do: each AUDIT_ARCH value with some numbers, each number
// of every space, and for each tree the constants plus and minus one, with the
// other half of the argument alike, all zeroes, all ones, or another constant.
func points(spaces []proof.Space, programs []*cbpf.Program) iter.Seq[*cbpf.Data] {
	p := &pool{Rand: rand.New(rand.NewPCG(1, 2))}
	for _, one := range programs {
		p.add(one)
	}
	for w := range p.words {
		p.words[w] = sorted(beside(p.words[w]))
	}
	return func(yield func(*cbpf.Data) bool) {
		_ = p.audits(spaces, yield) && p.numbers(spaces, yield) && p.arguments(spaces, yield)
	}
}

// A pool is the values that words of calls are made from.
type pool struct {
	*rand.Rand
	words [compile.WordCount][]uint32 // by compile.Word
}

// Classic BPF opcodes (linux/bpf_common.h).
const (
	classMask = 0x07
	classAlu  = 0x04
	classJmp  = 0x05
	opLdAbs   = 0x20
	opLdMem   = 0x60
	opTxa     = 0x87
	opJa      = 0x05
	opRetK    = 0x06
	opRetA    = 0x16
)

// add adds the constants that each word may meet: it follows which words A may
// hold at every instruction, and takes anything for what comes from X or M.
func (p *pool) add(prog *cbpf.Program) {
	const anything = 1<<compile.WordCount - 1
	held := make([]uint32, prog.Len()+1)
	for pc := range prog.Len() {
		i, now := prog.At(pc), held[pc]
		switch {
		case i.Op == opLdAbs:
			now = 1 << word(i.K, prog)
		case i.Op == opLdMem || i.Op == opTxa:
			now = anything
		case i.Op == opRetK || i.Op == opRetA:
			continue
		case i.Op == opJa:
			held[pc+1+int(i.K)] |= now
			continue
		}
		if class := i.Op & classMask; class == classAlu || class == classJmp {
			for w := range p.words {
				if now>>w&1 != 0 {
					p.words[w] = append(p.words[w], i.K)
				}
			}
			if class == classJmp {
				held[pc+1+int(i.Jt)] |= now
				held[pc+1+int(i.Jf)] |= now
				continue
			}
		}
		held[pc+1] |= now
	}
}

// word returns the compiler's number of the word at an offset of seccomp_data.
func word(offset uint32, p *cbpf.Program) int {
	w := int(offset / 4)
	if offset >= cbpf.OffIP && p.Order() == binary.BigEndian {
		w ^= 1 // the upper half comes first
	}
	return w
}

// beside returns the values, those next to them, and the ends.
func beside(vs []uint32) []uint32 {
	out := []uint32{0, 1, ^uint32(0)}
	for _, v := range vs {
		out = append(out, v-1, v, v+1)
	}
	return out
}

func sorted(vs []uint32) []uint32 {
	slices.Sort(vs)
	return slices.Compact(vs)
}

func (p *pool) pick(w int) uint32 { return p.words[w][p.IntN(len(p.words[w]))] }

// call draws a call's instruction pointer and arguments.
func (p *pool) call(audit, nr uint32) *cbpf.Data {
	d := &cbpf.Data{Arch: audit, NR: nr}
	for arg := proof.IP; arg <= 5; arg++ {
		lo, hi := words(arg)
		*field(d, arg) = uint64(p.pick(int(hi)))<<32 | uint64(p.pick(int(lo)))
	}
	return d
}

func field(d *cbpf.Data, arg int) *uint64 {
	if arg == proof.IP {
		return &d.IP
	}
	return &d.Args[arg]
}

// audits yields every AUDIT_ARCH value with eight numbers.
func (p *pool) audits(spaces []proof.Space, yield func(*cbpf.Data) bool) bool {
	const nr, audit = cbpf.OffNR / 4, cbpf.OffArch / 4
	values := slices.Clone(p.words[audit])
	for a := range arch.All() {
		values = append(values, a.Audit(), a.Audit()^1<<31)
	}
	for i := range spaces {
		for _, a := range spaces[i].Audits {
			values = append(values, a.First, a.Last)
		}
	}
	values = sorted(values)
	p.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	for _, v := range values[:min(len(values), maxAudits/8)] {
		for range 8 {
			if !yield(p.call(v, p.pick(nr))) {
				return false
			}
		}
	}
	return true
}

// numbers yields every number beside a boundary, on one AUDIT_ARCH value of every
// space, with arguments that tell it from its neighbours.
func (p *pool) numbers(spaces []proof.Space, yield func(*cbpf.Data) bool) bool {
	for i := range spaces {
		space := &spaces[i]
		audit := space.Audits[p.IntN(len(space.Audits))].First
		var values []uint32
		for _, r := range space.Runs {
			values = append(values, r.First, r.Last)
		}
		values = sorted(append(values, p.words[cbpf.OffNR/4]...))
		for _, v := range values {
			values = append(values, v^arch.X32Bit)
		}
		p.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		for left := maxNumbers / len(spaces); len(values) > 0 && left > 0; values = values[1:] {
			for _, t := range near(space, values[0]) {
				for range 4 {
					if left--; !yield(p.reach(t, audit, values[0])) {
						return false
					}
				}
			}
		}
	}
	return true
}

// near returns the different trees of a number and of the runs beside its own.
func near(s *proof.Space, nr uint32) []*proof.Tree {
	at, _ := slices.BinarySearchFunc(s.Runs, nr, func(r proof.Run, nr uint32) int { return cmp.Compare(r.Last, nr) })
	var trees []*proof.Tree
	for _, r := range s.Runs[max(0, at-1):min(len(s.Runs), at+2)] {
		if !slices.Contains(trees, r.Tree) {
			trees = append(trees, r.Tree)
		}
	}
	return trees
}

// arguments yields, for each tree, arguments beside every constant, in calls that
// mostly get as far as the argument is tested.
func (p *pool) arguments(spaces []proof.Space, yield func(*cbpf.Data) bool) bool {
	seen := map[*proof.Tree]bool{}
	each := maxArguments/max(1, len(conditional(spaces))) + 1
	for i := range spaces {
		for _, r := range spaces[i].Runs {
			if len(r.Tree.Arms) == 0 || seen[r.Tree] {
				continue
			}
			seen[r.Tree] = true
			if !p.tree(r.Tree, spaces[i].Audits[0].First, r.First, each, yield) {
				return false
			}
		}
	}
	return true
}

// tree yields calls of one number: each constant of each argument's halves with
// four values of the other half, in several settings; n of these at most.
func (p *pool) tree(t *proof.Tree, audit, nr uint32, n int, yield func(*cbpf.Data) bool) bool {
	var args [7]bool // from IP
	tested(t, &args, map[*proof.Tree]bool{})
	total := 0
	count := func(arg int) int {
		lo, hi := words(arg)
		return 4 * (len(p.words[lo]) + len(p.words[hi]))
	}
	for i, ok := range args {
		if ok {
			total += count(i + proof.IP)
		}
	}
	for k := range min(settings*total, n) {
		if k %= total; settings*total > n {
			k = p.IntN(total)
		}
		d := p.reach(t, audit, nr)
		for i, ok := range args {
			arg := i + proof.IP
			if !ok {
				continue
			}
			if k < count(arg) {
				*field(d, arg) = p.value(arg, k)
				break
			}
			k -= count(arg)
		}
		if !yield(d) {
			return false
		}
	}
	return true
}

// settings is how many times a value of an argument is tried, with other
// arguments.
const settings = 8

// value returns the k-th value of an argument.
func (p *pool) value(arg, k int) uint64 {
	lo, hi := words(arg)
	this, other := lo, hi
	how := k % 4
	if k /= 4; k >= len(p.words[lo]) {
		this, other, k = hi, lo, k-len(p.words[lo])
	}
	c := p.words[this][k]
	o := [4]uint32{0, ^uint32(0), c, p.pick(int(other))}[how]
	if this == lo {
		return uint64(o)<<32 | uint64(c)
	}
	return uint64(c)<<32 | uint64(o)
}

// tested finds the arguments that a tree tests.
func tested(t *proof.Tree, args *[7]bool, seen map[*proof.Tree]bool) {
	if len(t.Arms) == 0 || seen[t] {
		return
	}
	seen[t] = true
	args[t.Arg-proof.IP] = true
	for i := range t.Arms {
		tested(t.Arms[i].Then, args, seen)
	}
}

// reach draws a call that goes a random way through a tree, as far as values for
// that are found, at the boundaries of its arms.
func (p *pool) reach(t *proof.Tree, audit, nr uint32) *cbpf.Data {
	d := p.call(audit, nr)
	for len(t.Arms) > 0 {
		v := field(d, t.Arg)
		*v = p.in(&t.Arms[p.IntN(len(t.Arms))].Values)
		i := slices.IndexFunc(t.Arms, func(a proof.Arm) bool { return a.Values.Contains(*v) })
		t = t.Arms[i].Then
	}
	return d
}

// in draws a value at a boundary of v, mostly inside.
func (p *pool) in(v *proof.Values) uint64 {
	switch {
	case len(v.Ranges) > 0:
		r := v.Ranges[p.IntN(len(v.Ranges))]
		if v.Not {
			return [2]uint64{r.First - 1, r.Last + 1}[p.IntN(2)]
		}
		return [2]uint64{r.First, r.Last}[p.IntN(2)]
	case len(v.Masks) > 0:
		m := v.Masks[p.IntN(len(v.Masks))]
		x := m.Value | p.Uint64()&^m.Mask
		if v.Not {
			x ^= 1 << p.IntN(64)
		}
		return x
	}
	return p.Uint64()
}
