package oci

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
)

// A Format is a file format that container profiles come in.
type Format string

// The formats that [Language] understands. "" leaves the choice to [Detect].
const (
	OCI    Format = "oci"    // runtime-spec's linux.seccomp object
	Config Format = "config" // a whole config.json of runtime-spec
	Docker Format = "docker" // Docker's format: archMap, includes, excludes, minKernel
	Podman Format = "podman" // that of Podman, Buildah and CRI-O: errno and defaultErrno, no minKernel
)

// title names the format in messages about keys that it does not have.
func (f Format) title() string {
	switch f {
	case OCI:
		return "an OCI profile"
	case Config:
		return "a config.json"
	case Docker:
		return "Docker's format"
	case Podman:
		return "Podman's format"
	}
	return "an unknown format"
}

// Formats are a set of them, a bit for each.
type formats uint8

const (
	inOCI formats = 1 << iota
	inConfig
	inDocker
	inPodman
	inBoth = inDocker | inPodman // the formats above OCI's
	inAll  = inOCI | inConfig | inBoth
)

// inOrder lists the formats, the plainest first.
var inOrder = [...]Format{OCI, Config, Docker, Podman}

func (s formats) has(f Format) bool { return s&f.bit() != 0 }

// bit returns the set of the format alone.
func (f Format) bit() formats {
	switch f {
	case OCI:
		return inOCI
	case Config:
		return inConfig
	case Docker:
		return inDocker
	case Podman:
		return inPodman
	}
	return 0
}

// least returns the first format of the set: where Docker's and Podman's agree,
// Docker's. It is "" for no formats.
func (s formats) least() Format {
	for _, f := range inOrder {
		if s.has(f) {
			return f
		}
	}
	return ""
}

// readers begins a sentence about the programs in Go that read formats.
func (s formats) readers() string {
	switch s {
	case inDocker:
		return "Docker takes"
	case inPodman:
		return "Podman takes"
	}
	switch {
	case s == inAll:
		return "Docker, Podman and runc take"
	case s&^inBoth != 0:
		return "runc takes"
	}
	return "Docker and Podman take"
}

// A key is a key of an object, and the formats that know it.
type key struct {
	name string
	in   formats
}

// The keys of the objects in profiles.
var (
	profileKeys = [...]key{
		{"defaultAction", inAll}, {"defaultErrnoRet", inAll}, {"architectures", inAll}, {"flags", inAll},
		{"listenerPath", inAll}, {"listenerMetadata", inAll}, {"syscalls", inAll},
		{"archMap", inBoth}, {"defaultErrno", inPodman},
	}
	ruleKeys = [...]key{
		{"names", inAll}, {"action", inAll}, {"errnoRet", inAll}, {"args", inAll},
		{"name", inBoth}, {"comment", inBoth}, {"includes", inBoth}, {"excludes", inBoth}, {"errno", inPodman},
	}
	argKeys       = [...]key{{"index", inAll}, {"value", inAll}, {"valueTwo", inAll}, {"op", inAll}}
	archMapKeys   = [...]key{{"architecture", inBoth}, {"subArchitectures", inBoth}}
	conditionKeys = [...]key{{"caps", inBoth}, {"arches", inBoth}, {"minKernel", inDocker}}
	configKeys    = [...]key{{"ociVersion", inConfig}, {"linux", inConfig}} // those that matter here
)

const maxKeys = max(len(profileKeys), len(ruleKeys))

// find returns the index of a key among some, or -1. A key that differs in
// letter case only is found as well, and not exact.
func find(v document.Value, keys []key) (index int, exact bool) {
	name := v.Text()
	for i := range keys {
		if keys[i].name == name {
			return i, true
		}
	}
	return slices.IndexFunc(keys, func(k key) bool { return strings.EqualFold(k.name, name) }), false
}

// Detect returns the format of a JSON document, judged by its keys. If Docker's and
// Podman's formats both have them all, it is Docker. It is "" for text that is not JSON,
// for documents that are not profiles, and for profiles whose keys no single format has.
func Detect(s *language.Source) Format {
	doc, err := s.JSON()
	if err != nil {
		return ""
	}
	return detect(doc.Root()).format()
}

// A detector looks for keys that show the format of a document.
type detector struct {
	profile, config bool
	left            formats // those that know all keys so far
	// docker and podman are the first keys that only one of the two formats has.
	docker, podman document.Value
}

func detect(root document.Value) *detector {
	t := &detector{left: inAll &^ inConfig}
	for key := range root.Members() {
		if i, _ := find(key, profileKeys[:]); i >= 0 {
			t.profile = true
			t.see(key, profileKeys[i])
		}
		i, _ := find(key, configKeys[:])
		t.config = t.config || i >= 0
	}
	for _, rule := range root.Member("syscalls").Elements() {
		for key, val := range rule.Members() {
			i, exact := find(key, ruleKeys[:])
			if i < 0 || exact && ruleKeys[i].name == "comment" {
				continue // allowed everywhere
			}
			t.see(key, ruleKeys[i])
			if name := ruleKeys[i].name; name == "includes" || name == "excludes" {
				for k := range val.Members() {
					if i, _ := find(k, conditionKeys[:]); i >= 0 {
						t.see(k, conditionKeys[i])
					}
				}
			}
		}
	}
	return t
}

// see takes a key into account that stands at v.
func (t *detector) see(v document.Value, k key) {
	t.left &= k.in
	switch {
	case k.in == inDocker && !t.docker.Exists():
		t.docker = v
	case k.in == inPodman && !t.podman.Exists():
		t.podman = v
	}
}

func (t *detector) format() Format {
	switch {
	case t.profile:
		return t.left.least()
	case t.config:
		return Config
	}
	return ""
}

// problem says why a document has no format, and which value shows it.
func (t *detector) problem(root document.Value) (at document.Value, reason string) {
	if !t.profile {
		return foreign(root)
	}
	return t.podman, unknown.Quote(t.podman.Text()) + " is a key of Podman's format and " + unknown.Quote(t.docker.Text()) +
		" one of Docker's: no format has both (remove one, or name the format)"
}
