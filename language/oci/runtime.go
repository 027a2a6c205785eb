package oci

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
)

// The runtimes that [Language] can read a profile like. "" is [Runc].
const (
	Runc    = "runc"
	Crun    = "crun"      // releases 1.8 to 1.29
	Youki   = "youki"     // since April 2026
	Youki06 = "youki@0.6" // releases until then
)

// Habits are what a runtime does in another way than runc
// (crun: src/libcrun/seccomp.c: libcrun_generate_seccomp, libcrun_apply_seccomp;
// youki: crates/libcontainer/src/seccomp/mod.rs: initialize_seccomp).
type habits struct {
	runtime, title string
	noBound        bool // numbers newer than the profile get the default action
	exactKeys      bool // it ignores keys in the wrong letter case
	looseArchs     bool // architectures may lack SCMP_ARCH_ and be in any letter case, and NATIVE is none
	needsNames     bool // it refuses rules without names
	needsErrno     bool // it refuses an errno on an action that carries none
	sixArgs        bool // it ignores conditions after the sixth
	narrowTrace    bool // it refuses data of TRACE that have more than 16 bits, which others cut
	noNotify       bool // it refuses NOTIFY as default action and for write, as runc does
	noFlags        bool // it sets no flag that the profile does not ask for
	noEmptyArgs    bool // it drops rules whose args are empty
	anyArg         bool // one condition of a rule is enough
	fewer          bool // it knows fewer architectures and flags
}

var runtimes = [...]habits{
	{runtime: Runc},
	{runtime: Crun, title: "crun", noBound: true, exactKeys: true, needsNames: true, looseArchs: true, needsErrno: true, sixArgs: true},
	{runtime: Youki, title: "youki", noBound: true, exactKeys: true, needsNames: true, narrowTrace: true, noNotify: true, noFlags: true},
	{
		runtime: Youki06, title: "youki 0.6", noBound: true, exactKeys: true, needsNames: true, narrowTrace: true, noNotify: true, noFlags: true,
		noEmptyArgs: true, anyArg: true, fewer: true,
	},
}

// habitsOf returns what a runtime does with a profile that is in a format: what Docker and
// Podman read first reaches it as they write it.
func habitsOf(runtime string, f Format) (h habits, known bool) {
	if runtime == "" {
		runtime = Runc
	}
	i := slices.IndexFunc(runtimes[:], func(h habits) bool { return h.runtime == runtime })
	if i < 0 {
		return habits{}, false
	}
	h = runtimes[i]
	if inBoth.has(f) {
		h.exactKeys, h.looseArchs, h.noEmptyArgs = false, false, false
	}
	return h, true
}

func runtimeNames() []string {
	var names []string
	for _, h := range runtimes {
		names = append(names, h.runtime)
	}
	return names
}

// asRun makes of a policy what the runtime does with the profile apart from its rules.
func (r *reader) asRun(m *members, p *policy.Policy) {
	h := &r.habits
	r.checkErrno(p.Default, p.DefaultErrno, m.get("defaultErrnoRet"))
	if h.noNotify && p.Default == cbpf.Notify {
		r.fail(m.get("defaultAction"), "SCMP_ACT_NOTIFY cannot be used as default action with "+h.title+" (name the calls to notify of)")
	}
	if h.noFlags && p.Flags == nil {
		p.Flags = []cbpf.Flag{}
	}
	p.NoBound = h.noBound
	if native := r.target.ABI; h.noBound && native.Valid() && !slices.Contains(p.ABIs, native) {
		p.ABIs = append(p.ABIs, native) // libseccomp's filters always have it
	}
}

// ruleAsRun makes of a rule what the runtime does with it. keep is false if that is nothing.
func (r *reader) ruleAsRun(m *members, rule *policy.Rule) (keep bool) {
	h := &r.habits
	r.checkErrno(rule.Action, rule.Errno, m.get("errnoRet"))
	names, args := m.get("names"), m.get("args")
	if h.needsNames && !names.Present() && len(rule.Names) == 0 {
		r.failMissing(m.of, "names", "missing: "+h.title+" refuses a rule without names (add them)")
	}
	if h.noNotify && rule.Action == cbpf.Notify && slices.Contains(rule.Names, "write") {
		r.fail(m.of, "SCMP_ACT_NOTIFY cannot be used for the write syscall with "+h.title+" (remove the name)")
	}
	switch {
	case h.noEmptyArgs && args.Kind() == document.Array && len(rule.Args) == 0:
		r.warn(args, policy.DialectsDiffer, h.title+" drops a rule whose args are empty: it has no effect, and with others it always holds (remove args)")
		return false
	case h.anyArg && len(rule.Args) > 1 && !repeats(rule.Args):
		r.warn(args, policy.DialectsDiffer, h.title+" takes one of these conditions for enough, and others want all (test one argument in a rule)")
		rule.Args = append(rule.Args, rule.Args[0]) // the same under runc: an argument that is tested twice makes each condition a rule
	}
	return true
}

// repeats reports whether two conditions are on one argument.
func repeats(args []policy.Arg) bool {
	for i, a := range args {
		if slices.ContainsFunc(args[:i], func(b policy.Arg) bool { return a.Index == b.Index }) {
			return true
		}
	}
	return false
}

// checkErrno reports an error number that the runtime refuses.
func (r *reader) checkErrno(class cbpf.Action, errno *uint, at document.Value) {
	const most = 4094 // libseccomp: src/system.c: sys_chk_seccomp_action
	h := &r.habits
	switch {
	case errno == nil || !at.Present():
	case h.runtime != Runc && class == cbpf.ErrnoClass && *errno&math.MaxUint16 > most:
		r.fail(at, fmt.Sprintf("%d: libseccomp takes errors up to %d, so %s refuses the profile (use a smaller one)", *errno&math.MaxUint16, most, h.title))
	case h.needsErrno && class != cbpf.ErrnoClass && class != cbpf.TraceClass:
		r.fail(at, class.String()+" carries no errno, so "+h.title+" refuses the profile (remove it)")
	case h.narrowTrace && class == cbpf.TraceClass && *errno > math.MaxUint16:
		r.fail(at, fmt.Sprintf("%d: %s takes data of TRACE up to %d (use a smaller number)", *errno, h.title, math.MaxUint16))
	}
}

// ignores reports whether the runtime ignores a condition of a rule for its place.
func (r *reader) ignores(index int, arg document.Value) bool {
	const most = 6
	if !r.habits.sixArgs || index < most {
		return false
	}
	if index == most {
		r.warn(arg, policy.Ignored, r.habits.title+" reads the first 6 conditions of a rule and ignores this one and those after it (put them into another rule)")
	}
	return true
}

// arch returns the ABI that the runtime knows by a name.
func (h *habits) arch(name string, native arch.ABI) (a arch.ABI, bad *unknown.Word) {
	const prefix, none = "SCMP_ARCH_", "NATIVE"
	if word := strings.TrimPrefix(name, prefix); h.looseArchs {
		if strings.EqualFold(word, none) {
			return 0, &unknown.Word{What: "architecture for " + h.title + " (leave it out: the host's is always there)", Name: name}
		}
		if a, bad = parseArch(prefix+strings.ToUpper(word), native); bad == nil {
			return a, nil
		}
	}
	a, bad = parseArch(name, native)
	switch a {
	case arch.LoongArch64, arch.PARISC, arch.PARISC64, arch.M68K, arch.SH, arch.SHEB:
		if h.fewer {
			return 0, &unknown.Word{What: "architecture for " + h.title + " (leave it out)", Name: name}
		}
	default:
	}
	return a, bad
}

// flag returns the flag that the runtime knows by a name.
func (h *habits) flag(name string) (f cbpf.Flag, bad *unknown.Word) {
	f, bad = parseFlag(name)
	if h.fewer && f == cbpf.WaitKillableRecv {
		return 0, &unknown.Word{What: "flag for " + h.title + " (leave it out)", Name: name}
	}
	return f, bad
}
