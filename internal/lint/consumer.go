package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/runtimes"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/preset"
)

// A Consumer is a program that profiles are written for, and the OCI runtimes to which it
// may hand them. The zero Consumer is no particular one: Check then reports only what
// holds for all of them.
//
// What they do comes from the sources of these releases, and from trying them where it
// decides about an error: moby/profiles 0.2.4, containers/common 0.50 and 0.64, runc 1.1.5
// and 1.5.2, crun 1.8.1 and 1.29, containerd 2.4, CRI-O 1.36, libseccomp 2.5.4. What runtimes
// accept of a profile from a registry comes from KEP-6061 and from the sources of
// security-profiles-merger and CRI-O of September 2026, which are to implement it.
type Consumer uint8

// The consumers.
const (
	Docker     Consumer = iota + 1 // docker run --security-opt seccomp=FILE, with runc
	Podman                         // podman run --security-opt seccomp=FILE, with crun or runc
	PodmanCrun                     // the same, with crun alone
	PodmanRunc                     // the same, with runc alone
	Runc                           // a config.json, or the seccomp object for one
	Crun                           // a config.json, or the seccomp object for one
	Containerd                     // a file given to containerd, with runc
	Kubernetes                     // a Localhost profile under containerd, with runc
	CRIO                           // a Localhost profile under CRI-O, with crun or runc
	KEP6061                        // an OCI artifact that Kubernetes has the runtime pull, with crun or runc
	Youki                          // a config.json, or the seccomp object for one
	Youki06                        // the same, for releases until April 2026
)

// consumers describes every Consumer.
var consumers = [...]struct {
	word, title string
	format      oci.Format // of profiles
	runtimes    [2]Consumer
}{
	Docker:     {"docker", "Docker", oci.Docker, [2]Consumer{Runc}},
	Podman:     {"podman", "Podman", oci.Podman, [2]Consumer{Crun, Runc}},
	PodmanCrun: {"podman/crun", "Podman", oci.Podman, [2]Consumer{Crun}},
	PodmanRunc: {"podman/runc", "Podman", oci.Podman, [2]Consumer{Runc}},
	Runc:       {oci.Runc, "runc", oci.OCI, [2]Consumer{Runc}},
	Crun:       {oci.Crun, "crun", oci.OCI, [2]Consumer{Crun}},
	Containerd: {"containerd", "containerd", oci.OCI, [2]Consumer{Runc}},
	Kubernetes: {"kubernetes", "Kubernetes with containerd", oci.OCI, [2]Consumer{Runc}},
	CRIO:       {"cri-o", "CRI-O", oci.Podman, [2]Consumer{Crun, Runc}},
	KEP6061:    {"kep-6061", "a runtime of KEP-6061", oci.OCI, [2]Consumer{Crun, Runc}},
	Youki:      {oci.Youki, "youki", oci.OCI, [2]Consumer{Youki}},
	Youki06:    {oci.Youki06, "youki 0.6", oci.OCI, [2]Consumer{Youki06}},
}

// Consumers returns all consumers. The caller may change the slice.
func Consumers() (all []Consumer) {
	for c := Docker; c <= Youki06; c++ {
		all = append(all, c)
	}
	return all
}

// ParseConsumer reads the word that String returns, or one of the short forms "k8s" and
// "crio".
func ParseConsumer(s string) (Consumer, error) {
	var known []string
	for _, c := range Consumers() {
		if runtimes.Whole(s) == c.String() {
			return c, nil
		}
		known = append(known, c.String())
	}
	return 0, fmt.Errorf("lint: unknown consumer %q (known: %s)", s, strings.Join(known, ", "))
}

// String returns the word that ParseConsumer reads.
func (c Consumer) String() string {
	if c == 0 || int(c) >= len(consumers) {
		return fmt.Sprintf("Consumer(%d)", uint8(c))
	}
	return consumers[c].word
}

// DefaultCaps returns the capabilities that the consumer gives a container by default,
// or Docker's if it does not define any. The caller may change the slice.
func (c Consumer) DefaultCaps() []string {
	switch c {
	case Podman, PodmanCrun, PodmanRunc:
		return preset.Caps("podman")
	case CRIO:
		// cri-o: internal/config/capabilities/capabilities_linux.go: Default
		return strings.Fields("CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_SETGID CAP_SETUID CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_KILL")
	case Docker, Runc, Crun, Containerd, Kubernetes, KEP6061, Youki, Youki06:
	}
	return preset.Caps("docker")
}

// title names the consumer in a sentence.
func (c Consumer) title() string { return consumers[c].title }

// runtimes returns the OCI runtimes to which the consumer hands the profile, none for no
// particular consumer.
func (c Consumer) runtimes() []Consumer {
	list := consumers[c].runtimes[:]
	for len(list) > 0 && list[len(list)-1] == 0 {
		list = list[:len(list)-1]
	}
	return list
}

// with reports whether the consumer may hand the profile to a runtime.
func (c Consumer) with(runtime Consumer) bool { return slices.Contains(c.runtimes(), runtime) }

// only reports whether that runtime is the only one.
func (c Consumer) only(runtime Consumer) bool { return c.with(runtime) && len(c.runtimes()) == 1 }

// privileged reports whether the consumer starts containers without no_new_privs unless it is
// told otherwise. For runtimes config.json decides, and containerd's own client sets it.
func (c Consumer) privileged() bool {
	switch c {
	case Docker, Podman, PodmanCrun, PodmanRunc, Kubernetes, CRIO, KEP6061:
		return true
	case Runc, Crun, Containerd, Youki, Youki06:
	}
	return false
}

// direct reports whether the consumer is itself a runtime, which reads a config.json.
func (c Consumer) direct() bool { return c == Runc || c == Crun || c == Youki || c == Youki06 }

// format returns the format that the consumer reads a file of the given format in.
func (c Consumer) format(of oci.Format) oci.Format {
	switch f := consumers[c].format; {
	case c == 0:
		return of
	case of == oci.Config && c.direct():
		return oci.Config
	default:
		return f
	}
}
