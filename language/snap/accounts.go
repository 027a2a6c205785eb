package snap

import (
	"errors"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
)

// Accounts are users, or groups.
type accounts struct {
	kind, setting, file string
	known               map[string]uint64 // numbers by names: those given, and then those of files
	looked              bool              // in files
}

// given reads the numbers that a setting gives.
func (r *reader) given(setting, text string) map[string]uint64 {
	all := make(map[string]uint64)
	for entry := range strings.SplitSeq(text, ",") {
		if entry == "" {
			continue
		}
		name, number, _ := strings.Cut(entry, ":")
		id, err := strconv.ParseUint(number, 10, 32)
		if err != nil || name == "" {
			r.fail("", setting+": "+unknown.Quote(entry)+": not a name and its number (write NAME:NUMBER, with commas between several)")
			continue
		}
		all[name] = id
	}
	return all
}

// account returns the number of a user or group, and what is wrong with its name.
func (r *reader) account(a *accounts, name string) (id uint64, problem string) {
	if id, ok := a.known[name]; ok {
		return id, ""
	}
	// osutil.IsValidSnapSystemUsername of snapd
	if !regexp.MustCompile(`^(_[-a-z0-9._]+_|[a-z0-9][-a-z0-9._]*)$`).MatchString(name) {
		return 0, unknown.Quote(name) + ": not the name of a " + a.kind + " (use lower-case letters, digits, -, . and _)"
	}
	if !a.looked {
		if problem := r.lookUp(a); problem != "" {
			return 0, problem
		}
		return r.account(a, name)
	}
	return 0, unknown.Quote(name) + ": the number of this " + a.kind + " is not known (give it with the setting " + a.setting + "=" + name +
		":NUMBER, or a root directory that has /etc/" + a.file + ")"
}

// lookUp adds what the files in the policy's root directory have, and root.
func (r *reader) lookUp(a *accounts) (problem string) {
	a.looked = true
	for _, dir := range []string{"/etc/", "/var/lib/extrausers/"} {
		if r.source.Name() == "" {
			break // it has no files
		}
		s, err := r.source.Include(dir + a.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err.Error() + " (or give the numbers with the setting " + a.setting + ")"
		default:
			a.add(string(s.Data()))
		}
	}
	if _, ok := a.known["root"]; !ok {
		a.known["root"] = 0
	}
	return ""
}

// add adds the entries of a file as passwd(5) and group(5) have it, NAME:PASSWORD:NUMBER:...
// The first of a name counts.
func (a *accounts) add(text string) {
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 4)
		if len(fields) < 4 {
			continue
		}
		id, err := strconv.ParseUint(fields[2], 10, 32)
		if _, known := a.known[fields[0]]; err == nil && !known {
			a.known[fields[0]] = id
		}
	}
}
