// Package firejail reads profiles of firejail, and its command lines: what their options
// about seccomp mean together.
//
// firejail loads several filters, each for one ABI. A profile becomes a stack of policies:
// see [policy.Policy.Older]. The groups of calls and the names are those of firejail 0.9.80.
package firejail

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/collected"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Language reads profiles and command lines as firejail does. Its zero value reads a
// profile as firejail --profile=FILE does where firejail.config says nothing.
type Language struct {
	// Options are options of the command line, such as "--appimage --ignore=seccomp",
	// that firejail reads before the text.
	Options string
	// Config are settings of firejail.config, by name: allow-tray, browser-allow-drm,
	// browser-disable-u2f, seccomp, seccomp-error-action and seccomp-filter-add. Others
	// do not matter for filters.
	Config map[string]string
	// BeforeExec leaves out what firejail denies only after the program has started, with
	// a library that it loads into dynamically linked programs: execve and other calls
	// that it needs itself. A launcher needs this to start a program under the filter.
	BeforeExec bool
}

// Read reads a profile, or a command line with or without "firejail" in front of its
// options, for a firejail of the target's ABI: x86_64 or aarch64. Command lines stand for
// the profiles that they name with --profile alone. The kernel and the capabilities of the
// target do not matter.
//
// What firejail drops or ignores without a word gives a warning. A text with which firejail
// does not start gives an error; options that have nothing to do with seccomp are not
// checked further than their names. A text without any filter gives a policy that allows
// all.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{native: cmp.Or(t.ABI, arch.Native()), top: s}
	r.action = defaultAction()
	switch r.native {
	case arch.X86_64:
		r.other = arch.X86
	case arch.AArch64:
		r.other = arch.ARM
	default:
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid,
			Reason: r.native.String() + ": unknown which filters firejail has there (choose x86_64 or aarch64 as the target)"}}
	}
	r.groups, r.commands = readGroups(), readCommands()
	r.configure(l.Config)
	r.readOptions(text{string: l.Options})
	if isCommandLine(string(s.Data())) {
		r.readCommandLine(s)
	} else {
		r.readProfile(s)
	}
	var p *policy.Policy
	if len(r.Errors) == 0 {
		p = r.stack(l.BeforeExec)
	}
	warnings := r.Finish(s, policy.UnknownName, policy.Ignored)
	if len(r.Errors) > 0 {
		return language.Reading{Warnings: warnings}, r.Errors
	}
	return language.Reading{Policy: p, Warnings: warnings}, nil
}

// A reader reads one profile or command line.
type reader struct {
	native, other arch.ABI // the firejail's own, and that of 32 bits beside it
	top           *language.Source
	groups        map[string][]string
	commands      map[string]int
	options
	conditions
	config

	collected.Problems
	files int // how many were read
	bytes int // in these
}

// A config is what firejail.config says.
type config struct {
	noSeccomp    bool
	fixedAction  string // of seccomp-error-action; "" if the text may choose
	add          string // of seccomp-filter-add
	tray, drm    bool
	noDisableU2F bool
}

// configure reads the settings of firejail.config.
func (r *reader) configure(settings map[string]string) {
	known := []string{"allow-tray", "browser-allow-drm", "browser-disable-u2f", "seccomp", "seccomp-error-action", "seccomp-filter-add"}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		yes := value == "yes"
		switch key {
		case "seccomp-error-action":
			r.fixedAction = value
			r.action = r.parseAction(value, "")
			continue
		case "seccomp-filter-add":
			r.add = value
			continue
		case "allow-tray":
			r.tray = yes
		case "browser-allow-drm":
			r.drm = yes
		case "browser-disable-u2f":
			r.noDisableU2F = !yes
		case "seccomp":
			r.noSeccomp = !yes
		default:
			r.Fail("", unknown.Quote(key)+": not a setting of firejail.config that decides about filters"+
				cmp.Or(unknown.DidYouMean(unknown.Nearest(key, known)), " (use "+strings.Join(known, ", ")+")"))
			continue
		}
		if !yes && value != "no" {
			r.Fail("", key+" "+unknown.Quote(value)+": not a value that firejail.config can have (use yes or no)")
		}
	}
}

// number returns the number of a call that firejail knows by name on an ABI.
func number(name string, a arch.ABI) (nr uint32, ok bool) {
	call, ok := syscalltables.Lookup(name)
	if ok {
		nr, ok = call.Number(a)
	}
	if !ok || a == arch.ARM && nr >= armPrivate {
		return 0, false
	}
	newest := syscalltables.Version{Major: 7, Minor: 2} // that 0.9.80 knows
	since := call.Since(a)
	if since.Exact {
		return nr, since.By.Compare(newest) <= 0
	}
	return nr, since.After.Compare(newest) < 0
}

// armPrivate is where the numbers begin that only ARM has (asm/unistd.h:
// __ARM_NR_BASE), which firejail does not know.
const armPrivate = 0x0f0000
