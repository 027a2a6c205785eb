// Artifact is the smallest program that confines itself by an artifact: neither
// tables nor compiler nor proof. docs/FLEET.md shows its heart.
package main

import (
	"os"
	"runtime"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/loader"
)

func main() {
	data, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = confine(data)
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func confine(data []byte) error {
	a, err := artifact.Decode(data) // whole, unchanged, and taken by the kernel
	if err != nil {
		return err
	}
	p, err := a.For(runtime.GOARCH)
	if err != nil {
		return err // nothing was compiled for this machine
	}
	return loader.Install(p.Filter, loader.Options{Flags: p.Flags}) // the profile's own
}
