package intake

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// ParseABI returns the ABI that -a names.
func ParseABI(name string) (arch.ABI, error) {
	a, err := arch.Parse(name)
	if err == nil || !strings.Contains(err.Error(), "known: ") {
		return a, failure.Flag("-a", err)
	}
	known := KnownABIs()
	for a := range arch.All() {
		if name := a.GOARCH(); name != "" {
			known = append(known, name)
		}
	}
	return 0, failure.Usagef("-a: %s", failure.Unprefixed(err.Error())).HintNearest(name, known, "Go's names, such as amd64, and AUDIT_ARCH values, such as c000003e, are taken too")
}

// ParseABIs returns the named ABIs, each once.
func ParseABIs(names []string) ([]arch.ABI, error) {
	var abis []arch.ABI
	for _, name := range names {
		a, err := ParseABI(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(abis, a) {
			abis = append(abis, a)
		}
	}
	return abis, nil
}

// KnownABIs returns the names of all ABIs.
func KnownABIs() []string {
	var names []string
	for a := range arch.All() {
		names = append(names, a.String())
	}
	return names
}

// ABINames returns the names of ABIs.
func ABINames(abis []arch.ABI) []string {
	var names []string
	for _, a := range abis {
		names = append(names, a.String())
	}
	return names
}

// MainABI returns the ABI of the container that a list of target ABIs is for:
// that of the kernel if it is among them, else the first. Of none, it is the
// zero ABI, the host's.
func MainABI(abis []arch.ABI) arch.ABI {
	for _, a := range abis {
		if a.Main() == a {
			return a
		}
	}
	if len(abis) == 0 {
		return 0
	}
	return abis[0]
}

func parseKernel(s string) (syscalltables.Version, error) {
	if s == "" {
		return syscalltables.Version{}, nil
	}
	v, err := syscalltables.ParseVersion(s)
	return v, failure.Flag("--kernel", err)
}

// parseCaps returns the capability set that --cap states: names with or without
// CAP_, in any case, and the words default, for the set given, none and all. Nil is default.
func parseCaps(words, defaults []string) ([]string, error) {
	if words == nil {
		words = []string{"default"}
	}
	var set []string
	known := policy.AllCaps()
	for _, word := range words {
		switch name := strings.ToUpper(word); name {
		case "DEFAULT":
			set = append(set, defaults...)
		case "ALL":
			set = append(set, known...)
		case "NONE":
			if len(words) > 1 {
				return nil, failure.Usagef("--cap: none excludes other capabilities")
			}
		default:
			name = "CAP_" + strings.TrimPrefix(name, "CAP_")
			if !slices.Contains(known, name) {
				return nil, failure.Usagef("--cap: unknown capability %q", word).
					HintNearest(name, known, "capabilities(7) lists them; default, none and all are sets")
			}
			set = append(set, name)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

// OrderName returns "little" or "big".
func OrderName(o binary.ByteOrder) string {
	if o == binary.BigEndian {
		return "big"
	}
	return "little"
}
