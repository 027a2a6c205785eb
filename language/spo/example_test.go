package spo_test

import (
	"fmt"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/spo"
	"github.com/seccompile/seccompile/policy"
)

// A profile is read with the base profile that is beside it.
func Example() {
	files := fstest.MapFS{
		"web.yaml": {Data: []byte(`apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata:
  name: web
spec:
  baseProfileName: runc
  defaultAction: SCMP_ACT_ERRNO
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: [accept4, listen]
`)},
		"runc.yaml": {Data: []byte(`apiVersion: security-profiles-operator.x-k8s.io/v1
kind: SeccompProfile
metadata:
  name: runc
spec:
  defaultAction: SCMP_ACT_ERRNO
  syscalls:
  - action: SCMP_ACT_ALLOW
    names: [execve, read, write]
`)},
	}
	source := language.NewSource(files["web.yaml"].Data).In(files, "web.yaml")
	reading, err := spo.Language{}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reading.Policy.Rules {
		fmt.Println(r.Pointer, r.Names)
	}
	// Output:
	// runc.yaml:8:5 [execve read write]
	// 9:5 [accept4 listen]
}
