package symbols

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// A recorder asks for each call that it sees.
func BenchmarkCall(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Call(arch.X86_64, 257, [6]uint64{1<<32 - 100, 0x7ffc01020304, 0x80241, 0o644})
	}
}

func BenchmarkParse(b *testing.B) {
	c, _ := syscalltables.Lookup("ioctl")
	x := At(arch.X86_64, c, 1)
	for b.Loop() {
		if _, err := x.Parse("TUNSETIFF"); err != nil {
			b.Fatal(err)
		}
	}
}
