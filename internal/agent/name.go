package agent

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// labels are the annotations that say what people call a container, outermost first: those
// of containerd, which every listener of a pod's containers comes with, and of CRI-O.
func labels() [3][2]string {
	return [...][2]string{
		{"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"},
		{"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"},
		{"io.kubernetes.cri.container-name", "io.kubernetes.container.name"},
	}
}

// Lengths of the parts of a name. With four words, an ID, numbers and an extension it is
// shorter than the 255 bytes that the name of a file may have.
const (
	maxWord = 40
	maxID   = 64 // those of Docker, Podman and Kubernetes
)

// nameOf returns what to call a container: the profile's listenerMetadata, the namespace,
// pod and container of Kubernetes, as far as there are any, and the container's ID, or
// without one the name of its cgroup.
func nameOf(s *specs.ContainerProcessState) string {
	words := []string{safe(s.Metadata, maxWord)}
	for _, keys := range labels() {
		for _, key := range keys {
			if label := s.State.Annotations[key]; label != "" {
				words = append(words, safe(label, maxWord))
				break
			}
		}
	}
	id := s.State.ID
	if id == "" {
		id = cgroup(s.Pid)
	}
	words = slices.DeleteFunc(append(words, safe(id, maxID)), func(w string) bool { return w == "" })
	if len(words) == 0 {
		return "container"
	}
	return strings.Join(words, "_")
}

// cgroup returns the last element of a process's cgroup, "" if it is not known. Every
// line of the file ends in a path (cgroups(7)).
func cgroup(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.Trim(path.Base(first[strings.LastIndexByte(first, ':')+1:]), "/") // "/" is the root
}

// safe makes a word part of a file's name: no separator, no dot in front, nothing that a
// shell or a terminal would obey.
func safe(word string, most int) string {
	word = word[:min(len(word), most)]
	return strings.TrimLeft(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '.', r == '_':
			return r
		}
		return '_'
	}, word), ".-")
}

// unused returns a name that is not taken: the given one, or with a number.
func unused(name string, taken map[string]bool) string {
	free := name
	for i := 2; taken[free]; i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	return free
}
