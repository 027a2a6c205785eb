package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// profile returns the seccomp object.
func (r *reviewer) profile() document.Value { return r.doc.Lookup(r.Policy.Pointer) }

// checkRuntime reports what the consumer and its runtime refuse, or do differently from
// what the profile says.
func (r *reviewer) checkRuntime() {
	if r.options.For != KEP6061 { // which refuses all of that
		r.checkListener()
	}
	if r.options.For == 0 {
		return
	}
	r.checkArchs()
	r.checkErrnoRange()
	r.checkFlags()
	if r.options.For.with(Crun) {
		r.checkBound("crun")
		r.checkArgCount()
	} else if !r.options.For.with(Runc) {
		r.checkBound(r.options.For.title())
	}
	if consumers[r.options.For].format == oci.Podman {
		r.checkPodman()
	}
	if r.Resolved != nil {
		r.checkRuntimeStart()
	}
	if r.options.Language == nil {
		r.checkReading()
	}
}

// checkReading reports what runtimes other than runc refuse, or read in another way, unless
// something else was found there.
func (r *reviewer) checkReading() {
	found := map[string]bool{}
	for _, f := range r.Findings {
		found[f.Pointer] = true
	}
	for _, runtime := range r.options.For.runtimes() {
		reading, err := oci.Language{Format: r.read, Runtime: runtime.String()}.Read(r.source, r.options.Target)
		var problems policy.Errors
		errors.As(err, &problems)
		for _, e := range problems {
			f := Finding{ID: string(e.Kind), Severity: Error, Pointer: e.Pointer, Line: e.Line, Column: e.Column}
			if f.Reason, f.Fix = sentences(e.Reason); !found[e.Pointer] {
				r.found(f)
			}
		}
		for _, w := range reading.Warnings {
			f := Finding{ID: string(w.Kind), Pointer: w.Pointer}
			if f.Reason, f.Fix = sentences(w.Message); !found[w.Pointer] {
				r.found(f)
			}
		}
	}
}

// notifies returns the pointer of the first action that notifies a listener, or "".
func (r *reviewer) notifies() string {
	for _, p := range r.stack() {
		if p.Default == cbpf.Notify {
			return p.Pointer + "/defaultAction"
		}
		for i := range p.Rules {
			if p.Rules[i].Action == cbpf.Notify {
				return p.Rules[i].Pointer + "/action"
			}
		}
	}
	return ""
}

// checkListener reports notifications without a listener, and the reverse, as the runtime
// has it that minds them most.
func (r *reviewer) checkListener() {
	var path, flag Finding
	runtimes := r.options.For.runtimes()
	if len(runtimes) == 0 {
		runtimes = []Consumer{0}
	}
	for _, runtime := range runtimes {
		if f := r.listenerOf(runtime); f.Severity > path.Severity {
			path = f
		}
		if f := r.listenerFlagOf(runtime); f.Severity > flag.Severity {
			flag = f
		}
	}
	for _, f := range []Finding{path, flag} {
		if f.Severity > 0 {
			r.found(f)
		}
	}
}

// listenerOf is what a runtime, 0 for none in particular, makes of listenerPath. The zero
// Finding is nothing to report.
func (r *reviewer) listenerOf(runtime Consumer) Finding {
	p, asks := r.Policy, r.notifies()
	path := Finding{ID: "listener", Pointer: p.Pointer + "/listenerPath"}
	switch {
	case asks != "" && p.ListenerPath == "":
		path.Pointer = asks
		path.Fix = "set listenerPath to the socket of the program that answers"
		switch runtime {
		case Runc:
			path.Severity, path.Reason = Error, "runc refuses SCMP_ACT_NOTIFY without a listenerPath"
		case Crun:
			path.Severity, path.Reason = Warning, "without a listenerPath, crun makes every call that gets SCMP_ACT_NOTIFY fail with ENOSYS"
		default:
			path.Severity, path.Reason = Note, "without a listenerPath, the runtime decides who answers SCMP_ACT_NOTIFY"
		}
	case asks == "" && p.ListenerPath != "":
		path.Severity, path.Reason = Note, "no rule notifies a listener, so listenerPath has no effect"
		if runtime == Crun {
			path.Severity, path.Reason = Warning, "no rule notifies a listener, yet crun connects to listenerPath and fails if nobody listens there"
		}
		path.Fix = "remove listenerPath"
	case p.ListenerPath != "" && runtime == Crun && !strings.HasPrefix(p.ListenerPath, "/"):
		path.Severity, path.Reason = Error, "crun refuses a listenerPath that is not absolute"
		path.Fix = "give the absolute path of a socket"
	}
	return path
}

// listenerFlagOf is what a runtime makes of a flag that is for listeners.
func (r *reviewer) listenerFlagOf(runtime Consumer) Finding {
	i := slices.Index(r.Policy.Flags, cbpf.WaitKillableRecv)
	if i < 0 || r.notifies() != "" {
		return Finding{}
	}
	f := Finding{ID: "listener", Pointer: element(r.Policy.Pointer+"/flags", i), Fix: "remove the flag"}
	f.Severity, f.Reason = Error, "the kernel refuses "+cbpf.WaitKillableRecv.String()+" for a filter that never notifies"
	if runtime == Crun {
		f.Severity, f.Reason = Warning, "the kernel refuses "+cbpf.WaitKillableRecv.String()+" for a filter that notifies nobody, and crun then drops all flags"
	}
	return f
}

// checkArchs reports names of architectures that the runtime does not know.
func (r *reviewer) checkArchs() {
	runtimes := r.options.For.runtimes()
	pointer := r.Policy.Pointer + "/architectures"
	listed := 0
	for i, name := range r.profile().Member("architectures").Elements() {
		listed++
		if name.Is("SCMP_ARCH_NATIVE") && runtimes[0] != Youki && runtimes[0] != Youki06 {
			r.found(Finding{ID: "unsupported-arch", Pointer: element(pointer, i),
				Reason: runtimes[0].title() + " does not know SCMP_ARCH_NATIVE and refuses the profile",
				Fix:    "remove it: the host's ABI is always included"})
		}
	}
	if !slices.Contains(runtimes, Runc) {
		return
	}
	for i, a := range r.Policy.ABIs {
		switch a {
		case arch.PARISC, arch.PARISC64, arch.M68K, arch.SH, arch.SHEB:
			at := element(pointer, i)
			if listed == 0 {
				at = r.Policy.Pointer + "/archMap"
			}
			r.found(Finding{ID: "unsupported-arch", Pointer: at, Reason: "runc does not know " + a.OCI() + " and refuses the profile"})
		default:
		}
	}
}

// checkErrnoRange reports error numbers that libseccomp refuses, and all runtimes with
// it: those from 4095 on, after being cut to 16 bits
// (libseccomp: src/system.c: sys_chk_seccomp_action).
func (r *reviewer) checkErrnoRange() {
	check := func(class cbpf.Action, errno *uint, pointer string) {
		if class != cbpf.ErrnoClass || errno == nil || *errno&0xffff <= mostErrno {
			return
		}
		reason := fmt.Sprintf("libseccomp accepts errors up to %d, not %d, so %s refuses the profile", mostErrno, *errno&0xffff, r.options.For.runtimes()[0].title())
		r.found(Finding{ID: "errno-range", Pointer: pointer, Reason: reason})
	}
	p := r.Policy
	check(p.Default, p.DefaultErrno, p.Pointer+"/defaultErrnoRet")
	for i := range p.Rules {
		check(p.Rules[i].Action, p.Rules[i].Errno, p.Rules[i].Pointer+"/errnoRet")
	}
}

// mostErrno is the largest error number that libseccomp takes.
const mostErrno = 4094

// checkFlags reports flags, which old releases of runc refuse
// (runc 1.1: libcontainer/specconv/spec_linux.go: SetupSeccomp), and an empty list of them that
// is written out as none (runtime-spec: specs-go/config.go: omitempty).
func (r *reviewer) checkFlags() {
	if p := r.Policy; len(p.Flags) > 0 && r.options.For.with(Runc) {
		r.found(Finding{ID: "unsupported-flag", Pointer: p.Pointer + "/flags", Reason: "runc 1.1 refuses the profile, because it has flags"})
	}
	if r.options.For.direct() {
		return
	}
	if p := r.Policy; p.Flags != nil && len(p.Flags) == 0 {
		r.found(Finding{ID: "lost-flags", Pointer: p.Pointer + "/flags",
			Reason: r.options.For.title() + " does not pass on an empty list of flags, so the runtime sets SPEC_ALLOW"})
	}
}

// checkBound reports that a runtime, unlike runc, has no ENOSYS for new calls.
func (r *reviewer) checkBound(runtime string) {
	p := r.Policy
	enosys, _ := r.mainABI().Errno("ENOSYS")
	switch {
	case p.Default.Permits(cbpf.WithSupervisor):
		return
	case p.Default == cbpf.ErrnoClass && p.DefaultErrno != nil && *p.DefaultErrno == uint(enosys):
		return
	}
	r.found(Finding{ID: "no-enosys", Pointer: p.Pointer + "/defaultAction",
		Reason: runtime + " applies the default action to calls that are newer than the profile, not ENOSYS as runc does, so programs that try them fail"})
}

// checkArgCount reports conditions that crun ignores.
func (r *reviewer) checkArgCount() {
	for i := range r.Policy.Rules {
		rule := &r.Policy.Rules[i]
		if n := len(rule.Args); n > 6 {
			r.found(Finding{ID: "ignored-args", Pointer: element(rule.Pointer+"/args", 6),
				Reason: fmt.Sprintf("crun up to 1.29 reads the first 6 conditions of a rule and ignores the other %d", n-6)})
		}
	}
}

// checkPodman reports what containers/common refuses: error names that it does not know
// when it reads the profile, and in its validator some actions, too.
func (r *reviewer) checkPodman() {
	check := func(v document.Value, pointer string) {
		if !v.Present() {
			return
		}
		if name := v.Text(); name != "" && strings.Trim(name, "0123456789") != "" && !slices.Contains(strings.Fields(podmanErrnos), name) {
			r.found(Finding{ID: "unknown-errno", Pointer: pointer, Reason: "Podman does not know " + name + " and refuses the profile"})
		}
	}
	p := r.Policy
	rules := r.profile().Member("syscalls")
	check(r.profile().Member("defaultErrno"), p.Pointer+"/defaultErrno")
	for i, rule := range rules.Elements() {
		check(rule.Member("errno"), element(p.Pointer+"/syscalls", i)+"/errno")
	}
	for i, rule := range rules.Elements() {
		switch action := rule.Member("action").Text(); action {
		case "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_NOTIFY":
			r.found(Finding{ID: "podman-validator", Pointer: element(p.Pointer+"/syscalls", i) + "/action",
				Reason: "the validator of containers/common refuses " + action + ", although podman run does not call it"})
			return
		}
	}
}
