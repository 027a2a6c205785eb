package firejail_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/firejail"
	"github.com/seccompile/seccompile/policy"
)

// firejail drops a misspelt name without a word. The filters of a profile become one.
func Example() {
	source := language.NewSource([]byte(`include globals.local
seccomp !chroot,perf_event_opne
protocol unix,inet,inet6
memory-deny-write-execute
`))
	reading, err := firejail.Language{}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range reading.Warnings {
		fmt.Println(w)
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
	fmt.Println(1+len(reading.Policy.Older), "policies for", resolved.ABIs(), "in", program.Len(), "instructions")
	// Output:
	// 2:17: "perf_event_opne": not a call that firejail knows, so it drops the word (did you mean perf_event_open?) (unknown-name)
	// 6 policies for [x86_64 x32 x86] in 116 instructions
}

// A command line as it is typed into a shell is read, too.
func ExampleLanguage_Read() {
	source := language.NewSource([]byte(`firejail --noprofile --seccomp.drop='@mount,ptrace' vim`))
	reading, err := firejail.Language{}.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range reading.Policy.Rules {
		fmt.Println(r.Action, r.Names, "at", r.Pointer)
	}
	// Output:
	// ERRNO(0) [chroot fsconfig fsmount fsopen fspick listmount mount mount_setattr move_mount open_tree open_tree_attr pivot_root statmount umount2] at 1:38
	// ERRNO(0) [ptrace] at 1:45
}
