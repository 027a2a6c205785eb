package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/conformance/internal/need"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/language"
)

// busybox and the runtimes need these, besides what the checks for a runtime say.
const busyboxNeeds = "arch_prctl brk execve exit_group geteuid getuid mmap mprotect munmap prlimit64 set_tid_address"

// What check says that a runtime needs, it needs: without the calls containers fail to
// start, if only some of them, and all start once check --fix has allowed them.
func TestRuntimesNeedWhatCheckSays(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root starts these containers")
	}
	for _, tt := range []struct {
		consumer lint.Consumer
		program  string
		denied   string // what check is to find
		tries    int    // in which at least one container fails to start
	}{
		{lint.Runc, runc(t), "", 3},
		{lint.Runc, runc(t), "futex", 300},
		{lint.Runc, runc(t), "rt_sigreturn", 300},
		{lint.Runc, older(t, runc(t)), "faccessat", 3},
		{lint.Crun, need.Program(t, "crun", "crun"), "", 3},
	} {
		t.Run(tt.consumer.String()+" "+tt.denied, func(t *testing.T) {
			if tt.program == "" {
				t.Skip("runc is not installed, or has no such need")
			}
			names := strings.Fields(busyboxNeeds)
			fixed := fix(t, tt.consumer, names)
			if tt.denied != "" { // all that is needed but for this
				names = slices.DeleteFunc(allowed(t, fixed), func(name string) bool { return name == tt.denied })
				fixed = fix(t, tt.consumer, names)
				if !slices.Contains(allowed(t, fixed), tt.denied) {
					t.Fatalf("check does not miss %s", tt.denied)
				}
			}
			c := newContainer(t, nil)
			c.program = tt.program
			starts := func(profile []byte) bool {
				c.spec.Process.Args, c.spec.Process.NoNewPrivileges = []string{"/bin/true"}, false
				c.spec.Linux.Seccomp = new(specs.LinuxSeccomp)
				if err := json.Unmarshal(profile, c.spec.Linux.Seccomp); err != nil {
					t.Fatal(err)
				}
				out, err := c.crun("run", "--bundle", c.dir, c.id)
				if err != nil {
					_, _ = c.crun("delete", "--force", c.id)
					t.Logf("%.300s", out)
				}
				return err == nil
			}
			const enough = 25
			for range enough {
				if !starts(fixed) {
					t.Fatalf("a container does not start once check has fixed its profile: %s", fixed)
				}
			}
			for range tt.tries {
				if !starts(profile(t, names)) {
					return
				}
			}
			t.Errorf("all of %d containers start", tt.tries)
		})
	}
}

// What check --fix allows is enough for runc where a call that is not allowed kills, or fails
// with an error that runc does not take for an answer.
func TestRuncStartsWhateverTheDefault(t *testing.T) {
	program := runc(t)
	if os.Geteuid() != 0 || program == "" {
		t.Skip("runc is not installed, or may not start containers")
	}
	const more = " readlink epoll_pwait2" // the first for busybox, the second is newer than faccessat2
	for _, action := range []string{`"SCMP_ACT_KILL_PROCESS"`, `"SCMP_ACT_ERRNO", "defaultErrnoRet": 13`} {
		text := `{"defaultAction": ` + action + `, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"action": "SCMP_ACT_ALLOW", "names": ["` +
			strings.Join(strings.Fields(busyboxNeeds+more), `", "`) + `"]}]}`
		fixed := lint.Fix(language.NewSource([]byte(text)), lint.Options{For: lint.Runc})
		c := newContainer(t, nil)
		c.program = program
		c.spec.Process.NoNewPrivileges = false
		c.spec.Linux.Seccomp = new(specs.LinuxSeccomp)
		if err := json.Unmarshal(fixed.Text, c.spec.Linux.Seccomp); err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if out, err := c.crun("run", "--bundle", c.dir, c.id); err != nil {
				_, _ = c.crun("delete", "--force", c.id)
				t.Fatalf("%s: %v\n%.300s", fixed.Text, err, out)
			}
		}
	}
}

// runc returns the path of runc, which lies outside the usual PATH on some systems, or "".
func runc(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"runc", "/usr/sbin/runc"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// older returns the path if it is of a runc that asks faccessat2 or faccessat, once it has
// installed the filter, whether it may execute the program; else "".
func older(t *testing.T, path string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), path, "--version").Output() // nothing if path is ""
	if !strings.Contains(string(out), "runc version 1.1.") {
		return ""
	}
	return path
}

// profile returns a profile that allows some calls only.
func profile(t *testing.T, names []string) []byte {
	t.Helper()
	errno := uint(1)
	text, err := json.Marshal(specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno, Architectures: []specs.Arch{specs.ArchX86_64},
		Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// fix returns what check --fix makes of such a profile.
func fix(t *testing.T, c lint.Consumer, names []string) []byte {
	t.Helper()
	fixed := lint.Fix(language.NewSource(profile(t, names)), lint.Options{For: c})
	if fixed.Report.Worst() == lint.Error {
		t.Fatalf("not all is fixed: %v", fixed.Report.Findings)
	}
	return fixed.Text
}

// allowed returns the calls that a profile allows.
func allowed(t *testing.T, text []byte) (names []string) {
	t.Helper()
	var s specs.LinuxSeccomp
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	for _, rule := range s.Syscalls {
		if rule.Action == specs.ActAllow {
			names = append(names, rule.Names...)
		}
	}
	return names
}
