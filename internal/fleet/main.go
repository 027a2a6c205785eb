// Fleet estimates what compiled filters cost a large fleet in CPU time, bytes and minutes,
// with libseccomp, with this compiler, with its cache and with artifacts. It compiles
// real profiles and moves them through simulated nodes. The same flags print the same
// numbers on any machine, except with -measure. docs/FLEET.md shows the output.
//
//	go run ./internal/fleet -nodes 5000 -starts 7200
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

// A fleet is what is assumed of one.
type fleet struct {
	seed     uint64
	nodes    int
	profiles int
	services int // profiles in use on a node at a time
	replaced int // of them, each day
	starts   int // of a node, each day
	days     int
	entries  int // of a node's cache
	changed  int // percent of the profiles

	// CPU times.
	libseccomp, compile, store, hit, decode, prove time.Duration

	gigabits  int // of the registry, per second
	requests  int // of the registry, per second
	signature int // bytes
	runtime   int // bytes
}

// flags returns the flags that set f, with what is assumed without them.
func (f *fleet) flags() *flag.FlagSet {
	s := flag.NewFlagSet("fleet", flag.ContinueOnError)
	s.Uint64Var(&f.seed, "seed", 1, "seed of the random numbers")
	s.IntVar(&f.nodes, "nodes", 100_000, "nodes")
	s.IntVar(&f.profiles, "profiles", 1000, "profiles")
	s.IntVar(&f.services, "services", 30, "profiles in use on a node at a time")
	s.IntVar(&f.replaced, "replaced", 6, "of them replaced by others each day")
	s.IntVar(&f.starts, "starts", 720, "container starts and execs on a node each day")
	s.IntVar(&f.days, "days", 7, "days")
	s.IntVar(&f.entries, "entries", 256, "filters that a node's cache keeps")
	s.IntVar(&f.changed, "changed", 5, "percent of the profiles whose filters a release changes")
	s.DurationVar(&f.libseccomp, "libseccomp", 29*time.Millisecond, "CPU time of a compile with libseccomp, as runc does it")
	s.DurationVar(&f.compile, "compile", 400*time.Microsecond, "CPU time of a compile")
	s.DurationVar(&f.store, "store", 300*time.Microsecond, "CPU time of storing a filter in a cache")
	s.DurationVar(&f.hit, "hit", 30*time.Microsecond, "CPU time of a cache hit")
	s.DurationVar(&f.decode, "decode", 30*time.Microsecond, "CPU time of verifying an artifact")
	s.DurationVar(&f.prove, "prove", 8*time.Millisecond, "CPU time of proving a filter")
	s.IntVar(&f.gigabits, "gigabits", 10, "gigabits that the registry sends in a second")
	s.IntVar(&f.requests, "requests", 5000, "requests that the registry answers in a second")
	s.IntVar(&f.signature, "signature", 4000, "bytes of an artifact's signature, in two requests")
	s.IntVar(&f.runtime, "runtime", 4_000_000, "bytes of a package with the runtime")
	return s
}

func (f *fleet) valid() error {
	switch {
	case f.nodes < 1 || f.profiles < 1 || f.services < 1 || f.days < 2 || f.entries < 1 || f.gigabits < 1 || f.requests < 1:
		return errors.New("nodes, profiles, services, entries, gigabits and requests must be at least 1, and days at least 2")
	case 2*f.services > f.profiles || f.replaced < 0 || f.replaced > f.services:
		return errors.New("services must be at most half of the profiles, and replaced at most services")
	case f.starts < f.services:
		return errors.New("each service of a node starts at least once a day: raise -starts")
	case f.changed < 0 || f.changed > 100:
		return errors.New("changed must be a percentage from 0 to 100")
	}
	return nil
}

func run(args []string, w io.Writer) error {
	var f fleet
	flags := f.flags()
	var measured bool
	flags.BoolVar(&measured, "measure", false, "measure the CPU times of this compiler here, instead of assuming them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := f.valid(); err != nil {
		return err
	}
	sizes, err := pack()
	if err != nil {
		return err
	}
	if measured {
		if err := f.measure(); err != nil {
			return err
		}
	}
	r := report{fleet: &f, sizes: sizes, traffic: f.simulate()}
	r.print(w, flags, measured)
	return nil
}
