package host

import "strings"

// A Place is where a process runs, as far as the name of its control group says. The names
// are those that the runtimes and systemd choose: nothing vouches for them.
type Place struct {
	Runtime string // of a container: "docker", "containerd", "cri-o", "podman", "lxc", "machine"; "" if unknown
	ID      string // of the container
	Pod     string // UID of the Kubernetes pod
	Unit    string // of systemd
	Path    string // of the control group
}

// String returns the place in a few words, "" for the root control group.
func (p Place) String() string {
	const short = 12 // as docker ps shows them
	id := p.ID
	if isHex(id, 64) {
		id = id[:short]
	}
	runtime := p.Runtime
	if runtime == "" {
		runtime = "container"
	}
	switch {
	case p.ID != "" && p.Pod != "":
		return runtime + " " + id + " of pod " + p.Pod
	case p.ID != "":
		return runtime + " " + id
	case p.Pod != "":
		return "pod " + p.Pod
	case p.Unit != "":
		return p.Unit
	}
	return strings.TrimPrefix(p.Path, "/")
}

// PlaceOf reads /proc/PID/cgroup (cgroups(7)): lines of HIERARCHY:CONTROLLERS:PATH. In
// version 1 there are several, and the longest path says most.
func PlaceOf(cgroup string) Place {
	var best Place
	for line := range strings.Lines(cgroup) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) < 3 {
			continue
		}
		p := parsePlace(fields[2])
		if (p.ID != "") == (best.ID != "") && len(p.Path) > len(best.Path) || p.ID != "" && best.ID == "" {
			best = p
		}
	}
	return best
}

// parsePlace reads the path of a control group. What is deeper in it says more: a container
// may hold others.
func parsePlace(path string) Place {
	p := Place{Path: path}
	parent := ""
	for name := range strings.SplitSeq(path, "/") {
		switch {
		case parent == "lxc":
			p.Runtime, p.ID = "lxc", name
		case strings.HasPrefix(name, "lxc.payload."):
			p.Runtime, p.ID = "lxc", strings.TrimPrefix(name, "lxc.payload.")
		case strings.HasPrefix(name, "machine-") && strings.HasSuffix(name, ".scope"):
			p.Runtime, p.ID = "machine", strings.TrimSuffix(strings.TrimPrefix(name, "machine-"), ".scope")
		case strings.HasSuffix(name, ".service"):
			p.Unit = name
		default:
			p.container(parent, name)
		}
		parent = name
	}
	return p
}

// container looks for the ID of a container, or of a pod, in one name of a path.
func (p *Place) container(parent, name string) {
	if i := strings.LastIndex(name, "pod"); i >= 0 && (i == 0 || strings.HasPrefix(name, "kubepods")) {
		uid := strings.ReplaceAll(strings.TrimSuffix(name[i+len("pod"):], ".slice"), "_", "-")
		if isHex(strings.ReplaceAll(uid, "-", ""), 32) {
			p.Pod = uid
			return
		}
	}
	id := strings.TrimSuffix(name, ".scope")
	runtime := parent
	if i := strings.LastIndexByte(id, '-'); i >= 0 {
		runtime, id = id[:i], id[i+1:]
	}
	if isHex(id, 64) {
		p.Runtime, p.ID = "", id
		for _, known := range [...][2]string{{"docker", "docker"}, {"cri-containerd", "containerd"}, {"crio", "cri-o"}, {"libpod", "podman"}} {
			if runtime == known[0] {
				p.Runtime = known[1]
			}
		}
	}
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}
