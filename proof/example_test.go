package proof_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/proof"
)

// handWritten denies ptrace, and forgets that calls of x32 have x86_64's AUDIT_ARCH value.
const handWritten = `
.order little
        ld   arch
        jeq  #0xc000003e  jf kill
        ld   nr
        jeq  #101  jf allow
        ret  ERRNO(1)
allow:  ret  ALLOW
kill:   ret  KILL_THREAD
`

func subjects() (wanted, written proof.Subject, err error) {
	resolved, _, err := policy.Resolve(&policy.Policy{
		Default: cbpf.Allow,
		Rules:   []policy.Rule{{Names: []string{"ptrace"}, Action: cbpf.ErrnoClass}},
	}, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		return nil, nil, err
	}
	p, err := cbpf.Assemble([]byte(handWritten), nil)
	return proof.Policy(resolved), proof.Program(p), err
}

// Equal proves that two subjects decide every call alike, or finds one that they do not.
func ExampleEqual() {
	wanted, written, err := subjects()
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := proof.Equal(wanted, written, proof.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Verdict)
	fmt.Println(result.Witness)
	// Output:
	// different
	// x32 call 1073741824 (0x0, 0x0, 0x0, 0x0, 0x0, 0x0): KILL_THREAD against ALLOW
}

// Diff lists all calls that two subjects decide differently.
func ExampleDiff() {
	wanted, written, err := subjects()
	if err != nil {
		fmt.Println(err)
		return
	}
	changes, err := proof.Diff(wanted, written, proof.Limits{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range changes {
		fmt.Printf("arch %#x, calls %#x to %#x: %v becomes %v\n", c.Audits[0].First, c.First, c.Last, c.From, c.To)
	}
	// Output:
	// arch 0xc000003e, calls 0x40000000 to 0xfffffffe: KILL_THREAD becomes ALLOW
}
