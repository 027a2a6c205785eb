// Package minijail reads the seccomp policies of minijail, which ChromeOS, crosvm and
// Android use. Start with a [Language].
//
// The language has two dialects that look the same and are not: that of minijail's compiler
// for build time, [Python], and that of its library at run time, [C]. They differ most in
// what "CALL: CONDITIONS; return ERROR" means. Nothing in a policy says which it is written
// in.
package minijail

import (
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A Dialect says which of minijail's two readers a policy is written for.
type Dialect string

const (
	// Python is the dialect of tools/compile_seccomp_policy.py. In it, "; return ERROR" is
	// for calls for which the conditions hold.
	Python Dialect = "minijail-python"
	// C is the dialect of libminijail and minijail0 -S. In it, "; return ERROR" is for calls
	// for which the conditions do not hold. Files that a policy includes are relative to the
	// directory in which minijail0 runs: to the root of the source's files.
	C Dialect = "minijail-c"
)

// A Language reads policies of one dialect, with the switches of its tool. It implements
// [language.Language]. The zero value has no dialect, and reads nothing.
type Language struct {
	Dialect Dialect
	// DefaultAction is what calls get that the policy does not decide, as the switch
	// --default-action has it: "trap", "kill-process", "return EPERM", "allow". It stands
	// above the policy's own @default. "" leaves the default to the policy, which kills
	// the thread if it says nothing. In the C dialect it is an action that ends the call:
	// "trap", "kill-thread" or "kill-process".
	DefaultAction string
	// UseKillProcess kills the process where the thread would be killed.
	UseKillProcess bool
	// UseRetLog logs and allows what would be killed, and in the Python dialect what a rule
	// returns an error for. The C dialect then skips calls that do not exist.
	UseRetLog bool
	// Denylist reads policies that say @denylist: all other calls are allowed. Only the
	// Python dialect has them.
	Denylist bool
	// AllowDuplicates lets a policy of the C dialect name a call twice, as libminijail built
	// with ALLOW_DUPLICATE_SYSCALLS does. The first line decides.
	AllowDuplicates bool
}

// Read reads a policy for the one ABI of the target; nothing else of the target counts. It
// refuses what the dialect's tool refuses, and what the kernel would refuse of what the
// tool makes. The error is [policy.Errors]. Warnings are about what the other dialect takes
// in another way, and what the tool leaves out.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{Language: l, abi: t.ABI}
	if r.abi == 0 {
		r.abi = arch.Native()
	}
	if problem := r.setUp(); problem != "" {
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: problem}}
	}
	if l.Dialect == Python {
		r.readPython(s, 1)
	} else {
		r.readC(s, 0)
	}
	reading := language.Reading{Policy: r.policy(), Frequencies: r.frequencies}
	reading.Warnings = r.allWarnings()
	if len(r.problems) > 0 {
		return language.Reading{Warnings: reading.Warnings}, r.problems
	}
	return reading, nil
}

// setUp turns the switches into actions, and says what is wrong with them.
func (r *reader) setUp() (problem string) {
	if !r.abi.Valid() {
		return r.abi.String() + ": unknown ABI (use one that package arch declares)"
	}
	r.width = ^uint64(0) >> (64 - r.abi.Bits())
	switch {
	case r.Dialect != Python && r.Dialect != C:
		return "dialect \"" + string(r.Dialect) + "\": minijail has none of this name (choose " + string(Python) + " or " + string(C) + ")"
	case r.Dialect == C && r.Denylist:
		return "only the Python dialect has denylists (leave the switch out)"
	case r.Dialect == Python && r.AllowDuplicates:
		return "only the C dialect refuses duplicates (leave the switch out)"
	}
	switch {
	case r.UseRetLog:
		r.kill = cbpf.Log
	case r.Denylist:
		r.kill = cbpf.Errno(eperm)
	case r.UseKillProcess:
		r.kill = cbpf.KillProcess
	}
	if r.Dialect == C {
		return r.setUpC()
	}
	r.elsewhere, r.fallback = r.kill, r.kill
	if r.Denylist {
		r.fallback = cbpf.Allow
	}
	if r.DefaultAction == "" {
		return ""
	}
	// The tool reads the word without the other switches.
	own := &reader{Language: Language{Dialect: Python}, abi: r.abi, width: r.width, kill: cbpf.KillProcess}
	action := own.defaultAction(r.DefaultAction)
	if len(own.problems) > 0 {
		return "default action: " + own.problems[0].Reason
	}
	r.override = &action
	return ""
}

// setUpC turns the switches of the C dialect into actions: one for all that is not allowed,
// but for other ABIs, whose thread is always killed.
func (r *reader) setUpC() (problem string) {
	actions := map[string]cbpf.Action{"trap": cbpf.Trap, "kill": cbpf.KillThread, "kill-thread": cbpf.KillThread, "kill-process": cbpf.KillProcess}
	if r.DefaultAction != "" {
		action, ok := actions[strings.TrimSpace(r.DefaultAction)]
		switch {
		case !ok:
			return "default action: the C dialect has no \"" + r.DefaultAction + "\" (use trap, kill-thread or kill-process)"
		case r.UseRetLog || r.UseKillProcess:
			return "default action: the C dialect has one action for all that is not allowed (leave out the other switches)"
		}
		r.kill = action
	}
	r.elsewhere, r.fallback = cbpf.KillThread, r.kill
	return ""
}

const eperm = 1 // the same on every ABI
