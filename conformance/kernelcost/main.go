// Kernelcost measures what this kernel charges for a filter: for a call that its
// bitmap of always-allowed calls does not have, for an executed instruction, and
// for loading. It fits loading to a fixed cost, a cost for each instruction and one
// for each emulated instruction, and holds real filters against the fit.
//
// Each measurement is made in a child of its own. Programs take turns, so that a busy
// machine is busy for all of them. The first decile says what the work costs if nothing
// disturbs it, and the median what it costs on this machine now. Calls are measured in
// processor time; loads in wall time, as a filter may deny the clock of the other.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"github.com/seccompile/seccompile/cbpf"
)

func main() {
	rounds := flag.Int("rounds", 60, "measurements of each program")
	flag.Parse()
	if err := run(os.Stdout, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "kernelcost:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, rounds int) error {
	describe(w, rounds)
	filters, err := compiled()
	if err != nil {
		return err
	}
	if err := calls(w, rounds); err != nil {
		return err
	}
	var programs []*cbpf.Program
	for _, f := range filters {
		programs = append(programs, f.program, f.theirs)
	}
	m, err := loads(w, rounds, programs)
	if err != nil {
		return err
	}
	if err := forms(w, rounds); err != nil {
		return err
	}
	return holdAgainst(w, rounds, filters, m)
}

// describe says what was measured on: other kernels, processors and loads give other
// numbers.
func describe(w io.Writer, rounds int) {
	var u unix.Utsname
	_ = unix.Uname(&u) // cannot fail
	load, _ := os.ReadFile("/proc/loadavg")
	jit, _ := os.ReadFile("/proc/sys/net/core/bpf_jit_enable")
	fmt.Fprintf(w, "Linux %s %s, bpf_jit_enable %.1s, load %.4s, %d rounds\n",
		unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:]), jit, load, rounds)
}

// table returns a writer of aligned columns under a title.
func table(w io.Writer, title string) *tabwriter.Writer {
	fmt.Fprintf(w, "\n%s\n", title)
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}
