package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"text/tabwriter"

	"github.com/seccompile/seccompile/conformance/internal/peers"
	"github.com/seccompile/seccompile/conformance/internal/scmp"
)

// A contender is a filter in a file, or none.
type contender struct{ name, path string }

// contenders writes the filters for Docker's profile to a folder.
func contenders(dir string) ([]contender, error) {
	p, err := docker()
	if err != nil {
		return nil, err
	}
	list := []contender{{"no filter", ""}}
	for _, c := range []struct {
		name string
		peers.Compiler
	}{
		{"runc: stub, libseccomp " + scmp.Version(), peers.Libseccomp{}},
		{"seccompile", peers.Seccompile{}},
	} {
		program, err := c.Compile(p.spec, p.abis)
		if err != nil {
			return nil, err
		}
		bare, err := withoutBitmap(program)
		if err != nil {
			return nil, err
		}
		with := contender{c.name, filepath.Join(dir, fmt.Sprintf("filter%d", len(list)))}
		without := contender{c.name + ", without bitmap", with.path + "-without"}
		if err := writeFilter(with.path, program); err != nil {
			return nil, err
		}
		if err := writeFilter(without.path, bare); err != nil {
			return nil, err
		}
		list = append(list, with, without)
	}
	return list, nil
}

// costs prints the processor time of each workload under each filter: the lower quartile,
// which a busy machine disturbs less than the median, and no single run decides.
func costs(w io.Writer, only *regexp.Regexp, dir string, rounds int) error {
	list, err := contenders(dir)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "Docker's default profile, 3 ABIs; processor time, user and system; %d rounds in turns, load %.4s\n", rounds, load)
	for _, l := range workloads(only) {
		took := make([][]float64, len(list))
		random := rand.New(rand.NewPCG(1, 2))
		for range rounds {
			for _, i := range random.Perm(len(list)) {
				us, err := timed(&l, []string{self, "-under", list[i].path, "--"})
				if err != nil {
					return fmt.Errorf("%s under %s: %w", l.name, list[i].name, err)
				}
				took[i] = append(took[i], us)
			}
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "\n%s: us a %s\tquartile\tmedian\tto no filter: quartiles\tmedian of ratios\t\n", l.name, l.unit)
		for i, c := range list {
			ratios := make([]float64, rounds)
			for r := range ratios {
				ratios[r] = took[i][r] / took[0][r]
			}
			fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t\n", c.name, quantile(took[i], 4), quantile(took[i], 2), quantile(took[i], 4)/quantile(took[0], 4), quantile(ratios, 2))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// timed returns the microseconds that a unit of a workload takes behind a command.
func timed(l *workload, command []string) (float64, error) {
	dir, err := os.MkdirTemp("", "workloads")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	state, err := l.run(command, dir, l.units)
	if err != nil {
		return 0, err
	}
	return float64((state.UserTime() + state.SystemTime()).Nanoseconds()) / 1e3 / float64(l.units), nil
}

// quantile returns the smallest value that one in n is not above.
func quantile(s []float64, n int) float64 {
	return slices.Sorted(slices.Values(s))[(len(s)-1)/n]
}
