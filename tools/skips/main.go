// Command skips runs go test with its arguments, prints what go test prints, and ends
// with the tests that were skipped and their reasons:
//
//	go run ./skips ./...
//
// go test itself says so only of packages that fail, or with -v. The exit status is that
// of go test.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		r := newReporter(os.Stdout, verbose(os.Args[1:]))
		err = errors.Join(r.read(out), cmd.Wait())
		r.table()
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.Exited() {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "skips:", err)
		os.Exit(1)
	}
}

// verbose reports whether go test is to print what passes, too.
func verbose(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		name, value, _ := strings.Cut(strings.TrimPrefix(a, "-"), "=")
		return (name == "-v" || name == "v") && value != "false" && strings.HasPrefix(a, "-")
	})
}

// An event is one line of go test -json (go doc test2json).
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// A test is what is known of one that has not ended, or did not pass.
type test struct {
	name   string // "" for the package itself
	output []string
	action string // how it ended
}

type skip struct {
	test, reason string
}

// A reporter gathers the events of packages, which go test mixes, and prints each
// package when it ends.
type reporter struct {
	w       io.Writer
	verbose bool
	tests   map[string][]*test // by package, in the order of their first lines
	skips   []skip
}

func newReporter(w io.Writer, verbose bool) *reporter {
	return &reporter{w: w, verbose: verbose, tests: map[string][]*test{}}
}

func (r *reporter) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) > 0 && json.Unmarshal(line, &e) == nil:
			r.event(e)
		case len(line) > 0: // what go test itself says, such as that of a bad flag
			_, _ = r.w.Write(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *reporter) event(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.w, e.Output)
		return
	case "start", "build-fail":
		return
	}
	t := r.test(e.Package, e.Test)
	switch e.Action {
	case "output":
		t.output = append(t.output, e.Output)
	case "pass", "fail", "skip":
		t.action = e.Action
		if e.Action == "skip" && e.Test != "" {
			r.skips = append(r.skips, skip{e.Package + " " + e.Test, reason(t.output)})
		}
		if e.Test == "" {
			r.print(e.Package)
			delete(r.tests, e.Package)
		}
	}
}

func (r *reporter) test(pkg, name string) *test {
	for _, t := range r.tests[pkg] {
		if t.name == name {
			return t
		}
	}
	t := &test{name: name}
	r.tests[pkg] = append(r.tests[pkg], t)
	return t
}

// print prints a package as go test does: what did not end was running when the package
// failed.
func (r *reporter) print(pkg string) {
	tests := r.tests[pkg]
	whole := tests[slices.IndexFunc(tests, func(t *test) bool { return t.name == "" })]
	for _, t := range tests {
		if t != whole && (r.verbose || t.action == "fail" || t.action == "" && whole.action == "fail") {
			r.lines(t.output)
		}
	}
	output := whole.output
	if !r.verbose && whole.action != "fail" && len(output) > 0 {
		output = output[len(output)-1:] // what it printed otherwise is of interest when it fails
	}
	r.lines(output)
}

func (r *reporter) lines(output []string) {
	for _, line := range output {
		if r.verbose || !framing(line) {
			fmt.Fprint(r.w, line)
		}
	}
}

// framing reports whether a line says only that a test goes on.
func framing(line string) bool { return strings.HasPrefix(line, "=== ") }

// reason returns what a skipped test said.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !framing(line) && !strings.HasPrefix(line, "--- SKIP") {
			said = append(said, line)
		}
	}
	if said == nil {
		return "no reason given"
	}
	return strings.Join(said, " ")
}

// table prints the skipped tests, those of one reason together.
func (r *reporter) table() {
	fmt.Fprintf(r.w, "\nskipped: %d\n", len(r.skips))
	for len(r.skips) > 0 {
		why := r.skips[0].reason
		fmt.Fprintf(r.w, "  %s\n", why)
		r.skips = slices.DeleteFunc(r.skips, func(s skip) bool {
			if s.reason == why {
				fmt.Fprintf(r.w, "    %s\n", s.test)
			}
			return s.reason == why
		})
	}
}
