// Package systemd reads the units of systemd: what SystemCallFilter= and the other
// directives that systemd implements with seccomp mean together.
//
// systemd loads a filter for each directive and each ABI. A unit becomes a stack of
// policies, one for each directive: see [policy.Policy.Older].
package systemd

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/collected"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// Language reads units as one version of systemd does. Its zero value is the newest that
// this package knows.
type Language struct {
	// Version is the major version of systemd, which decides what its sets of calls
	// contain and what is unknown: 252, 257 or 262, each with the libseccomp of the same
	// Debian release. Zero means 262.
	Version int
}

// A release is what decides how a version of systemd reads a unit.
type release struct {
	version int
	kernel  syscalltables.Version // the newest whose calls its libseccomp knows
}

var releases = [...]release{
	{252, syscalltables.Version{Major: 6, Minor: 7}},  // libseccomp 2.5.4
	{257, syscalltables.Version{Major: 6, Minor: 13}}, // libseccomp 2.6.0
	{262, syscalltables.Version{Major: 7, Minor: 1}},  // libseccomp 2.6.1
}

// Read reads a unit file and its drop-ins, those in the directory NAME.d beside it, for a
// service manager that runs on the target's ABI: the policies are for all ABIs of its
// kernel, and let calls through others pass. With a kernel before 6.3 as the target,
// MemoryDenyWriteExecute= is a filter on all versions; newer ones have a prctl for it.
//
// What systemd ignores with a warning gives a warning. A unit that systemd cannot start,
// because libseccomp refuses a filter, gives an error. A unit without any filter gives a
// policy that allows all. The capabilities of the target do not matter.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	r := &reader{native: cmp.Or(t.ABI, arch.Native()), kernel: t.Kernel}
	i := slices.IndexFunc(releases[:], func(x release) bool { return x.version == l.Version })
	switch {
	case l.Version == 0:
		i = len(releases) - 1
	case i < 0:
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid,
			Reason: "systemd " + strconv.Itoa(l.Version) + ": unknown version (use 252, 257 or 262, the nearest one that is not newer)"}}
	}
	r.release = releases[i]
	if !r.native.Valid() {
		return language.Reading{}, policy.Errors{{Kind: policy.Invalid, Reason: "no target ABI (name the ABI that the service manager runs on)"}}
	}
	r.abis = localABIs(r.native)
	r.sets = readSets(r.release.version)
	r.readFiles(s)
	p := r.stack()
	warnings := r.Finish(s, policy.UnknownName, policy.UnknownKey, policy.Ignored)
	if len(r.Errors) > 0 {
		return language.Reading{Warnings: warnings}, r.Errors
	}
	return language.Reading{Policy: p, Warnings: warnings}, nil
}

// localABIs returns the ABIs for which a service manager makes filters: those whose
// programs its kernel runs. The kernel's main ABI comes first.
func localABIs(native arch.ABI) []arch.ABI {
	if native.Main() != native {
		return []arch.ABI{native}
	}
	return native.Family()
}

// A reader reads one unit.
type reader struct {
	release release
	native  arch.ABI
	abis    []arch.ABI
	kernel  syscalltables.Version
	sets    sets
	ext     string // of the unit's name, which says its type
	dropIn  bool   // the file at work is one
	settings

	collected.Problems
	keys int // how many keys were compared with known ones
	work int // calls that lists have named, through sets too
}

// readFiles reads the unit and its drop-ins.
func (r *reader) readFiles(s *language.Source) {
	r.ext = path.Ext(s.Name())
	r.readFile(s)
	if s.Name() == "" {
		return
	}
	base := path.Base(s.Name())
	names, err := s.Glob(escape(base) + ".d/*.conf")
	if err != nil {
		r.Fail("", err.Error())
	}
	r.dropIn = true
	for _, name := range names {
		if path.Base(name)[0] == '.' {
			continue
		}
		dropIn, err := s.Include(name)
		if err != nil {
			text := err.Error()
			if !strings.HasSuffix(text, ")") { // it has no cure
				text += " (remove the drop-in)"
			}
			r.Fail("", text)
			continue
		}
		r.readFile(dropIn)
	}
}

// escape returns a pattern that only a name itself matches.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}
