package preset_test

import (
	"fmt"
	"slices"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// Docker's profile is read for a target: what it allows depends on the capabilities.
func ExampleDocker() {
	allowed := func(caps []string) bool {
		p, _, err := oci.Read(preset.Docker(), policy.Target{ABI: arch.X86_64, Caps: caps})
		return err == nil && slices.ContainsFunc(p.Rules, func(r policy.Rule) bool {
			return r.Action == cbpf.Allow && slices.Contains(r.Names, "mount")
		})
	}
	fmt.Println(allowed(preset.Caps("docker")))
	fmt.Println(allowed(append(preset.Caps("docker"), "CAP_SYS_ADMIN")))
	// Output:
	// false
	// true
}
