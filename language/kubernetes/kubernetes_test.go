package kubernetes

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

func pods(spec string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  " + strings.ReplaceAll(spec, "\n", "\n  ") + "\n"
}

func read(text string, l Language) (*language.Source, language.Reading, error) {
	files := fstest.MapFS{
		"pod.yaml": {Data: []byte(text)},
		"profiles/a.json": {Data: []byte(`{"defaultAction": "SCMP_ACT_LOG",
"syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}`)},
		"profiles/bad.json": {Data: []byte(`{"defaultAction": "SCMP_ACT_NO"}`)},
		"runtime.json":      {Data: []byte(`{"defaultAction": "SCMP_ACT_TRAP"}`)},
	}
	s := language.NewSource([]byte(text)).In(files, "pod.yaml")
	reading, err := l.Read(s, policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	s.Locate(reading.Warnings, err)
	return s, reading, err
}

// problems returns what is wrong, one a line.
func problems(err error) string {
	var all policy.Errors
	var lines []string
	if errors.As(err, &all) {
		for _, p := range all {
			place := p.Pointer
			if p.Line > 0 {
				place = fmt.Sprintf("%d:%d", p.Line, p.Column)
			}
			lines = append(lines, place+": "+p.Reason)
		}
	}
	return strings.Join(lines, "\n")
}

func eval(t *testing.T, p *policy.Policy, nr uint32) cbpf.Action {
	t.Helper()
	r, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Eval(&cbpf.Data{NR: nr, Arch: arch.X86_64.Audit()})
}

const (
	unconfinedPod = "securityContext: {seccompProfile: {type: Unconfined}}\n"
	localhostA    = "{type: Localhost, localhostProfile: profiles/a.json}"
	mount         = 165
)

// Which profile a container gets: its own before the Pod's, in all objects that make Pods.
func TestProfiles(t *testing.T) {
	old := Language{Annotations: true}
	container := func(context string) string {
		return "containers:\n- name: c\n  securityContext: " + context
	}
	annotated := func(annotations, spec string) string {
		return strings.Replace(pods(spec), "  name: p\n", "  name: p\n  annotations: "+annotations+"\n", 1)
	}
	for name, tt := range map[string]struct {
		text string
		l    Language
		want cbpf.Action // of mount
	}{
		"container":           {pods(unconfinedPod + container("{seccompProfile: "+localhostA+"}")), Language{}, cbpf.Log},
		"pod":                 {pods("securityContext: {seccompProfile: " + localhostA + "}\n" + container("{}")), Language{}, cbpf.Log},
		"RuntimeDefault":      {pods(container("{seccompProfile: {type: RuntimeDefault}}")), Language{}, cbpf.Errno(1)},
		"with a capability":   {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [SYS_ADMIN]}}")), Language{}, cbpf.Allow},
		"with all":            {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [ALL], drop: [CHOWN]}}")), Language{}, cbpf.Allow},
		"all but one":         {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [ALL], drop: [SYS_ADMIN]}}")), Language{}, cbpf.Errno(1)},
		"added and dropped":   {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [SYS_ADMIN], drop: [CAP_SYS_ADMIN]}}")), Language{}, cbpf.Errno(1)},
		"none but one":        {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {add: [SYS_ADMIN], drop: [ALL]}}")), Language{}, cbpf.Allow},
		"without any":         {pods(container("{seccompProfile: {type: RuntimeDefault}, capabilities: {drop: [all]}}")), Language{}, cbpf.Errno(1)},
		"another runtime":     {pods(container("{seccompProfile: {type: RuntimeDefault}}")), Language{RuntimeDefault: "runtime.json"}, cbpf.Trap},
		"the kubelet's":       {pods(container("{}")), Language{SeccompDefault: true, RuntimeDefault: "/runtime.json"}, cbpf.Trap},
		"pod annotation":      {annotated("{seccomp.security.alpha.kubernetes.io/pod: localhost/profiles/a.json}", container("{}")), old, cbpf.Log},
		"old runtime default": {annotated("{seccomp.security.alpha.kubernetes.io/pod: docker/default}", container("{}")), old, cbpf.Errno(1)},
		"field above pod's":   {annotated("{seccomp.security.alpha.kubernetes.io/pod: docker/default}", "securityContext: {seccompProfile: "+localhostA+"}\n"+container("{}")), old, cbpf.Log},
		"container annotation above pod's field": {annotated("{container.seccomp.security.alpha.kubernetes.io/c: localhost/profiles/a.json}",
			unconfinedPod+container("{}")), old, cbpf.Log},
		"init container": {pods("initContainers:\n- name: i\n  securityContext: {seccompProfile: " + localhostA + "}\n" + container("{}")), Language{Container: "i"}, cbpf.Log},
		"Deployment": {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    spec:\n      containers: [{name: c, securityContext: {seccompProfile: " +
			localhostA + "}}]", Language{Container: "Deployment/d/c"}, cbpf.Log},
		"CronJob": {"apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: d}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, securityContext: {seccompProfile: " +
			localhostA + "}}]}}}}}", Language{Container: "d/c"}, cbpf.Log},
		"List": {`{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
			{"name": "c", "securityContext": {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/a.json"}}}]}}]}`, Language{}, cbpf.Log},
		"SPO": {pods(container("{seccompProfile: {type: Localhost, localhostProfile: operator/n/s.json}}")) +
			"---\napiVersion: security-profiles-operator.x-k8s.io/v1\nkind: SeccompProfile\nmetadata: {name: s}\nspec: {defaultAction: SCMP_ACT_KILL_PROCESS}\n", Language{}, cbpf.KillProcess},
	} {
		_, reading, err := read(tt.text, tt.l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := eval(t, reading.Policy, mount); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	_, reading, _ := read(pods(container("{seccompProfile: "+localhostA+"}")), Language{})
	if got := reading.Policy.Rules[0].Pointer; got != "profiles/a.json:2:14" {
		t.Error(got)
	}
}

// What is not a profile has a place, and a cure.
func TestBad(t *testing.T) {
	container := func(context string) string { return pods("containers:\n- name: c\n  securityContext: " + context) }
	profile := func(profile string) string { return container("{seccompProfile: " + profile + "}") }
	for _, tt := range []struct {
		text string
		l    Language
		want string
	}{
		{"", Language{}, "1:1: the input is empty (expected a YAML mapping)"},
		{"a: *b", Language{}, "1:4: not YAML: unknown anchor 'b' referenced (define it above, as &b)"},
		{"a: 1", Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{"[1, 2]", Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{"apiVersion: v1\nkind: Service\nmetadata: {name: s}", Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{"apiVersion: example.org/v1\nkind: Pod\nspec: {containers: [{name: c}]}", Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{pods("containers: []"), Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{pods("containers: {name: c}"), Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{pods("containers: [{image: x}]"), Language{}, "1:1: no Pod, and nothing that makes Pods (expected an object of Kubernetes with containers)"},
		{container("{}"), Language{}, "7:5: p/c: no filter: nothing gives it a profile (write securityContext.seccompProfile, or seccomp-default=yes if the kubelet has seccompDefault)"},
		{container("{seccompprofile: {type: RuntimeDefault}}"), Language{}, `7:5: p/c: no filter: nothing gives it a profile (write securityContext.seccompProfile, or seccomp-default=yes if the kubelet has seccompDefault); "seccompprofile": the API server does not know this key (did you mean seccompProfile?)`},
		{container("{seccompProfile: null}"), Language{}, "7:5: p/c: no filter: nothing gives it a profile (write securityContext.seccompProfile, or seccomp-default=yes if the kubelet has seccompDefault)"},
		{profile("{type: Unconfined}"), Language{SeccompDefault: true}, "8:39: p/c: no filter: its profile is Unconfined (give it RuntimeDefault or Localhost)"},
		{profile("{type: runtimeDefault}"), Language{}, `8:39: p/c: no filter: the type "runtimeDefault" of its seccompProfile does not exist (did you mean RuntimeDefault?) (write RuntimeDefault, Localhost or Unconfined)`},
		{profile("{type: runtime/default}"), Language{}, `8:39: p/c: no filter: the type "runtime/default" of its seccompProfile does not exist (did you mean RuntimeDefault?) (write RuntimeDefault, Localhost or Unconfined)`},
		{profile("{}"), Language{}, `8:39: p/c: no filter: the type "" of its seccompProfile does not exist (write RuntimeDefault, Localhost or Unconfined)`},
		{profile("RuntimeDefault"), Language{}, `8:39: p/c: no filter: the type "" of its seccompProfile does not exist (write RuntimeDefault, Localhost or Unconfined)`},
		{profile("{type: yes}"), Language{}, `8:39: p/c: no filter: the type "" of its seccompProfile does not exist (write RuntimeDefault, Localhost or Unconfined)`},
		{profile("{type: Localhost}"), Language{}, `8:39: localhostProfile "": expected a path below the kubelet's directory seccomp, without ..`},
		{profile("{type: Localhost, localhostProfile: /etc/a.json}"), Language{}, `8:39: localhostProfile "/etc/a.json": expected a path below the kubelet's directory seccomp, without ..`},
		{profile("{type: Localhost, localhostProfile: a/../../b}"), Language{}, `8:39: localhostProfile "a/../../b": expected a path below the kubelet's directory seccomp, without ..`},
		{profile("{type: Localhost, localhostProfile: none.json}"), Language{}, `8:39: localhostProfile "none.json": no such file (give the directory that stands for the kubelet's seccomp directory as root)`},
		{profile("{type: Localhost, localhostProfile: profiles}"), Language{}, `8:39: localhostProfile "profiles": profiles: not a regular file (give the directory that stands for the kubelet's seccomp directory as root)`},
		{profile("{type: Localhost, localhostProfile: operator/n/s.json}"), Language{}, `8:39: localhostProfile "operator/n/s.json": no such file (give the directory that stands for the kubelet's seccomp directory as root)`},
		{profile("{type: Localhost, localhostProfile: profiles/bad.json}"), Language{}, `profiles/bad.json:1:19: "SCMP_ACT_NO": unknown action (known: SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_KILL, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_NOTIFY, SCMP_ACT_TRACE, SCMP_ACT_LOG, SCMP_ACT_ALLOW)`},
		{profile("{type: RuntimeDefault}"), Language{RuntimeDefault: "none"}, `8:39: runtime-default "none": no such file`},
		{container("{privileged: true, seccompProfile: {type: RuntimeDefault}}"), Language{}, "8:35: p/c: no filter: privileged: true, for which runtimes install none (remove it, or take single capabilities); its RuntimeDefault has no effect"},
		{container("{privileged: y}"), Language{SeccompDefault: true}, "8:35: p/c: no filter: privileged: true, for which runtimes install none (remove it, or take single capabilities); its RuntimeDefault has no effect"},
		{container("{privileged: 'true'}"), Language{SeccompDefault: true}, "8:35: p/c: no filter: privileged: expected true or false, got a string (write it without quotes); its RuntimeDefault has no effect"},
		{pods("os: {name: windows}\ncontainers: [{name: c}]"), Language{}, "6:14: p/c: no filter: Windows has no seccomp"},
		{pods("containers: [{name: web}, {name: log, securityContext: {seccompProfile: {type: RuntimeDefault}}}]"), Language{},
			"6:29: containers with different profiles: p/web: Unconfined; p/log: RuntimeDefault (name one: container=NAME or container=OBJECT/NAME)"},
		{pods("containers: [{name: web}]"), Language{Container: "wbe"}, `1:1: "wbe": no such container (did you mean web?); these are there: p/web: Unconfined`},
		{strings.Replace(container("{}"), "  name: p\n", "  name: p\n  annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}\n", 1), Language{},
			"8:5: p/c: no filter: nothing gives it a profile (write securityContext.seccompProfile, or seccomp-default=yes if the kubelet has seccompDefault); the annotation seccomp.security.alpha.kubernetes.io/pod: Kubernetes ignores it from 1.27 on (write securityContext.seccompProfile, or name an older version)"},
		{strings.Replace(container("{}"), "  name: p\n", "  name: p\n  annotations: {seccomp.security.alpha.kubernetes.io/pod: none}\n", 1), Language{Annotations: true},
			`5:59: p/c: no filter: its annotation is "none"`},
	} {
		_, reading, err := read(tt.text, tt.l)
		if got := problems(err); got != tt.want || reading.Policy != nil {
			t.Errorf("%q:\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	_, reading, err := read(pods("containers:\n- name: c\n  securityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a}}"), Language{})
	if err != nil || len(reading.Warnings) == 0 || reading.Warnings[0].Line != 8 || reading.Warnings[0].Column != 80 {
		t.Error(reading.Warnings, err)
	}
	_, reading, err = read(pods("containers:\n- name: c\n  securityContext:\n    seccompProfile: {type: RuntimeDefault}\n    capabilities: {add: [SYS_ADMN, all], drop: [XYZ]}"), Language{})
	var got []string
	for _, w := range reading.Warnings {
		got = append(got, fmt.Sprintf("%d:%d: %s", w.Line, w.Column, w.Message))
	}
	const want = `10:28: "SYS_ADMN" is not a Linux capability (did you mean SYS_ADMIN?)
10:51: "XYZ" is not a Linux capability`
	if err != nil || strings.Join(got, "\n") != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(pods("containers:\n- name: c\n  securityContext: {seccompProfile: "+localhostA+"}")), "")
	f.Add([]byte(pods("initContainers: [{name: a, securityContext: {privileged: yes}}]")), "p/a")
	f.Add([]byte(`{"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {}}}`), "a/b/c")
	f.Fuzz(func(t *testing.T, data []byte, container string) {
		for _, old := range []bool{false, true} {
			_, reading, err := read(string(data), Language{Container: container, Annotations: old, SeccompDefault: !old})
			if (reading.Policy == nil) == (err == nil) {
				t.Fatalf("policy %v, error %v", reading.Policy, err)
			}
			if all, ok := err.(policy.Errors); err != nil && (!ok || len(all) == 0) {
				t.Fatalf("error %#v", err)
			}
		}
	})
}
