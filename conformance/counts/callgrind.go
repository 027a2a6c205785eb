package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// A measurement is what one line of a counted program's report says of one piece of work,
// and its dump.
type measurement struct {
	work         string
	times        int
	allocations  int64 // of each time
	instructions int64 // of each time
}

// parseReport reads lines of a name, how often the work was done and, perhaps, the
// allocations of each time.
func parseReport(text []byte) ([]measurement, error) {
	var out []measurement
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 2 {
			return nil, fmt.Errorf("a report without counts: %q", line)
		}
		m := measurement{work: words[0]}
		var err error
		if m.times, err = strconv.Atoi(words[1]); err != nil || m.times < 1 {
			return nil, fmt.Errorf("a report without times: %q", line)
		}
		if len(words) > 2 {
			if m.allocations, err = strconv.ParseInt(words[2], 10, 64); err != nil {
				return nil, fmt.Errorf("a report without allocations: %q", line)
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// callgrind runs a program and returns the instructions of the pieces of work that it
// reports. Its first thread alone is counted: others are the runtime's of Go, and do
// something when time has passed.
func callgrind(dir, name string, stdin []byte, program string, args ...string) ([]measurement, error) {
	dumps := filepath.Join(dir, name)
	c := exec.Command("valgrind", append([]string{"-q", "--tool=callgrind", "--separate-threads=yes",
		"--callgrind-out-file=" + dumps, program}, args...)...)
	c.Env = environment()
	c.Stdin = bytes.NewReader(stdin)
	text, err := output(c)
	if err != nil {
		return nil, err
	}
	report, err := parseReport(text)
	if err != nil {
		return nil, err
	}
	for i := range report {
		file := fmt.Sprintf("%s.%d-01", dumps, i+1)
		dump, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		total, err := parseDump(dump)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		report[i].instructions = total / int64(report[i].times)
	}
	return report, nil
}

// parseDump returns the instructions that a dump of callgrind's counts.
func parseDump(dump []byte) (int64, error) {
	for _, must := range []string{"\nthread: 1\n", "\nevents: Ir\n", "\ndesc: Trigger: Client Request\n"} {
		if !bytes.Contains(dump, []byte(must)) {
			return 0, fmt.Errorf("not a dump that a program asked for: %q is missing", strings.TrimSpace(must))
		}
	}
	_, rest, _ := bytes.Cut(dump, []byte("\ntotals: "))
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	return strconv.ParseInt(string(line), 10, 64)
}
