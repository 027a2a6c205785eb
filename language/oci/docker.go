package oci

import (
	"runtime"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// conditionalProfile reads a profile in Docker's or Podman's format and resolves it
// as moby/profiles does (seccomp_linux.go: setupSeccomp), or as containers/common
// does (pkg/seccomp/seccomp_linux.go: setupSeccomp), but for the target instead of
// the host. It also matches what moby's tables miss on loong64, mipsle and mips.
func (r *reader) conditionalProfile(root document.Value) *policy.Policy {
	switch {
	case r.target.ABI == 0:
		r.fail(root, r.format.title()+" depends on the target, and Linux has no ABI for "+runtime.GOARCH+" (name the target's ABI)")
	case !r.target.ABI.Valid():
		r.fail(root, "the target is not an ABI (name one of package arch)")
	}
	r.caps = policy.AllCaps()
	for _, c := range r.target.Caps {
		if problem, near := r.checkCap(c); problem != "" {
			r.warn(root, policy.UnknownCondition, "target: "+problem+unknown.DidYouMean(near))
		}
	}
	return r.profile(root)
}

// mappedABIs returns the ABIs of a profile that may have an archMap: those listed in
// architectures, or those of archMap's row for the target, or the target alone; and the
// pointer of the row, as [policy.Policy] has it.
func (r *reader) mappedABIs(m *members, listed []arch.ABI) (mapped []arch.ABI, pointer string) {
	rows := m.list("archMap")
	for rows.next() {
		i, row := rows.Index, rows.Value
		if i == 0 && len(listed) > 0 {
			r.fail(m.get("archMap"), "archMap and architectures cannot both be given (remove one)")
		}
		if i == 0 && (r.format != Podman || podmanMaps(r.target.ABI)) {
			pointer = r.prefix + "/archMap/-"
		}
		abis := r.archRow(row)
		switch {
		case len(abis) == 0 || abis[0] != r.target.ABI:
		case r.format == Podman && !podmanMaps(r.target.ABI):
			r.warn(row, policy.Unreachable, "Podman ignores archMap on "+podmanName(r.target.ABI)+" (list the architectures instead)")
		case mapped != nil:
			r.warn(row, policy.Unreachable, "an earlier row is for the same architecture, so this one is ignored (remove one)")
		default:
			mapped, pointer = abis, sub(r.prefix+"/archMap", i)
		}
	}
	switch {
	case len(listed) > 0:
		return listed, ""
	case len(mapped) > 0:
		return mapped, pointer
	}
	return []arch.ABI{r.target.ABI}, pointer
}

// archRow reads a row of archMap: a main ABI and those that come with it.
func (r *reader) archRow(row document.Value) (abis []arch.ABI) {
	m, ok := r.members(row, archMapKeys[:])
	if !ok {
		return nil
	}
	main, ok := m.need("architecture", "missing: the row does not say which architecture it is for (add one, such as SCMP_ARCH_X86_64)")
	if ok {
		abis = append(abis, r.arch(main))
	}
	others := m.list("subArchitectures")
	for others.next() {
		abis = append(abis, r.arch(others.Value))
	}
	return abis
}

// oldName returns the names of a rule that uses the single name of old profiles.
func (r *reader) oldName(m *members, old document.Value) []string {
	name, _ := r.text(old)
	if names := m.list("names"); names.next() {
		r.fail(old, "name and names cannot both be given (move it into names)")
	}
	return []string{name}
}

// applies reads the conditions of a rule and reports whether they hold for the
// target. Rules of other formats have none.
func (r *reader) applies(m *members) bool {
	_ = m.text("comment") // only its type matters
	var excludes, includes condition
	if v := m.get("excludes"); v.Present() {
		excludes = r.condition(v)
	}
	if v := m.get("includes"); v.Present() {
		includes = r.condition(v)
		for _, c := range r.caps {
			if len(excludes.caps) == 0 {
				break
			}
			if slices.Contains(includes.caps, c) && slices.Contains(excludes.caps, c) {
				r.warn(v, policy.Unreachable, "the rule never applies: it both requires and excludes "+c+" (remove one)")
			}
		}
	}
	return !excludes.excludes(r) && includes.includes(r)
}

// A condition is what includes or excludes of a rule ask for.
type condition struct {
	caps, arches []string
	minKernel    *syscalltables.Version
}

func (r *reader) condition(v document.Value) (c condition) {
	m, ok := r.members(v, conditionKeys[:])
	if !ok {
		return condition{}
	}
	c.caps = r.condNames(&m, "caps", ", so the condition is never met", (*reader).checkCap)
	c.arches = r.condNames(&m, "arches", ", so it never matches", (*reader).checkArchName)
	if v := m.get("minKernel"); v.Present() {
		c.minKernel = r.minKernel(v)
	}
	return c
}

// condNames reads a list of names. It warns about those that check has a problem with, and
// of the effect.
func (r *reader) condNames(m *members, key, effect string, check func(r *reader, name string) (problem, near string)) (names []string) {
	list := m.list(key)
	for list.next() {
		if name, ok := r.text(list.Value); ok {
			if problem, near := check(r, name); problem != "" {
				r.warn(list.Value, policy.UnknownCondition, problem+effect+unknown.DidYouMean(near))
			}
			names = append(names, name)
		}
	}
	return names
}

// minKernel reads "X.Y". An empty string is older than every kernel, as in moby.
func (r *reader) minKernel(v document.Value) *syscalltables.Version {
	s, ok := r.text(v)
	if !ok || s == "" {
		return &syscalltables.Version{}
	}
	version, err := syscalltables.ParseVersion(s)
	if err != nil {
		r.fail(v, unknown.Quote(s)+": not a kernel version (expected X.Y, such as 4.8)")
	}
	return &version
}

// excludes reports whether anything that c lists holds.
func (c condition) excludes(r *reader) bool {
	held := func(name string) bool { return slices.Contains(r.target.Caps, name) }
	return c.onArch(r) || slices.ContainsFunc(c.caps, held) || c.minKernel != nil && reaches(r.target.Kernel, *c.minKernel)
}

// includes reports whether everything that c asks for holds: one of the
// architectures, all capabilities and the kernel.
func (c condition) includes(r *reader) bool {
	lacking := func(name string) bool { return !slices.Contains(r.target.Caps, name) }
	return (len(c.arches) == 0 || c.onArch(r)) && !slices.ContainsFunc(c.caps, lacking) &&
		(c.minKernel == nil || reaches(r.target.Kernel, *c.minKernel))
}

func (c condition) onArch(r *reader) bool {
	return slices.ContainsFunc(c.arches, func(name string) bool { return r.format.isArchName(r.target.ABI, name) })
}

// reaches reports whether a kernel is at least of release atLeast. The zero
// kernel is newer than all.
func reaches(kernel, atLeast syscalltables.Version) bool {
	return kernel == syscalltables.Version{} || kernel.Compare(atLeast) >= 0
}

// checkArchName says what is wrong with a name in a list of architectures, and which
// name is near.
func (r *reader) checkArchName(name string) (problem, near string) {
	for a := range arch.All() {
		if r.format.isArchName(a, name) {
			return "", ""
		}
	}
	if a, err := arch.Parse(strings.ToLower(name)); err == nil {
		near = r.format.archName(a)
	} else {
		var known []string
		for a := range arch.All() {
			known = append(known, r.format.archName(a))
		}
		near = unknown.Nearest(name, known)
	}
	owner := "Docker's"
	if r.format == Podman {
		owner = "Podman's"
	}
	return unknown.Quote(name) + " is not one of " + owner + " architectures", near
}

// archName returns the usual name of an ABI in includes and excludes.
func (f Format) archName(a arch.ABI) string {
	if f == Podman {
		return podmanName(a)
	}
	return dockerName(a)
}

// isArchName reports whether name means an ABI in includes and excludes. Where moby's
// two tables spell an ABI differently, both spellings count (seccomp_linux.go:
// nativeToSeccomp, goToNative).
func (f Format) isArchName(a arch.ABI, name string) bool {
	if name == f.archName(a) {
		return true
	}
	switch {
	case f == Podman:
		return false
	case a == arch.LoongArch64:
		return name == "loongarch64"
	case a == arch.MIPSEL:
		return name == "mipsel"
	case a == arch.MIPSEL64N32:
		return name == "mipsel64n32"
	default:
		return false
	}
}

// dockerName returns Docker's name of an ABI: Go's, apart from x86 and most of MIPS,
// and libseccomp's where Docker has none.
func dockerName(a arch.ABI) string {
	switch a {
	case arch.MIPSEL:
		return "mipsle"
	case arch.MIPSEL64N32:
		return "mips3l64n32"
	default:
		return podmanName(a)
	}
}

func (r *reader) checkCap(name string) (problem, near string) {
	if slices.Contains(r.caps, name) {
		return "", ""
	}
	return unknown.Quote(name) + " is not a Linux capability", unknown.Nearest(name, r.caps)
}
