package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// x86 is a profile for x86_64 with a default action and rules.
func x86(action, rules string) string {
	return fmt.Sprintf(`{"defaultAction": "SCMP_ACT_%s", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [%s]}`, action, rules)
}

// rule is a rule for a call, perhaps with one condition.
func rule(action, call string, cond ...string) string {
	return fmt.Sprintf(`{"names": ["%s"], "action": "SCMP_ACT_%s", "args": [%s]}`, call, action, strings.Join(cond, ", "))
}

func cond(index int, op string, value, valueTwo uint64) string {
	return fmt.Sprintf(`{"index": %d, "op": "SCMP_CMP_%s", "value": %d, "valueTwo": %d}`, index, op, value, valueTwo)
}

// What is needed and not allowed for certain is found, and what is known to be fine is not.
func TestNeeds(t *testing.T) {
	const listener = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "listenerPath": "/run/s", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_NOTIFY"}]}`
	for _, tt := range []struct {
		name, profile, id string
		consumer          Consumer
		want              Severity // 0 if it is not to be found
		about             string
	}{
		{"only execve is not left to a tracer", x86("TRACE", rule("ALLOW", "execve")), "runtime-start", Docker, Error, "write"},
		{"nothing can end without a tracer", x86("TRACE", rule("ALLOW", "execve")), "start", 0, Warning, "exit_group"},
		{"execve is left to a tracer", x86("ALLOW", rule("TRACE", "execve")), "start", 0, Error, "execve"},
		{"execve is left to a listener that does not exist", x86("ALLOW", rule("NOTIFY", "execve")), "start", 0, Error, "execve"},
		{"a listener that may allow execve", listener, "start", 0, 0, ""},
		{"execveat does not stand in for execve", x86("ALLOW", rule("ERRNO", "execve")), "start", 0, Error, "execve"},
		{"execve kills", x86("ALLOW", rule("KILL_PROCESS", "execve")), "start", Docker, Error, "execve"},
		{"clone3 without a tracer fails with ENOSYS", x86("ALLOW", rule("TRACE", "clone3")), "clone3-error", 0, 0, ""},
		{"write for one file", x86("ERRNO", rule("ALLOW", "write", cond(0, "EQ", 1, 0))), "limited", Runc, Warning, "write"},
		{"write for one file, and no runtime", x86("ERRNO", rule("ALLOW", "write", cond(0, "EQ", 1, 0))), "limited", 0, 0, ""},
		{"futex for one operation", x86("ERRNO", rule("ALLOW", "futex", cond(1, "EQ", 77, 0))), "limited", 0, Warning, "futex"},
		{"futex for private operations", x86("ERRNO", rule("ALLOW", "futex", cond(1, "MASKED_EQ", 0x80, 0x80))), "limited", 0, 0, ""},
		{"execve for an address", x86("ALLOW", rule("ERRNO", "execve", cond(0, "NE", 1, 0))), "limited", 0, Error, "execve"},
		{"execve but for null", x86("ERRNO", rule("ALLOW", "execve", cond(0, "NE", 0, 0))), "limited", 0, 0, ""},
		{"execve but for some addresses", x86("ERRNO", rule("ALLOW", "execve", cond(0, "GT", 0x7ffd12345600, 0))), "limited", 0, 0, ""},
		{"an end for one status", x86("ALLOW", rule("ERRNO", "exit_group", cond(0, "EQ", 1, 0))+","+rule("ERRNO", "exit")), "limited", 0, Warning, "exit_group"},
		{"one end of two", x86("ALLOW", rule("ERRNO", "exit", cond(0, "EQ", 1, 0))), "limited", 0, 0, ""},
		{"clone without namespaces", x86("ERRNO", rule("ALLOW", "clone", cond(0, "MASKED_EQ", allNamespaces, 0))), "limited", 0, 0, ""},
		{"clone without flags", x86("ERRNO", rule("ALLOW", "clone", cond(0, "EQ", 0, 0))), "limited", 0, Note, "clone"},
		{"read for one file", x86("ALLOW", rule("KILL_PROCESS", "read", cond(0, "EQ", 9, 0))), "limited", 0, Note, "read"},
		{"no pages to write and execute", x86("ALLOW", rule("ERRNO", "mmap", cond(2, "MASKED_EQ", 6, 6))+","+rule("ERRNO", "mprotect", cond(2, "GE", 6, 0))), "limited", 0, 0, ""},
		{"an option of prctl", x86("ALLOW", rule("ERRNO", "prctl", cond(0, "EQ", 35, 0))), "limited", Runc, 0, ""},
		{"an option of prctl that runtimes use", x86("ALLOW", rule("ERRNO", "prctl", cond(0, "LE", 47, 0))), "limited", Podman, Warning, "prctl"},
		{"a call that may fail and must not kill", x86("ALLOW", rule("KILL", "gettid", cond(0, "LT", 7, 0))), "limited", 0, Note, "gettid"},
		{"faccessat2 with an error that runc 1.1.5 minds", x86("ALLOW", `{"names": ["faccessat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13}`), "runtime-start", Runc, Warning, "faccessat2"},
		{"faccessat2 with an error that it does not mind", x86("ALLOW", rule("ERRNO", "faccessat2")), "runtime-start", Runc, 0, ""},
		{"faccessat2 and faccessat, one of which runc 1.1.5 needs", x86("ALLOW", rule("ERRNO", "faccessat2")+","+rule("ERRNO", "faccessat")), "runtime-start", Kubernetes, Warning, "runc 1.1.5"},
		{"faccessat without faccessat2", x86("ALLOW", rule("ERRNO", "faccessat2")), "runtime-start", Docker, 0, ""},
		{"a call that runc needs without no_new_privs, which Docker does not set", x86("ALLOW", rule("ERRNO", "capset")), "runtime-start", Docker, Error, "capset"},
		{"the same, where somebody else decides", x86("ALLOW", rule("ERRNO", "capset")), "runtime-start", Runc, Warning, "capset"},
		{"the same in a config.json", `{"process": {"noNewPrivileges": false}, "linux": {"seccomp": ` + x86("ALLOW", rule("ERRNO", "capset")) + `}}`, "runtime-start", Crun, Error, "capset"},
		{"the same in one that sets it", `{"process": {"noNewPrivileges": true}, "linux": {"seccomp": ` + x86("ALLOW", rule("ERRNO", "capset")) + `}}`, "runtime-start", Crun, 0, ""},
		{"no kind of program", x86("ERRNO", rule("ALLOW", "execve")+","+rule("ALLOW", "exit_group")+","+rule("ALLOW", "arch_prctl")), "start", 0, Warning, "no known kind"},
		{"musl", x86("ERRNO", rule("ALLOW", "execve")+","+rule("ALLOW", "exit_group")+","+rule("ALLOW", "arch_prctl")+","+rule("ALLOW", "set_tid_address")), "start", 0, Note, "glibc"},
		{"glibc without a call", x86("ALLOW", rule("ERRNO", "pread64")), "start", 0, Warning, "pread64"},
		{"handlers of signals without a return", x86("ALLOW", rule("ERRNO", "rt_sigreturn")), "no-sigreturn", 0, Warning, "rt_sigreturn"},
		{"no handlers of signals", x86("ALLOW", rule("ERRNO", "rt_sigreturn")+","+rule("ERRNO", "rt_sigaction")), "no-sigreturn", 0, 0, ""},
		{"a call that runc may make kills", x86("ALLOW", rule("KILL_PROCESS", "faccessat")), "runtime-start", Runc, Warning, "faccessat"},
		{"a call that crun may make kills", x86("ALLOW", rule("KILL_PROCESS", "close_range")), "runtime-start", Crun, Warning, "close_range"},
		{"a call that crun does not make kills", x86("ALLOW", rule("KILL_PROCESS", "faccessat")), "runtime-start", Crun, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{For: tt.consumer, Target: policy.Target{ABI: arch.X86_64}}
			r := Check(language.NewSource([]byte(tt.profile)), o)
			i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == tt.id && strings.Contains(f.Reason, tt.about) })
			switch {
			case r.Resolved == nil:
				t.Fatalf("refused: %s", transcript(r))
			case i < 0 != (tt.want == 0):
				t.Fatalf("found %d, want %v\n%s", i, tt.want, transcript(r))
			case i < 0:
				return
			}
			if f := r.Findings[i]; f.Severity != tt.want {
				t.Errorf("got %v, want %v\n%s", f, tt.want, transcript(r))
			}
			o.NoStart = true
			if tt.id != "runtime-start" && slices.ContainsFunc(Check(language.NewSource([]byte(tt.profile)), o).Findings, func(f Finding) bool { return f.ID == tt.id }) {
				t.Error("is found where no program starts")
			}
		})
	}
}

// A condition is on purpose: no cure takes it away.
func TestConditionsAreNotCured(t *testing.T) {
	text := []byte(x86("ERRNO", rule("ALLOW", "execve", cond(0, "EQ", 1, 0))+","+rule("ALLOW", "write", cond(0, "EQ", 1, 0))+","+rule("ALLOW", "futex", cond(1, "EQ", 77, 0))))
	fixed := Fix(language.NewSource(text), Options{For: Docker, Target: policy.Target{ABI: arch.X86_64}})
	for _, call := range []string{"execve", "write", "futex"} {
		if n := strings.Count(string(fixed.Text), `"`+call+`"`); n != 1 {
			t.Errorf("%s is named %d times in %s", call, n, fixed.Text)
		}
	}
	if fixed.Report.Worst() != Error {
		t.Errorf("no error: %s", transcript(fixed.Report))
	}
}

func TestStopped(t *testing.T) {
	for profile, want := range map[string]bool{
		x86("ERRNO", rule("NOTIFY", "write")): true,
		`{`:                                   true,
		x86("ERRNO", ""):                      false,
	} {
		if r := Check(language.NewSource([]byte(profile)), Options{}); r.Stopped() != want {
			t.Errorf("%s: %v", profile, r.Stopped())
		}
	}
}
