package lint

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
)

// A program is a kind of programs and the calls without which they do not start.
//
// That is what trying said: for each call that such a program makes, whether it starts
// where just this one fails with EPERM, and with ENOSYS. Calls joined by "|" do each
// other's work, here or in another release.
type program struct {
	title string
	abi   arch.ABI // zero for all
	// needs must not fail. Every other call of makes may fail, but the program does
	// not survive being killed for it.
	needs, makes string
}

// programs are what the C libraries and Go make. An empty main function was tried.
var programs = [...]program{
	{"any program", 0, "execve|execveat exit_group|exit", ""},
	{"glibc 2.36", arch.X86_64,
		"execve|execveat exit_group|exit arch_prctl close mmap mprotect openat|open pread64 newfstatat|fstat|statx read",
		"access|faccessat|faccessat2 brk munmap prlimit64 set_robust_list set_tid_address"},
	{"static glibc 2.36", arch.X86_64, "execve|execveat exit_group|exit arch_prctl mprotect brk|mmap", "set_robust_list set_tid_address"},
	{"musl 1.2.3", arch.X86_64, "execve|execveat exit_group|exit arch_prctl", "set_tid_address"},
	{"Go 1.26", arch.X86_64,
		"execve|execveat exit_group arch_prctl clone fcntl mmap rt_sigaction rt_sigprocmask sigaltstack",
		"gettid madvise sched_getaffinity"},
}

// missing returns those of a program's calls that the profile does not let it make.
func (r *reviewer) missing(p *program, a arch.ABI) (names []string) {
	for need := range strings.FieldsSeq(p.needs) {
		names = append(names, r.lacking(a, need, func(x cbpf.Action) bool { return !passes(x) })...)
	}
	for call := range strings.FieldsSeq(p.makes) {
		names = append(names, r.lacking(a, call, kills)...)
	}
	return names
}

// lacking returns the first of the alternatives if none escapes a fate on an ABI.
func (r *reviewer) lacking(a arch.ABI, alternatives string, fate func(cbpf.Action) bool) []string {
	var first []string
	for name := range strings.SplitSeq(alternatives, "|") {
		v, ok := r.verdict(a, name)
		if ok && !v.all(fate) {
			return nil
		}
		if ok && first == nil {
			first = []string{name}
		}
	}
	return first
}

// passes reports whether a call may happen, perhaps after somebody was asked.
func passes(a cbpf.Action) bool {
	switch a.Class() {
	case cbpf.Allow, cbpf.Log, cbpf.TraceClass, cbpf.Notify:
		return true
	}
	return false
}

// kills reports whether a call ends the thread that makes it.
func kills(a cbpf.Action) bool {
	switch a.Class() {
	case cbpf.KillThread, cbpf.KillProcess, cbpf.Trap:
		return true
	}
	return false
}

// checkStart reports programs that cannot start under the profile. That none can is a
// fault only if the profile is for containers: filters that a program puts on itself are
// no worse for it.
func (r *reviewer) checkStart() {
	bad, worse := Note, Note
	if r.options.For != 0 {
		bad, worse = Warning, Error
	}
	a := r.abis()[0]
	if all := r.missing(&programs[0], a); len(all) > 0 {
		r.cannotStart(worse, "no program can start", all)
		return
	}
	common, able := r.common(a)
	switch {
	case len(common) > 0:
		r.cannotStart(bad, "no program of any C library or of Go can start", common)
		bad = Note
	case able:
		bad = Note
	}
	for i := range programs {
		p := &programs[i]
		lacks := slices.DeleteFunc(r.missing(p, a), func(name string) bool { return slices.Contains(common, name) })
		if p.abi == a && len(lacks) > 0 {
			r.cannotStart(bad, "no program of "+p.title+" can start", lacks)
		}
	}
}

// common returns the calls that all kinds of programs on an ABI lack, and whether some
// kind lacks none.
func (r *reviewer) common(a arch.ABI) (names []string, able bool) {
	first := true
	for i := range programs {
		if programs[i].abi != a {
			continue
		}
		lacks := r.missing(&programs[i], a)
		able = able || len(lacks) == 0
		if first {
			names = slices.Clone(lacks)
		}
		first = false
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(lacks, name) })
	}
	return names, able
}

func (r *reviewer) cannotStart(s Severity, who string, lacks []string) {
	r.found(Finding{ID: "start", Severity: s, Pointer: r.Policy.Pointer + "/syscalls",
		Reason: who + ": " + join(lacks) + denied(lacks), Fix: "allow " + join(lacks)})
}

// denied is the predicate of a list of names.
func denied(names []string) string {
	if len(names) == 1 {
		return " is denied"
	}
	return " are denied"
}

// A handover is the calls that a runtime makes itself between putting the filter in force
// and executing the program, tried in the same way: with no_new_privs it does so last,
// without it has to do so while it still has its privileges. execve goes without saying.
type handover struct{ release, late, early string }

func (c Consumer) handover() handover {
	if c == Crun {
		return handover{"crun 1.8.1", "", "write rt_sigaction rt_sigprocmask setresuid setresgid capset prctl"}
	}
	const late = "write close fstat fstatfs getdents64 openat readlinkat|openat2 statx"
	return handover{"runc 1.5.2", late,
		late + " read getcwd chdir setuid setgid getppid setgroups capget capset prctl newfstatat"}
}

// checkRuntimeStart reports calls of the runtime itself that the profile denies, for
// they come when the filter is in force.
func (r *reviewer) checkRuntimeStart(doc *document) {
	a := r.abis()[0]
	if a != arch.X86_64 && a != arch.AArch64 {
		return
	}
	h := r.options.For.runtime().handover()
	late := r.missing(&program{needs: h.late}, a)
	early := r.missing(&program{needs: h.early}, a)
	early = slices.DeleteFunc(early, func(name string) bool { return slices.Contains(late, name) })
	f := Finding{ID: "runtime-start", Pointer: r.Policy.Pointer + "/syscalls"}
	if len(late) > 0 {
		f.Reason = h.release + " cannot start a container: it makes calls of its own under the filter, and " + join(late) + denied(late)
		f.Fix = "allow " + join(late)
		r.found(f)
	}
	nnp := doc.Process.NoNewPrivileges
	if len(early) == 0 || nnp != nil && *nnp {
		return
	}
	f.Reason = "without no_new_privs " + h.release + " cannot start a container: it makes more calls of its own under the filter, and " + join(early) + denied(early)
	f.Fix = "allow " + join(early) + ", or set no_new_privs"
	if nnp == nil {
		f.Severity = Warning
	}
	r.found(f)
}
