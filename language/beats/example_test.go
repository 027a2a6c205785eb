package beats_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/beats"
	"github.com/seccompile/seccompile/policy"
)

func Example() {
	source := language.NewSource([]byte(`
seccomp:
  default_action: allow
  syscalls:
  - action: errno
    names: [connect, accept4]
    names_with_args:
    - name: clone
      arguments:
      - {argument: 0, operation: BitsSet, value: 0x10000000} # CLONE_NEWUSER
`))
	reading, err := beats.Language{}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reading.Policy.Rules {
		fmt.Println(r.Pointer, r.Names, r.Action)
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Len(), "instructions")
	// Output:
	// 6:13 [connect] ERRNO(0)
	// 6:22 [accept4] ERRNO(0)
	// 8:13 [clone] ERRNO(0)
	// 12 instructions
}
