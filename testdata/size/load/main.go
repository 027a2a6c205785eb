// Load is the smallest program that confines itself by a filter compiled
// elsewhere: how big it may be is a goal of the project.
package main

import (
	"encoding/binary"
	"os"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

func main() {
	if err := confine(os.Args[1]); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func confine(filter string) error {
	raw, err := os.ReadFile(filter)
	if err != nil {
		return err
	}
	p, err := cbpf.Decode(raw, binary.NativeEndian)
	if err != nil {
		return err
	}
	return loader.Install(p, loader.Options{})
}
