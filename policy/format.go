package policy

import (
	"fmt"
	"slices"
	"strings"
)

// A Format is a file format that profiles come in.
type Format uint8

// The formats that [Read] understands. The zero Format is none of them.
const (
	FormatOCI    Format = iota + 1 // runtime-spec's linux.seccomp object
	FormatConfig                   // a whole config.json of runtime-spec
	FormatDocker                   // Docker's format: archMap, includes, excludes, minKernel
	FormatPodman                   // that of Podman, Buildah and CRI-O: errno and defaultErrno, no minKernel
)

// formatNames names every Format.
var formatNames = [...]string{FormatOCI: "oci", FormatConfig: "config", FormatDocker: "docker", FormatPodman: "podman"}

// ParseFormat reads "oci", "config", "docker" or "podman".
func ParseFormat(s string) (Format, error) {
	for f := FormatOCI; f <= FormatPodman; f++ {
		if s == formatNames[f] {
			return f, nil
		}
	}
	return 0, fmt.Errorf("policy: format %q is unknown (known: %s)", s, strings.Join(formatNames[FormatOCI:], ", "))
}

// String returns "oci", "config", "docker" or "podman".
func (f Format) String() string {
	if f == 0 || int(f) >= len(formatNames) {
		return "none"
	}
	return formatNames[f]
}

// title names the format in messages about keys that it does not have.
func (f Format) title() string {
	switch f {
	case FormatOCI:
		return "an OCI profile"
	case FormatConfig:
		return "a config.json"
	case FormatDocker:
		return "Docker's format"
	case FormatPodman:
		return "Podman's format"
	}
	return "no format"
}

// Formats are a set of them, a bit for each.
type formats uint8

const (
	inConfig formats = 1 << FormatConfig
	inDocker formats = 1 << FormatDocker
	inPodman formats = 1 << FormatPodman
	inBoth           = inDocker | inPodman // the formats above OCI's
	inAll            = 1<<FormatOCI | inConfig | inBoth
)

func (s formats) has(f Format) bool { return s>>f&1 != 0 }

// least returns the first format of the set: where Docker's and Podman's agree,
// Docker's. It is zero for no formats.
func (s formats) least() Format {
	for f := FormatOCI; f <= FormatPodman; f++ {
		if s.has(f) {
			return f
		}
	}
	return 0
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
func find(v value, keys []key) (index int, exact bool) {
	for i, k := range keys {
		if v.is(k.name) {
			return i, true
		}
	}
	name := v.string()
	return slices.IndexFunc(keys, func(k key) bool { return strings.EqualFold(k.name, name) }), false
}

// Sniff tells the format of a JSON document by the keys present. Where the keys
// are those that Docker's and Podman's formats share, it is Docker's. It is zero for
// text that is not JSON, for documents that are no profile, and for profiles with keys
// that no one format has all of.
func Sniff(data []byte) Format {
	doc, err := scan(data)
	if err != nil {
		return 0
	}
	t := tell(doc.root())
	return t.format()
}

// A teller looks for keys that tell the format of a document.
type teller struct {
	profile, config bool
	left            formats // those that know all keys so far
	// docker and podman are the first keys that only one of the two formats has.
	docker, podman value
}

func tell(root value) *teller {
	t := &teller{left: inAll &^ inConfig}
	for key := range root.members() {
		t.profile = t.see(key, profileKeys[:]) || t.profile
		i, _ := find(key, configKeys[:])
		t.config = t.config || i >= 0
	}
	for _, rule := range root.member("syscalls").elements() {
		for key, val := range rule.members() {
			t.see(key, ruleKeys[:])
			if key.is("includes") || key.is("excludes") {
				for k := range val.members() {
					t.see(k, conditionKeys[:])
				}
			}
		}
	}
	return t
}

// see takes a key into account if it is one of those given.
func (t *teller) see(v value, keys []key) bool {
	i, _ := find(v, keys)
	if i < 0 {
		return false
	}
	t.left &= keys[i].in
	switch {
	case keys[i].in == inDocker && t.docker.doc == nil:
		t.docker = v
	case keys[i].in == inPodman && t.podman.doc == nil:
		t.podman = v
	}
	return true
}

func (t *teller) format() Format {
	switch {
	case t.profile:
		return t.left.least()
	case t.config:
		return FormatConfig
	}
	return 0
}

// problem says why a document has no format, and of which value.
func (t *teller) problem(root value) (at value, reason string) {
	const want = " (want an object with a defaultAction, or a config.json)"
	switch {
	case root.kind() != objectKind:
		return root, "the document is " + root.kind().String() + ", not a seccomp profile" + want
	case !t.profile:
		return root, "the document has no key of a seccomp profile" + want
	}
	return t.podman, quote(t.podman.string()) + " is a key of Podman's format and " + quote(t.docker.string()) +
		" one of Docker's: no format has both (remove one, or name the format)"
}
