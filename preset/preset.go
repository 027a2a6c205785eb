// Package preset has, as data, the seccomp profiles and capabilities that container
// engines use by default. Package language/oci reads the profiles; the capabilities are
// for policy.Target, which decides what a profile in Docker's or Podman's format allows.
package preset

import (
	"embed"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/unknown"
)

// files has in release what container engines ship, and in fine what this project adds.
// Those of Docker (also as a module, github.com/moby/profiles/seccomp, here moby), Podman
// and CRI-O (both copy containers/common) are their own files; those of containerd say in
// Docker's format what its Go code does (contrib/seccomp: DefaultProfile). Copyright The
// Moby, containers/common, CRI-O and containerd Authors, licensed under the Apache License
// 2.0. Tests compare them with the modules.
//
//go:embed */*.json
var files embed.FS

// Docker returns the profile named docker, which is in Docker's format: what it allows
// depends on the target. The slice is fresh.
func Docker() []byte {
	b, err := Profile("docker")
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

// Names returns the names of all profiles, those of one origin together, oldest first.
// A name without a release, such as podman, stands for the newest; docker stands for
// what the module of Docker's that this one requires has. The slice is fresh.
func Names() []string {
	var names []string
	for _, r := range releases {
		names = append(names, r.name)
	}
	names = append(names, flatpakNames()...)
	fine, _ := fs.Glob(files, "fine/*.json") // the pattern is well formed
	for _, f := range fine {
		names = append(names, strings.TrimSuffix(path.Base(f), ".json"))
	}
	return names
}

// Profile returns the profile with one of [Names] as JSON, in the format in which its
// origin has it: what a profile of Docker or Podman allows depends on the target. The
// slice is fresh. The error for an unknown name has the nearest one.
func Profile(name string) ([]byte, error) {
	for _, r := range releases {
		if r.name == name {
			return files.ReadFile("release/" + r.file + ".json")
		}
	}
	if i := slices.Index(flatpakNames(), name); i >= 0 {
		return flatpak(i), nil
	}
	if b, err := files.ReadFile("fine/" + name + ".json"); err == nil {
		return b, nil
	}
	names := Names()
	word := &unknown.Word{What: "preset", Name: name, Near: unknown.Nearest(name, names),
		Known: slices.DeleteFunc(names, func(n string) bool { return strings.ContainsAny(n, "@+") })}
	var l unknown.Lists
	return nil, errors.New("preset: " + l.Text(word))
}

// Caps returns the capabilities that an engine gives a container by default: "docker"
// (moby: oci/caps/defaults.go) or "podman" (containers/common: pkg/config/default.go:
// DefaultCapabilities), and none of an engine that it does not know. The slice is fresh.
func Caps(engine string) []string {
	switch engine {
	case "docker":
		return []string{
			"CAP_CHOWN",
			"CAP_DAC_OVERRIDE",
			"CAP_FSETID",
			"CAP_FOWNER",
			"CAP_MKNOD",
			"CAP_NET_RAW",
			"CAP_SETGID",
			"CAP_SETUID",
			"CAP_SETFCAP",
			"CAP_SETPCAP",
			"CAP_NET_BIND_SERVICE",
			"CAP_SYS_CHROOT",
			"CAP_KILL",
			"CAP_AUDIT_WRITE",
		}
	case "podman":
		return []string{
			"CAP_CHOWN",
			"CAP_DAC_OVERRIDE",
			"CAP_FOWNER",
			"CAP_FSETID",
			"CAP_KILL",
			"CAP_NET_BIND_SERVICE",
			"CAP_SETFCAP",
			"CAP_SETGID",
			"CAP_SETPCAP",
			"CAP_SETUID",
			"CAP_SYS_CHROOT",
		}
	}
	return nil
}
