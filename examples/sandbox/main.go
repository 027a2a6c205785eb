// Sandbox is an example of a Go program that confines itself: it starts other
// programs until it takes that right away from itself, for good and in all threads.
package main

import (
	"fmt"
	"log"
	"os/exec"

	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/loader"
	"github.com/seccompile/seccompile/policy"
)

// confine takes the right to start programs and to trace processes from this one.
func confine() error {
	deny := &policy.Policy{Default: cbpf.Allow, Rules: []policy.Rule{
		{Names: []string{"execve", "execveat", "ptrace", "process_vm_writev"}, Action: cbpf.ErrnoClass},
	}}
	meant, _, err := policy.Resolve(deny, policy.Options{Mode: policy.Strict}) // a misspelt name is an error
	if err != nil {
		return err
	}
	filter, err := compiler.Compile(meant, compiler.Options{})
	if err != nil {
		return err
	}
	return loader.Install(filter.Program, loader.Options{}) // all threads, no_new_privs
}

func main() {
	fmt.Println("before:", exec.Command("true").Run())
	if err := confine(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after:", exec.Command("true").Run())
}
