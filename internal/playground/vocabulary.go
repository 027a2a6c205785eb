package playground

import (
	"slices"

	"github.com/seccompile/seccompile/internal/intake"
	"github.com/seccompile/seccompile/internal/lint"
	"github.com/seccompile/seccompile/internal/symbols"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/syscalltables"
)

// vocabulary lists everything there is to choose from.
func (e *Engine) vocabulary(*nothing) (*Vocabulary, error) {
	v := &Vocabulary{
		Version: e.version, Languages: languages(), ABIs: intake.KnownABIs(), Modes: intake.ModeNames(),
		Caps: policy.AllCaps(), Actions: intake.ActionWords, Formats: formats(),
	}
	for _, c := range lint.Consumers() {
		v.Consumers = append(v.Consumers, c.String())
	}
	for _, x := range examples() {
		v.Gallery = append(v.Gallery, x.Entry)
	}
	return v, nil
}

// titles says what the languages are.
func title(language string) string {
	switch language {
	case "oci":
		return "OCI: linux.seccomp of runtime-spec"
	case "config":
		return "OCI: a bundle's config.json"
	case "docker":
		return "Docker"
	case "podman":
		return "Podman, CRI-O"
	case "minijail-python":
		return "minijail (compile_seccomp_policy.py)"
	case "minijail-c":
		return "minijail (minijail0 -S)"
	case "systemd":
		return "systemd unit"
	case "spo":
		return "Security Profiles Operator"
	case "kubernetes":
		return "Kubernetes Pod"
	case "kafel":
		return "Kafel (nsjail)"
	case "bionic":
		return "bionic (Android)"
	case "snap":
		return "snap-confine"
	case "lxc":
		return "LXC, Incus"
	case "firecracker":
		return "Firecracker"
	case "beats":
		return "Beats (go-seccomp-bpf)"
	case "firejail":
		return "firejail"
	}
	return language
}

func languages() (list []Language) {
	for _, l := range intake.Languages() {
		x := Language{Name: l.Name, Title: title(l.Name), Versions: append([]int{}, l.Versions...), Settings: []Setting{}}
		for _, s := range l.Settings {
			x.Settings = append(x.Settings, Setting{s.Key, append([]string{}, s.Words...)})
		}
		list = append(list, x)
	}
	return list
}

// calls lists the calls of an ABI, with what their arguments are called.
func (e *Engine) calls(q *callsOf) ([]CallWords, error) {
	a, err := intake.ParseABI(q.ABI)
	if err != nil {
		return nil, err
	}
	list := []CallWords{}
	for _, c := range syscalltables.All(a) {
		w := CallWords{Name: c.Name(), Args: []ArgName{}}
		for i := range c.Args(a) {
			arg := symbols.At(a, c, i)
			x := ArgName{Name: arg.Name(), Constants: []string{}}
			for _, k := range arg.Constants() {
				if !slices.Contains(x.Constants, k.Name) {
					x.Constants = append(x.Constants, k.Name)
				}
			}
			w.Args = append(w.Args, x)
		}
		list = append(list, w)
	}
	return list, nil
}
