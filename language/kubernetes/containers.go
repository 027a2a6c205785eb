package kubernetes

import (
	"slices"
	"strings"

	"github.com/seccompile/seccompile/internal/document"
	"github.com/seccompile/seccompile/internal/kube"
	"github.com/seccompile/seccompile/internal/unknown"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
)

// A container is one of a Pod's, init and ephemeral ones included.
type container struct {
	pod         *kube.Object // or what makes the Pod
	annotations document.Value
	spec        document.Value // the Pod's
	value       document.Value
	name        string
	place       string
	profile     assigned
	at          string // of what decides the profile
	why         string // there is no filter
	add, drop   []string
	warnings    []policy.Warning
}

// An assigned is which profile a container gets.
type assigned struct {
	kind kind
	file string // of a Localhost profile
}

type kind uint8

const (
	unconfined kind = iota + 1
	runtimeDefault
	localhost
)

func (a assigned) String() string {
	switch a.kind {
	case runtimeDefault:
		return "RuntimeDefault"
	case localhost:
		return "Localhost " + unknown.Quote(a.file)
	}
	return "Unconfined"
}

// maxContainers bounds what a text may have.
const maxContainers = 10_000

// containers returns the containers of all Pods that the objects of a text are or make.
func containers(s *language.Source) ([]*container, error) {
	objects, err := kube.Objects(s)
	if err != nil {
		return nil, err
	}
	var all []*container
	for i := range objects {
		o := &objects[i]
		template := pod(o)
		spec := kube.Member(template, "spec")
		annotations := kube.Member(kube.Member(template, "metadata"), "annotations")
		for _, key := range []string{"initContainers", "containers", "ephemeralContainers"} {
			for _, v := range kube.Member(spec, key).Elements() {
				name := kube.Member(v, "name")
				if name.Kind() != document.String || len(all) == maxContainers {
					continue
				}
				all = append(all, &container{pod: o, annotations: annotations, spec: spec, value: v, name: name.Text(), place: o.Place(v)})
			}
		}
	}
	return all, nil
}

// pod returns the Pod, or the template of one, that an object has; an absent value if it has
// none.
func pod(o *kube.Object) document.Value {
	group, _, grouped := strings.Cut(o.APIVersion, "/")
	if !grouped {
		group = ""
	}
	spec := kube.Member(o.Root, "spec")
	switch group + " " + o.Kind {
	case " Pod":
		return o.Root
	case " PodTemplate":
		return kube.Member(o.Root, "template")
	case " ReplicationController", "apps DaemonSet", "apps Deployment", "apps ReplicaSet", "apps StatefulSet", "batch Job",
		"extensions DaemonSet", "extensions Deployment", "extensions ReplicaSet":
		return kube.Member(spec, "template")
	case "batch CronJob":
		return kube.Member(kube.Member(kube.Member(spec, "jobTemplate"), "spec"), "template")
	}
	return document.Value{}
}

// assign finds out which profile a container gets. The container's own settings come before
// the Pod's, and fields before annotations (kubelet: getSeccompProfile).
func (r *reader) assign(c *container) {
	own, pods := kube.Member(c.value, "securityContext"), kube.Member(c.spec, "securityContext")
	switch {
	case r.field(c, own):
	case r.annotation(c, "container.seccomp.security.alpha.kubernetes.io/"+c.name):
	case r.field(c, pods):
	case r.annotation(c, "seccomp.security.alpha.kubernetes.io/pod"):
	case r.language.SeccompDefault:
		c.profile, c.at = assigned{kind: runtimeDefault}, c.place
	default:
		c.profile, c.at = assigned{kind: unconfined}, c.place
		c.why = "nothing gives it a profile (write securityContext.seccompProfile, or seccomp-default=yes if the kubelet has seccompDefault)"
		if len(c.warnings) > 0 {
			c.why += "; " + c.warnings[len(c.warnings)-1].Message
		}
	}
	c.capabilitiesOf(own)
	p := kube.Member(own, "privileged")
	if p.Present() && p.Kind() != document.True && p.Kind() != document.False {
		c.none(c.pod.Place(p), "privileged: expected true or false, got "+p.Kind().String()+" (write it without quotes)")
	}
	if p.Kind() == document.True {
		c.none(c.pod.Place(p), "privileged: true, for which runtimes install none (remove it, or take single capabilities)")
	}
	if os := kube.Member(kube.Member(c.spec, "os"), "name"); os.Kind() == document.String && os.Text() == "windows" {
		c.none(c.pod.Place(os), "Windows has no seccomp")
	}
}

// none says that a container gets no filter, whatever profile it names.
func (c *container) none(at, why string) {
	if c.profile.kind != unconfined {
		why += "; its " + c.profile.String() + " has no effect"
	}
	c.profile, c.at, c.why = assigned{kind: unconfined}, at, why
}

// field takes the profile from a security context, and reports whether it names one.
func (r *reader) field(c *container, context document.Value) bool {
	v := kube.Member(context, "seccompProfile")
	if !v.Present() {
		for key := range context.Members() {
			if name := key.Text(); name != "seccompProfile" && unknown.Nearest(name, []string{"seccompProfile"}) != "" {
				c.warn(c.pod.Place(key), unknown.Quote(name)+": the API server does not know this key (did you mean seccompProfile?)")
			}
		}
		return false
	}
	c.at = c.pod.Place(v)
	t, file := kube.Member(v, "type"), kube.Member(v, "localhostProfile")
	word := ""
	if t.Kind() == document.String {
		word = t.Text()
	}
	switch word {
	case "RuntimeDefault":
		c.profile = assigned{kind: runtimeDefault}
	case "Unconfined":
		c.profile, c.why = assigned{kind: unconfined}, "its profile is Unconfined (give it RuntimeDefault or Localhost)"
	case "Localhost":
		c.profile = assigned{kind: localhost}
		if file.Kind() == document.String {
			c.profile.file = file.Text()
		}
	default:
		types := []string{"RuntimeDefault", "Unconfined", "Localhost"}
		c.profile, c.why = assigned{kind: unconfined}, "the type "+unknown.Quote(word)+" of its seccompProfile does not exist"+unknown.DidYouMean(unknown.Nearest(word, types))+
			" (write RuntimeDefault, Localhost or Unconfined)"
	}
	if word != "Localhost" && file.Present() && word != "" {
		c.warn(c.pod.Place(file), "localhostProfile: only with the type Localhost; the API server refuses it here")
	}
	return true
}

func (c *container) warn(place, message string) {
	c.warnings = append(c.warnings, policy.Warning{Kind: policy.Ignored, Pointer: place, Message: message})
}

// annotation takes the profile from an annotation, and reports whether it names one.
func (r *reader) annotation(c *container, key string) bool {
	v := kube.Member(c.annotations, key)
	if v.Kind() != document.String {
		return false
	}
	if !r.language.Annotations {
		c.warn(c.pod.Place(v), "the annotation "+key+": Kubernetes ignores it from 1.27 on (write securityContext.seccompProfile, or name an older version)")
		return false
	}
	c.at = c.pod.Place(v)
	file, isFile := strings.CutPrefix(v.Text(), "localhost/")
	switch {
	case isFile:
		c.profile = assigned{localhost, file}
	case v.Text() == "runtime/default" || v.Text() == "docker/default":
		c.profile = assigned{kind: runtimeDefault}
	default:
		c.profile, c.why = assigned{kind: unconfined}, "its annotation is "+unknown.Quote(v.Text())
	}
	return true
}

// capabilitiesOf notes the capabilities that a container adds and drops.
func (c *container) capabilitiesOf(context document.Value) {
	caps := kube.Member(context, "capabilities")
	read := func(key string) (names []string) {
		for _, v := range kube.Member(caps, key).Elements() {
			if v.Kind() != document.String {
				continue
			}
			name := strings.ToUpper(v.Text())
			if name != "ALL" && !strings.HasPrefix(name, "CAP_") {
				name = "CAP_" + name
			}
			if known := append(policy.AllCaps(), "ALL"); !slices.Contains(known, name) {
				c.warn(c.pod.Place(v), unknown.Quote(v.Text())+" is not a Linux capability"+unknown.DidYouMean(strings.TrimPrefix(unknown.Nearest(name, known), "CAP_")))
				continue
			}
			names = append(names, name)
		}
		return names
	}
	c.add, c.drop = read("add"), read("drop")
}
