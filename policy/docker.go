package policy

import (
	"runtime"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/syscalltables"
)

// The keys of the objects that only Docker's format has.
var (
	archMapKeys   = [...]string{"architecture", "subArchitectures"}
	conditionKeys = [...]string{"caps", "arches", "minKernel"}
)

// dockerProfile reads a profile in Docker's format and resolves it as
// moby/profiles does (seccomp_linux.go: setupSeccomp), but for the target
// instead of the host, and matching on every ABI what moby's tables miss on
// loong64, mipsle and mips.
func (r *reader) dockerProfile(root value) *Policy {
	r.docker = true
	switch {
	case r.target.ABI == 0:
		r.fail(root, "Docker's format depends on the target, and Linux has no ABI for "+runtime.GOARCH+" (name the target's ABI)")
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

// dockerABIs returns the ABIs of a profile in Docker's format: those listed in
// architectures, or those of archMap's row for the target, or the target alone.
func (r *reader) dockerABIs(m *members, listed []arch.ABI) []arch.ABI {
	var mapped []arch.ABI
	for i, row := range m.list("archMap") {
		if i == 0 && len(listed) > 0 {
			r.fail(m.get("archMap"), "archMap and architectures exclude each other (remove one)")
		}
		abis := r.archRow(row)
		switch {
		case len(abis) == 0 || abis[0] != r.target.ABI:
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
	m, ok := r.members(row, archMapKeys[:], len(archMapKeys))
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
	applies := true
	if v := m.get("excludes"); v.present() && r.condition(v).excludes(&r.target) {
		applies = false
	}
	if v := m.get("includes"); v.present() && !r.condition(v).includes(&r.target) {
		applies = false
	}
	return applies
}

// A condition is what includes or excludes of a rule ask for.
type condition struct {
	caps, arches []string
	minKernel    *syscalltables.Version
}

func (r *reader) condition(v value) (c condition) {
	m, ok := r.members(v, conditionKeys[:], len(conditionKeys))
	if !ok {
		return condition{}
	}
	c.caps = r.words(&m, "caps", checkCap)
	c.arches = r.words(&m, "arches", checkDockerArch)
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
func (c condition) excludes(t *Target) bool {
	held := func(name string) bool { return slices.Contains(t.Caps, name) }
	return c.onArch(t) || slices.ContainsFunc(c.caps, held) || c.minKernel != nil && reaches(t.Kernel, *c.minKernel)
}

// includes reports whether everything that c asks for holds: one of the
// architectures, all capabilities and the kernel.
func (c condition) includes(t *Target) bool {
	lacking := func(name string) bool { return !slices.Contains(t.Caps, name) }
	return (len(c.arches) == 0 || c.onArch(t)) && !slices.ContainsFunc(c.caps, lacking) &&
		(c.minKernel == nil || reaches(t.Kernel, *c.minKernel))
}

func (c condition) onArch(t *Target) bool {
	return slices.ContainsFunc(c.arches, func(name string) bool { return isDockerName(t.ABI, name) })
}

// reaches reports whether a kernel is at least of release atLeast. The zero
// kernel is newer than all.
func reaches(kernel, atLeast syscalltables.Version) bool {
	return kernel == syscalltables.Version{} || kernel.Compare(atLeast) >= 0
}

// isDockerName reports whether name stands for an ABI in includes and excludes.
// Where moby's two tables spell an ABI differently, both count
// (seccomp_linux.go: nativeToSeccomp, goToNative).
func isDockerName(a arch.ABI, name string) bool {
	if name == dockerName(a) {
		return true
	}
	switch a {
	case arch.LoongArch64:
		return name == "loongarch64"
	case arch.MIPSEL:
		return name == "mipsel"
	case arch.MIPSEL64N32:
		return name == "mipsel64n32"
	default:
		return false
	}
}

// dockerName returns the usual name of an ABI in includes and excludes: Go's,
// apart from x86 and most of MIPS, and libseccomp's where Docker has none.
func dockerName(a arch.ABI) string {
	switch a {
	case arch.X86_64:
		return "amd64"
	case arch.AArch64:
		return "arm64"
	case arch.LoongArch64:
		return "loong64"
	case arch.MIPSEL:
		return "mipsle"
	case arch.MIPSEL64N32:
		return "mips3l64n32"
	default:
		return a.String()
	}
}

func checkDockerArch(name string) (message string) {
	for a := range arch.All() {
		if isDockerName(a, name) {
			return ""
		}
	}
	near := ""
	if a, err := arch.Parse(strings.ToLower(name)); err == nil {
		near = dockerName(a)
	} else {
		var known []string
		for a := range arch.All() {
			known = append(known, dockerName(a))
		}
		near = nearest(name, known)
	}
	return quote(name) + " is no architecture of Docker's and never matches" + didYouMean(near)
}
