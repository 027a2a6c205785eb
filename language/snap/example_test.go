package snap_test

import (
	"fmt"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/snap"
	"github.com/seccompile/seccompile/policy"
)

// Both filters of a snap become one program. Of what a line denies and of what no line
// allows, programs see different errors.
func Example() {
	source := language.NewSource([]byte("read\nioctl\n~ioctl - TIOCSTI\nsetuid u:snap_daemon\n"))
	l := snap.Language{Users: "snap_daemon:584788"}
	reading, err := l.Read(source, policy.Target{ABI: arch.X86_64})
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
	for _, p := range append(reading.Policy.Older, reading.Policy) {
		fmt.Println(len(p.Rules), "rules")
	}
	fmt.Println(program.Len(), "instructions for", resolved.ABIs())
	// Output:
	// 1 rules
	// 3 rules
	// 23 instructions for [x86_64 x86]
}

// A file that is not a snap's is refused with a reason.
func ExampleDecode() {
	_, err := snap.Decode([]byte("#!/bin/sh"))
	fmt.Println(err)
	// Output: snap: not a file that snap-seccomp made (make it again with snap-seccomp compile)
}
