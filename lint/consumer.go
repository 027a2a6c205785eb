package lint

import (
	"fmt"
	"strings"

	"github.com/seccompile/seccompile/policy"
)

// A Consumer is a program that profiles are written for. The zero Consumer is none
// in particular: then only what is true of all of them is reported.
//
// What they do was read in, and where it decides about an error tried with, these
// releases: moby/profiles 0.2.4, containers/common 0.50 and 0.64, runc 1.1.5 and
// 1.5.2, crun 1.8.1 and 1.29, containerd 2.4, libseccomp 2.5.4.
type Consumer uint8

// The consumers.
const (
	Docker     Consumer = iota + 1 // docker run --security-opt seccomp=FILE, with runc
	Podman                         // podman run --security-opt seccomp=FILE, with crun
	Runc                           // a config.json, or the seccomp object for one
	Crun                           // a config.json, or the seccomp object for one
	Containerd                     // a file given to containerd, with runc
	Kubernetes                     // a Localhost profile under containerd, with runc
)

// consumers describes every Consumer.
var consumers = [...]struct {
	word, title string
	format      policy.Format // of profiles
	runtime     Consumer
}{
	Docker:     {"docker", "Docker", policy.FormatDocker, Runc},
	Podman:     {"podman", "Podman", policy.FormatPodman, Crun},
	Runc:       {"runc", "runc", policy.FormatOCI, Runc},
	Crun:       {"crun", "crun", policy.FormatOCI, Crun},
	Containerd: {"containerd", "containerd", policy.FormatOCI, Runc},
	Kubernetes: {"kubernetes", "Kubernetes with containerd", policy.FormatOCI, Runc},
}

// Consumers returns all consumers. The slice is fresh.
func Consumers() []Consumer { return []Consumer{Docker, Podman, Runc, Crun, Containerd, Kubernetes} }

// ParseConsumer reads "docker", "podman", "runc", "crun", "containerd" or
// "kubernetes".
func ParseConsumer(s string) (Consumer, error) {
	var known []string
	for _, c := range Consumers() {
		if s == c.String() {
			return c, nil
		}
		known = append(known, c.String())
	}
	return 0, fmt.Errorf("lint: consumer %q is unknown (known: %s)", s, strings.Join(known, ", "))
}

// String returns the word that ParseConsumer reads.
func (c Consumer) String() string {
	if c == 0 || int(c) >= len(consumers) {
		return fmt.Sprintf("Consumer(%d)", uint8(c))
	}
	return consumers[c].word
}

// DefaultCaps returns the capabilities that the consumer gives a container by default,
// Docker's where it does not say. The slice is fresh.
func (c Consumer) DefaultCaps() []string {
	if c == Podman {
		return policy.PodmanCaps()
	}
	return policy.DefaultCaps()
}

// title names the consumer in a sentence.
func (c Consumer) title() string { return consumers[c].title }

// runtime returns the OCI runtime that the consumer hands the profile to, by default.
func (c Consumer) runtime() Consumer { return consumers[c].runtime }

// format returns the format that the consumer reads a file of the given format in.
func (c Consumer) format(of policy.Format) policy.Format {
	switch f := consumers[c].format; {
	case c == 0:
		return of
	case of == policy.FormatConfig && (c == Runc || c == Crun):
		return policy.FormatConfig
	default:
		return f
	}
}
