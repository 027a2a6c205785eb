// Workloads runs a server of data, a web server, a pipe and a build, and prints what a
// filter costs them as a whole: processor time without a filter, with libseccomp's for
// Docker's profile and with ours, in turns.
//
// With -count it prints which calls they make instead, and how many instructions the
// filters execute for them: Docker's, and one for the profile that seccompile record makes
// of the program, each with and without the frequencies that it counted. The calls are
// those that strace sees, with their arguments, and the counts are exact.
//
// A filter "without bitmap" begins with a load that the kernel's emulation does not
// follow, so that it runs for each call, as on kernels before 5.11.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"

	"github.com/seccompile/seccompile/loader"
)

func main() {
	count := flag.Bool("count", false, "count calls and executed instructions instead of time")
	rounds := flag.Int("rounds", 40, "runs of each program under each filter")
	match := flag.String("workload", "", "only workloads whose name matches this regular expression")
	under := flag.String("under", "", "install the filter in `FILE`, if one is named, and execute the arguments")
	flag.Parse()
	if flag.NArg() > 0 {
		fail(execute(*under, flag.Args()))
	}
	only, err := regexp.Compile(*match)
	if err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "workloads")
	if err != nil {
		fail(err)
	}
	if *count {
		err = counts(os.Stdout, only, dir)
	} else {
		err = costs(os.Stdout, only, dir, *rounds)
	}
	_ = os.RemoveAll(dir) // for whoever looks at the folder of temporary files
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "workloads:", err)
	os.Exit(1)
}

// execute becomes a program under a filter. It returns only if it fails.
func execute(filter string, args []string) error {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	if filter != "" {
		p, err := readFilter(filter)
		if err != nil {
			return err
		}
		if err := loader.Install(p, loader.Options{}); err != nil {
			return err
		}
	}
	return syscall.Exec(path, args, os.Environ())
}
