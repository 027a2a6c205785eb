// Counts counts the instructions that this project's work takes: to read a profile, to
// resolve it, to compile it, to prove the program, to install it, and all up to the proved
// bytes the first time in a process. Beside them stand those that libseccomp takes from
// names to a program, as a list and as a tree.
//
// Instructions are counted by callgrind, so they do not depend on the machine or on what
// else runs on it. The program that is counted does each piece of work once, and then ten
// times between two requests to callgrind (package bench below): the mean is printed. A
// new profile gets a new process, and a new piece of work new memory, so that each number
// is independent of the others. Installing is counted without its system calls: valgrind
// does not know seccomp(2), and package loader is built with a function in its place that
// answers as Linux does.
//
// The numbers of one toolchain are in testdata/counts.txt. A run with the same toolchain
// fails if one of ours has changed by more than 3 % in either direction, so that nothing
// gets slower unnoticed and what gets faster is recorded: -update rewrites the file.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
)

func main() {
	var o options
	flag.BoolVar(&o.update, "update", false, "rewrite the committed numbers")
	flag.StringVar(&o.match, "match", "", "only inputs whose name matches this regular expression")
	flag.StringVar(&o.tree, "tree", "", "count the library in this directory instead of that around the working directory")
	flag.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "how many programs to count at once")
	flag.Parse()
	if err := o.run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "counts:", err)
		os.Exit(1)
	}
}

type options struct {
	update      bool
	match, tree string
	jobs        int
}

// committed is where the numbers are, from the directory of the module.
const committed = "counts/testdata/counts.txt"

func (o *options) run(w io.Writer) error {
	only, err := regexp.Compile(o.match)
	if err != nil {
		return err
	}
	if _, err := os.Stat(committed); err != nil && !o.update {
		return fmt.Errorf("%w (run this in the directory conformance)", err)
	}
	want, err := readTable(committed)
	if err != nil && !(o.update && errors.Is(err, os.ErrNotExist)) {
		return err
	}
	all, err := inputs()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "counts")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tools, err := build(dir, cmp.Or(o.tree, ".."))
	if err != nil {
		return err
	}
	got := &table{tools: tools.versions, counts: map[key]count{}}
	var chosen []input
	for _, in := range all {
		if only.MatchString(in.name) {
			chosen = append(chosen, in)
		}
	}
	if err := tools.countAll(chosen, o.jobs, got); err != nil {
		return err
	}
	judged := !o.update && got.tools.comparable(&want.tools)
	if judged {
		// What Go's runtime does now and then is counted with the rest: what has changed has
		// changed twice.
		again := slices.DeleteFunc(slices.Clone(chosen), func(in input) bool { return judge([]input{in}, got, want) == nil })
		if err := tools.countAll(again, o.jobs, got); err != nil {
			return err
		}
	}
	report(w, chosen, got, want)
	if o.update {
		if o.match != "" && want != nil { // keep the others
			maps.Copy(want.counts, got.counts)
			want.tools, got = got.tools, want
		}
		return got.write(committed, all)
	}
	if !judged {
		fmt.Fprintf(w, "\nnot judged: counted with %v, committed with %v\n", &got.tools, &want.tools)
		return nil
	}
	return judge(chosen, got, want)
}

// countAll counts inputs, some at once, in any order: the counts do not depend on it.
func (t *tools) countAll(chosen []input, jobs int, into *table) error {
	var (
		wait  sync.WaitGroup
		mutex sync.Mutex
		errs  []error
		next  = make(chan int)
	)
	for range max(jobs, 1) {
		wait.Go(func() {
			for i := range next {
				counts, err := t.count(&chosen[i], filepath.Join(t.dir, chosen[i].name))
				mutex.Lock()
				maps.Copy(into.counts, counts)
				if err != nil {
					errs = append(errs, fmt.Errorf("%s: %w", chosen[i].name, err))
				}
				mutex.Unlock()
			}
		})
	}
	for i := range chosen {
		next <- i
	}
	close(next)
	wait.Wait()
	return errors.Join(errs...)
}
