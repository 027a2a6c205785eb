package loader_test

import (
	"encoding/binary"
	"log"
	"os"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/loader"
)

// A program can confine itself by a filter that was compiled when it was built,
// and links neither tables nor profiles then.
func Example() {
	// What "seccompile compile -f raw -o filter.bpf" wrote. A program that carries
	// it in itself has it from a go:embed directive.
	filter, err := os.ReadFile("filter.bpf")
	if err != nil {
		log.Fatal(err)
	}
	p, err := cbpf.Decode(filter, binary.NativeEndian)
	if err != nil {
		log.Fatal(err)
	}
	if err := loader.Install(p, loader.Options{}); err != nil {
		log.Fatal(err)
	}
}
