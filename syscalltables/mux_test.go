package syscalltables

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
)

// Every multiplexed call is one that its multiplexer's ABIs know by name, and each has a
// selector of its own.
func TestMultiplexedCalls(t *testing.T) {
	for a := range arch.All() {
		sockets, has := a.Socketcall()
		ipcs, both := a.IPC()
		if has != both {
			t.Fatalf("%v has one multiplexer without the other", a)
		}
		want := map[uint32]int{sockets: 20, ipcs: 12}
		if !has {
			want = map[uint32]int{}
		}
		got := map[uint32]int{}
		seen := map[[2]uint32]Call{}
		for c := range every() {
			nr, selector, ok := c.Multiplexed(a)
			if !ok {
				if nr != 0 || selector != 0 {
					t.Errorf("%v on %v: %d, %d and not multiplexed", c, a, nr, selector)
				}
				continue
			}
			got[nr]++
			if other, twice := seen[[2]uint32{nr, selector}]; twice {
				t.Errorf("%v: %v and %v are both %d of %d", a, c, other, selector, nr)
			}
			seen[[2]uint32{nr, selector}] = c
		}
		if len(got) != len(want) || got[sockets] != want[sockets] || got[ipcs] != want[ipcs] {
			t.Errorf("%v: %v calls by multiplexer, want %v", a, got, want)
		}
	}
}

func TestSelectorsAreThoseOfTheKernel(t *testing.T) {
	for _, tt := range []struct {
		name         string
		abi          arch.ABI
		nr, selector uint32
		ok           bool
	}{
		{"socket", arch.X86, 102, 1, true},
		{"socket", arch.MIPS, 4102, 1, true},
		{"send", arch.S390X, 102, 9, true},
		{"accept4", arch.PPC64LE, 102, 18, true},
		{"recvmmsg", arch.X86, 102, 19, true},
		{"sendmmsg", arch.X86, 102, 20, true},
		{"semop", arch.X86, 117, 1, true},
		{"semtimedop", arch.MIPSEL, 4117, 4, true},
		{"msgsnd", arch.M68K, 117, 11, true},
		{"msgctl", arch.SH, 117, 14, true},
		{"shmat", arch.PPC, 117, 21, true},
		{"shmctl", arch.S390, 117, 24, true},
		{"socket", arch.X86_64, 0, 0, false},
		{"socket", arch.MIPS64, 0, 0, false},
		{"shmctl", arch.ARM, 0, 0, false},
		{"socketcall", arch.X86, 0, 0, false},
		{"read", arch.X86, 0, 0, false},
		{"socket", 0, 0, 0, false},
		{"socket", 200, 0, 0, false},
	} {
		if nr, selector, ok := lookup(t, tt.name).Multiplexed(tt.abi); nr != tt.nr || selector != tt.selector || ok != tt.ok {
			t.Errorf("%s on %v: %d, %d, %v, want %d, %d, %v", tt.name, tt.abi, nr, selector, ok, tt.nr, tt.selector, tt.ok)
		}
	}
	for _, c := range []Call{0, calls + 1, 1<<16 - 1} {
		if nr, selector, ok := c.Multiplexed(arch.X86); ok {
			t.Errorf("Call(%d) is multiplexed: %d, %d", uint16(c), nr, selector)
		}
	}
}
