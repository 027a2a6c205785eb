package lint

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/runtimes"
)

// A program is a kind of programs and the calls without which they do not start.
//
// The lists were found by trying: for each call that such a program makes, whether it
// starts if only this call fails with EPERM, and with ENOSYS. Calls joined by "|" replace
// each other, in this release or another.
type program struct {
	title string
	abi   arch.ABI // zero for all
	// needs must not fail. Every other call of makes may fail, but the program does
	// not survive being killed for it.
	needs, makes string
	// shows are calls that a profile has if it is for such programs, and lacks if it is for
	// those of a kind that comes later.
	shows string
}

// programs are what the C libraries and Go make. An empty main function was tried.
var programs = [...]program{
	{"any program", 0, "execve exit_group|exit", "", ""},
	{"glibc 2.36", arch.X86_64,
		"execve exit_group|exit arch_prctl close mmap mprotect openat|open pread64 newfstatat|fstat|statx read",
		"access|faccessat|faccessat2 brk munmap prlimit64 set_robust_list set_tid_address",
		"access set_robust_list set_tid_address"},
	{"static glibc 2.36", arch.X86_64, "execve exit_group|exit arch_prctl mprotect brk|mmap", "set_robust_list set_tid_address",
		"set_robust_list set_tid_address"},
	{"musl 1.2.3", arch.X86_64, "execve exit_group|exit arch_prctl", "set_tid_address", "set_tid_address"},
	{"Go 1.26", arch.X86_64,
		"execve exit_group arch_prctl clone fcntl mmap rt_sigaction rt_sigprocmask sigaltstack",
		"gettid madvise sched_getaffinity", "madvise sched_getaffinity"},
}

// missing returns those of a program's calls that the profile does not let it make.
func (r *reviewer) missing(p *program, a arch.ABI) (names []string) {
	for need := range strings.FieldsSeq(p.needs) {
		names = append(names, r.lacking(a, need, closed)...)
	}
	for call := range strings.FieldsSeq(p.makes) {
		names = append(names, r.lacking(a, call, kills)...)
	}
	return names
}

// kills reports whether a call ends the thread that makes it.
func kills(a cbpf.Action) bool {
	switch a.Class() {
	case cbpf.KillThread, cbpf.KillProcess, cbpf.Trap:
		return true
	}
	return false
}

// checkStart reports programs that cannot start under the profile.
func (r *reviewer) checkStart() {
	if r.options.NoStart {
		return
	}
	a := r.Resolved.ABIs()[0]
	if all := r.missing(&programs[0], a); len(all) > 0 {
		if r.executes(a) {
			r.cannotStart(Warning, "no program can end", all)
		} else {
			r.cannotStart(Error, "no program can start", all)
		}
		return
	}
	bad := Warning
	common, able := r.common(a)
	switch {
	case len(common) > 0:
		r.cannotStart(bad, "no glibc, musl or Go program can start", common)
		bad = Note
	case able:
		bad = Note
	}
	meant := r.meant(a)
	for i := range programs {
		p := &programs[i]
		if p.abi != a {
			continue
		}
		whole := r.missing(p, a)
		lacks := slices.DeleteFunc(slices.Clone(whole), func(name string) bool { return slices.Contains(common, name) })
		switch {
		case len(lacks) > 0 && p == meant:
			r.cannotStart(Warning, "no program of "+p.title+" can start, which the profile seems to be for", lacks)
		case len(lacks) > 0:
			r.cannotStart(bad, "no program of "+p.title+" can start", lacks)
		case len(whole) == 0 && meant == nil:
			shows := r.missing(&program{needs: p.shows}, a)
			r.found(Finding{ID: "start", Severity: Warning, Pointer: r.Policy.Pointer + "/syscalls",
				Reason: "the profile seems to be for no known kind of program: those of " + p.title + " might start, but all of them call " + join(shows) + ", which" + denied(shows),
				Fix:    "allow what the program calls as it starts"})
		}
	}
}

// meant returns the kind of programs that the profile seems to be for, nil if none.
func (r *reviewer) meant(a arch.ABI) *program {
	for i := range programs {
		if p := &programs[i]; p.abi == a && len(r.missing(&program{needs: p.shows}, a)) == 0 {
			return p
		}
	}
	return nil
}

// executes reports whether the profile lets a program be executed.
func (r *reviewer) executes(a arch.ABI) bool {
	return len(r.lacking(a, "execve", closed)) == 0
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
		Reason: who + ": " + join(lacks) + denied(lacks), Fix: "allow " + join(lacks), cure: r.allow(lacks)})
}

// denied is the predicate of a list of names.
func denied(names []string) string {
	if len(names) == 1 {
		return " is denied"
	}
	return " are denied"
}

// A handover is the calls that a runtime itself makes between installing the filter and
// executing the program, found by the same trials. With no_new_privs it installs the filter
// last; without, it has to do so while it still has its privileges. execve is understood.
// Without the racy calls it starts some containers and fails to start others. It makes the
// calls of makes, too.
//
// An older release, if there is one, also needs the calls of olderEarly as it needs those of
// early, and takes EPERM and ENOSYS for an answer to olderTries, but no other error. Of two calls that
// replace each other the older is named: to allow it changes no error of another call.
type handover struct{ release, late, early, racy, makes, older, olderEarly, olderTries string }

func (c Consumer) handover() handover {
	if c == Crun {
		return handover{release: "crun 1.8.1", early: "write rt_sigaction rt_sigprocmask setresuid setresgid capset prctl", makes: made("crun")}
	}
	const late = "write close fstat fstatfs getdents64 openat readlinkat|openat2 statx"
	return handover{
		release: "runc 1.5.2", late: late,
		early: late + " read getcwd chdir setuid setgid getppid setgroups capget capset prctl newfstatat",
		racy:  "futex rt_sigreturn", makes: made("runc"),
		older: "runc 1.1.5", olderEarly: "faccessat|faccessat2", olderTries: "faccessat2",
	}
}

// made returns all calls that releases of a runtime make under the filter.
func made(runtime string) string {
	list, _ := runtimes.For(runtime)
	return strings.Join(list[0].Names(), " ")
}

// handovers returns the calls of the consumer's runtimes, where they were tried.
func (r *reviewer) handovers(a arch.ABI) (list []handover) {
	if a != arch.X86_64 && a != arch.AArch64 {
		return nil
	}
	for _, runtime := range r.options.For.runtimes() {
		if runtime == Runc || runtime == Crun { // youki was not tried
			list = append(list, runtime.handover())
		}
	}
	return list
}

// checkRuntimeStart reports denied calls that the runtime itself makes under the filter.
func (r *reviewer) checkRuntimeStart() {
	a := r.Resolved.ABIs()[0]
	for _, h := range r.handovers(a) {
		r.checkHandover(a, h)
	}
}

func (r *reviewer) checkHandover(a arch.ABI, h handover) {
	late := r.missing(&program{needs: h.late}, a)
	if len(late) > 0 {
		r.cannotHandOver(0, h.release+" cannot start a container: after installing the filter it needs "+join(late)+", which"+denied(late), late)
	}
	if racy := r.missing(&program{needs: h.racy}, a); len(racy) > 0 {
		r.cannotHandOver(0, h.release+" fails to start some containers: between installing the filter and starting the program it may need "+join(racy)+", which"+denied(racy), racy)
	}
	known := strings.Fields("execve " + h.late + " " + h.early + " " + h.olderTries + " " + h.racy)
	fatal := slices.DeleteFunc(r.missing(&program{makes: h.makes}, a), func(name string) bool { return slices.Contains(known, name) })
	if len(fatal) > 0 {
		name, _, _ := strings.Cut(h.release, " ")
		r.cannotHandOver(Warning, "some releases of "+name+" do not start a container: between installing the filter and starting the program they also make the calls "+join(fatal)+", which kill", fatal)
	}
	nnp := r.noNewPrivileges()
	if nnp.Kind() == document.True {
		return
	}
	early := slices.DeleteFunc(r.missing(&program{needs: h.early}, a), func(name string) bool { return slices.Contains(late, name) })
	if len(early) > 0 {
		severity := Error
		if !nnp.Present() && !r.options.For.privileged() {
			severity = Warning
		}
		r.cannotHandOver(severity, "without no_new_privs, "+h.release+" cannot start a container: after installing the filter it also needs "+join(early)+", which"+denied(early), early)
	}
	if older := r.missingOlder(a, h); len(older) > 0 {
		r.cannotHandOver(Warning, "without no_new_privs, "+h.older+" cannot start a container: after installing the filter it also needs "+join(older)+", which"+denied(older), older)
	}
}

// missingOlder returns the calls that only an older release lacks.
func (r *reviewer) missingOlder(a arch.ABI, h handover) []string {
	older := r.missing(&program{needs: h.olderEarly}, a)
	for call := range strings.FieldsSeq(h.olderTries) {
		older = append(older, r.lacking(a, call, func(x cbpf.Action) bool { return closed(x) && x != cbpf.Errno(1) && !isENOSYS(a, x) })...)
	}
	slices.Sort(older)
	return slices.Compact(older)
}

// cannotHandOver reports that a runtime does not get as far as the program. The severity is
// that of the catalog if it is 0.
func (r *reviewer) cannotHandOver(s Severity, reason string, lacks []string) {
	f := Finding{ID: "runtime-start", Severity: s, Pointer: r.Policy.Pointer + "/syscalls", Reason: reason, Fix: "allow " + join(lacks), cure: r.allow(lacks)}
	if strings.HasPrefix(reason, "without") {
		f.Fix += ", or set no_new_privs"
	}
	r.found(f)
}

// noNewPrivileges returns what a config.json says about no_new_privs, nothing for a file
// that has only a profile.
func (r *reviewer) noNewPrivileges() document.Value {
	if r.Policy.Pointer == "" {
		return document.Value{}
	}
	return r.doc.Lookup("/process/noNewPrivileges")
}
