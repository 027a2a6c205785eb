package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// A measurement is the last section of the page: what depends on the machine.
type measurement struct {
	machine string
	values  []string // of measures and programs, in this order
}

// A measure is a benchmark.
type measure struct{ what, pkg, benchmark string }

// measures are the times of the page.
func measures() []measure {
	return []measure{
		{"read Docker's profile", "./language/oci", "Read"},
		{"resolve it for x86_64", "./policy", "ResolveDocker/1_ABIs"},
		{"resolve it for x86_64, x86 and x32", "./policy", "ResolveDocker/3_ABIs"},
		{"compile it for x86_64", "./internal/compile", "Docker/1ABIs/exhaustive=false"},
		{"compile it for x86_64, x86 and x32", "./internal/compile", "Docker/3ABIs/exhaustive=false"},
		{"prove the filter of x86_64, as after each compile", "./proof", "Walk1ABI"},
		{"prove the filter of three ABIs, as after each compile", "./proof", "Walk3ABIs"},
		{"prove the filter of three ABIs, from whatever compiler", "./proof", "DockerEqual3ABIs"},
		{"all of it, as a container runtime does", "./oci", "Compile"},
		{"a hit in the cache", "./oci", "Cache/hit"},
		{"decode and verify an artifact with one filter", "./artifact", "Decode/1"},
		{"find a system call by its name", "./syscalltables", "Lookup"},
	}
}

func (m *measure) command() string {
	return "go test -run '^$' -bench '^Benchmark" + strings.ReplaceAll(m.benchmark, "/", "$/^") + "$' " + m.pkg
}

// A program is one that is built, stripped, for linux/amd64.
type program struct{ what, pkg string }

func programs() []program {
	return []program{
		{"a program that compiles a profile and confines itself", "./testdata/size/compile"},
		{"a program that confines itself by an artifact", "./testdata/size/artifact"},
		{"a program that loads a filter", "./testdata/size/load"},
		{"the command", "./cmd/seccompile"},
	}
}

func (p *program) command() string {
	return "CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' " + p.pkg
}

// section shows the measurement.
func (m *measurement) section() *section {
	s := &section{
		title: "On one machine",
		text:  m.machine + "\n\nTimes are the least of sixty runs, sizes those of programs for linux/amd64.",
		heads: numbers(),
	}
	for i, x := range measures() {
		s.add(row{x.what, m.values[i], x.command()})
	}
	for i, p := range programs() {
		s.add(row{p.what, m.values[len(measures())+i], p.command()})
	}
	return s
}

// measureAll runs all benchmarks of the repository in a directory, and builds the programs.
func measureAll(dir string) (*measurement, error) {
	m := &measurement{machine: machine()}
	for _, x := range measures() {
		least, err := x.run(dir)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "%s: %v\n", x.what, least)
		m.values = append(m.values, duration(least))
	}
	for _, p := range programs() {
		size, err := p.size(dir)
		if err != nil {
			return nil, err
		}
		m.values = append(m.values, fmt.Sprintf("%.1f MB", float64(size)/1e6))
	}
	return m, nil
}

// run returns the least time of an operation in nanoseconds.
func (m *measure) run(dir string) (least float64, err error) {
	pattern := "^Benchmark" + strings.ReplaceAll(m.benchmark, "/", "$/^") + "$"
	// Of many short runs, some have the processor for themselves even on a busy machine.
	cmd := exec.Command("go", "test", "-run", "^$", "-bench", pattern, "-benchtime", "10ms", "-count", "60", m.pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", m.command(), err, out)
	}
	line := regexp.MustCompile(`^Benchmark` + regexp.QuoteMeta(m.benchmark) + `(?:-[0-9]+)?\s+[0-9]+\s+([0-9.]+) ns/op`)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := line.FindStringSubmatch(lines.Text())
		if f == nil {
			continue
		}
		ns, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			return 0, err
		}
		if least == 0 || ns < least {
			least = ns
		}
	}
	if least == 0 {
		return 0, fmt.Errorf("%s: the benchmark did not run:\n%s", m.command(), out)
	}
	return least, nil
}

// size builds a program and returns how many bytes it has.
func (p *program) size(dir string) (int64, error) {
	tmp, err := os.MkdirTemp("", "numbers-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(tmp)
	file := filepath.Join(tmp, "program")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, p.pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", p.command(), err, out)
	}
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// duration writes nanoseconds with two or three digits.
func duration(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%.0f ns", ns)
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	}
	return fmt.Sprintf("%.1f ms", ns/1e6)
}

// machine says what was measured on.
func machine() string {
	model := ""
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`(?m)^model name\s*: (.+)$`).FindSubmatch(text); m != nil {
			model = ", " + string(m[1])
		}
	}
	return fmt.Sprintf("Measured with %s on %s/%s, %d processors%s.", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model)
}

// readMeasured takes the measurement out of a page.
func readMeasured(text string) (*measurement, error) {
	_, text, found := strings.Cut(text, "\n## On one machine\n\n")
	machine, rest, _ := strings.Cut(text, "\n")
	rows, _ := table(rest)
	if want := len(measures()) + len(programs()); !found || len(rows) != want {
		return nil, fmt.Errorf("%s: %d rows of measured numbers, want %d: measure them again (make numbers)", file, len(rows), want)
	}
	m := &measurement{machine: machine}
	for _, r := range rows {
		if len(r) != 3 {
			return nil, fmt.Errorf("%s: a row with %d cells: measure again (make numbers)", file, len(r))
		}
		m.values = append(m.values, r[1])
	}
	return m, nil
}
