package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/seccompile/seccompile/arch"
	"github.com/seccompile/seccompile/cbpf"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
	"github.com/seccompile/seccompile/internal/compile"
	"github.com/seccompile/seccompile/internal/proved"
	"github.com/seccompile/seccompile/internal/stats"
	"github.com/seccompile/seccompile/language/oci"
	"github.com/seccompile/seccompile/policy"
	"github.com/seccompile/seccompile/preset"
)

// A filter is one of ours that is held against the model.
type filter struct {
	name    string
	program *cbpf.Program
	stats   *stats.Stats
	theirs  *cbpf.Program // libseccomp's tree for the same profile
}

// leastPath is what every path of a filter executes at least: the load and test of the
// ABI, the load and one test of the number, the return.
const leastPath = 5

// holdAgainst prints what our filters take to load, and how far that is from what the model
// says of a program that is as short as possible and has the shortest paths for all numbers.
func holdAgainst(w io.Writer, rounds int, filters []filter, m model) error {
	allow, err := program(nil, shape{}, 0, uint32(cbpf.Allow), 1)
	if err != nil {
		return err
	}
	programs := []*cbpf.Program{allow}
	for _, f := range filters {
		programs = append(programs, f.program)
	}
	took, err := timeLoads(programs, rounds)
	if err != nil {
		return err
	}
	shortest := leastPath * emulated(allow) // which takes one for each number
	t := table(w, fmt.Sprintf("loading: our filters, us (a filter that is one instruction: %.1f)", took[0].low()))
	fmt.Fprintln(t, "\tinsns\tbound\ttwo targets\temulated\tdecile\tmedian\tthe fit says\tits floor\tabove it\t")
	for i, f := range filters {
		s, took := f.stats, took[i+1]
		floor := m.of(min(s.Instructions, s.Bound.Total()), shortest)
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", f.name, s.Instructions, s.Bound.Total(), twoTargets(f.program), s.Emulated,
			took.low(), took.median(), m.of(s.Instructions, s.Emulated), floor, took.low()-floor)
	}
	return t.Flush()
}

// twoTargets counts the tests that the kernel's compiler needs two instructions for.
func twoTargets(p *cbpf.Program) int {
	n := 0
	for _, ins := range p.Raw() {
		if ins.Jt != 0 && ins.Jf != 0 {
			n++
		}
	}
	return n
}

// compiled returns the filters of some profiles for x86_64 and its companions.
func compiled() ([]filter, error) {
	three := []arch.ABI{arch.X86_64, arch.X86, arch.X32}
	var list []filter
	for _, p := range []struct {
		name string
		abis []arch.ABI
	}{
		{"docker", three[:1]}, {"docker", three[:2]}, {"docker", three}, {"podman", three}, {"containerd", three},
		{"allow-list-72.json", three[:1]}, {"ioctl-200.json", three[:1]}, {"wide-arguments.json", three[:1]},
	} {
		f, err := compileOne(p.name, p.abis)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		f.name = strings.TrimSuffix(p.name, ".json") + ", " + strings.Trim(fmt.Sprint(p.abis), "[]")
		list = append(list, f)
	}
	return list, nil
}

// compileOne compiles a preset, or a profile among the tests' own.
func compileOne(name string, abis []arch.ABI) (filter, error) {
	text, err := profile(name)
	if err != nil {
		return filter{}, err
	}
	p, _, err := oci.Read(text, policy.Target{ABI: abis[0], Caps: preset.Caps(name)})
	if err != nil {
		return filter{}, err
	}
	meant, _, err := policy.Resolve(p, policy.Options{ABIs: abis})
	if err != nil {
		return filter{}, err
	}
	r, err := proved.Compile(meant, compile.Options{})
	if err != nil {
		return filter{}, err
	}
	spec, err := oci.Spec(p)
	if err != nil {
		return filter{}, err
	}
	theirs, err := scmp.Compile(spec, abis, scmp.Options{Level: 2, NoStub: true})
	return filter{program: r.Program, stats: stats.Compiled(&r.Result, stats.Options{ABIs: abis}), theirs: theirs}, err
}

// profile returns the text of a preset, or of a file among the tests' own.
func profile(name string) ([]byte, error) {
	if filepath.Ext(name) != "" {
		return os.ReadFile(filepath.Join("../testdata/profiles", name))
	}
	return preset.Profile(name)
}
