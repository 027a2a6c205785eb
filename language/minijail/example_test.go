package minijail_test

import (
	"fmt"
	"testing/fstest"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/language"
	"github.com/seccompile/seccompile/language/minijail"
	"github.com/seccompile/seccompile/policy"
)

// A policy of crosvm's kind includes another and a file of frequencies. These make the
// calls that are frequent cheap.
func Example() {
	files := fstest.MapFS{
		"policies/device.policy":    {Data: []byte("@include ./common.policy\n@frequency ./common.frequency\nioctl: arg1 == FIONBIO\n")},
		"policies/common.policy":    {Data: []byte("read: 1\nwrite: 1\nmmap: arg2 in ~PROT_EXEC\n")},
		"policies/common.frequency": {Data: []byte("read: 90\nwrite: 10\n")},
	}
	source := language.NewSource(files["policies/device.policy"].Data).In(files, "policies/device.policy")
	crosvm := minijail.Language{Dialect: minijail.Python, DefaultAction: "trap"}
	reading, err := crosvm.Read(source, policy.Target{ABI: arch.X86_64})
	if err != nil {
		fmt.Println(err)
		return
	}
	resolved, _, err := policy.Resolve(reading.Policy, policy.Options{ABIs: []arch.ABI{arch.X86_64}})
	if err != nil {
		fmt.Println(err)
		return
	}
	program, _, err := compiler.Compile(resolved, compiler.Options{Weights: reading.Frequencies})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(reading.Policy.Rules), "rules,", program.Len(), "instructions")
	// Output:
	// 4 rules, 15 instructions
}

// The dialects read the same line in opposite ways, so each warns of it.
func ExampleLanguage_Read() {
	source := language.NewSource([]byte("socket: arg0 == AF_UNIX; return EPERM\n"))
	for _, dialect := range []minijail.Dialect{minijail.Python, minijail.C} {
		reading, err := minijail.Language{Dialect: dialect}.Read(source, policy.Target{ABI: arch.X86_64})
		source.Locate(reading.Warnings, err)
		for _, r := range reading.Policy.Rules {
			fmt.Println(dialect, r.Action, len(r.Args), "conditions")
		}
		for _, w := range reading.Warnings {
			fmt.Printf("line %d: %s\n", w.Line, w.Message)
		}
	}
	// Output:
	// minijail-python ERRNO(0) 1 conditions
	// line 1: the error is for calls for which this holds; the C dialect gives it to all others, and allows these
	// minijail-c ALLOW 1 conditions
	// minijail-c ERRNO(0) 0 conditions
	// line 1: the error is for calls for which this does not hold; the Python dialect gives it to those for which it does
}
