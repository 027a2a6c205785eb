package oci_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/seccompile/seccompile/oci"
)

// The second time the filter comes from the directory. A cache that is out of order
// never keeps a container from starting; a runtime logs what it reports.
func ExampleCache() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cache := &oci.Cache{Dir: filepath.Join(dir, "cache"), Report: func(err error) {
		fmt.Println("tampered with:", errors.Is(err, oci.ErrUntrusted))
	}}
	profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	for range 2 {
		if _, err := oci.Compile(profile, oci.Options{Cache: cache}); err != nil {
			fmt.Println(err)
		}
	}
	entries, _ := os.ReadDir(cache.Dir)
	fmt.Println(len(entries), "entry")
	if err := os.Chmod(cache.Dir, 0o777); err != nil {
		fmt.Println(err)
	}
	filter, err := oci.Compile(profile, oci.Options{Cache: cache})
	fmt.Println(filter != nil, err)
	// Output:
	// 1 entry
	// tampered with: true
	// tampered with: true
	// true <nil>
}
