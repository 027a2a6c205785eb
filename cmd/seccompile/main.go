// Seccompile turns seccomp profiles, as OCI runtimes, Docker and Podman have
// them, into the filters that the Linux kernel runs.
//
// Data goes to standard output and words to standard error. The exit status is
// 0 for yes or done, 1 for no (the profile has errors, the verdict is another
// one), and 2 for wrong usage or unreadable input. Run, record and trace leave the
// status to the program that they start, and have 125, 126 and 127 for their own
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
