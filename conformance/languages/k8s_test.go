package languages

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kubernetes"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// objects returns the objects of Kubernetes in a text by a reading of its own: values of Go,
// as the library for YAML makes them.
func objects(text []byte) (list []map[string]any, err error) {
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var o map[string]any
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		if items, ok := o["items"].([]any); ok {
			for _, i := range items {
				if item, ok := i.(map[string]any); ok {
					list = append(list, item)
				}
			}
		} else if o != nil {
			list = append(list, o)
		}
	}
}

func at(o any, path ...string) any {
	for _, key := range path {
		m, _ := o.(map[string]any)
		o = m[key]
	}
	return o
}

func name(o any) string { s, _ := at(o, "metadata", "name").(string); return s }

// filter compiles a profile in JSON, or what is wrong with it.
func filter(t *testing.T, reading language.Reading, err error) (*cbpf.Program, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		return nil, err
	}
	p, _, err := compiler.Compile(resolved, compiler.Options{})
	return p, err
}

// plainly reads the spec of a SeccompProfile with the one base profile that it may have, which
// allows calls as it does, in another way.
func plainly(t *testing.T, spec map[string]any, bases map[string]any) *cbpf.Program {
	t.Helper()
	own := maps.Clone(spec)
	if base, ok := own["baseProfileName"].(string); ok {
		theirs, _ := at(bases[base], "syscalls").([]any)
		ours, _ := own["syscalls"].([]any)
		own["syscalls"] = slices.Concat(theirs, ours)
	}
	delete(own, "baseProfileName")
	delete(own, "targetWorkload")
	text, err := json.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	reading, err := oci.Language{Format: oci.OCI}.Read(language.NewSource(text), policy.Target{ABI: arch.X86_64})
	p, err := filter(t, reading, err)
	if err != nil {
		t.Error(err)
	}
	return p
}

func sameFilter(t *testing.T, what string, a, b *cbpf.Program) bool {
	t.Helper()
	answer, err := proof.Equal(proof.Program(a), proof.Program(b), proof.Limits{})
	if err != nil || answer.Verdict != proof.Same {
		t.Errorf("%s: %v %v", what, answer.Verdict, err)
		return false
	}
	return true
}

// Every SeccompProfile of the collection is read, with its base, and its filter is that of a
// second reading. Every container of every Pod gets the profile that its text names. A file
// of neither is refused, and the reason is one of those known.
func TestKubernetes(t *testing.T) {
	dir := filepath.Join(corpus(t, ""), "..", "k8s")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	k := kube{T: t, dir: dir, refused: map[string]int{}, counts: map[string]int{}, bases: map[string]any{}}
	for _, file := range files { // what others are based on
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list, _ := objects(text)
		for _, o := range list {
			if ns, _ := at(o, "metadata", "namespace").(string); o["kind"] == "SeccompProfile" && ns != "" {
				k.bases[name(o)] = o["spec"]
			}
		}
	}
	for _, file := range files {
		k.file(filepath.Base(file))
	}
	for _, c := range []map[string]int{k.counts, k.refused} {
		for _, what := range slices.Sorted(maps.Keys(c)) {
			t.Logf("%4d %s", c[what], what)
		}
	}
	if k.counts["profiles proved equal"] == 0 || k.counts["containers"] == 0 {
		t.Error("nothing was compared")
	}
	reasons := []string{"a Helm template", "no profile and no container"}
	for reason := range k.refused {
		if !slices.Contains(reasons, reason) {
			t.Errorf("refused: %s", reason)
		}
	}
}

type kube struct {
	*testing.T
	dir             string
	bases           map[string]any
	refused, counts map[string]int
}

func (k *kube) file(file string) {
	text, err := os.ReadFile(filepath.Join(k.dir, file))
	if err != nil {
		k.Fatal(err)
	}
	k.counts["files"]++
	s := language.NewSource(text).In(os.DirFS(k.dir), file)
	list, err := objects(text)
	if err != nil {
		_, ours := kubernetes.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if ours == nil {
			k.Errorf("%s: only the library refuses it: %v", file, err)
		}
		if bytes.Contains(text, []byte("{{")) && strings.Contains(ours.Error(), "helm template") {
			k.refused["a Helm template"]++
		} else {
			k.refused[file+": "+ours.Error()]++
		}
		return
	}
	if len(list) > 0 && bytes.Contains(text, []byte("{{")) { // its values are placeholders
		_, ours := kubernetes.Language{}.Read(s, policy.Target{ABI: arch.X86_64})
		if ours == nil {
			k.Errorf("%s: a template is read", file)
		}
		k.refused["a Helm template"]++
		return
	}
	found := false
	for _, o := range list {
		found = k.profile(file, s, o) || found
		found = k.pod(file, s, o) || found
	}
	if !found {
		if spo.Is(s) || kubernetes.Is(s) {
			k.Errorf("%s: there should be nothing in it", file)
		}
		k.refused["no profile and no container"]++
	}
}

// profile compares a SeccompProfile, or those in a ConfigMap.
func (k *kube) profile(file string, s *language.Source, o map[string]any) bool {
	if data, ok := o["data"].(map[string]any); ok && o["kind"] == "ConfigMap" {
		found := false
		for key, v := range data {
			profile, _ := v.(string)
			want, err := oci.Language{}.Read(language.NewSource([]byte(profile)), policy.Target{ABI: arch.X86_64})
			if err == nil {
				k.equal(file+" "+key, s, key, func() *cbpf.Program { p, _ := filter(k.T, want, nil); return p }())
				found = true
			}
		}
		return found
	}
	spec, ok := o["spec"].(map[string]any)
	if group, _ := o["apiVersion"].(string); !ok || o["kind"] != "SeccompProfile" || !strings.Contains(group, "-operator.x-k8s.io/") {
		return false
	}
	k.equal(file+" "+name(o), s, name(o), plainly(k.T, spec, k.bases))
	return true
}

func (k *kube) equal(what string, s *language.Source, object string, want *cbpf.Program) {
	k.counts["profiles"]++
	reading, err := spo.Language{Object: object}.Read(s, policy.Target{ABI: arch.X86_64})
	got, err := filter(k.T, reading, err)
	if err != nil {
		k.Errorf("%s: %v", what, err)
		return
	}
	if sameFilter(k.T, what, want, got) {
		k.counts["profiles proved equal"]++
	}
	p, err := spo.Write(reading.Policy, "again")
	if path := reading.Policy.ListenerPath; err != nil && path != "" && !strings.HasPrefix(path, "/var/run/security-profiles-operator/") {
		k.counts["profiles that v1 cannot say, because of their socket"]++
		return
	} else if err != nil {
		k.Errorf("%s: %v", what, err)
		return
	}
	again, err := spo.Language{}.Read(language.NewSource(p), policy.Target{ABI: arch.X86_64})
	if back, err := filter(k.T, again, err); err != nil {
		k.Errorf("%s: written: %v", what, err)
	} else if sameFilter(k.T, what+" written", want, back) {
		k.counts["profiles proved equal when written and read again"]++
	}
}

// pod compares the containers of a Pod, or of what makes Pods.
func (k *kube) pod(file string, s *language.Source, o map[string]any) bool {
	template := any(o)
	switch o["kind"] {
	case "Pod":
	case "Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job":
		template = at(o, "spec", "template")
	default:
		return false
	}
	found := false
	for _, key := range []string{"initContainers", "containers"} {
		list, _ := at(template, "spec", key).([]any)
		for _, c := range list {
			own, _ := at(c, "name").(string)
			found = true
			k.counts["containers"]++
			k.container(file, s, name(o)+"/"+own, template, c)
		}
	}
	return found
}

func (k *kube) container(file string, s *language.Source, container string, template, c any) {
	want := ""
	for _, context := range []any{at(c, "securityContext"), at(template, "spec", "securityContext")} {
		if want == "" {
			want, _ = at(context, "seccompProfile", "type").(string)
		}
	}
	if privileged, _ := at(c, "securityContext", "privileged").(bool); privileged || want == "" {
		want = "Unconfined"
	}
	k.counts["containers: "+want]++
	l := kubernetes.Language{Container: container}
	reading, err := l.Read(s, policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")})
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	switch want {
	case "RuntimeDefault":
		if _, err := filter(k.T, reading, err); err != nil {
			k.Errorf("%s: %s: %v", file, container, err)
		}
	case "Localhost": // no file is given
		if !strings.Contains(reason, "localhostProfile") {
			k.Errorf("%s: %s: %v", file, container, err)
		}
	case "Unconfined":
		if !strings.Contains(reason, "no filter: ") {
			k.Errorf("%s: %s: %v", file, container, err)
		}
	default:
		k.Errorf("%s: %s: a type %s", file, container, want)
	}
}
