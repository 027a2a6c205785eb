// Compile is the smallest program that confines itself by a profile it reads:
// how big it may be is a goal of the project. README shows its heart.
package main

import (
	"fmt"
	"os"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

func main() {
	profile, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = confine(profile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func confine(profile []byte) error {
	asked, warnings, err := policy.Read(profile, policy.Target{Caps: policy.DefaultCaps()})
	if err != nil {
		return err // every problem at once, each with its place in the file
	}
	meant, more, err := policy.Resolve(asked, policy.Options{}) // names to numbers, for this host
	if err != nil {
		return err
	}
	for _, w := range append(warnings, more...) {
		fmt.Fprintln(os.Stderr, w)
	}
	filter, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		return err
	}
	return loader.Install(filter.Program, loader.Options{}) // all threads, no_new_privs
}
