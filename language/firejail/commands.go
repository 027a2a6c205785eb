package firejail

import (
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
)

// Lines of profiles that this package does not read, without and with a value.
const (
	alone = `allow-bwrap allusers apparmor apparmor-replace apparmor-stack caps deterministic-exit-code deterministic-shutdown
disable-mnt hostname-randomize ipc-namespace keep-config-pulse keep-dev-ntsync keep-dev-shm keep-dev-tpm keep-hostname
keep-shell-rc keep-var-tmp landlock.enforce machine-id netfilter netlock no3d noautopulse nodvd nogroups noinput nonewprivs noprinters
noroot notpm notv nou2f novideo private private-cache private-cwd private-dev private-etc private-lib private-tmp quiet tab tracelog
writable-etc writable-run-user writable-var writable-var-log`
	withValue = `apparmor bind blacklist blacklist-nolog caps.drop caps.keep cpu dbus-system dbus-system.broadcast
dbus-system.call dbus-system.own dbus-system.see dbus-system.talk dbus-user dbus-user.broadcast dbus-user.call dbus-user.own
dbus-user.see dbus-user.talk defaultgw dns env hostname hostname-randomize hosts-file ip ip6 iprange join-or-start keep-fd keep-hostname landlock.enforce
landlock.fs.execute landlock.fs.makedev landlock.fs.makeipc landlock.fs.read landlock.fs.write mac mkdir mkfile mtu name net netfilter netfilter6
netmask netns nice noblacklist noexec nowhitelist private private-bin private-cwd private-etc private-home private-lib
private-opt private-srv read-only read-write rlimit-as rlimit-cpu rlimit-fsize rlimit-nofile rlimit-nproc rlimit-sigpending
rmenv timeout tmpfs veth-name warn whitelist whitelist-ro xephyr-screen`
	// filters are those that this package reads.
	filters = `allow-debuggers ignore include memory-deny-write-execute protocol restrict-namespaces seccomp seccomp-error-action
seccomp.32 seccomp.32.drop seccomp.32.keep seccomp.block-secondary seccomp.drop seccomp.keep`
	// switches are options of the command line that are not lines of profiles.
	switches = `appimage build chroot debug debug-blacklists debug-caps debug-whitelists exit-with-children
interface nodbus noprofile nosound oom output output-stderr profile trace unhide-pid1 xephyr-extra-params`
)

// Forms in which a word may begin a line of a profile, or be an option.
const (
	formAlone = 1 << iota
	formValue
	formOption
)

// readCommands returns the forms of the words that this package does not read.
func readCommands() map[string]int {
	forms := make(map[string]int)
	for words, form := range map[string]int{alone: formAlone, withValue: formValue, switches: formOption} {
		for w := range strings.FieldsSeq(words) {
			forms[w] |= form
		}
	}
	return forms
}

// isCommand reports whether a word begins a line that has nothing to do with filters.
func (r *reader) isCommand(word string, valued bool) bool {
	if valued {
		return r.commands[word]&formValue != 0
	}
	return r.commands[word]&formAlone != 0
}

// commandCure returns a hint at what is wrong with a line that firejail does not know.
func (r *reader) commandCure(word string, valued bool) string {
	switch {
	case valued && (r.isCommand(word, false) || isFilter(word, false)):
		return " (write " + word + " alone)"
	case !valued && (r.isCommand(word, true) || isFilter(word, true)):
		return " (give " + word + " a value)"
	}
	near := func() string { return unknown.Nearest(word, strings.Fields(alone+" "+withValue+" "+filters)) }
	if cure := r.Near(near); cure != "" {
		return cure
	}
	return " (remove it, or put # in front)"
}
