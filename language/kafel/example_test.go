package kafel_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/kafel"
	"github.com/seccompile/seccompile/policy"
)

// A policy for nsjail, compiled for two ABIs at once.
func Example() {
	source := language.NewSource([]byte(`
#define STDOUT 1
#define STDERR 2

POLICY output {
	ALLOW { write { fd == STDOUT, fd == STDERR } },
	ERRNO(1) { newstat ON x86_64 }
}
USE output, ALLOW { exit_group } DEFAULT KILL_PROCESS
`))
	nsjail := kafel.Language{Targets: []arch.ABI{arch.X86_64, arch.AArch64}}
	reading, err := nsjail.Read(source, policy.Target{})
	if err != nil {
		fmt.Println(err)
		return
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(reading.Policy.Rules), "rules,", program.Len(), "instructions")
	// Output:
	// 4 rules, 17 instructions
}
