package policy

import (
	"runtime"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// conditionalProfile reads a profile in Docker's or Podman's format and resolves it
// as moby/profiles does (seccomp_linux.go: setupSeccomp), or as containers/common
// does (pkg/seccomp/seccomp_linux.go: setupSeccomp), but for the target instead of
// the host, and matching on every ABI what moby's tables miss on loong64, mipsle and
// mips.
func (r *reader) conditionalProfile(root value) *Policy {
	switch {
	case r.target.ABI == 0:
		r.fail(root, r.format.title()+" depends on the target, and Linux has no ABI for "+runtime.GOARCH+" (name the target's ABI)")
	case !r.target.ABI.Valid():
		r.fail(root, "the target is no ABI (name one of package arch)")
	}
	for _, c := range r.target.Caps {
		if message := checkCap(c); message != "" {
			r.warn(root, UnknownCondition, "of the target: "+message)
		}
	}
	return r.profile(root)
}

// mappedABIs returns the ABIs of a profile that may have an archMap: those listed in
// architectures, or those of archMap's row for the target, or the target alone.
func (r *reader) mappedABIs(m *members, listed []arch.ABI) []arch.ABI {
	var mapped []arch.ABI
	for i, row := range m.list("archMap") {
		if i == 0 && len(listed) > 0 {
			r.fail(m.get("archMap"), "archMap and architectures exclude each other (remove one)")
		}
		abis := r.archRow(row)
		switch {
		case len(abis) == 0 || abis[0] != r.target.ABI:
		case r.format == FormatPodman && !podmanMaps(r.target.ABI):
			r.warn(row, Unreachable, "Podman does not look at archMap on "+podmanName(r.target.ABI)+" (list the architectures instead)")
		case mapped != nil:
			r.warn(row, Unreachable, "an earlier row is for the same architecture and the only one that counts")
		default:
			mapped = abis
		}
	}
	switch {
	case len(listed) > 0:
		return listed
	case len(mapped) > 0:
		return mapped
	}
	return []arch.ABI{r.target.ABI}
}

// archRow reads a row of archMap: a main ABI and those that come with it.
func (r *reader) archRow(row value) (abis []arch.ABI) {
	m, ok := r.members(row, archMapKeys[:])
	if !ok {
		return nil
	}
	main, ok := m.need("architecture", "missing: the row does not say which architecture it is for (add one, such as SCMP_ARCH_X86_64)")
	if ok {
		abis = append(abis, r.arch(main))
	}
	for _, s := range m.list("subArchitectures") {
		abis = append(abis, r.arch(s))
	}
	return abis
}

// oldName returns the names of a rule that uses the single name of old profiles.
func (r *reader) oldName(m *members, old value) []string {
	name, _ := r.text(old)
	for range m.list("names") {
		r.fail(old, "name and names exclude each other (move it into names)")
		break
	}
	return []string{name}
}

// applies reads the conditions of a rule and reports whether they hold for the
// target. Rules of other formats have none.
func (r *reader) applies(m *members) bool {
	_ = m.text("comment") // only its type matters
	var excludes, includes condition
	if v := m.get("excludes"); v.present() {
		excludes = r.condition(v)
	}
	if v := m.get("includes"); v.present() {
		includes = r.condition(v)
		for _, c := range caps {
			if slices.Contains(includes.caps, c) && slices.Contains(excludes.caps, c) {
				r.warn(v, Unreachable, "the rule never applies: it is for containers with and without "+c+" (remove one)")
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

func (r *reader) condition(v value) (c condition) {
	m, ok := r.members(v, conditionKeys[:])
	if !ok {
		return condition{}
	}
	c.caps = r.words(&m, "caps", checkCap)
	c.arches = r.words(&m, "arches", r.checkArchName)
	if v := m.get("minKernel"); v.present() {
		c.minKernel = r.minKernel(v)
	}
	return c
}

// words reads a list of names and warns of those that check has words about.
func (r *reader) words(m *members, key string, check func(string) string) (words []string) {
	for _, v := range m.list(key) {
		if word, ok := r.text(v); ok {
			if message := check(word); message != "" {
				r.warn(v, UnknownCondition, message)
			}
			words = append(words, word)
		}
	}
	return words
}

// minKernel reads "X.Y". An empty string is older than every kernel, as moby
// has it.
func (r *reader) minKernel(v value) *syscalltables.Version {
	s, ok := r.text(v)
	if !ok || s == "" {
		return &syscalltables.Version{}
	}
	version, err := syscalltables.ParseVersion(s)
	if err != nil {
		r.fail(v, quote(s)+": not a kernel version (want X.Y, such as 4.8)")
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

// checkArchName says what is wrong with a name in a list of architectures.
func (r *reader) checkArchName(name string) (message string) {
	var known []string
	for a := range arch.All() {
		if r.format.isArchName(a, name) {
			return ""
		}
		known = append(known, r.format.archName(a))
	}
	near := ""
	if a, err := arch.Parse(strings.ToLower(name)); err == nil {
		near = r.format.archName(a)
	} else {
		near = nearest(name, known)
	}
	owner := "Docker's"
	if r.format == FormatPodman {
		owner = "Podman's"
	}
	return quote(name) + " is no architecture of " + owner + " and never matches" + didYouMean(near)
}

// archName returns the usual name of an ABI in includes and excludes.
func (f Format) archName(a arch.ABI) string {
	if f == FormatPodman {
		return podmanName(a)
	}
	return dockerName(a)
}

// isArchName reports whether name stands for an ABI in includes and excludes. Where
// moby's two tables spell an ABI differently, both count (seccomp_linux.go:
// nativeToSeccomp, goToNative).
func (f Format) isArchName(a arch.ABI, name string) bool {
	if name == f.archName(a) {
		return true
	}
	switch {
	case f == FormatPodman:
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
