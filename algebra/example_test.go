package algebra_test

import (
	"fmt"
	"log"

	"github.com/seccompile/seccompile/algebra"
	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
	"github.com/seccompile/seccompile/proof"
)

// A container's own profile may only tighten that of the node.
func ExampleCombine() {
	const own = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "ptrace"], "action": "SCMP_ACT_ERRNO"}]}`
	target := policy.Target{ABI: arch.X86_64, Caps: preset.Caps("docker")}
	var sources []algebra.Source
	for _, text := range [][]byte{preset.Docker(), []byte(own)} {
		p, _, err := oci.Read(text, target)
		if err != nil {
			log.Fatal(err)
		}
		meaning, _, err := policy.Resolve(p, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
		if err != nil {
			log.Fatal(err)
		}
		sources = append(sources, algebra.Source{Policy: p, Meaning: meaning})
	}
	result, err := algebra.Combine(algebra.Intersect, algebra.Options{Accept: algebra.ExceptForeign}, sources...)
	if err != nil {
		log.Fatal(err) // the sources cannot be combined
	}
	if result.Refusal != nil {
		log.Fatal(result.Refusal) // no profile says it: compile result.Meaning
	}
	fmt.Println("a profile, but for:", result.Except)

	node, together := proof.Policy(sources[0].Meaning), proof.Policy(result.Meaning)
	tighter, _, err := algebra.NoWeaker(together, node, proof.Limits{})
	fmt.Println("no weaker than the node's:", tighter, err)
	_, witness, err := algebra.NoWeaker(node, together, proof.Limits{})
	fmt.Println("the node's is weaker:", witness, err)
	// Output:
	// a profile, but for: foreign
	// no weaker than the node's: true <nil>
	// the node's is weaker: x86_64 call 83 (0x0, 0x0, 0x0, 0x0, 0x0, 0x0): ALLOW against ERRNO(1) <nil>
}
