package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/compiler"
	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/syscalltables"
)

// counts prints how many instructions filters execute for the calls of each workload.
func counts(w io.Writer, only *regexp.Regexp, dir string) error {
	command := filepath.Join(dir, "seccompile")
	if out, err := exec.Command("go", "build", "-C", "..", "-o", command, "./cmd/seccompile").CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	docker, err := docker()
	if err != nil {
		return err
	}
	for _, l := range workloads(only) {
		own, weights, err := recorded(&l, dir, command)
		if err != nil {
			return fmt.Errorf("record %s: %w", l.name, err)
		}
		calls, err := traced(&l, dir)
		if err != nil {
			return fmt.Errorf("trace %s: %w", l.name, err)
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "%s: %d calls\tinsns\tcalls that run it\tfor which it executes\twithout bitmap, a call\t\n", l.name, len(calls))
		for _, p := range []profile{docker, own} {
			if err := compare(t, p, weights, calls); err != nil {
				return err
			}
		}
		fmt.Fprintln(t)
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// compare prints what filters of one profile execute for some calls.
func compare(w io.Writer, p profile, weights map[string]uint64, calls []cbpf.Data) error {
	for _, c := range []struct {
		name string
		peers.Compiler
	}{
		{"libseccomp " + scmp.Version(), peers.Libseccomp{Options: scmp.Options{Level: 2, NoStub: true}}},
		{"seccompile", peers.Seccompile{}},
		{"seccompile, its frequencies", peers.Seccompile{Compiler: compiler.Options{Weights: weights}}},
	} {
		program, err := c.Compile(p.spec, p.abis)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", p.name, c.name, err)
		}
		e := executed(program, calls)
		fmt.Fprintf(w, "%s: %s\t%d\t%d\t%.2f\t%.2f\t\n", p.name, c.name, program.Len(), e.missed,
			float64(e.ofMissed)/float64(max(e.missed, 1)), float64(e.all)/float64(len(calls)))
	}
	return nil
}

// A sum is how many instructions a filter executes.
type sum struct {
	missed   int // calls that the bitmap does not have
	ofMissed int // instructions for these
	all      int // instructions for all calls, as if there were no bitmap
}

func executed(p *cbpf.Program, calls []cbpf.Data) sum {
	var s sum
	for i := range calls {
		_, steps := p.Trace(&calls[i])
		s.all += len(steps)
		if cached, _ := p.ConstAllow(calls[i].Arch, calls[i].NR); !cached {
			s.missed++
			s.ofMissed += len(steps)
		}
	}
	return s
}

// recorded returns the profile that seccompile record makes of a workload, with arguments,
// and the frequencies of its calls.
func recorded(l *workload, dir, command string) (profile, map[string]uint64, error) {
	path, frequencies := filepath.Join(dir, l.name+".json"), filepath.Join(dir, l.name+".txt")
	if _, err := l.run([]string{command, "record", "-q", "--args", "-o", path, "--frequencies", frequencies, "--"}, dir, l.few); err != nil {
		return profile{}, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return profile{}, nil, err
	}
	counted, err := os.ReadFile(frequencies)
	if err != nil {
		return profile{}, nil, err
	}
	weights, err := stats.ParseWeights(string(counted))
	if err != nil {
		return profile{}, nil, err
	}
	p, err := read("recorded", text, nil, arch.X86_64)
	return p, stats.Frequencies(weights), err
}

// traced returns the calls that a workload makes, as strace sees them.
func traced(l *workload, dir string) ([]cbpf.Data, error) {
	path := filepath.Join(dir, l.name+".strace")
	if _, err := l.run([]string{"strace", "-f", "-qq", "-e", "raw=all", "-e", "signal=none", "-o", path, "--"}, dir, l.few); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var calls []cbpf.Data
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if d, ok := call(lines.Text()); ok {
			calls = append(calls, d)
		}
	}
	return calls, lines.Err()
}

// entry is the beginning of a line of strace -f -e raw=all that shows how a call enters.
var entry = regexp.MustCompile(`^\d+ +([a-z0-9_]+)\(([0-9a-fx, ]*)`)

// call returns the call of a line, if one enters there. Numbers are hexadecimal or 0.
func call(line string) (d cbpf.Data, ok bool) {
	m := entry.FindStringSubmatch(line)
	if m == nil {
		return d, false
	}
	c, ok := syscalltables.Lookup(m[1])
	if !ok {
		return d, false
	}
	d.Arch = arch.X86_64.Audit()
	if d.NR, ok = c.Number(arch.X86_64); !ok {
		return d, false
	}
	i := 0
	for field := range strings.FieldsFuncSeq(m[2], func(r rune) bool { return r == ',' || r == ' ' }) {
		if i == len(d.Args) {
			break
		}
		d.Args[i], _ = strconv.ParseUint(field, 0, 64) // "?" stands for nothing known
		i++
	}
	return d, true
}
