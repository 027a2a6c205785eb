// Compile is the smallest program that confines itself by a profile it reads:
// how big it may be is a goal of the project. README shows its heart.
package main

import (
	"fmt"
	"os"

	"github.com/seccompile/seccompile"
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
	filter, err := seccompile.Compile(profile, seccompile.Options{}) // proved, or an error
	if err != nil {
		return err // each problem with its place in the file
	}
	return filter.Install() // all threads, no_new_privs, the profile's own flags
}
