package cases

import (
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
)

// natives are the main ABIs of the guests.
var natives = []arch.ABI{
	arch.X86_64, arch.X86, arch.AArch64, arch.ARM, arch.MIPSEL64, arch.MIPSEL, arch.MIPS64, arch.PPC64LE, arch.PPC64,
	arch.S390X, arch.RISCV64, arch.LoongArch64,
}

// Every case lets enough calls be watched through every ABI, and no program says
// anything about them that its policy does not.
func TestEveryCaseCanBeWatched(t *testing.T) {
	for _, native := range natives {
		all, err := All(native)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != 3+Random {
			t.Errorf("%v: %d cases", native, len(all))
		}
		for _, c := range all {
			out, _, err := compiler.Compile(c.Resolved, compiler.Options{})
			if err != nil {
				t.Fatalf("%v: %s: %v", native, c.Name, err)
			}
			for _, abi := range native.Family() {
				allowed, denied := 0, map[cbpf.Action]bool{}
				for _, d := range c.Points(native, abi, out, 500) {
					want := c.Resolved.Eval(&d)
					if got := out.Eval(&d); got != want {
						t.Fatalf("%v: %s: %+v: the program says %v, the policy %v", native, c.Name, d, got, want)
					}
					if want == cbpf.Allow {
						allowed++
					} else {
						denied[want] = true
					}
				}
				if len(denied) == 0 || c.Name == "docker" && allowed == 0 && abi == native {
					t.Errorf("%v: %s through %v: %d calls allowed, denied with %v", native, c.Name, abi, allowed, denied)
				}
			}
		}
	}
}

// Every fault changes what some program says of some call.
func TestBreak(t *testing.T) {
	tests := []struct {
		fault   Fault
		native  arch.ABI
		through arch.ABI
	}{
		{Halves, arch.S390X, arch.S390X},
		{Halves, arch.X86_64, arch.X86_64},
		{X32Bit, arch.X86_64, arch.X32},
		{MIPSBase, arch.MIPSEL64, arch.MIPSEL},
	}
	for _, tt := range tests {
		all, err := All(tt.native)
		if err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for _, c := range all {
			out, _, err := compiler.Compile(c.Resolved, compiler.Options{})
			if err != nil {
				t.Fatal(err)
			}
			p, err := Break(out, tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range c.Points(tt.native, tt.through, p, 500) {
				if p.Eval(&d) != c.Resolved.Eval(&d) {
					wrong++
				}
			}
		}
		if wrong == 0 {
			t.Errorf("%s on %v: no call shows it", tt.fault, tt.native)
		}
	}
	if _, err := Break(&cbpf.Program{}, "fever"); err == nil {
		t.Error("an unknown fault is no error")
	}
}
