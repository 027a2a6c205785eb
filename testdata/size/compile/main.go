// Compile is the smallest program that confines itself by a profile it reads:
// how big it may be is a goal of the project.
package main

import (
	"os"

	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

func main() {
	if err := confine(os.Args[1]); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func confine(profile string) error {
	text, err := os.ReadFile(profile)
	if err != nil {
		return err
	}
	asked, _, err := policy.Read(text, policy.Target{Caps: policy.DefaultCaps()})
	if err != nil {
		return err
	}
	meant, _, err := policy.Resolve(asked, policy.Options{})
	if err != nil {
		return err
	}
	filter, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		return err
	}
	return loader.Install(filter.Program, loader.Options{})
}
