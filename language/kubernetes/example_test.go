package kubernetes_test

import (
	"fmt"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kubernetes"
	"github.com/seccompile/seccompile/policy"
)

// A Pod names a file in the kubelet's directory, for which the root of the files stands.
func Example() {
	files := fstest.MapFS{"profiles/web.json": {Data: []byte(`{"defaultAction": "SCMP_ACT_ERRNO"}`)}}
	pod := []byte(`
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  containers:
  - name: web
    securityContext:
      seccompProfile: {type: Localhost, localhostProfile: profiles/web.json}
  - name: log
`)
	source := language.NewSource(pod).In(files, "shop.yaml")
	for _, l := range []kubernetes.Language{{}, {Container: "web"}} {
		reading, err := l.Read(source, policy.Target{ABI: arch.X86_64})
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(reading.Policy.Default)
	}
	// Output:
	// policy: 10:5: containers with different profiles: shop/web: Localhost "profiles/web.json"; shop/log: Unconfined (name one: container=NAME or container=OBJECT/NAME)
	// ERRNO(0)
}
