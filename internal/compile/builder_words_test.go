package compile

import (
	"fmt"
	"math"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

func TestBuilderTakesEveryWord(t *testing.T) {
	for w := range Word(WordCount) {
		var b Builder
		allow, deny := b.Leaf(cbpf.Allow), b.Leaf(cbpf.Errno(1))
		id, err := b.Switch(w, []Case{{0, 4, deny}, {5, 9, allow}, {10, math.MaxUint32, allow}})
		if err != nil || len(b.g.nodes[id].Cases) != 2 {
			t.Errorf("switch on %v: %v, error %v", w, b.g.nodes[id], err)
		}
		for _, tt := range []struct {
			mask, value uint32
			want        string
		}{
			{0, 0, "n0"}, {0, 1, "n1"}, {6, 1, "n1"}, {6, 9, "n1"}, {6, 2, fmt.Sprintf("%v & 0x6 == 0x2 ? n0 : n1", w)},
		} {
			id, err := b.Masked(w, tt.mask, tt.value, allow, deny)
			got := fmt.Sprintf("n%d", id)
			if n := b.g.nodes[id]; n.Kind == Masked {
				got = fmt.Sprintf("%v & %#x == %#x ? n%d : n%d", n.Word, n.Mask, n.Value, n.Yes, n.No)
			}
			if err != nil || got != tt.want {
				t.Errorf("%v & %#x == %#x: %s, error %v", w, tt.mask, tt.value, got, err)
			}
		}
		_, err = b.Member(&ValueSet{Word: w, Mask: math.MaxUint64, First: 3, Last: 4}, allow, deny)
		if value := w >= IPLo && w%2 == 0; value != (err == nil) {
			t.Errorf("values from %v: error %v", w, err)
		}
	}
}

func TestBuilderSaysWhereACaseIsDue(t *testing.T) {
	var b Builder
	allow := b.Leaf(cbpf.Allow)
	for _, tt := range []struct {
		cases []Case
		want  string
	}{
		{nil, "compiler: switch on nr: no case from 0x0 on"},
		{[]Case{{0, 4, allow}}, "compiler: switch on nr: no case from 0x5 on"},
		{[]Case{{0, math.MaxUint32 - 1, allow}}, "compiler: switch on nr: no case from 0xffffffff on"},
		{[]Case{{1, math.MaxUint32, allow}}, "compiler: switch on nr: case 0x1..0xffffffff where one from 0x0 on is due"},
		{[]Case{{0, 4, allow}, {4, math.MaxUint32, allow}}, "compiler: switch on nr: case 0x4..0xffffffff where one from 0x5 on is due"},
		{[]Case{{0, 4, allow}, {5, 4, allow}}, "compiler: switch on nr: case 0x5..0x4 where one from 0x5 on is due"},
		{[]Case{{0, math.MaxUint32, allow}, {0, 4, allow}}, "compiler: switch on nr: case 0x0..0x4 where one from 0x100000000 on is due"},
		{[]Case{{0, math.MaxUint32, allow + 1}}, "compiler: no node n1 in this diagram"},
	} {
		if _, err := b.Switch(NR, tt.cases); err == nil || err.Error() != tt.want {
			t.Errorf("%v: %v, want %s", tt.cases, err, tt.want)
		}
	}
	for _, ids := range [][2]NodeID{{0, 1}, {1, 0}, {-1, 0}, {0, -1}} {
		if _, err := b.Diagram(ids[0], ids[1]); err == nil {
			t.Errorf("root n%d, usual n%d", ids[0], ids[1])
		}
		if _, err := b.Masked(NR, 1, 1, ids[0], ids[1]); err == nil {
			t.Errorf("a mask to n%d and n%d", ids[0], ids[1])
		}
		if _, err := b.Member(&ValueSet{Word: Lo(0)}, ids[0], ids[1]); err == nil {
			t.Errorf("a set to n%d and n%d", ids[0], ids[1])
		}
	}
}

// The number spaces of a diagram are the single values of AUDIT_ARCH that its root asks
// for, in the order of the ABIs.
func TestBuilderFindsTheNumberSpaces(t *testing.T) {
	x86, arm64 := arch.X86_64.Audit(), arch.AArch64.Audit()
	for _, tt := range []struct {
		word  Word
		cases func(allow, deny NodeID) []Case
		want  string
	}{
		{Arch, func(allow, deny NodeID) []Case {
			return around([]Case{{x86, x86, allow}, {arm64, arm64, allow}, {7, 7, allow}}, deny)
		}, fmt.Sprint([]space{{x86, []arch.ABI{arch.X86_64, arch.X32}}, {arm64, []arch.ABI{arch.AArch64}}})},
		{Arch, func(allow, deny NodeID) []Case { return around([]Case{{x86, x86 + 1, allow}}, deny) }, "[]"},
		{NR, func(allow, deny NodeID) []Case { return around([]Case{{x86, x86, allow}}, deny) }, "[]"},
	} {
		var b Builder
		allow, deny := b.Leaf(cbpf.Allow), b.Leaf(cbpf.Errno(1))
		root, err := b.Switch(tt.word, tt.cases(allow, deny))
		if err != nil {
			t.Fatal(err)
		}
		g, err := b.Diagram(root, deny)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(g.spaces); got != tt.want || g.usual != deny || g.root != root {
			t.Errorf("%v: spaces %s, want %s; usual n%d, root n%d", tt.word, got, tt.want, g.usual, g.root)
		}
	}
}
