package lint

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// checkHidden reports calls that programs need without showing it: they make them in some
// runs only, or on some machines.
func (r *reviewer) checkHidden() {
	a := r.Resolved.ABIs()[0]
	if r.options.NoStart || !r.executes(a) {
		return // no program starts under the profile
	}
	r.checkVDSO(a)
	r.checkSignals(a)
	clone, _ := r.verdict(a, "clone")
	clone3, known := r.verdict(a, "clone3")
	clone, clone3 = r.alone(a, clone), r.alone(a, clone3)
	if !clone.some(permitted) && !clone3.some(permitted) {
		return // there is one thread only
	}
	if lacks := r.lacking(a, "futex", closed); len(lacks) > 0 {
		f := Finding{ID: "no-futex", Pointer: r.Policy.Pointer + "/syscalls", Reason: "threads and processes can be made, but futex is denied, with which they wait for each other"}
		f.cure = r.allow(lacks)
		r.found(f)
	}
	if r.options.For.with(Crun) && r.Resolved.Clauses(a.Audit(), number(a, "clone3")) == nil {
		clone3 = r.alone(a, verdict{r.Resolved.Default}) // crun has no ENOSYS for new calls
	}
	if known && !clone3.some(permitted) && !clone3.all(func(x cbpf.Action) bool { return isENOSYS(a, x) }) {
		f := Finding{ID: "clone3-error", Pointer: r.named("clone3"),
			Reason: "clone3 gets " + clone3[0].String() + ", so programs of glibc 2.34 and later cannot make threads or processes: only ENOSYS makes them use clone"}
		f.cure = r.enosys(a, "clone3")
		r.found(f)
	}
}

// checkSignals reports that programs can handle signals and cannot return from that.
func (r *reviewer) checkSignals(a arch.ABI) {
	var lacks []string
	for _, name := range [...]string{"rt_sigreturn", "sigreturn"} {
		lacks = append(lacks, r.lacking(a, name, closed)...)
	}
	if len(lacks) == 0 || len(r.lacking(a, "rt_sigaction|sigaction|signal", closed)) > 0 {
		return
	}
	r.found(Finding{ID: "no-sigreturn", Pointer: r.Policy.Pointer + "/syscalls", Fix: "allow " + join(lacks),
		Reason: "programs can handle signals, but not return from a handler: " + join(lacks) + denied(lacks), cure: r.allow(lacks)})
}

// permitted reports whether an action lets a call happen, perhaps by somebody's leave, and
// closed whether it does not.
func permitted(x cbpf.Action) bool { return x.Permits(cbpf.WithSupervisor) }
func closed(x cbpf.Action) bool    { return !permitted(x) }

// named returns the pointer of a call's name in the first rule that has it, or else of
// the default action.
func (r *reviewer) named(call string) string {
	for _, p := range r.stack() {
		for i := range p.Rules {
			rule := &p.Rules[i]
			if j := slices.Index(rule.Names, call); j >= 0 {
				return element(rule.Pointer+"/names", j)
			}
		}
	}
	return r.Policy.Pointer + "/defaultAction"
}

// checkVDSO reports denied calls that the vDSO answers in user space where the clock of
// the machine allows it.
func (r *reviewer) checkVDSO(a arch.ABI) {
	var lacks []string
	for name := range strings.FieldsSeq(vdso(a)) {
		lacks = append(lacks, r.lacking(a, name, closed)...)
	}
	if len(lacks) == 0 {
		return
	}
	f := Finding{ID: "no-vdso", Pointer: r.Policy.Pointer + "/syscalls", Fix: "allow " + join(lacks),
		Reason: "where the vDSO cannot answer them, programs make the calls " + join(lacks) + ", which" + denied(lacks)}
	if !slices.Contains(lacks, "clock_gettime") && !slices.Contains(lacks, "gettimeofday") {
		f.Severity = Note // few programs ask for the rest
	}
	f.cure = r.allow(lacks)
	r.found(f)
}

// vdso returns the calls that the vDSO of an ABI has (the kernel's vdso.lds.S of each).
func vdso(a arch.ABI) string {
	switch a {
	case arch.X86_64, arch.X32:
		return "clock_gettime gettimeofday time getcpu clock_getres"
	case arch.X86:
		return "clock_gettime clock_gettime64 gettimeofday time getcpu clock_getres"
	case arch.ARM:
		return "clock_gettime clock_gettime64 gettimeofday clock_getres"
	case arch.AArch64:
		return "clock_gettime gettimeofday clock_getres"
	case arch.RISCV64:
		return "clock_gettime gettimeofday getcpu clock_getres riscv_flush_icache riscv_hwprobe"
	case arch.LoongArch64, arch.S390, arch.S390X:
		return "clock_gettime gettimeofday getcpu clock_getres"
	case arch.MIPS, arch.MIPSEL:
		return "clock_gettime clock_gettime64 gettimeofday clock_getres"
	case arch.MIPS64, arch.MIPSEL64, arch.MIPS64N32, arch.MIPSEL64N32:
		return "clock_gettime gettimeofday clock_getres"
	case arch.PPC:
		return "clock_gettime clock_gettime64 gettimeofday time clock_getres getcpu"
	case arch.PPC64, arch.PPC64LE:
		return "clock_gettime gettimeofday time clock_getres getcpu"
	default: // M68K, SH, SHEB, PARISC, PARISC64: none of these
		return ""
	}
}
