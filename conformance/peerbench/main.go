// Peerbench compiles profiles with this project and with its peers in one
// process and prints what the filters cost: instructions, executed instructions,
// bitmap coverage, time to compile, to load and per call.
//
// Every compiler takes its turn in every round, so that a busy machine is busy for
// all of them. Compiling is measured in processor time and loading in wall time: the
// first decile of all rounds, which a busy machine disturbs least. Prices of calls are
// medians, and ratios medians of ratios within a round. Counts are exact.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"syscall"
	"text/tabwriter"

	"github.com/seccompile/seccompile/conformance/internal/debian"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/policy"
)

// A contender is a compiler under the name that the tables give it.
type contender struct {
	name string
	peers.Compiler
}

// The contenders. The first one is what the others' compile times are held against.
func contenders() []contender {
	unbounded := policy.Options{ENOSYS: policy.ENOSYS{Off: true}}
	return []contender{
		{"seccompile", peers.Seccompile{}},
		{"seccompile, no ENOSYS", peers.Seccompile{Resolve: unbounded}},
		{"runc: stub, libseccomp", peers.Libseccomp{}},
		{"libseccomp, tree", peers.Libseccomp{Options: scmp.Options{Level: 2, NoStub: true}}},
		{"libseccomp, list", peers.Libseccomp{Options: scmp.Options{Level: 1, NoStub: true}}},
		{"gVisor", peers.GVisor{}},
		{"go-seccomp-bpf", peers.Elastic{Lossy: true}},
	}
}

func main() {
	rounds := flag.Int("rounds", 15, "interleaved rounds of every measurement of time")
	match := flag.String("profile", "", "only profiles whose name matches this regular expression")
	newest := flag.Bool("sid", false, "run with the libseccomp of Debian's unstable release, which is fetched once")
	flag.Parse()
	if *newest && os.Getenv(inSid) == "" {
		fmt.Fprintln(os.Stderr, "peerbench:", again()) // only if that failed
		os.Exit(1)
	}
	if err := run(os.Stdout, *rounds, *match); err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1)
	}
}

// inSid is set in the process that runs with the libraries of Debian sid.
const inSid = "PEERBENCH_IN_SID"

// again executes this program with the libraries of Debian sid.
func again() error {
	root, err := debian.Packages(context.Background(), "libseccomp-sid", "sid", "libseccomp2", "libc6")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	words := append(debian.Command(root, self), os.Args[1:]...)
	return syscall.Exec(words[0], words, append(os.Environ(), inSid+"=1"))
}

func run(w io.Writer, rounds int, match string) error {
	only, err := regexp.Compile(match)
	if err != nil {
		return err
	}
	profiles, err := profiles()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "libseccomp %s; %d interleaved rounds; compile and load: first deciles\n", scmp.Version(), rounds)
	fmt.Fprintln(w, `allowed, missing bitmap: executed instructions, mean/max, numbers 0-511 of the first ABI
bitmap: numbers that the kernel caches of those that the profile always allows
ratio: to our time; /ret: to a filter that returns ALLOW at once; -: cannot be expressed or loaded`)
	for _, p := range profiles {
		if !only.MatchString(p.name) {
			continue
		}
		entries, err := compileAll(&p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		timeCompiles(&p, entries, rounds)
		if err := timeLoads(&p, entries, rounds); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if err := timeCalls(&p, entries, rounds); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		printTable(w, &p, entries)
	}
	return nil
}

func printTable(w io.Writer, p *profile, entries []entry) {
	fmt.Fprintf(w, "\n%s (%v)\n", p.name, p.abis)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tinsns\tallowed\tmissing bitmap\tbitmap\tcompile us\tratio\tload us\t")
	if p.calls != nil {
		for _, c := range p.calls {
			fmt.Fprintf(t, "%s ns\t/ret\t", c.name)
		}
	}
	fmt.Fprintln(t)
	for _, e := range entries {
		if e.program == nil {
			fmt.Fprintf(t, "%s\t-\t-\t-\t-\t-\t-\t-\t\n", e.name)
			continue
		}
		s := &e.static
		fmt.Fprintf(t, "%s\t%d\t%.1f/%d\t%.1f/%d\t%d/%d\t%.1f\t%.1f\t", e.name, e.program.Len(),
			s.allowed.mean(), s.allowed.max, s.missing.mean(), s.missing.max, s.cached, s.allows, e.compile, e.ratio)
		if p.native() {
			fmt.Fprintf(t, "%.0f\t", e.load)
		} else {
			fmt.Fprint(t, "-\t")
		}
		for i := range e.calls {
			fmt.Fprintf(t, "%.0f\t%.2f\t", e.calls[i].ns, e.calls[i].ratio)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}
