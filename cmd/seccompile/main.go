// Seccompile compiles the seccomp profiles of OCI runtimes, Docker and Podman into
// filters for the Linux kernel.
//
// Data goes to standard output, messages to standard error. The exit status is 0 for
// yes or done, 1 for no (the profile has errors, the verdict is a different one), and 2
// for wrong usage or unreadable input. Run, record, trace, and dump with a program, exit with
// the status of the program that they start, and use 125, 126 and 127 for their own
// failures, like env(1).
package main

import (
	"io"
	"os"

	"github.com/seccompile/seccompile/internal/watch"
)

func main() {
	watch.Main()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program: arguments and streams in, exit status out.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(stdin, stdout, stderr)
	root := a.rootCommand()
	root.SetArgs(guardNumbers(root, args))
	cmd, err := root.ExecuteC()
	if ferr := a.flush(); err == nil && ferr != nil {
		err = ferr
	}
	return a.report(cmd, err)
}
