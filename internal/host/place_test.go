package host

import (
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	const uid = "6c1d3f0a-7b2e-4c55-9a3d-0123456789ab"
	tests := []struct {
		cgroup string
		want   Place // without its path
		text   string
	}{
		{"0::/system.slice/docker-" + id + ".scope\n", Place{Runtime: "docker", ID: id}, "docker 0123456789ab"},
		{"0::/docker/" + id + "\n", Place{Runtime: "docker", ID: id}, "docker 0123456789ab"},
		{"0::/system.slice/docker-" + id + ".scope/init.scope", Place{Runtime: "docker", ID: id}, "docker 0123456789ab"},
		{"0::/machine.slice/libpod-" + id + ".scope/container", Place{Runtime: "podman", ID: id}, "podman 0123456789ab"},
		{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + strings.ReplaceAll(uid, "-", "_") + ".slice/cri-containerd-" + id + ".scope",
			Place{Runtime: "containerd", ID: id, Pod: uid}, "containerd 0123456789ab of pod " + uid},
		{"0::/kubepods/besteffort/pod" + uid + "/" + id, Place{ID: id, Pod: uid}, "container 0123456789ab of pod " + uid},
		{"0::/kubepods/pod" + uid, Place{Pod: uid}, "pod " + uid},
		{"0::/kubepods.slice/crio-" + id + ".scope", Place{Runtime: "cri-o", ID: id}, "cri-o 0123456789ab"},
		// What runs inside of a container says more.
		{"0::/docker/" + id + "/system.slice/nginx.service", Place{Runtime: "docker", ID: id, Unit: "nginx.service"}, "docker 0123456789ab"},
		{"0::/lxc/web", Place{Runtime: "lxc", ID: "web"}, "lxc web"},
		{"0::/lxc.payload.web/system.slice/ssh.service", Place{Runtime: "lxc", ID: "web", Unit: "ssh.service"}, "lxc web"},
		{"0::/machine.slice/machine-trixie.scope/payload", Place{Runtime: "machine", ID: "trixie"}, "machine trixie"},
		{"0::/system.slice/ssh.service\n", Place{Unit: "ssh.service"}, "ssh.service"},
		{"0::/mine", Place{}, "mine"},
		{"0::/a:b", Place{}, "a:b"},
		{"0::/\n", Place{}, ""},
		{"", Place{}, ""},
		{"nonsense\n:\n", Place{}, ""},
		{"0::/podcast/pod/kubepods-pod.slice/docker-" + id[1:] + ".scope", Place{}, "podcast/pod/kubepods-pod.slice/docker-" + id[1:] + ".scope"},
		// Version 1 has many lines.
		{"12:devices:/\n5:pids:/docker/" + id + "\n1:name=systemd:/docker/" + id + "/a\n0::/system.slice/containerd.service/long/enough/to/be/the/longest/of/these/lines/by/far/and/some/more",
			Place{Runtime: "docker", ID: id}, "docker 0123456789ab"},
	}
	for _, tt := range tests {
		got := PlaceOf(tt.cgroup)
		if text := got.String(); text != tt.text {
			t.Errorf("%q: %q, want %q", tt.cgroup, text, tt.text)
		}
		if got.Path = ""; got != tt.want {
			t.Errorf("%q: %+v, want %+v", tt.cgroup, got, tt.want)
		}
	}
}
