// Package kubernetes reads which seccomp profile the containers of a Pod get, or those of a
// Deployment and the like, and reads that profile. Start with [Language].
package kubernetes

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Language is the language of Pods and of the objects that make them, in YAML or JSON:
// DaemonSet, Deployment, Job, CronJob, PodTemplate, ReplicaSet, ReplicationController and
// StatefulSet, and lists of these. The zero value reads as Kubernetes does from 1.27 on.
type Language struct {
	// Container is the name of the container whose profile to read, as CONTAINER or
	// OBJECT/CONTAINER. It may be "" if all containers have the same profile.
	Container string
	// Annotations says that the annotations of Kubernetes before 1.27 count:
	// seccomp.security.alpha.kubernetes.io/pod, and container.seccomp... of a container.
	Annotations bool
	// SeccompDefault is the kubelet's setting of this name: containers without a profile
	// get RuntimeDefault, and are not unconfined.
	SeccompDefault bool
	// RuntimeDefault names the file, below the root of the source's files, with the default
	// profile of the container runtime. "" is Docker's, which containerd's is made from.
	RuntimeDefault string
}

// Read implements [language.Language]. Localhost profiles are files below the root of the
// source's files, which stands for the kubelet's directory seccomp; one that is not there may
// be a SeccompProfile in the same text. The capabilities of the target are those of the
// runtime, and the container adds and drops its own. That a container has no filter is an
// error that says why.
func (l Language) Read(s *language.Source, t policy.Target) (language.Reading, error) {
	all, err := containers(s)
	if err != nil {
		return language.Reading{}, err
	}
	r := &reader{language: l, source: s, target: t}
	for _, c := range all {
		r.assign(c)
	}
	if c := r.choose(all); c != nil {
		reading, err := r.profile(c)
		reading.Warnings = append(c.warnings, reading.Warnings...)
		return reading, err
	}
	return language.Reading{}, r.problems
}

// Is reports whether a text certainly has objects that Language reads.
func Is(s *language.Source) bool {
	all, err := containers(s)
	return err == nil && len(all) > 0
}

type reader struct {
	language Language
	source   *language.Source
	target   policy.Target
	problems policy.Errors
}

func (r *reader) fail(place, reason string) {
	r.problems = append(r.problems, &policy.Error{Kind: policy.Invalid, Pointer: place, Reason: reason})
}

// choose returns the container whose profile to read, nil with a problem if that is not
// clear.
func (r *reader) choose(all []*container) *container {
	start := r.source.Place(1, 1)
	if len(all) == 0 {
		r.fail(start, "no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)")
		return nil
	}
	fits := all
	if name := r.language.Container; name != "" {
		fits = nil
		var names []string
		for _, c := range all {
			names = append(names, c.name)
			if name == c.name || name == c.pod.Name+"/"+c.name || name == c.pod.Kind+"/"+c.pod.Name+"/"+c.name {
				fits = append(fits, c)
			}
		}
		if len(fits) == 0 {
			r.fail(start, unknown.Quote(name)+": no such container"+unknown.DidYouMean(unknown.Nearest(name, names))+"; these are there: "+list(all))
			return nil
		}
	}
	for _, c := range fits[1:] {
		if c.profile != fits[0].profile || c.profile.kind == runtimeDefault && !slices.Equal(c.capabilities(r.target.Caps), fits[0].capabilities(r.target.Caps)) {
			r.fail(c.place, "containers with different profiles: "+list(fits)+" (name one: container=NAME or container=OBJECT/NAME)")
			return nil
		}
	}
	return fits[0]
}

// list names containers with their profiles, the first 20.
func list(all []*container) string {
	const most = 20
	var lines []string
	for i, c := range all {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(all)-most))
			break
		}
		line := c.pod.Name + "/" + c.name + ": " + c.profile.String()
		if c.profile.kind == runtimeDefault && len(c.add)+len(c.drop) > 0 {
			line += " (capabilities" + signed(" +", c.add) + signed(" -", c.drop) + ")"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// profile reads the profile of a container.
func (r *reader) profile(c *container) (language.Reading, error) {
	switch c.profile.kind {
	case runtimeDefault:
		return r.runtimeDefault(c)
	case localhost:
		return r.localhost(c)
	}
	r.fail(c.at, c.pod.Name+"/"+c.name+": no filter: "+c.why)
	return language.Reading{}, r.problems
}

// localhost reads a profile from the kubelet's directory.
func (r *reader) localhost(c *container) (language.Reading, error) {
	file := c.profile.file
	if file == "" || path.IsAbs(file) || slices.Contains(strings.Split(file, "/"), "..") {
		r.fail(c.at, "localhostProfile "+unknown.Quote(file)+": expected a path below the kubelet's directory seccomp, without ..")
		return language.Reading{}, r.problems
	}
	s, err := r.source.Include("/" + file)
	if errors.Is(err, fs.ErrNotExist) {
		if name, ok := operators(file); ok && spo.Is(r.source) {
			return spo.Language{Object: name}.Read(r.source, r.target)
		}
	}
	if err != nil {
		r.fail(c.at, "localhostProfile "+unknown.Quote(file)+": "+reason(err)+" (give the directory that stands for the kubelet's seccomp directory as root)")
		return language.Reading{}, r.problems
	}
	return kube.Profile(s, "", r.target, s.Place)
}

// operators returns the name of the SeccompProfile that the Security Profiles Operator writes
// to a file.
func operators(file string) (name string, ok bool) {
	dir, base := path.Split(file)
	name, ok = strings.CutSuffix(base, ".json")
	return name, ok && (dir == "operator/" || strings.HasPrefix(dir, "operator/"))
}

func reason(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	return err.Error()
}

// runtimeDefault reads the profile of the container runtime.
func (r *reader) runtimeDefault(c *container) (language.Reading, error) {
	t := r.target
	t.Caps = c.capabilities(t.Caps)
	if file := r.language.RuntimeDefault; file != "" {
		s, err := r.source.Include("/" + strings.TrimPrefix(file, "/"))
		if err != nil {
			r.fail(c.at, "runtime-default "+unknown.Quote(file)+": "+reason(err))
			return language.Reading{}, r.problems
		}
		return kube.Profile(s, "", t, s.Place)
	}
	place := func(line, column int) string { return fmt.Sprintf("docker-default:%d:%d", line, column) }
	return kube.Profile(language.NewSource(preset.Docker()), oci.Docker, t, place)
}

// capabilities returns those of a container whose runtime gives some, in containerd's order:
// ALL first, then single ones, which drop takes away even if add has them.
func (c *container) capabilities(given []string) []string {
	caps := slices.Clone(given)
	if slices.Contains(c.add, "ALL") {
		caps = policy.AllCaps()
	}
	if slices.Contains(c.drop, "ALL") {
		caps = nil
	}
	for _, name := range c.add {
		if name != "ALL" && !slices.Contains(caps, name) {
			caps = append(caps, name)
		}
	}
	return slices.DeleteFunc(caps, func(name string) bool { return slices.Contains(c.drop, name) })
}

// signed joins names, each behind a sign.
func signed(sign string, names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString(sign + strings.TrimPrefix(n, "CAP_"))
	}
	return b.String()
}
