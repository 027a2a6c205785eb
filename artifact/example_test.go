package artifact_test

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/net/bpf"

	"github.com/seccompile/seccompile/artifact"
	"github.com/seccompile/seccompile/cbpf"
)

// A build writes the filters of one profile for all its machines, and a node takes its
// own. A node then calls loader.Install(p.Filter, loader.Options{Flags: p.Flags}).
func Example() {
	allow, err := cbpf.New([]bpf.RawInstruction{{Op: 0x06, K: uint32(cbpf.Allow)}}, binary.LittleEndian) // from the compiler
	if err != nil {
		fmt.Println(err)
		return
	}
	file, err := (&artifact.Artifact{
		Tool: "example v1", Tables: "7.2", Profile: artifact.Digest([]byte("the profile's text")),
		Reading: artifact.Reading{Compat: "runc", ENOSYS: "profile", BadArch: "KILL_THREAD"},
		Programs: []artifact.Program{{
			Filter: allow, ABIs: []string{"aarch64"}, GOARCH: []string{"arm64"},
			Proof: &artifact.Proof{Policy: artifact.Digest([]byte("the resolved profile's text"))},
		}},
	}).AppendBinary(nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	a, err := artifact.Decode(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, goarch := range []string{"arm64", "riscv64"} {
		p, err := a.For(goarch)
		if errors.Is(err, artifact.ErrNoFilter) {
			fmt.Println(err)
			continue
		}
		fmt.Println(p.ABIs, p.Filter.Len(), "instruction, needs a listener:", p.Filter.Returns(cbpf.Notify))
	}
	// Output:
	// [aarch64] 1 instruction, needs a listener: false
	// artifact: no filter for riscv64 (there are filters for aarch64)
}

// Errors tell a bad copy from a file that a later release made.
func ExampleDecode() {
	for _, text := range []string{"seccompile artifact 1\nsha2", "seccompile artifact 2\n", "{}"} {
		_, err := artifact.Decode([]byte(text))
		switch {
		case errors.Is(err, artifact.ErrDamaged):
			fmt.Println("fetch it again:", err)
		case errors.Is(err, artifact.ErrNewer):
			fmt.Println("update:", err)
		default:
			fmt.Println(err)
		}
	}
	// Output:
	// fetch it again: artifact: line 2: damaged or cut short: no digest (copy the file again)
	// update: artifact: line 1: the format needs a later release of seccompile (this one reads version 1)
	// artifact: not an artifact (make one with seccompile compile)
}
