// Numbers writes docs/NUMBERS.md: what this project says of itself in numbers, each with the
// command that makes it. Most come from files that tests keep true, and a test fails when the
// page has other ones. Times and sizes of programs depend on the machine: only -measure changes
// them, and it says what machine it was.
//
//	go run ./internal/numbers -measure    # make numbers
package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
)

const file = "docs/NUMBERS.md"

func main() {
	measure := flag.Bool("measure", false, "run the benchmarks, and build the programs, anew")
	flag.Parse()
	if err := run(".", *measure); err != nil {
		fmt.Fprintln(os.Stderr, "numbers:", err)
		os.Exit(1)
	}
}

// run writes the page of the repository in a directory.
func run(dir string, measure bool) error {
	measured := new(measurement)
	root := os.DirFS(dir)
	before, err := fs.ReadFile(root, file)
	switch {
	case measure:
		measured, err = measureAll(dir)
	case err == nil:
		measured, err = readMeasured(string(before))
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%s: %w: measure with -measure", file, err)
	}
	if err != nil {
		return err
	}
	text, err := page(root, measured)
	if err != nil {
		return err
	}
	return os.WriteFile(dir+"/"+file, []byte(text), 0o666)
}
