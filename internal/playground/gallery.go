package playground

import (
	"embed"

	"github.com/seccompile/seccompile/internal/failure"
	"github.com/seccompile/seccompile/preset"
)

// own has examples that were written for the gallery. The others are package preset's, which
// says where they come from: those of Docker, Podman and containerd are under the Apache License
// 2.0, that of flatpak says in OCI's format what flatpak's filter does.
//
//go:embed gallery
var own embed.FS

// An example is an entry of the gallery: what package preset has under a name, or a file of
// gallery.
type example struct {
	Entry
	preset, second string
	file, language string
	call           string
	abis           []string
	expected       []Expectation
}

// examples lists the gallery.
func examples() []example {
	docker := []string{"x86_64", "x86", "x32"}
	return []example{
		{
			Entry:  Entry{"docker", "Docker", "what docker run uses if nobody says otherwise (Moby, Apache-2.0)"},
			preset: "docker", abis: docker, call: "socket(AF_VSOCK, SOCK_STREAM, 0)",
			expected: []Expectation{
				{"x86_64", "clone(CLONE_NEWUSER|SIGCHLD)", "errno:EPERM"},
				{"x86_64", "clone3", "errno:ENOSYS"},
				{"x86_64", "openat(AT_FDCWD)", "allow"},
			},
		},
		{
			Entry:  Entry{"docker-af-alg", "Docker: the AF_ALG change", "its default before and after it denied sockets of the kernel's crypto API: 28.3.3 and 29.6.2 (Moby, Apache-2.0)"},
			preset: "docker@28.3.3", second: "docker@29.6.2", abis: docker, call: "socket(AF_ALG, SOCK_SEQPACKET, 0)",
			expected: []Expectation{{"x86_64", "socket(AF_ALG, SOCK_SEQPACKET, 0)", "errno:EPERM"}},
		},
		{
			Entry:  Entry{"podman", "Podman", "the default of Podman and Buildah (containers/common, Apache-2.0)"},
			preset: "podman", abis: []string{"x86_64", "x86", "x32"}, call: "keyctl(KEYCTL_READ)",
		},
		{
			Entry:  Entry{"containerd", "containerd", "RuntimeDefault of Kubernetes under containerd (containerd, Apache-2.0)"},
			preset: "containerd", abis: []string{"x86_64", "x86", "x32"}, call: "unshare(CLONE_NEWNS)",
		},
		{
			Entry:  Entry{"flatpak", "flatpak", "what flatpak's filter does with an application, as a profile"},
			preset: "flatpak", abis: []string{"x86_64"}, call: "ioctl(0, TIOCSTI)",
		},
		{
			Entry: Entry{"systemd", "A systemd unit", "a service with SystemCallFilter= and what goes with it (an example of this project)"},
			file:  "tile-server.service", call: "ptrace(PTRACE_ATTACH)", abis: []string{"x86_64"},
		},
		{
			Entry: Entry{"minijail", "A minijail policy", "with conditions on arguments (an example of this project)"},
			file:  "thumbnailer.policy", language: "minijail-c", call: "mmap(0, 4096, PROT_WRITE|PROT_EXEC, MAP_PRIVATE)", abis: []string{"x86_64"},
		},
		{
			Entry: Entry{"assembly", "cBPF assembly", "a filter by hand, to be read without a profile (an example of this project)"},
			file:  "no-connections.s", call: "socket(AF_INET, SOCK_STREAM, 0)",
		},
	}
}

// gallery returns an example.
func (e *Engine) gallery(q *galleryOf) (*Example, error) {
	for _, x := range examples() {
		if x.ID == q.ID {
			return x.example()
		}
	}
	return nil, failure.Usagef("gallery: unknown example %q", q.ID)
}

// example returns the example itself.
func (x *example) example() (*Example, error) {
	source, err := x.source(x.preset)
	if err != nil {
		return nil, err
	}
	out := &Example{
		Source: *source, Target: Target{ABIs: append([]string{}, x.abis...), Caps: []string{}}, Expectations: x.expected,
	}
	if x.call != "" {
		out.Call = &CallText{Text: x.call}
	}
	if x.second != "" {
		if out.Second, err = x.source(x.second); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// source returns a preset, or the file of the example if it has one.
func (x *example) source(name string) (*Source, error) {
	var text []byte
	var err error
	if x.file != "" {
		name = x.file
		text, err = own.ReadFile("gallery/" + name)
	} else {
		text, err = preset.Profile(name)
		name += ".json"
	}
	return &Source{Text: string(text), Name: name, Language: x.language, Settings: []string{}}, err
}
