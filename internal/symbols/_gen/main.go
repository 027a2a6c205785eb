// Command _gen keeps package symbols: it writes the package's Go tables from
// constants.tsv and arguments.tsv, and brings the values in constants.tsv up to date
// with a kernel's headers.
//
//	go run .                  write zsymbols.go
//	go run . refresh X.Y DIR  take the values from the headers of Linux X.Y below DIR, then do that
//
// DIR is Debian's linux-libc-dev for all architectures, unpacked. refresh needs gcc
// for x86-64, whose preprocessor and constant folding read the headers of every
// architecture.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "internal/symbols/_gen: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	fl := flag.NewFlagSet("_gen", flag.ContinueOnError)
	pkg := fl.String("pkg", "..", "`directory` of the package, with constants.tsv and arguments.tsv")
	out := fl.String("o", "", "write zsymbols.go to this `directory` instead of the package's")
	if err := fl.Parse(args); err != nil {
		return err
	}
	path := filepath.Join(*pkg, "constants.tsv")
	f, err := readConstants(path)
	if err != nil {
		return err
	}
	switch args := fl.Args(); {
	case len(args) == 0:
	case args[0] == "refresh" && len(args) == 3:
		if err := refresh(f, path, args[1], args[2], stdout); err != nil {
			return err
		}
	default:
		return errors.New("want nothing or refresh X.Y DIR")
	}
	text, err := os.ReadFile(filepath.Join(*pkg, "arguments.tsv"))
	if err != nil {
		return err
	}
	params, err := parseParams(string(text), f)
	if err != nil {
		return fmt.Errorf("arguments.tsv: %w", err)
	}
	code, err := emit(f, params)
	if err != nil {
		return err
	}
	if *out == "" {
		*out = *pkg
	}
	return os.WriteFile(filepath.Join(*out, "zsymbols.go"), code, 0o644)
}

func readConstants(path string) (*facts, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := parseFacts(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// refresh takes the values of a kernel's headers over into constants.tsv and tells
// what changed.
func refresh(f *facts, path, kernel, dir string, stdout io.Writer) error {
	if !regexp.MustCompile(`^\d+\.\d+$`).MatchString(kernel) {
		return fmt.Errorf("%q: want a release as X.Y", kernel)
	}
	found, err := probe(f, dir)
	if err != nil {
		return err
	}
	for _, n := range f.take(found) {
		fmt.Fprintln(stdout, n)
	}
	f.kernel = kernel
	var b bytes.Buffer
	f.write(&b)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return err
	}
	return f.check()
}
