package proof

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/gen"
	"github.com/seccompile/seccompile/policy"
)

// values is how many values of three bits there are.
const values = 8

// A diagrams is a program that is made backwards, so that any part of it can jump to what
// is there already: to whatever decides the values that may get there as they should be.
// That makes programs in which nothing is right but for the facts of each path.
type diagrams struct {
	*rand.Rand
	raw    []bpf.RawInstruction // last first
	blocks map[int][]block      // by the word in A, -1 for none
}

// A block is an instruction with what the program does from there on for each value of A.
type block struct {
	at   int
	does [values]int
}

// emit returns the index of the new instruction.
func (d *diagrams) emit(ins bpf.RawInstruction) int {
	d.raw = append(d.raw, ins)
	return len(d.raw) - 1
}

func passes(op uint16, v, k uint32) bool {
	switch op {
	case jmpEq:
		return v == k
	case jmpGt:
		return v > k
	case jmpGe:
		return v >= k
	default:
		return v&k != 0
	}
}

// decide makes a block for the values in set, with A holding a word's three bits: want is
// the outcome of each value, and leaf makes the block of an outcome.
func (d *diagrams) decide(word int, set []uint32, want [values]int, leaf func(outcome int) int) block {
	if !slices.ContainsFunc(set, func(v uint32) bool { return want[v] != want[set[0]] }) {
		b := block{at: leaf(want[set[0]])}
		for v := range b.does {
			b.does[v] = want[set[0]]
		}
		return b
	}
	for _, i := range d.Perm(len(d.blocks[word])) {
		b := d.blocks[word][i]
		if d.IntN(4) > 0 && !slices.ContainsFunc(set, func(v uint32) bool { return b.does[v] != want[v] }) {
			return b
		}
	}
	for {
		op, k := []uint16{jmpEq, jmpGt, jmpGe, jmpSet}[d.IntN(4)], uint32(d.IntN(values))
		var yes, no []uint32
		for _, v := range set {
			if passes(op, v, k) {
				yes = append(yes, v)
			} else {
				no = append(no, v)
			}
		}
		if len(yes) == 0 || len(no) == 0 {
			continue
		}
		b, c := d.decide(word, yes, want, leaf), d.decide(word, no, want, leaf)
		r := block{at: d.emit(bpf.RawInstruction{Op: classJmp | op, K: k, Jt: d.skip(b.at), Jf: d.skip(c.at)})}
		for v := range uint32(values) {
			if r.does[v] = c.does[v]; passes(op, v, k) {
				r.does[v] = b.does[v]
			}
		}
		d.blocks[word] = append(d.blocks[word], r)
		return r
	}
}

// skip returns how far the next instruction jumps to one that is there.
func (d *diagrams) skip(at int) uint8 { return uint8(len(d.raw) - at - 1) }

// load makes a block that loads a word, and goes on with another one.
func (d *diagrams) load(arg uint32, to int) int {
	d.emit(bpf.RawInstruction{Op: opJa, K: uint32(len(d.raw) - to - 1)})
	d.emit(bpf.RawInstruction{Op: classAlu | aluAnd, K: values - 1})
	return d.emit(bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffArgs + 8*arg})
}

// program returns a program for the one call of a policy that looks at three bits of two
// arguments.
func (d *diagrams) program(t *testing.T, res *policy.Resolved) *cbpf.Program {
	nr, audit := res.Spaces[0].Calls[0].NR, res.Spaces[0].Audit
	rets := map[int]int{}
	ret := func(action int) int {
		if _, ok := rets[action]; !ok {
			rets[action] = d.emit(bpf.RawInstruction{Op: opRetK, K: uint32(action)})
		}
		return rets[action]
	}
	all := make([]uint32, values)
	for v := range all {
		all[v] = uint32(v)
	}
	// An outcome of the first argument is a row of those of the second.
	var rows [][values]int
	starts := map[int]int{}
	row := func(i int) int {
		if _, ok := starts[i]; !ok {
			starts[i] = d.load(1, d.decide(1, all, rows[i], ret).at)
		}
		return starts[i]
	}
	var first [values]int
	for v := range first {
		var r [values]int
		for u := range r {
			r[u] = int(res.Eval(&cbpf.Data{Arch: audit, NR: nr, Args: [6]uint64{uint64(v), uint64(u)}}))
		}
		if first[v] = slices.Index(rows, r); first[v] < 0 {
			first[v] = len(rows)
			rows = append(rows, r)
		}
	}
	other, bad := ret(int(res.Default)), ret(int(res.BadArch))
	start := d.load(0, d.decide(0, all, first, row).at)
	d.emit(bpf.RawInstruction{Op: opJa, K: uint32(len(d.raw) - start - 1)})
	d.emit(bpf.RawInstruction{Op: opJa, K: uint32(len(d.raw) - other - 1)})
	d.emit(bpf.RawInstruction{Op: classJmp | jmpEq, K: nr, Jt: 1})
	d.emit(bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffNR})
	d.emit(bpf.RawInstruction{Op: opJa, K: uint32(len(d.raw) - bad - 1)})
	d.emit(bpf.RawInstruction{Op: classJmp | jmpEq, K: audit, Jt: 1})
	d.emit(bpf.RawInstruction{Op: opLdAbs, K: cbpf.OffArch})
	slices.Reverse(d.raw)
	return mustProgram(t, binary.LittleEndian, d.raw...)
}

// drawDiagram returns a policy of one call and a program for it that relies on facts.
func drawDiagram(t *testing.T, r *rand.Rand) (*policy.Resolved, *cbpf.Program) {
	call := policy.Call{NR: 5, ABI: arch.X86}
	for range 1 + r.IntN(12) {
		c := policy.Clause{Action: []cbpf.Action{cbpf.Allow, cbpf.Trap, cbpf.Log}[r.IntN(3)]}
		for arg := range uint8(2) {
			mask := uint64(r.IntN(values))
			c.Conds = append(c.Conds, policy.Cond{Arg: arg, Op: policy.MaskedEqual, Mask: mask, Value: mask & r.Uint64()})
		}
		call.Clauses = append(call.Clauses, c)
	}
	res := &policy.Resolved{Default: cbpf.KillProcess, Spaces: []policy.Space{{
		Audit: arch.X86.Audit(), ABIs: []arch.ABI{arch.X86}, Calls: []policy.Call{call},
	}}}
	d := diagrams{Rand: r, blocks: map[int][]block{}}
	return res, d.program(t, res)
}

func TestWalkOfDiagramsThatRelyOnFacts(t *testing.T) {
	tally := tally{T: t}
	// With the first three, a path without calls was once taken for a proof of other paths.
	seeds := []uint64{714, 1912, 2394}
	for seed := range uint64(gen.Many(80, 10_000)) {
		seeds = append(seeds, seed)
	}
	for _, seed := range seeds {
		r := gen.New(seed)
		res, p := drawDiagram(t, r)
		if p.Len() > 250 { // jumps may be too long
			continue
		}
		if got, err := Walk(res, p); err != nil || got.Verdict != Same {
			t.Errorf("seed %d: %+v, %v", seed, got, err)
		}
		for what, raw := range gen.Faults(p.Raw()) {
			if bad, err := cbpf.New(raw, p.Order()); err == nil && r.IntN(8) == 0 {
				tally.compare(fmt.Sprintf("seed %d: %s", seed, what), res, bad)
			}
		}
	}
	tally.atLeast(100, 700)
}
