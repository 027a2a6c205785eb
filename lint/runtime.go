package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
)

// A document is what the checks need of a config.json besides the policy.
type document struct {
	Process struct{ NoNewPrivileges *bool }
	Linux   struct{ Seccomp profile }
}

// A profile is what they need of the seccomp object.
type profile struct {
	DefaultErrno  string
	Architectures []string
	Syscalls      []struct {
		Action, Errno      string
		Includes, Excludes struct {
			Caps, Arches []string
			MinKernel    string
		}
	}
}

// readDocument reads what package policy has found to be a profile, or a config.json
// with one.
func readDocument(data []byte, config bool) *document {
	d := new(document)
	into := any(&d.Linux.Seccomp)
	if config {
		into = d
	}
	// The file has been read before, and more strictly: what does not fit here is not
	// of the profile.
	_ = json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), into)
	return d
}

// checkRuntime reports what the consumer and its runtime refuse, or do otherwise than
// the profile says.
func (r *reviewer) checkRuntime() {
	r.checkListener()
	if r.options.For == 0 {
		return
	}
	doc := readDocument(r.data, r.Policy.Pointer != "")
	r.checkArchs(doc)
	r.checkErrnoRange()
	r.checkFlags()
	if r.options.For.runtime() == Crun {
		r.checkBound()
		r.checkArgCount()
	}
	if r.options.For == Podman {
		r.checkPodman(doc)
	}
	if r.Resolved != nil {
		r.checkRuntimeStart(doc)
	}
}

// notifies returns the pointer of the first action that asks a listener, "" if there is
// none.
func (r *reviewer) notifies() string {
	if r.Policy.Default == cbpf.Notify {
		return r.Policy.Pointer + "/defaultAction"
	}
	i := slices.IndexFunc(r.Policy.Rules, func(rule policy.Rule) bool { return rule.Action == cbpf.Notify })
	if i < 0 {
		return ""
	}
	return r.Policy.Rules[i].Pointer + "/action"
}

// checkListener reports a listener that nobody asks or answers for.
func (r *reviewer) checkListener() {
	p, runtime, asks := r.Policy, r.options.For.runtime(), r.notifies()
	path := Finding{ID: "listener", Pointer: p.Pointer + "/listenerPath"}
	switch {
	case asks != "" && p.ListenerPath == "":
		path.Pointer = asks
		path.Fix = "set listenerPath to the socket of the program that answers"
		switch runtime {
		case Runc:
			path.Severity, path.Reason = Error, "runc refuses SCMP_ACT_NOTIFY without a listenerPath"
		case Crun:
			path.Reason = "without a listenerPath crun lets every call fail that SCMP_ACT_NOTIFY is for, with ENOSYS"
		default:
			path.Severity, path.Reason = Note, "SCMP_ACT_NOTIFY without a listenerPath leaves it to the runtime who answers"
		}
		r.found(path)
	case asks == "" && p.ListenerPath != "":
		path.Severity, path.Reason = Note, "no rule notifies a listener, so that listenerPath has no effect"
		if runtime == Crun {
			path.Severity, path.Reason = Warning, "no rule notifies a listener, but crun connects to listenerPath all the same and fails if nobody listens"
		}
		path.Fix = "remove listenerPath"
		r.found(path)
	case p.ListenerPath != "" && runtime == Crun && !strings.HasPrefix(p.ListenerPath, "/"):
		path.Severity, path.Reason = Error, "crun refuses a listenerPath that is not absolute"
		path.Fix = "give the absolute path of a socket"
		r.found(path)
	}
	const waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
	if i := slices.Index(p.Flags, waitKillable); i >= 0 && asks == "" {
		f := Finding{ID: "listener", Pointer: element(p.Pointer+"/flags", i), Fix: "remove the flag"}
		f.Severity, f.Reason = Error, "the kernel refuses "+waitKillable+" for a filter that notifies nobody"
		if runtime == Crun {
			f.Severity, f.Reason = Warning, "the kernel refuses "+waitKillable+" for a filter that notifies nobody, and crun then drops all flags"
		}
		r.found(f)
	}
}

// checkArchs reports names of architectures that the runtime does not know.
func (r *reviewer) checkArchs(doc *document) {
	runtime := r.options.For.runtime()
	pointer := r.Policy.Pointer + "/architectures"
	for i, name := range doc.Linux.Seccomp.Architectures {
		if name == "SCMP_ARCH_NATIVE" {
			r.found(Finding{ID: "unsupported-arch", Pointer: element(pointer, i),
				Reason: runtime.title() + " does not know SCMP_ARCH_NATIVE and refuses the profile",
				Fix:    "remove it, for the host's ABI is always in"})
		}
	}
	if runtime != Runc {
		return
	}
	for i, a := range r.Policy.ABIs {
		switch a {
		case arch.PARISC, arch.PARISC64, arch.M68K, arch.SH, arch.SHEB:
			at := element(pointer, i)
			if len(doc.Linux.Seccomp.Architectures) == 0 {
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
		const most = 4094
		if class != cbpf.ErrnoClass || errno == nil || *errno&0xffff <= most {
			return
		}
		reason := fmt.Sprintf("libseccomp takes errors up to %d, not %d, and %s refuses the profile", most, *errno&0xffff, r.options.For.runtime().title())
		r.found(Finding{ID: "errno-range", Pointer: pointer, Reason: reason})
	}
	p := r.Policy
	check(p.Default, p.DefaultErrno, p.Pointer+"/defaultErrnoRet")
	for i := range p.Rules {
		check(p.Rules[i].Action, p.Rules[i].Errno, p.Rules[i].Pointer+"/errnoRet")
	}
}

// checkFlags reports an empty list of flags that is written out as none
// (runtime-spec: specs-go/config.go: omitempty).
func (r *reviewer) checkFlags() {
	switch r.options.For {
	case Runc, Crun:
		return // they read the file itself
	default:
	}
	if p := r.Policy; p.Flags != nil && len(p.Flags) == 0 {
		r.found(Finding{ID: "lost-flags", Pointer: p.Pointer + "/flags",
			Reason: r.options.For.title() + " does not hand an empty list of flags on, so that the runtime sets SPEC_ALLOW"})
	}
}

// checkBound reports that crun, unlike runc, has no ENOSYS for new calls.
func (r *reviewer) checkBound() {
	p := r.Policy
	enosys, _ := r.mainABI().Errno("ENOSYS")
	switch {
	case open(p.Default), p.Default == cbpf.TraceClass, p.Default == cbpf.Notify:
		return
	case p.Default == cbpf.ErrnoClass && p.DefaultErrno != nil && *p.DefaultErrno == uint(enosys):
		return
	}
	r.found(Finding{ID: "no-enosys", Pointer: p.Pointer + "/defaultAction",
		Reason: "crun gives calls that are newer than the profile the default action, not ENOSYS as runc does, and programs that try them fail"})
}

// checkArgCount reports conditions that crun does not look at.
func (r *reviewer) checkArgCount() {
	for i := range r.Policy.Rules {
		rule := &r.Policy.Rules[i]
		if n := len(rule.Args); n > 6 {
			r.found(Finding{ID: "ignored-args", Pointer: element(rule.Pointer+"/args", 6),
				Reason: fmt.Sprintf("crun up to 1.29 looks at the first 6 conditions of a rule and ignores the other %d", n-6)})
		}
	}
}

// checkPodman reports what containers/common refuses: error names that it does not know
// when it reads the profile, and in its validator some actions, too.
func (r *reviewer) checkPodman(doc *document) {
	check := func(name, pointer string) {
		if name != "" && strings.Trim(name, "0123456789") != "" && !slices.Contains(strings.Fields(podmanErrnos), name) {
			r.found(Finding{ID: "unknown-errno", Pointer: pointer, Reason: "Podman does not know " + name + " and refuses the profile"})
		}
	}
	p := r.Policy
	check(doc.Linux.Seccomp.DefaultErrno, p.Pointer+"/defaultErrno")
	for i, s := range doc.Linux.Seccomp.Syscalls {
		check(s.Errno, element(p.Pointer+"/syscalls", i)+"/errno")
	}
	for i, s := range doc.Linux.Seccomp.Syscalls {
		switch s.Action {
		case "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_NOTIFY":
			r.found(Finding{ID: "podman-validator", Pointer: element(p.Pointer+"/syscalls", i) + "/action",
				Reason: "the validator of containers/common refuses " + s.Action + ", though podman run does not ask it"})
			return
		}
	}
}
