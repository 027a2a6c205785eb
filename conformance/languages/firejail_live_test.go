//go:build linux

package languages

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// The filters of a program that firejail started are those that are read from the same
// text. SECCOMPILE_FIREJAIL names a root directory of x86_64 that has Debian's firejail
// 0.9.80, /usr/bin/sleep, /etc/passwd with root, and /proc and /dev mounted. This takes
// root.
func TestFirejailLive(t *testing.T) {
	root := os.Getenv("SECCOMPILE_FIREJAIL")
	if root == "" || os.Geteuid() != 0 {
		t.Skip("SECCOMPILE_FIREJAIL does not name a root directory with firejail, or this is not root")
	}
	texts := []string{
		"--noprofile --seccomp",
		"--noprofile --seccomp=!chroot,chmod:ENOENT,fchmod:kill,$165",
		"--noprofile --seccomp.drop=@clock,socket,!mount",
		"--noprofile --seccomp.drop=chmod --seccomp.block-secondary --seccomp-error-action=ENOSYS",
		"--noprofile --seccomp.keep=@system-service,@default,!chmod",
		"--noprofile --seccomp --seccomp.block-secondary --seccomp-error-action=kill",
		"--noprofile --seccomp --seccomp-error-action=log",
		"--noprofile --seccomp=execve,chmod",
		"--noprofile --allow-debuggers --seccomp",
		"--noprofile --seccomp=!chroot --seccomp.32=!modify_ldt",
		"--noprofile --seccomp=chmod --seccomp.32.drop=fchmod",
		"--noprofile --seccomp.drop=chmod --seccomp.32.drop=chmod,fchmod",
		"--noprofile --seccomp.32=!modify_ldt",
		"--noprofile --seccomp --seccomp.32=!modify_ldt",
		"--noprofile --seccomp.32.keep=@system-service,@default",
		"--noprofile --seccomp.keep=@system-service,@default --seccomp.32.drop=fchmod",
		"--noprofile --seccomp.drop=chmod --seccomp.32=chmod",
		"--noprofile --seccomp.block-secondary --seccomp.32=chmod",
		"--noprofile --seccomp.32=chmod --seccomp.block-secondary",
		"--noprofile --seccomp --seccomp=chmod",
		"--noprofile --seccomp=+chmod",
		"--noprofile --seccomp=,",
		"--noprofile --protocol=unix,inet --protocol=-inet,netlink",
		"--noprofile --protocol=unix --protocol=-unix",
		"--noprofile --restrict-namespaces",
		"--noprofile --restrict-namespaces=user,time",
		"--noprofile --restrict-namespaces= --memory-deny-write-execute",
		"--noprofile --restrict-namespaces --restrict-namespaces=-user --seccomp-error-action=EACCES",
		"--noprofile --protocol=unix --seccomp --memory-deny-write-execute --restrict-namespaces",
		"--noprofile --protocol=unix --seccomp --memory-deny-write-execute --restrict-namespaces --seccomp-error-action=eacces",
		"--noprofile",
		"seccomp.block-secondary\n",
		"seccomp.32 chmod\nseccomp.block-secondary\nseccomp  chmod # the last line\r\nprotocol unix",
		"ignore seccomp\nseccomp\nseccomp.drop chmod\n?HAS_PRIVATE: seccomp.keep read\nnosound\n?HAS_NOSOUND : protocol inet6\n",
		"seccomp.drop $-5,@mount,$0x5a,nosuchcall,chmod:NOSUCH,!@mount\n",
		"seccomp !chroot:EPERM,!execve,!ptrace,execveat\nseccomp-error-action EROFS\n",
		"seccomp.32\n",
		"memory-deny-write-execute x\n",
		"seccomp chmod fchmod\n",
		"?HAS_APPIMAGE seccomp\n",
		"include nosuch.inc\n",
		"include nosuch.local\nrestrict-namespaces net\n",
	}
	equal, refused, filters, length, ours := 0, 0, 0, 0, 0
	check := func(name, text string, theirs []*cbpf.Program, options string) {
		t.Run(name, func(t *testing.T) {
			s := language.NewSource([]byte(text)).In(os.DirFS(root), "etc/firejail/x.profile")
			reading, err := firejail.Language{Options: options}.Read(s, policy.Target{ABI: arch.X86_64})
			switch {
			case err != nil && theirs == nil:
				refused++
				return
			case err != nil || theirs == nil:
				t.Fatalf("%v, but firejail has %d filters", err, len(theirs))
			}
			guard := proof.Program(machine(t))
			stack := []proof.Subject{guard}
			for _, p := range theirs {
				stack = append(stack, proof.Program(p))
				length += p.Len()
			}
			program := compile(t, reading.Policy)
			if prove(t, "program", proof.Stack(guard, proof.Program(program)), proof.Stack(stack...)) &&
				prove(t, "stack", proof.Stack(append([]proof.Subject{guard}, subjects(t, reading.Policy)...)...), proof.Stack(stack...)) {
				equal++
			}
			filters += len(theirs)
			if len(theirs) > 0 { // else ours is one that allows all
				ours += program.Len()
			}
		})
	}
	for _, text := range texts {
		arguments := strings.Fields(text)
		if !strings.HasPrefix(text, "--") {
			file := filepath.Join(root, "tmp", "seccompile.profile")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(file)
			arguments = []string{"--profile=/tmp/seccompile.profile"}
		}
		check(text, text, started(t, root, arguments), "")
	}
	// Profiles that come with firejail, without what hides the program or needs a desktop.
	const options = "--ignore=private-bin --ignore=private-lib --ignore=private-etc --ignore=whitelist --ignore=blacklist --ignore=dbus-user --ignore=dbus-system --ignore=x11 --ignore=apparmor --ignore=net --ignore=netfilter --ignore=noroot --ignore=private --ignore=join-or-start --ignore=noexec --ignore=nosound"
	profiles, err := filepath.Glob(filepath.Join(root, "etc/firejail/*.profile"))
	if err != nil {
		t.Fatal(err)
	}
	every, err := strconv.Atoi(os.Getenv("SECCOMPILE_FIREJAIL_EVERY"))
	if err != nil || every < 1 {
		every = 40
	}
	for i, file := range profiles {
		name := filepath.Base(file)
		if i%every != 0 && name != "steam.profile" && name != "lutris.profile" && name != "dnscrypt-proxy.profile" && name != "firefox.profile" {
			continue
		}
		theirs := started(t, root, append(strings.Fields(options), "--profile=/etc/firejail/"+name))
		if theirs == nil {
			t.Logf("%s: firejail does not start here", name)
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		check(name, string(data), theirs, options)
	}
	t.Logf("%d equal, %d refused by both; %d filters with %d instructions, ours %d", equal, refused, filters, length, ours)
}

// started returns the filters of a program that firejail starts, the oldest first, or nil
// if firejail fails.
func started(t *testing.T, root string, arguments []string) (programs []*cbpf.Program) {
	t.Helper()
	mark := strconv.FormatInt(time.Now().UnixNano()%1e9+1e9, 10) // seconds
	c := exec.Command("chroot", append(append([]string{root, "/usr/bin/firejail", "--quiet"}, arguments...), "/usr/bin/sleep", mark)...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		c.Wait()
		close(ended)
	}()
	defer func() { <-ended }()
	for {
		select {
		case <-ended:
			return nil
		case <-time.After(20 * time.Millisecond):
		}
		pid := sleeping(mark)
		if pid == 0 {
			continue
		}
		filters, err := loader.Dump(context.Background(), pid)
		if p, err := os.FindProcess(pid); err == nil {
			p.Kill()
		}
		if err != nil && !errors.Is(err, loader.ErrNoFilters) {
			t.Fatal(err)
		}
		programs = []*cbpf.Program{}
		for _, f := range filters {
			programs = append(programs, f.Program)
		}
		return programs
	}
}

// sleeping returns the process that sleeps for some seconds: it has loaded its libraries.
func sleeping(mark string) int {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, _ := os.ReadFile(file)
		if string(line) != "/usr/bin/sleep\x00"+mark+"\x00" {
			continue
		}
		dir := filepath.Dir(file)
		if call, _ := os.ReadFile(filepath.Join(dir, "syscall")); strings.HasPrefix(string(call), "230 ") { // clock_nanosleep
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return pid
		}
	}
	return 0
}
