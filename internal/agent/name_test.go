package agent

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestNames(t *testing.T) {
	kubernetes := map[string]string{
		"io.kubernetes.cri.sandbox-namespace": "shop", "io.kubernetes.cri.sandbox-name": "web-7d4b", "io.kubernetes.cri.container-name": "nginx",
	}
	crio := map[string]string{
		"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": "web-7d4b", "io.kubernetes.container.name": "nginx",
	}
	for _, tt := range []struct {
		rule, id, metadata string
		annotations        map[string]string
		want               string
	}{
		{rule: "the ID", id: "web", want: "web"},
		{rule: "metadata first", id: "web", metadata: "shop", want: "shop_web"},
		{rule: "containerd's annotations", id: "0123abcd", annotations: kubernetes, want: "shop_web-7d4b_nginx_0123abcd"},
		{rule: "CRI-O's annotations", id: "0123abcd", annotations: crio, want: "shop_web-7d4b_nginx_0123abcd"},
		{rule: "no separator", id: "../../etc/passwd", want: "_.._etc_passwd"},
		{rule: "no hidden file", id: ".hidden", want: "hidden"},
		{rule: "no flag", id: "-rf", want: "rf"},
		{rule: "dots alone", id: "..", want: "container"},
		{rule: "nothing that a terminal obeys", id: "a\x1b[31mb\nc\x00d\u202e", want: "a__31mb_c_d_"},
		{rule: "bytes that are not UTF-8", id: "a\xff\xfeb", want: "a__b"},
		{rule: "a process without a cgroup", want: "container"},
	} {
		s := &specs.ContainerProcessState{Pid: -1, Metadata: tt.metadata, State: specs.State{ID: tt.id, Annotations: tt.annotations}}
		if got := nameOf(s); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.rule, got, tt.want)
		}
	}
}

// The longest name still leaves room for numbers and an extension in the 255 bytes of a
// file's name (NAME_MAX of linux/limits.h).
func TestNamesAreShort(t *testing.T) {
	long := strings.Repeat("x", 1000)
	s := &specs.ContainerProcessState{Metadata: long, State: specs.State{ID: long, Annotations: map[string]string{}}}
	for _, keys := range labels() {
		s.State.Annotations[keys[0]], s.State.Annotations[keys[1]] = long, long
	}
	if n := len(nameOf(s) + "-1024-1000.json"); n > 255 {
		t.Errorf("%d bytes", n)
	}
}

// Without an ID the cgroup names the container.
func TestNamesFromCgroups(t *testing.T) {
	name := nameOf(&specs.ContainerProcessState{Pid: os.Getpid()})
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Skip(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	_, last, _ := strings.Cut(first[strings.LastIndex(first, "/"):], "/")
	if want := safe(last, maxID); name != want && (want != "" || name != "container") {
		t.Errorf("%q, want %q", name, want)
	}
}

func TestUnusedNames(t *testing.T) {
	taken := map[string]bool{"web": true, "web-2": true}
	if got := unused("web", taken); got != "web-3" {
		t.Error(got)
	}
	if got := unused("db", taken); got != "db" {
		t.Error(got)
	}
}
