package language_test

import (
	"errors"
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
)

// A source is read in its language. Problems that later stages find get their places
// from the same source.
func Example() {
	source := language.NewSource([]byte(`{
	"defaultAction": "SCMP_ACT_ERRNO",
	"syscalls": [
		{"names": ["read", "wriet"], "action": "SCMP_ACT_ALLOW"}
	]
}`))
	var profiles language.Language = oci.Language{}
	reading, err := profiles.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, warnings, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}, Mode: policy.Strict})
	source.Locate(warnings, err)
	var problems policy.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			fmt.Printf("%d:%d: %s\n", p.Line, p.Column, p.Reason)
		}
	}
	// Output:
	// 4:22: "wriet": Linux has no such call on any ABI (did you mean write?)
}
