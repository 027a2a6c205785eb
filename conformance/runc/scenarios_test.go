package seccomp

import (
	"fmt"
	"strconv"
	"strings"
)

// A scenario is a container and what becomes of it. Most are those of runc's own
// integration tests (tests/integration/seccomp.bats and seccomp-notify.bats,
// libcontainer/integration/seccomp_test.go) and youki's, told in other words.
type scenario struct {
	rule    string
	profile string // linux.seccomp; AGENT stands for the agent's socket
	nnp     bool   // noNewPrivileges
	hook    string // startContainer, for a shell
	script  string // what the container's shell runs
	agent   agentState
	fails   bool     // the container's exit status is not 0
	want    []string // parts of the output
	never   string   // what is not in the output, if not empty
}

// An agentState is what the agent at the other end does meanwhile.
type agentState int

const (
	runs   agentState = iota
	dies              // when the script has said "ready" and before it reads a line
	absent            // nobody listens
)

const (
	// As in runc's tests: whatever machine this is, it is one of these.
	archs  = `"architectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]`
	allow  = `"defaultAction": "SCMP_ACT_ALLOW", ` + archs
	mkdirs = `"names": ["mkdir", "mkdirat"]`

	mkdir        = "mkdir /dev/shm/foo"
	notPermitted = "mkdir: can't create directory '/dev/shm/foo': Operation not permitted"
)

// rules returns a profile that allows everything but what its rules say.
func rules(rules ...string) string {
	return `{` + allow + `, "syscalls": [` + strings.Join(rules, ", ") + `]}`
}

// notify returns a profile whose agent decides some calls.
func notify(names ...string) string {
	return `{"listenerPath": "AGENT", "listenerMetadata": "bar", ` + rules(notifyRule(names...))[1:]
}

func notifyRule(names ...string) string {
	for i := range names {
		names[i] = strconv.Quote(names[i])
	}
	return `{"names": [` + strings.Join(names, ", ") + `], "action": "SCMP_ACT_NOTIFY"}`
}

// with adds a key to a profile, or replaces one, as the last of equal keys counts.
func with(profile, key string) string { return strings.TrimSuffix(profile, "}") + ", " + key + "}" }

func scenarios(programs programs) []scenario {
	all := append(errnoScenarios(programs), notifyScenarios()...)
	all = append(all, writeScenarios()...)
	return append(all, flagScenarios()...)
}

func errnoScenarios(programs programs) []scenario {
	return []scenario{
		{rule: "ENOSYS handling", profile: programs.profiles[0], nnp: true, script: "/seccomp_syscall_test1"},
		{rule: "defaultErrnoRet ENXIO", profile: programs.profiles[1], nnp: true, script: "exec /seccomp_syscall_test2"},
		{rule: "ERRNO means EPERM", profile: rules(`{` + mkdirs + `, "action": "SCMP_ACT_ERRNO"}`),
			script: mkdir, fails: true, want: []string{notPermitted}},
		{rule: "errnoRet", profile: rules(`{` + mkdirs + `, "action": "SCMP_ACT_ERRNO", "errnoRet": 100}`),
			script: mkdir, fails: true, want: []string{"Network is down"}},
		{rule: "KILL", profile: rules(`{` + mkdirs + `, "action": "SCMP_ACT_KILL"}`), script: mkdir, fails: true},
		{rule: "a startContainer hook is confined", profile: rules(`{` + mkdirs + `, "action": "SCMP_ACT_KILL"}`),
			nnp: true, hook: mkdir, script: "true", fails: true, want: []string{"error running startContainer hook", "bad system call"}},
		{rule: "calls that runtimes can do without", script: "true",
			profile: rules(`{"names": ["close_range", "fsopen", "fsconfig", "fspick", "openat2", "open_tree", "move_mount", "mount_setattr"],
				"action": "SCMP_ACT_ERRNO", "errnoRet": 38}`)},
		{rule: "Docker's profile", profile: programs.docker, nnp: true, script: "mkdir /dev/shm/foo && ls /dev/shm && ! unshare -U true",
			want: []string{"foo", "Operation not permitted"}},
		{rule: "Docker's profile with privileges", profile: programs.docker, script: "! unshare -U true", want: []string{"Operation not permitted"}},
		{rule: "getcwd is EAGAIN", nnp: true, profile: rules(`{"names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 11}`),
			script: "cd /dev/shm; env -i /bin/pwd", fails: true, want: []string{"Resource temporarily unavailable"}},
		{rule: "syslog is ESRCH", profile: rules(`{"names": ["syslog"], "action": "SCMP_ACT_ERRNO", "errnoRet": 3}`),
			script: "dmesg", fails: true, want: []string{"dmesg: klogctl: No such process"}},
		{rule: "syslog is EPERM", profile: rules(`{"names": ["syslog"], "action": "SCMP_ACT_ERRNO"}`),
			script: "dmesg", fails: true, want: []string{"dmesg: klogctl: Operation not permitted"}},
		{rule: "nothing is filtered", profile: `{}`, script: mkdir},
	}
}

func notifyScenarios() []scenario {
	const renamed = mkdir + " && stat /dev/shm/foo-bar"
	important := []string{"execve", "openat", "open", "read", "close", "fcntl"}
	all := []scenario{
		{rule: "the agent's socket is not asked for without NOTIFY", profile: `{"listenerPath": "AGENT", "listenerMetadata": "bar", "defaultAction": "SCMP_ACT_ALLOW"}`,
			script: mkdir + " && stat /dev/shm/foo", agent: absent},
		{rule: "no listenerPath", profile: with(notify("mkdir", "mkdirat"), `"listenerPath": ""`), script: "true", fails: true,
			want: []string{"seccomp listenerPath is not set"}},
		{rule: "a wrong listenerPath", profile: with(notify("mkdir"), `"listenerPath": "/nowhere/agent.sock"`), script: "true", fails: true,
			want: []string{"failed to connect with seccomp agent"}},
		{rule: "a wrong abstract listenerPath", profile: with(notify("mkdir"), `"listenerPath": "@seccompile-nobody-is-here"`), script: "true", fails: true,
			want: []string{"failed to connect with seccomp agent"}},
		{rule: "no agent", profile: notify("mkdir"), script: "true", agent: absent, fails: true,
			want: []string{"failed to connect with seccomp agent specified in the seccomp profile"}},
		{rule: "an agent that is killed", profile: notify("mkdir", "mkdirat"), script: "echo ready; read line; " + mkdir, agent: dies, fails: true,
			want: []string{"mkdir: can't create directory '/dev/shm/foo': Function not implemented"}},
		{rule: "the agent's error", profile: notify("chmod", "fchmod", "fchmodat"), script: "touch /dev/shm/foo && chmod 777 /dev/shm/foo", fails: true,
			want: []string{"chmod: /dev/shm/foo: No medium found"}},
		{rule: "several calls", profile: notify("chmod", "fchmod", "fchmodat", "mkdir", "mkdirat"), script: renamed + "; touch /dev/shm/file; chmod 777 /dev/shm/file; ls /dev/shm",
			want: []string{"foo-bar", "No medium found"}},
		{rule: "NOTIFY for write", profile: notify("write"), script: "true", fails: true,
			want: []string{"SCMP_ACT_NOTIFY cannot be used for the write syscall"}},
		{rule: "NOTIFY as default", profile: with(notify("mkdir"), `"defaultAction": "SCMP_ACT_NOTIFY"`), script: "true", fails: true,
			want: []string{"SCMP_ACT_NOTIFY cannot be used as default action"}},
		{rule: "WAIT_KILLABLE_RECV", profile: with(notify("mkdir", "mkdirat"), `"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]`),
			script: renamed, want: []string{"seccomp filter flags: 40"}},
	}
	for _, nnp := range []bool{false, true} {
		all = append(all,
			scenario{rule: fmt.Sprintf("NOTIFY, noNewPrivileges %v", nnp), profile: notify("mkdir", "mkdirat"), nnp: nnp, script: renamed},
			scenario{rule: fmt.Sprintf("NOTIFY for calls that runtimes make, noNewPrivileges %v", nnp), profile: notify(important...), nnp: nnp, script: "true"})
	}
	return all
}

// writeScenarios are about conditions on write's arguments.
func writeScenarios() []scenario {
	deny := func(conditions ...string) string {
		return rules(`{"names": ["write"], "action": "SCMP_ACT_ERRNO", "args": [` + strings.Join(conditions, ", ") + `]}`)
	}
	const (
		stdout   = `{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}`
		stderr   = `{"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}`
		notEmpty = `{"index": 2, "value": 0, "op": "SCMP_CMP_NE"}`
		empty    = `{"index": 2, "value": 0, "op": "SCMP_CMP_EQ"}`
		script   = "ls /nowhere /bin/busybox; [ $? = 1 ]"
		out, err = "/bin/busybox", "ls: /nowhere:"
	)
	return []scenario{
		{rule: "write is denied to stderr", profile: deny(stderr), script: script, want: []string{out}, never: err},
		{rule: "write is denied to stdout", profile: deny(stdout), script: script, want: []string{err}, never: out},
		{rule: "distinct arguments that both hold", profile: deny(stderr, notEmpty), script: script, want: []string{out}, never: err},
		{rule: "distinct arguments of which one holds", profile: deny(stderr, empty), script: script, want: []string{out, err}},
		{rule: "one argument twice is an OR: stdout", profile: deny(stdout, stderr), script: script, never: out},
		{rule: "one argument twice is an OR: stderr", profile: deny(stdout, stderr), script: script, never: err},
	}
}

// flagScenarios are all combinations of the flags that need no listener, with their
// numeric value in the line that runc's debug log has.
func flagScenarios() []scenario {
	const profile = `{` + allow + `, "syscalls": [{` + mkdirs + `, "action": "SCMP_ACT_ERRNO"}]`
	all := []scenario{
		{rule: "flags absent", profile: profile + `}`, want: []string{"seccomp filter flags: 4"}},
		{rule: "an unknown flag", profile: profile + `, "flags": ["SECCOMP_FILTER_FLAG_X"]}`, want: []string{"seccomp flag SECCOMP_FILTER_FLAG_X is not known"}},
		{rule: "WAIT_KILLABLE_RECV without NOTIFY", profile: profile + `, "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`,
			want: []string{"WAIT_KILLABLE_RECV is only for a program that returns NOTIFY"}},
	}
	for set := range 1 << 3 {
		var flags []string
		word := 0
		for i, name := range []string{"TSYNC", "LOG", "SPEC_ALLOW"} {
			if set&(1<<i) != 0 {
				flags = append(flags, strconv.Quote("SECCOMP_FILTER_FLAG_"+name))
				word |= 1 << i &^ 1 // TSYNC has no effect
			}
		}
		list := `"flags": [` + strings.Join(flags, ", ") + `]`
		all = append(all, scenario{rule: list, profile: profile + ", " + list + "}",
			want: []string{fmt.Sprintf("seccomp filter flags: %d", word), notPermitted}})
	}
	for i := range all {
		all[i].script, all[i].fails = mkdir, true
	}
	return all
}
