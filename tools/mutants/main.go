// Command mutants tests the tests: it changes the sources of packages in one place at a
// time and runs their short tests, one of which should fail.
//
//	go run ./mutants [-count N] [-seed N] [-match REGEXP] [PACKAGE...]
//
// Without arguments the packages are those that decide what a filter means. A mutant, a
// source with one change, is
//
//   - killed, if a test fails, which one does that hangs;
//   - same, if it compiles to the same program as the source;
//   - argued, if equivalent.txt says why no test can tell it from the source;
//   - survived, otherwise.
//
// A change that does not compile is not a mutant, and another one is drawn. The sources
// stay as they are, since the go command gets the changed ones as an overlay.
//
// The exit status is 1 if a mutant survived, or equivalent.txt has an entry that is not
// true: one whose mutant is killed, or that fits no mutant any more.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	var o options
	var match string
	flag.StringVar(&o.root, "root", "..", "the module's `directory`")
	flag.StringVar(&o.argued, "equivalent", "mutants/equivalent.txt", "the `file` that argues for mutants that no test can kill")
	flag.IntVar(&o.count, "count", 600, "how many mutants to draw: all, if there are fewer")
	flag.Uint64Var(&o.seed, "seed", 1, "draw those of this `number`")
	flag.StringVar(&match, "match", "", "draw only those whose \"FILE:LINE FUNCTION\" matches a regular `expression`")
	flag.Parse()
	o.packages = flag.Args()
	if len(o.packages) == 0 {
		o.packages = []string{"internal/compile", "policy", "proof"}
	}
	o.grace = 5 * time.Second
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok, err := false, error(nil)
	if o.match, err = regexp.Compile(match); err == nil {
		ok, err = run(ctx, os.Stdout, o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

type options struct {
	root, argued string
	packages     []string // their directories, in the module
	count        int
	seed         uint64
	match        *regexp.Regexp
	grace        time.Duration // what tests may use beside three times what they did
}

// run prints what became of the mutants, and reports whether all is as it should be.
func run(ctx context.Context, w io.Writer, o options) (ok bool, err error) {
	if o.root, err = filepath.Abs(o.root); err != nil {
		return false, err
	}
	entries, err := readArgued(o.argued)
	if err != nil {
		return false, err
	}
	var all []*mutant
	for _, pkg := range o.packages {
		list, err := mutants(o.root, pkg)
		if err != nil {
			return false, err
		}
		all = append(all, list...)
	}
	stale := argue(entries, all, o.packages)
	drawn := slices.DeleteFunc(slices.Clone(all), func(m *mutant) bool {
		return !o.match.MatchString(fmt.Sprintf("%s:%d %s", m.file, m.line, m.function))
	})
	shuffle(drawn, o.seed)
	fmt.Fprintf(w, "seed %d: %d of %d mutants\n", o.seed, min(o.count, len(drawn)), len(all))
	done, err := judgeAll(ctx, o, drawn)
	if err != nil {
		return false, err
	}
	table(w, o.packages, done)
	ok = true
	for _, m := range done {
		switch {
		case m.fate == survived && m.argument == "":
			ok = false
			fmt.Fprintf(w, "\nsurvived: %s:%d\n%v\n", m.file, m.line, m.entry)
		case m.fate == killed && m.argument != "":
			ok = false
			fmt.Fprintf(w, "\nargued for, but a test kills it: %s:%d\n%v\n", m.file, m.line, m.entry)
		}
	}
	for _, e := range stale {
		ok = false
		fmt.Fprintf(w, "\nargued for, but not a mutant (correct or remove the entry):\n%v\n", e)
	}
	return ok, nil
}

// shuffle brings mutants into a random order. A mutant's place depends on nothing but
// the seed and its own text, so that a change of the sources draws few others.
func shuffle(list []*mutant, seed uint64) {
	place := make(map[*mutant]uint64)
	for _, m := range list {
		h := sha256.Sum256(fmt.Appendf(nil, "%d %v", seed, m.entry))
		place[m] = binary.BigEndian.Uint64(h[:])
	}
	slices.SortStableFunc(list, func(a, b *mutant) int { return cmp.Compare(place[a], place[b]) })
}

// judgeAll judges mutants until there are enough that compile, and returns those by file
// and line.
func judgeAll(ctx context.Context, o options, drawn []*mutant) (done []*mutant, err error) {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	subjects := make(map[string]*subject)
	for _, pkg := range o.packages {
		if subjects[pkg], err = newSubject(ctx, o.root, pkg, dir, o.grace); err != nil {
			return nil, err
		}
	}
	for len(drawn) > 0 && len(done) < o.count {
		n := min(len(drawn), (o.count-len(done))*3/2+1) // some do not compile
		for pkg, s := range subjects {
			mine := slices.DeleteFunc(slices.Clone(drawn[:n]), func(m *mutant) bool { return m.pkg != pkg })
			if len(mine) == 0 {
				continue
			}
			if err := s.combine(ctx, mine); err != nil {
				return nil, err
			}
		}
		compiled := slices.DeleteFunc(slices.Clone(drawn[:n]), func(m *mutant) bool { return m.fate == notCompiled })
		compiled = compiled[:min(len(compiled), o.count-len(done))]
		if err := judgeSome(ctx, dir, subjects, compiled); err != nil {
			return nil, err
		}
		done = append(done, slices.DeleteFunc(compiled, func(m *mutant) bool { return m.fate == notCompiled })...)
		drawn = drawn[n:]
	}
	slices.SortFunc(done, (*mutant).compare)
	return done, nil
}

// workers is how many mutants are judged at a time.
const workers = 2

// judgeSome judges mutants that are parts of the combined programs.
func judgeSome(ctx context.Context, dir string, subjects map[string]*subject, list []*mutant) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan *mutant)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for m := range work {
				fate, err := subjects[m.pkg].judge(ctx, m, filepath.Join(dir, fmt.Sprint("worker", i)))
				switch m.fate = fate; {
				case err != nil:
					cancel(fmt.Errorf("%s:%d: %w", m.file, m.line, err))
				case fate == survived && m.argument == "":
					fmt.Fprintf(os.Stderr, "mutants: survived: %s:%d\n%v\n", m.file, m.line, m.entry)
				}
			}
		})
	}
	for i, m := range list {
		if ctx.Err() != nil {
			break
		}
		if i%50 == 0 {
			fmt.Fprintf(os.Stderr, "mutants: %d of %d\n", i, len(list))
		}
		work <- m
	}
	close(work)
	all.Wait()
	return context.Cause(ctx)
}

// table prints how many mutants of each package had each fate.
func table(w io.Writer, packages []string, done []*mutant) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "package\tmutants\tkilled\tsame\targued\tsurvived\t")
	row := func(name string, mine func(*mutant) bool) {
		count := func(has func(*mutant) bool) (n int) {
			for _, m := range done {
				if mine(m) && has(m) {
					n++
				}
			}
			return n
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", name,
			count(func(*mutant) bool { return true }),
			count(func(m *mutant) bool { return m.fate == killed }),
			count(func(m *mutant) bool { return m.fate == same }),
			count(func(m *mutant) bool { return m.fate == survived && m.argument != "" }),
			count(func(m *mutant) bool { return m.fate == survived && m.argument == "" }))
	}
	for _, pkg := range packages {
		row(pkg, func(m *mutant) bool { return m.pkg == pkg })
	}
	row("all", func(*mutant) bool { return true })
	t.Flush()
}
