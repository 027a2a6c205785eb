// Command _gen keeps package syscalltables: it writes the package's Go tables
// from syscalls.tsv, and brings syscalls.tsv up to date with a kernel.
//
//	go run .                     write ztables.go from syscalls.tsv
//	go run . refresh X.Y DIR     merge the tables of Linux X.Y below DIR into syscalls.tsv, then do that
//	go run . manual syscalls.2   merge the releases that syscalls(2) gives, then do that
//
// DIR is an unpacked linux-libc-dev package, a Linux source tree, or the unix
// directory of golang.org/x/sys.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "syscalltables/_gen: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	fl := flag.NewFlagSet("_gen", flag.ContinueOnError)
	pkg := fl.String("pkg", "..", "`directory` of the package, with syscalls.tsv")
	out := fl.String("o", "", "write ztables.go to this `directory` instead of the package's")
	if err := fl.Parse(args); err != nil {
		return err
	}
	tsv := filepath.Join(*pkg, "syscalls.tsv")
	text, err := os.ReadFile(tsv)
	if err != nil {
		return err
	}
	f, err := parseFacts(text)
	if err != nil {
		return fmt.Errorf("%s: %w", tsv, err)
	}
	trouble, err := f.update(fl.Args(), stdout)
	if err != nil {
		return err
	}
	// What was gathered is kept in spite of trouble: the difference shows it.
	if b := f.format(); !bytes.Equal(b, text) {
		if err := os.WriteFile(tsv, b, 0o644); err != nil {
			return err
		}
	}
	code, err := emit(f)
	if err != nil {
		return err
	}
	if *out == "" {
		*out = *pkg
	}
	if err := os.WriteFile(filepath.Join(*out, "ztables.go"), code, 0o644); err != nil {
		return err
	}
	return errors.Join(trouble...)
}

// update does what the command line asks beyond writing the tables. Trouble is
// what a person must look at; an error means that nothing is to be written.
func (f *facts) update(args []string, stdout io.Writer) (trouble []error, err error) {
	switch {
	case len(args) == 0:
		return nil, nil
	case args[0] == "refresh" && len(args) == 3:
		kernel, err := parseRelease(args[1])
		if err != nil {
			return nil, err
		}
		o, err := observe(kernel, os.DirFS(args[2]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", args[2], err)
		}
		for i, t := range o.columns {
			if t == nil {
				fmt.Fprintf(stdout, "%s: not there\n", columns[i].name)
			}
		}
		var news []string
		news, trouble = f.merge(o)
		for _, n := range news {
			fmt.Fprintln(stdout, n)
		}
	case args[0] == "manual" && len(args) == 2:
		text, err := os.ReadFile(args[1])
		if err != nil {
			return nil, err
		}
		trouble = f.mergeManual(text)
	default:
		return nil, errors.New("want nothing, refresh X.Y DIR, or manual FILE")
	}
	f.deduce()
	return trouble, errors.Join(f.check()...)
}
