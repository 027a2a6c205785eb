// Sandbox is an example of a Go program that confines itself: it starts other
// programs until it takes that right away from itself, for good and in all threads.
package main

import (
	"fmt"
	"log"
	"os/exec"

	"github.com/seccompile/seccompile"
	"github.com/seccompile/seccompile/policy"
)

// profile allows everything but starting programs and tracing processes.
const profile = `{
	"defaultAction": "SCMP_ACT_ALLOW",
	"syscalls": [{
		"names": ["execve", "execveat", "ptrace", "process_vm_writev"],
		"action": "SCMP_ACT_ERRNO"
	}]
}`

// confine takes these rights from this program.
func confine() error {
	strict := seccompile.Options{Policy: policy.Options{Mode: policy.Strict}} // a misspelt name is an error
	filter, err := seccompile.Compile([]byte(profile), strict)
	if err != nil {
		return err
	}
	return filter.Install() // all threads, no_new_privs
}

func main() {
	fmt.Println("before:", exec.Command("true").Run())
	if err := confine(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after:", exec.Command("true").Run())
}
