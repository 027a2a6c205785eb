package gen

import (
	"fmt"
	"iter"
	"slices"

	"golang.org/x/net/bpf"
)

// Faults yields every program that differs from raw by one fault of one
// instruction, with what it is: a constant off by one, swapped branches, a
// dropped test, a jump one too long, > for >= and the other way round. Some
// faults do not change what the program means, and the kernel refuses some.
func Faults(raw []bpf.RawInstruction) iter.Seq2[string, []bpf.RawInstruction] {
	return func(yield func(string, []bpf.RawInstruction) bool) {
		for pc, ins := range raw {
			for _, f := range faultsOf(ins) {
				if f.ins == ins {
					continue
				}
				bad := slices.Clone(raw)
				bad[pc] = f.ins
				if !yield(fmt.Sprintf("instruction %d: %s", pc, f.what), bad) {
					return
				}
			}
		}
	}
}

type fault struct {
	what string
	ins  bpf.RawInstruction
}

func faultsOf(ins bpf.RawInstruction) []fault {
	change := func(what string, f func(*bpf.RawInstruction)) fault {
		bad := ins
		f(&bad)
		return fault{what, bad}
	}
	out := []fault{
		change("constant + 1", func(i *bpf.RawInstruction) { i.K++ }),
		change("constant - 1", func(i *bpf.RawInstruction) { i.K-- }),
	}
	if ins.Op&7 != opJmp || ins.Op == opJa {
		return out
	}
	const jgtToJge = 0x20 ^ 0x30
	out = append(out,
		change("swapped branches", func(i *bpf.RawInstruction) { i.Jt, i.Jf = i.Jf, i.Jt }),
		change("always true", func(i *bpf.RawInstruction) { i.Jf = i.Jt }),
		change("always false", func(i *bpf.RawInstruction) { i.Jt = i.Jf }),
		change("longer jump if true", func(i *bpf.RawInstruction) { i.Jt++ }),
		change("longer jump if false", func(i *bpf.RawInstruction) { i.Jf++ }),
	)
	if op := ins.Op & 0xf0; op == 0x20 || op == 0x30 {
		out = append(out, change("other comparison", func(i *bpf.RawInstruction) { i.Op ^= jgtToJge }))
	}
	return out
}
